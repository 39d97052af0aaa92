"""What the DAGs that a person starts share: a plan, an approval, and work that waits well."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import BaseOperator

from semarize_airflow.assets import SCORES, landed_scores
from semarize_airflow.failures import handled
from semarize_airflow.hooks.semarize_hook import SemarizeHook
from semarize_airflow.hooks.state_hook import StateHook
from semarize_airflow.run import read_settings
from semarize_airflow.triggers.score_trigger import SAMPLE, ScoreTrigger
from semarize_pipeline import campaigns
from semarize_pipeline.campaigns import Plan
from semarize_pipeline.errors import Wait
from semarize_pipeline.orders import Order
from semarize_pipeline.semarize.client import SemarizeClient
from semarize_pipeline.settings import Kit, Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import period_end

PLANS = "plans"
KITS = "kits"
SUMMARY = "summary"
NEEDS_APPROVAL = "needs_approval"
LANDED = landed_scores("campaigns")
# What every mapped task of a campaign is given where it is declared.
MAPPED: dict[str, Any] = {"map_index_template": "{{ task.vendor }}", "outlets": [LANDED]}


def campaign_run(context: Any) -> str:
    """What a campaign is called that nobody named: its DAG run."""
    return str(context["ti"].run_id)


class PlanOperator(BaseOperator):
    """Check the form, pin the kits, and say what the campaign would do.

    Returns the vendors with something to do (none for a dry run, so that nothing follows);
    pushes ``plans``, ``summary``, ``needs_approval``, and ``kits`` with the versions that hold
    for all of it.
    """

    def execute(self, context: Any) -> list[str]:
        return self.resume(context)

    def resume(self, context: Any, event: Any = None) -> list[str]:
        with handled(self):
            settings = read_settings()
            state = StateHook().get_conn()
            order, plans, kits = self.planned(context, settings, state)
        for plan in plans:
            self.log.info("%s", plan)
        summary = "\n".join(f"- {plan}" for plan in plans)
        push = context["ti"].xcom_push
        push(PLANS, [plan.as_dict() for plan in plans])
        push(KITS, [{"name": k.name, "code": k.code, "version_id": k.version_id} for k in kits])
        push(SUMMARY, summary)
        push(NEEDS_APPROVAL, not order.dry_run and campaigns.needs_approval(plans, settings))
        return [] if order.dry_run else [plan.vendor for plan in plans]

    @abstractmethod
    def planned(
        self, context: Any, settings: Settings, state: State
    ) -> tuple[Order, list[Plan], tuple[Kit, ...]]:
        """The order that the form is, a plan for each vendor, and the pinned kits."""


class ApprovePlanOperator(ApprovalOperator):
    """Waits for a person where the plan is large, and lets a small one through."""

    def __init__(self, *, plan_task_id: str = "plan", **kwargs: Any) -> None:
        super().__init__(
            subject="{{ dag.dag_id }}: approve this plan?",
            body=f"{{{{ ti.xcom_pull(task_ids='{plan_task_id}', key='{SUMMARY}') }}}}",
            **kwargs,
        )
        self.plan_task_id = plan_task_id

    def execute(self, context: Any) -> Any:
        if not context["ti"].xcom_pull(task_ids=self.plan_task_id, key=NEEDS_APPROVAL):
            self.log.info("below history.approve_above_calls and history.approve_above_runs")
            return None
        return super().execute(context)


class CampaignOperator(BaseOperator):
    """One vendor's part of a campaign: goes on until done, and holds no worker while it waits.

    :param vendor: a vendor's name; mapped over what the plan returned.
    """

    template_fields = ("vendor", "semarize_conn_id")

    def __init__(
        self,
        *,
        vendor: str,
        plan_task_id: str = "plan",
        semarize_conn_id: str = "semarize_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.vendor = vendor
        self.plan_task_id = plan_task_id
        self.semarize_conn_id = semarize_conn_id

    def execute(self, context: Any) -> dict[str, Any]:
        return self.resume(context)

    def resume(
        self, context: Any, event: Any = None, deadline: str | None = None
    ) -> dict[str, Any]:
        """Again from where the state says; a killed or deferred task comes here too."""
        with handled(self):
            settings = read_settings()
            state = StateHook().get_conn()
            report = self.work(context, settings, state)
            if report["capped"]:
                raise Wait(
                    "today's share of score.max_runs_per_day is used up",
                    period_end("day", state.clock()),
                )
        self.log.info("%s", report)
        now = datetime.now(UTC)
        minutes = timedelta(minutes=settings.score.deadline_minutes)
        ends = datetime.fromisoformat(deadline) if deadline else now + minutes
        if report["waiting"] and now < ends:
            until = ends.isoformat()
            self.defer(
                trigger=ScoreTrigger(self.semarize_conn_id, report["waiting"][:SAMPLE], until),
                method_name="resume",
                kwargs={"deadline": until},
            )
        if report["waiting"]:
            self.log.warning(
                "%d runs are still under way; clear this task later, and it goes on with them",
                len(report["waiting"]),
            )
        if report["bought"]:
            context["outlet_events"][LANDED].add(SCORES)
        return report

    @abstractmethod
    def work(self, context: Any, settings: Settings, state: State) -> dict[str, Any]:
        """Do what can be done now. Counts, with ``waiting``, ``capped`` and ``bought``."""

    def pinned(self, context: Any) -> tuple[Kit, ...]:
        """The kits as the plan pinned them."""
        told = context["ti"].xcom_pull(task_ids=self.plan_task_id, key=KITS) or []
        return tuple(Kit(**kit, vendors=()) for kit in told)


def semarize_beside_live(conn_id: str, settings: Settings, state: State) -> SemarizeClient:
    """Semarize's client for the past: it leaves the hourly runs their share."""
    hook = SemarizeHook(conn_id, settings.score, state, reserved=settings.history.live_share)
    return hook.semarize()
