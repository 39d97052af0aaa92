"""One ``dbt build`` when scores have landed, and daily in any case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable

from semarize_airflow import dag_defaults
from semarize_airflow.assets import SCORECARDS, SCORES
from semarize_airflow.operators.dbt_operator import DbtBuildOperator

with DAG(
    dag_id="scorecards",
    description="Landed rows to scorecards: one dbt build, each model's result recorded",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("30 5 * * *", timezone="UTC"), assets=[SCORES]
    ),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=dag_defaults.ARGS,
    tags=["scorecards", "dbt"],
    doc_md=dag_defaults.SCORECARDS_DOC,
):
    DbtBuildOperator(
        task_id="dbt_build",
        pool="warehouse",
        outlets=[SCORECARDS],
        # dbt waits for Snowflake's answers without end; this ends it, and whatever it started.
        execution_timeout=timedelta(hours=3),
    )
