"""Daily: list each vendor's last weeks again, mend what differs, and check the account."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, TriggerRule

from semarize_airflow import dag_defaults
from semarize_airflow.operators.reconcile_operator import (
    CheckAccountOperator,
    ReconcileConversationsOperator,
)
from semarize_pipeline import vendors

with DAG(
    dag_id="reconcile",
    description="The last weeks listed again: fetch what is missing or changed, mark what is gone",
    schedule="40 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=dag_defaults.ARGS,
    tags=["history", "reconcile"],
    doc_md=dag_defaults.RECONCILE_DOC,
):
    # A vendor that cannot be reached must not keep the others from being checked.
    check = CheckAccountOperator(task_id="check", trigger_rule=TriggerRule.ALL_DONE)
    for vendor in vendors.names():
        relist = ReconcileConversationsOperator(
            task_id=f"relist__{vendor}", vendor=vendor, pool="history"
        )
        relist >> check
