"""Records that could not be read and runs that failed, once more: by hand, with a form."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG

from semarize_airflow import dag_defaults, forms
from semarize_airflow.operators.campaign_operator import MAPPED, ApprovePlanOperator
from semarize_airflow.operators.replay_operator import (
    PlanReplayOperator,
    ReplayOperator,
)

with DAG(
    dag_id="replay",
    description="After a fix: quarantined records and failed runs, once more",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=dag_defaults.ARGS,
    params=forms.replay(),
    tags=["history", "replay"],
    doc_md=dag_defaults.REPLAY_DOC,
):
    plan = PlanReplayOperator(task_id="plan")
    approve = ApprovePlanOperator(task_id="approve")
    replay = ReplayOperator.partial(task_id="replay", pool="history", **MAPPED)
    plan >> approve >> replay.expand(vendor=plan.output)
