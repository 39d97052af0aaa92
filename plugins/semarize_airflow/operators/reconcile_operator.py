"""Reconciliation as tasks: each vendor's listing, and the check of the account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator

from semarize_airflow.failures import handled
from semarize_airflow.hooks.state_hook import StateHook
from semarize_airflow.hooks.vendor_hook import VendorHook
from semarize_airflow.hooks.warehouse_hook import WarehouseHook
from semarize_airflow.run import read_settings, run_name
from semarize_pipeline import reconcile, vendors


class ReconcileConversationsOperator(BaseOperator):
    """List a wide window of a vendor again, mend what differs, write the account.

    A vendor that the hourly runs have not begun to read is left alone: it may have no connection.

    :param vendor: a vendor's name, such as ``gong``.
    :param http_conn_id: another connection than ``<vendor>_default``.
    """

    template_fields = ("vendor", "http_conn_id")

    def __init__(self, *, vendor: str, http_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vendor = vendor
        self.http_conn_id = http_conn_id

    def execute(self, context: Any) -> dict[str, Any]:
        return self.resume(context)

    def resume(self, context: Any, event: Any = None) -> dict[str, Any]:
        """Again from the start: a listing proves nothing before it is complete."""
        with handled(self):
            state = StateHook().get_conn()
            settings = read_settings()
            until = context["dag_run"].run_after
            vendor = vendors.get(self.vendor)
            if reconcile.window_of(vendor, state, settings, until) is None:
                self.log.info("%s has not been read yet: nothing to reconcile", self.vendor)
                return {}
            share = settings.history.live_share
            hook = VendorHook(self.vendor, self.http_conn_id, state, share, settings)
            report = reconcile.reconcile(
                vendor,
                hook.client(),
                WarehouseHook().get_conn(),
                state,
                until=until,
                settings=settings,
                run=run_name(context),
            )
        self.log.info("%s", report)
        return report.as_dict()


class CheckAccountOperator(BaseOperator):
    """Fail, naming vendor and day, where not every conversation listed is accounted for."""

    def execute(self, context: Any) -> int:
        with handled(self):
            settings = read_settings()
            back = timedelta(days=settings.history.reconcile_days)
            since = context["dag_run"].run_after - back
            return reconcile.check(WarehouseHook().get_conn(), since, run_name(context))
