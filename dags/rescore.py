"""Kits over conversations that have landed: by hand, with a form."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG

from semarize_airflow import dag_defaults, forms
from semarize_airflow.operators.campaign_operator import MAPPED, ApprovePlanOperator
from semarize_airflow.operators.rescore_operator import (
    PlanRescoreOperator,
    RescoreConversationsOperator,
)

with DAG(
    dag_id="rescore",
    description="Kits, or versions of them, over conversations that have landed",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=dag_defaults.ARGS,
    params=forms.rescore(),
    tags=["history", "rescore"],
    doc_md=dag_defaults.RESCORE_DOC,
):
    plan = PlanRescoreOperator(task_id="plan")
    approve = ApprovePlanOperator(task_id="approve")
    rescore = RescoreConversationsOperator.partial(task_id="rescore", pool="history", **MAPPED)
    plan >> approve >> rescore.expand(vendor=plan.output)
