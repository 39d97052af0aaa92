"""A stretch of the past, from the vendors: by hand, with a form."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG

from semarize_airflow import dag_defaults, forms
from semarize_airflow.operators.backfill_operator import (
    BackfillConversationsOperator,
    PlanBackfillOperator,
)
from semarize_airflow.operators.campaign_operator import MAPPED, ApprovePlanOperator

with DAG(
    dag_id="backfill",
    description="Conversations of the past: planned, approved where large, read in slices, scored",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=dag_defaults.ARGS,
    params=forms.backfill(),
    tags=["history", "backfill"],
    doc_md=dag_defaults.BACKFILL_DOC,
):
    plan = PlanBackfillOperator(task_id="plan")
    approve = ApprovePlanOperator(task_id="approve")
    backfill = BackfillConversationsOperator.partial(task_id="backfill", pool="history", **MAPPED)
    plan >> approve >> backfill.expand(vendor=plan.output)
