"""A replay as tasks: its plan, and each vendor's part."""

from __future__ import annotations

from typing import Any

from semarize_airflow.hooks.vendor_hook import VendorHook
from semarize_airflow.hooks.warehouse_hook import WarehouseHook
from semarize_airflow.operators.campaign_operator import (
    CampaignOperator,
    PlanOperator,
    campaign_run,
    semarize_beside_live,
)
from semarize_airflow.run import run_name
from semarize_pipeline import campaigns, orders, replay, vendors
from semarize_pipeline.campaigns import Plan
from semarize_pipeline.orders import Order, ReplayOrder
from semarize_pipeline.settings import Kit, Settings
from semarize_pipeline.state import State


def _order(context: Any, settings: Settings) -> ReplayOrder:
    now = context["dag_run"].run_after
    return orders.replay(dict(context["params"]), settings, run=campaign_run(context), now=now)


class PlanReplayOperator(PlanOperator):
    """How many records and runs would be tried once more."""

    def planned(
        self, context: Any, settings: Settings, state: State
    ) -> tuple[Order, list[Plan], tuple[Kit, ...]]:
        order = _order(context, settings)
        plans = [
            replay.plan(
                vendors.get(vendor),
                WarehouseHook().get_conn(),
                state,
                order=order,
                began=context["dag_run"].run_after,
                settings=settings,
                run=run_name(context),
            )
            for vendor in order.vendors
        ]
        # Those refused unsent are not counted in a plan: they cost nothing here.
        refused = {v for v in order.vendors if state.ledger.in_status(v, (), ("refused",))}
        wanted = [p for p in plans if p.calls or p.runs or p.vendor in refused]
        return order, wanted, ()


class ReplayOperator(CampaignOperator):
    """One vendor's quarantined records and failed runs, once more."""

    def work(self, context: Any, settings: Settings, state: State) -> dict[str, Any]:
        order = _order(context, settings)
        share = settings.history.live_share
        hook = VendorHook(self.vendor, state=state, reserved=share, settings=settings)
        report = replay.replay(
            hook.vendor,
            hook.client(),
            semarize_beside_live(self.semarize_conn_id, settings, state),
            WarehouseHook().get_conn(),
            state,
            order=order,
            began=context["dag_run"].run_after,
            settings=settings,
            run=run_name(context),
        )
        bought = campaigns.runs_bought(state, order.campaign)
        return {**report.as_dict(), "bought": bought}
