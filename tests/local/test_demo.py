"""The demo beside other commands, and its DAG runs: side by side, failing, interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from semarize_airflow.local.dag_runs import DagRunner, log_of
from semarize_airflow.local.demo import demo
from semarize_airflow.local.environment import Refused, Runtime, environment
from semarize_airflow.local.processes import Notes, Service, one_at_a_time
from semarize_airflow.pools import POOLS

DAGS = """
import os, signal, subprocess, sys, time
from datetime import UTC, datetime
from pathlib import Path
from airflow.sdk import DAG, task

HERE = Path(__file__).parent
BEGIN = {"start_date": datetime(2026, 1, 1, tzinfo=UTC), "default_args": {"retries": 3}}

with DAG("fails", **BEGIN):
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

with DAG("dies", **BEGIN):
    @task
    def vanish():
        os.kill(os.getpid(), signal.SIGKILL)

    vanish()

def pair(name, other):
    with DAG(name, **BEGIN):
        @task
        def meet():
            (HERE / f"{name}.pid").write_text(str(os.getpid()))
            give_up = time.monotonic() + 90
            while not (HERE / f"{other}.pid").exists():
                assert time.monotonic() < give_up, "the other did not run at the same time"
                time.sleep(0.05)

        meet()

def sleeps(name):
    with DAG(name, **BEGIN):
        @task
        def wait():
            # As dbt is: a program that the task starts.
            with subprocess.Popen(["sleep", "200"]) as started:
                partial = HERE / f"{name}.partial"
                partial.write_text(f"{os.getpid()} {started.pid}")
                partial.replace(HERE / f"{name}.pids")

        wait()

pair("left", "right")
pair("right", "left")
sleeps("sleeps_1")
sleeps("sleeps_2")
"""
INTERRUPTED = """
import os, sys
from pathlib import Path
from semarize_airflow.local.dag_runs import DagRunner
from semarize_airflow.local.processes import ending_children

with ending_children():
    DagRunner(os.environ, Path(sys.argv[1])).side_by_side(["sleeps_1", "sleeps_2"])
"""


@pytest.fixture
def made(runtime: Runtime, tmp_path: Path) -> dict[str, str]:
    """The environment of runs of the DAGs above."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "all.py").write_text(DAGS)
    made = environment(runtime, variables=os.environ, sandbox={}, isolated=True)
    return {**made, "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags")}


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
def test_dags_run_side_by_side_and_each_one_that_fails_is_named(
    runtime: Runtime, made: dict[str, str]
) -> None:
    runner = DagRunner(made, runtime.logs)
    with contextlib.closing(sqlite3.connect(runtime.airflow_home / "airflow.db")) as database:
        written = {dag_id for (dag_id,) in database.execute("select dag_id from serialized_dag")}
    assert {"fails", "left", "dies", "right"} <= written, "runs that start together cannot write"
    told: list[str] = []
    wanted = ["fails", "left", "dies", "right", "nowhere"]
    outcomes = runner.side_by_side(wanted, lambda outcome: told.append(outcome.dag_id))
    again = runner.side_by_side(["left"])
    runner.close()
    assert [outcome.dag_id for outcome in outcomes] == wanted
    assert sorted(told) == sorted(wanted)
    fails, left, dies, right, nowhere = outcomes
    states = {"works": "success", "breaks": "failed", "never": "upstream_failed"}
    assert fails.tasks == states
    assert fails.failed == ["breaks", "never"]
    assert fails.error == "the key is wrong; make another"
    assert [left.failed, right.failed, again[0].failed] == [[], [], []], "they wait for each other"
    assert dies.failed == ["process"]
    assert "-9" in (dies.error or "")
    assert str(log_of("dies", runtime.logs)) in (dies.error or "")
    assert nowhere.failed
    assert "has no DAG of that name" in (nowhere.error or "")
    assert "the key is wrong" in log_of("fails", runtime.logs).read_text()
    with contextlib.closing(sqlite3.connect(runtime.airflow_home / "airflow.db")) as database:
        pools = dict(database.execute("select pool, slots from slot_pool"))
    assert {name: pools.get(name) for name in POOLS} == {
        n: slots for n, (slots, _) in POOLS.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupt_ends_every_run_and_what_it_started(
    runtime: Runtime, tmp_path: Path, made: dict[str, str], number: signal.Signals
) -> None:
    notes = [tmp_path / "dags" / f"sleeps_{n}.pids" for n in (1, 2)]
    command = [sys.executable, "-c", INTERRUPTED, str(runtime.logs)]
    with subprocess.Popen(command, env=made, stderr=subprocess.PIPE, text=True) as interrupted:
        give_up = time.monotonic() + 120
        while not all(note.exists() for note in notes):
            assert time.monotonic() < give_up
            assert interrupted.poll() is None
            time.sleep(0.1)
        members = psutil.Process(interrupted.pid).children(recursive=True)
        pids = {int(pid) for note in notes for pid in note.read_text().split()}
        assert len(pids) == 4
        assert pids < {member.pid for member in members}
        interrupted.send_signal(number)
        _, error = interrupted.communicate(timeout=20)
    assert "KeyboardInterrupt" in error
    _, left = psutil.wait_procs(members, timeout=5)
    assert not [p for p in left if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
def test_a_runner_that_cannot_start_says_why(runtime: Runtime, made: dict[str, str]) -> None:
    broken = {**made, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////nowhere/airflow.db"}
    with pytest.raises(Refused, match=r"(?s)ended with code 1; see .*unable to open"):
        DagRunner(broken, runtime.logs)
