"""Daily, after the marts were built: fail where they, or the conversations, are too old."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG

from semarize_airflow import dag_defaults
from semarize_airflow.operators.freshness_operator import CheckFreshnessOperator

with DAG(
    dag_id="freshness",
    description="Fails, and so tells somebody, where marts or conversations are too old",
    schedule="0 8 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=dag_defaults.ARGS,
    tags=["operations"],
    doc_md=dag_defaults.FRESHNESS_DOC,
):
    CheckFreshnessOperator(task_id="check")
