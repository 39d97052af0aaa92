"""One DAG per vendor: read what is new, land it, have it scored, land that."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG

from semarize_airflow import dag_defaults
from semarize_airflow.operators.extract_operator import ExtractConversationsOperator
from semarize_airflow.operators.score_operator import ScoreConversationsOperator
from semarize_pipeline import vendors

for vendor in vendors.names():
    with DAG(
        dag_id=f"conversations__{vendor}",
        description=f"Conversations from {vendor}: extract, land, score, land",
        schedule="@hourly",
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        # Two runs of one vendor would race for one watermark.
        max_active_runs=1,
        default_args=dag_defaults.ARGS,
        tags=["conversations", vendor],
        doc_md=dag_defaults.conversations_doc(vendor),
    ):
        extract = ExtractConversationsOperator(task_id="extract", vendor=vendor)
        score = ScoreConversationsOperator(task_id="score", vendor=vendor, pool="semarize_api")
        extract >> score
