"""Extraction as a task."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseOperator

from semarize_airflow.failures import handled
from semarize_airflow.hooks.state_hook import StateHook
from semarize_airflow.hooks.vendor_hook import VendorHook
from semarize_airflow.hooks.warehouse_hook import WarehouseHook
from semarize_airflow.run import read_settings, run_name
from semarize_pipeline import pipeline


class ExtractConversationsOperator(BaseOperator):
    """Land what a vendor has had since the watermark; returns the counts.

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
        """Again from the start: what has landed is known, so nothing is asked for twice."""
        with handled(self):
            state = StateHook().get_conn()
            settings = read_settings()
            hook = VendorHook(self.vendor, self.http_conn_id, state, settings=settings)
            report = pipeline.extract(
                hook.vendor,
                hook.client(),
                WarehouseHook().get_conn(),
                state,
                # Not the clock: a retry must read the same window.
                until=context["dag_run"].run_after,
                settings=settings,
                run=run_name(context),
            )
        self.log.info("%s", report)
        return report.as_dict()
