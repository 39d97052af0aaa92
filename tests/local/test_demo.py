"""The demo beside other commands, and a DAG that fails in it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from semarize_airflow.local.demo import demo
from semarize_airflow.local.environment import Refused, Runtime, environment
from semarize_airflow.local.processes import Notes, Service, one_at_a_time

FAILING = """
from datetime import UTC, datetime
from airflow.sdk import DAG, task

with DAG("fails", start_date=datetime(2026, 1, 1, tzinfo=UTC), default_args={"retries": 3}) as dag:
    @task
    def works():
        return 1

    @task
    def breaks(one):
        raise ValueError("the key is wrong;\\n make another")

    @task
    def never(one):
        return one

    never(breaks(works()))
"""
DRIVER = """
from semarize_airflow.local import metadata
from semarize_airflow.local.demo import run
from semarize_airflow.pools import POOLS

metadata.prepare()

from airflow.dag_processing.dagbag import DagBag
from airflow.models.pool import Pool

print("pools", {name: Pool.get_pool(name).slots for name in POOLS} ==
      {name: slots for name, (slots, _) in POOLS.items()})
outcome = run(DagBag().dags["fails"])
print("tasks", dict(outcome.tasks))
print("failed", outcome.failed)
print("error", outcome.error)
"""


@contextlib.contextmanager
def beside(runtime: Runtime) -> Iterator[None]:
    """A process that is noted as what `make up` has started."""
    # Not this process: whoever leads its session may be out of sight, as in a container.
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as up:
        try:
            begun = psutil.Process(up.pid).create_time()
            Notes(runtime.processes).write(Service("airflow", up.pid, begun, (8080,)))
            yield
        finally:
            up.kill()


def test_the_demo_does_not_run_beside_up(runtime: Runtime) -> None:
    with beside(runtime), pytest.raises(Refused, match="make down"):
        demo(runtime, {})
    assert not runtime.airflow_home.exists()


def test_the_demo_does_not_run_beside_another(runtime: Runtime) -> None:
    with one_at_a_time(runtime), pytest.raises(Refused, match="at work"):
        demo(runtime, {})


@pytest.mark.slow
def test_a_failing_task_is_named_with_its_error_in_one_line(
    runtime: Runtime, tmp_path: Path
) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "fails.py").write_text(FAILING)
    made = environment(runtime, variables=os.environ, sandbox={}, isolated=True)
    ended = subprocess.run(
        [sys.executable, "-c", DRIVER],
        env={**made, "AIRFLOW__CORE__DAGS_FOLDER": str(dags)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = ended.stdout.splitlines()
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "pools True" in said
    assert "tasks {'works': 'success', 'breaks': 'failed', 'never': 'upstream_failed'}" in said
    assert "failed ['breaks', 'never']" in said
    assert "error the key is wrong; make another" in said
