"""What Airflow's own database knows: the DAGs' last runs; and a replay, started as its UI does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from airflow.api_fastapi.core_api.datamodels.dag_run import TriggerDAGRunPostBody
from airflow.api_fastapi.core_api.routes.public.dag_run import trigger_dag_run
from airflow.models.dag import DagModel
from airflow.models.dagbag import DBDagBag
from airflow.models.dagrun import DagRun
from airflow.models.log import Log
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from fastapi import Request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from semarize_pipeline.overview.findings import DagRunSeen, DagSeen

RUNS_SHOWN = 5


def dags(dag_ids: Iterable[str]) -> dict[str, DagSeen]:
    """The DAGs that Airflow knows of these, each with its last runs."""
    made: dict[str, DagSeen] = {}
    with create_session() as session:
        known = session.execute(
            select(DagModel.dag_id, DagModel.is_paused).where(DagModel.dag_id.in_(list(dag_ids)))
        ).all()
        for dag_id, is_paused in known:
            runs = session.execute(
                select(DagRun.run_id, DagRun.state, DagRun.start_date, DagRun.end_date)
                .where(DagRun.dag_id == dag_id)
                .order_by(DagRun.run_after.desc(), DagRun.id.desc())
                .limit(RUNS_SHOWN)
            ).all()
            tasks: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
            told = session.execute(
                select(TaskInstance.run_id, TaskInstance.task_id, TaskInstance.state)
                .where(
                    TaskInstance.dag_id == dag_id,
                    TaskInstance.run_id.in_([run.run_id for run in runs]),
                    TaskInstance.state.in_(("failed", "deferred", "up_for_retry")),
                )
                .order_by(TaskInstance.task_id)
            )
            for run_id, task_id, state in told:
                if task_id not in tasks[run_id, str(state)]:
                    tasks[run_id, str(state)].append(task_id)
            made[dag_id] = DagSeen(
                dag_id=dag_id,
                is_paused=bool(is_paused),
                runs=tuple(
                    DagRunSeen(
                        run_id=run.run_id,
                        state=str(run.state),
                        started_at=run.start_date,
                        ended_at=run.end_date,
                        failed=tuple(tasks[run.run_id, "failed"]),
                        waiting=tuple(tasks[run.run_id, "deferred"]),
                        retrying=tuple(tasks[run.run_id, "up_for_retry"]),
                    )
                    for run in runs
                ),
            )
    return made


def trigger(
    dag_id: str, conf: Mapping[str, Any], name: str, user: Any, request: Request
) -> tuple[str, bool]:
    """Start a run of a DAG; its id, and whether it was there before: a form pressed twice is one.

    Goes through the function behind Airflow's own endpoint, so the form's values are checked and
    the run is recorded as that one does it.
    """
    run_id = f"manual__page_{name}"
    try:
        with create_session() as session:
            there = select(DagRun.id).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
            if session.scalar(there) is not None:
                return run_id, True
            body = TriggerDAGRunPostBody(
                dag_run_id=run_id,
                logical_date=None,
                conf=dict(conf),
                note="Started from the operator's page",
            )
            trigger_dag_run(dag_id, body, DBDagBag(), user, session, request)
            session.add(
                Log(
                    event="trigger_dag_run",
                    task_instance=None,
                    owner=user.get_name(),
                    owner_display_name=user.get_name(),
                    dag_id=dag_id,
                    run_id=run_id,
                )
            )
    except IntegrityError:
        return run_id, True  # pressed twice within the same moment
    return run_id, False
