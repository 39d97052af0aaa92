"""Erasure by hand, with a form; retention every day."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from semarize_airflow import dag_defaults
from semarize_airflow.operators.privacy_operators import EraseOperator, RetentionOperator
from semarize_pipeline import vendors

EMPTY = ["null", "string"]

with DAG(
    dag_id="erase",
    description="Erase conversations by id, or those of a person, from landing and the marts",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=dag_defaults.ARGS,
    tags=["privacy"],
    doc_md=dag_defaults.ERASE_DOC,
    params={
        "dry_run": Param(True, type="boolean", description="Only say what would go: do this first"),
        "requested_by": Param(
            "", type="string", minLength=1, description="For the record: a ticket's number, no name"
        ),
        "vendor": Param(
            None,
            type=EMPTY,
            enum=[None, *vendors.names()],
            description="Whose ids these are; for an e-mail address empty means all vendors",
        ),
        "conversation_ids": Param(
            None, type=EMPTY, description="The vendor's ids, with spaces between them; or ..."
        ),
        "user_id": Param(
            None, type=EMPTY, description="... a person, by the id that the vendor gives; or ..."
        ),
        "email": Param(None, type=EMPTY, description="... a person, by address"),
    },
):
    EraseOperator(task_id="erase")

with DAG(
    dag_id="retention",
    description="Blank content that is older than the settings allow, and sweep what was erased",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=dag_defaults.ARGS,
    tags=["privacy"],
    doc_md=dag_defaults.RETENTION_DOC,
):
    RetentionOperator(task_id="blank")
