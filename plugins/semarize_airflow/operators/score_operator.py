"""Scoring as a task that hands its worker back while only slow runs are left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import BaseOperator

from semarize_airflow.assets import SCORES, landed_scores
from semarize_airflow.failures import handled
from semarize_airflow.hooks.semarize_hook import SemarizeHook
from semarize_airflow.hooks.state_hook import StateHook
from semarize_airflow.hooks.warehouse_hook import WarehouseHook
from semarize_airflow.run import read_settings, run_name
from semarize_airflow.triggers.score_trigger import ScoreTrigger
from semarize_pipeline import pipeline


class ScoreConversationsOperator(BaseOperator):
    """Have what landed evaluated, and land the answers; returns the counts.

    :param vendor: a vendor's name, such as ``gong``.
    :param semarize_conn_id: another connection than ``semarize_default``.
    """

    template_fields = ("vendor", "semarize_conn_id")

    def __init__(
        self, *, vendor: str, semarize_conn_id: str = "semarize_default", **kwargs: Any
    ) -> None:
        super().__init__(outlets=[landed_scores(vendor)], **kwargs)
        self.vendor = vendor
        self.semarize_conn_id = semarize_conn_id

    def execute(self, context: Any) -> dict[str, Any]:
        return self.resume(context)

    def resume(
        self, context: Any, event: Any = None, scored: int = 0, deadline: str | None = None
    ) -> dict[str, Any]:
        """Go on where the register of runs says; ``scored`` so far by this task."""
        with handled(self):
            state = StateHook().get_conn()
            settings = read_settings()
            hook = SemarizeHook(self.semarize_conn_id, settings.score, state)
            report = pipeline.score(
                self.vendor,
                hook.semarize(),
                WarehouseHook().get_conn(),
                state,
                settings=settings,
                run=run_name(context),
            )
        self.log.info("%s", report)
        report.scored += scored
        now = datetime.now(UTC)
        ends = (
            datetime.fromisoformat(deadline)
            if deadline
            else (now + timedelta(minutes=settings.score.deadline_minutes))
        )
        if report.waiting and now < ends:
            self.defer(
                trigger=ScoreTrigger(self.semarize_conn_id, report.waiting, ends.isoformat()),
                method_name="resume",
                kwargs={"scored": report.scored, "deadline": ends.isoformat()},
            )
        if report.waiting:
            self.log.warning(
                "%d runs are still under way; the next run of this DAG goes on with them",
                len(report.waiting),
            )
        if report.scored:
            context["outlet_events"][landed_scores(self.vendor)].add(SCORES)
        return report.as_dict()
