"""Ours as production runs it: Airflow's task, or whole DAGs, by ``dag.test()``.

The step ``whole`` runs two DAG files as they stand: the vendor's, and dbt's.
"""

from __future__ import annotations

import told

job = told.job()

import importlib  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402
from datetime import datetime  # noqa: E402
from typing import Any  # noqa: E402

from airflow.dag_processing.dagbag import DagBag  # noqa: E402
from function import unhurried  # noqa: E402

from semarize_airflow.operators.extract_operator import ExtractConversationsOperator  # noqa: E402
from semarize_airflow.pools import make_pools  # noqa: E402

told.phase("import")


def ended_well(run: Any) -> dict[str, float]:
    """How long each task took, as Airflow shows it: in a worker that has imported Airflow."""
    tasks = run.get_task_instances()
    states = {str(ti.task_id): str(ti.state) for ti in tasks}
    if set(states.values()) != {"success"}:
        raise SystemExit(f"tasks ended {states}")
    return {f"task {ti.task_id}": float(ti.duration) for ti in tasks}


def time_execute(took: dict[str, float]) -> None:
    """Note how long the operator itself works, from when Airflow hands over until it is done.

    What the task takes beyond it is Airflow's; ``dag.test()`` also builds the API server within
    the process, which a worker asks over the network.
    """
    execute = ExtractConversationsOperator.execute

    def timed(self: ExtractConversationsOperator, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(self, context)
        finally:
            took["its operator"] = time.perf_counter() - began

    ExtractConversationsOperator.execute = timed  # type: ignore[method-assign]


def main() -> None:
    # The module behind vendors.get(), so that the operator finds the unhurried one.
    module = importlib.import_module(f"semarize_pipeline.vendors.{job['shape']}")
    module.VENDOR = unhurried(module.VENDOR, job["per_second"])
    until = datetime.fromisoformat(job["until"])
    make_pools()
    dags = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).dags
    if job["step"] == "whole":
        told.phase("open")
        took = ended_well(dags[f"conversations__{job['shape']}"].test(run_after=until))
        told.phase("extract and score")
        took |= ended_well(dags["scorecards"].test(run_after=until))
        told.phase("dbt")
    else:
        told.phase("open")
        inner: dict[str, float] = {}
        time_execute(inner)
        took = ended_well(dags["extract_alone"].test(run_after=until)) | inner
        told.phase("run")
    told.done(tasks=took)


main()
