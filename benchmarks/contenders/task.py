"""Ours as production runs it: Airflow's task, or whole DAGs, by ``dag.test()``.

The step ``whole`` runs two DAG files as they stand: the vendor's, and dbt's.
"""

from __future__ import annotations

import told

job = told.job()

import importlib  # noqa: E402
import sys  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from airflow.sdk import DAG  # noqa: E402
from function import unhurried  # noqa: E402

from semarize_airflow.operators.extract_operator import (  # noqa: E402
    ExtractConversationsOperator,
)

told.phase("import")

DAGS = Path(__file__).parents[2] / "dags"


def ended_well(run: Any) -> None:
    states = {str(ti.task_id): str(ti.state) for ti in run.get_task_instances()}
    if set(states.values()) != {"success"}:
        raise SystemExit(f"tasks ended {states}")


def main() -> None:
    # The module behind vendors.get(), so that the operator finds the unhurried one.
    module = importlib.import_module(f"semarize_pipeline.vendors.{job['shape']}")
    module.VENDOR = unhurried(module.VENDOR, job["per_second"])
    until = datetime.fromisoformat(job["until"])
    if job["step"] == "whole":
        sys.path.insert(0, str(DAGS))
        from airflow.dag_processing.dagbag import DagBag

        from semarize_airflow.pools import make_pools

        make_pools()
        bag = DagBag(str(DAGS))
        told.phase("open")
        ended_well(bag.dags[f"conversations__{job['shape']}"].test(run_after=until))
        told.phase("extract and score")
        ended_well(bag.dags["scorecards"].test(run_after=until))
        told.phase("dbt")
    else:
        with DAG("benchmark", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
            ExtractConversationsOperator(task_id="extract", vendor=job["shape"])
        told.phase("open")
        ended_well(dag.test(run_after=until))
        told.phase("run")
    told.done()


main()
