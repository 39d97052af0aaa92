"""The state database out of the warehouse, after it was lost: by hand, with a form."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from semarize_airflow import dag_defaults
from semarize_airflow.operators.rebuild_operator import RebuildStateOperator

with DAG(
    dag_id="rebuild_state",
    description="After the state database was lost: restore it from the warehouse",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=dag_defaults.ARGS,
    params={
        "dry_run": Param(
            True, type="boolean", description="Only say what would be restored: do this first"
        ),
        "merge": Param(
            False,
            type="boolean",
            description="Also into a state database that is not empty, such as an old backup",
        ),
    },
    tags=["rebuild"],
    doc_md=dag_defaults.REBUILD_DOC,
):
    RebuildStateOperator(task_id="rebuild")
