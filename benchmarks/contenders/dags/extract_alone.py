"""A vendor's extraction as the only task of a DAG, for the comparison with the function."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG

from semarize_airflow.operators.extract_operator import ExtractConversationsOperator

with DAG("extract_alone", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    ExtractConversationsOperator(task_id="extract", vendor="gong")
