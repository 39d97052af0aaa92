"""A backfill as tasks: its plan, and each vendor's part."""

from __future__ import annotations

from typing import Any

from airflow.sdk.exceptions import AirflowNotFoundException

from semarize_airflow.hooks.vendor_hook import VendorHook
from semarize_airflow.hooks.warehouse_hook import WarehouseHook
from semarize_airflow.operators.campaign_operator import (
    CampaignOperator,
    PlanOperator,
    campaign_run,
    semarize_beside_live,
)
from semarize_airflow.run import run_name
from semarize_pipeline import backfill, campaigns, orders
from semarize_pipeline.backfill import Progress
from semarize_pipeline.campaigns import Plan
from semarize_pipeline.orders import BackfillOrder, Order
from semarize_pipeline.settings import Kit, Settings
from semarize_pipeline.state import State


def _order(context: Any, settings: Settings) -> BackfillOrder:
    # Not the clock: a retry must cut the same slices.
    now = context["dag_run"].run_after
    return orders.backfill(dict(context["params"]), settings, run=campaign_run(context), now=now)


class PlanBackfillOperator(PlanOperator):
    """What a backfill would fetch and buy; a few listings are all that it asks for.

    :param semarize_conn_id: another connection than ``semarize_default``.
    """

    template_fields = ("semarize_conn_id",)

    def __init__(self, *, semarize_conn_id: str = "semarize_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.semarize_conn_id = semarize_conn_id

    def planned(
        self, context: Any, settings: Settings, state: State
    ) -> tuple[Order, list[Plan], tuple[Kit, ...]]:
        order = _order(context, settings)
        kits: tuple[Kit, ...] = ()
        if order.kits:
            semarize = semarize_beside_live(self.semarize_conn_id, settings, state)
            kits = campaigns.pinned(order.kits, semarize)
        plans = []
        share = settings.history.live_share
        for vendor in order.vendors:
            hook = VendorHook(vendor, state=state, reserved=share, settings=settings)
            try:
                api = hook.client()
            except AirflowNotFoundException:
                if len(order.vendors) == 1:
                    raise
                self.log.info("%s has no connection %s: left out", vendor, hook.http_conn_id)
                continue
            plans.append(
                backfill.plan(
                    hook.vendor,
                    api,
                    WarehouseHook().get_conn(),
                    state,
                    order=order,
                    kits=kits,
                    settings=settings,
                    run=run_name(context),
                    until=context["dag_run"].run_after,
                )
            )
        return order, [plan for plan in plans if plan.requests or plan.runs], kits


class BackfillConversationsOperator(CampaignOperator):
    """One vendor's past, slice by slice; limits are waited for without a worker."""

    def work(self, context: Any, settings: Settings, state: State) -> dict[str, Any]:
        order = _order(context, settings)
        kits = self.pinned(context)
        share = settings.history.live_share
        hook = VendorHook(self.vendor, state=state, reserved=share, settings=settings)

        def tell(progress: Progress) -> None:
            self.log.info("%s: %s", self.vendor, progress)
            # Beside the log, where it is seen while the task runs.
            context["ti"].xcom_push("progress", str(progress))

        report = backfill.backfill(
            hook.vendor,
            hook.client(),
            semarize_beside_live(self.semarize_conn_id, settings, state) if kits else None,
            WarehouseHook().get_conn(),
            state,
            order=order,
            kits=kits,
            settings=settings,
            run=run_name(context),
            until=context["dag_run"].run_after,
            tell=tell,
        )
        bought = campaigns.runs_bought(state, order.campaign)
        return {**report.as_dict(), "bought": bought}
