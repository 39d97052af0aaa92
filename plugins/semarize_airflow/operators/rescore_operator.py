"""A rescore as tasks: its plan, and each vendor's part."""

from __future__ import annotations

from typing import Any

from semarize_airflow.hooks.warehouse_hook import WarehouseHook
from semarize_airflow.operators.campaign_operator import (
    CampaignOperator,
    PlanOperator,
    campaign_run,
    semarize_beside_live,
)
from semarize_airflow.run import run_name
from semarize_pipeline import campaigns, orders, rescore
from semarize_pipeline.campaigns import Plan
from semarize_pipeline.orders import Order
from semarize_pipeline.rescore import Selection
from semarize_pipeline.settings import Kit, Settings
from semarize_pipeline.state import State


def _order(context: Any, settings: Settings) -> Order:
    # Not the clock: a retry must choose the same conversations.
    now = context["dag_run"].run_after
    return orders.rescore(dict(context["params"]), settings, run=campaign_run(context), now=now)


class PlanRescoreOperator(PlanOperator):
    """What a rescore would buy.

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
        semarize = semarize_beside_live(self.semarize_conn_id, settings, state)
        kits = campaigns.pinned(order.kits, semarize)
        plans = [
            rescore.plan(
                Selection(vendor=vendor, window=order.window, ids=order.ids),
                WarehouseHook().get_conn(),
                state,
                kits=kits,
                caps=order.caps,
                settings=settings,
                run=run_name(context),
            )
            for vendor in order.vendors
        ]
        return order, [plan for plan in plans if plan.calls], kits


class RescoreConversationsOperator(CampaignOperator):
    """One vendor's landed conversations, evaluated by the kits of the form."""

    def work(self, context: Any, settings: Settings, state: State) -> dict[str, Any]:
        order = _order(context, settings)
        report = rescore.rescore(
            Selection(vendor=self.vendor, window=order.window, ids=order.ids),
            semarize_beside_live(self.semarize_conn_id, settings, state),
            WarehouseHook().get_conn(),
            state,
            kits=self.pinned(context),
            campaign=order.campaign,
            caps=order.caps,
            settings=settings,
            run=run_name(context),
        )
        bought = campaigns.runs_bought(state, order.campaign)
        return {**report.as_dict(), "bought": bought}
