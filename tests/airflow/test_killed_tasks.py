"""Airflow's own task process is killed, again and again: the next run of the DAG makes it whole.

The pipeline's functions are killed at every step in tests/faults; here it is a DAG run with its
operators, hooks and connections. ``make test-celery`` kills a Celery worker.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bench import call

from semarize_pipeline.state import State
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_sandbox import semarize
from semarize_sandbox.server import running
from semarize_sandbox.world import World

ROOT = Path(__file__).parents[2]
CALLS = 12
# Killed when the vendor and Semarize have heard so many requests of a run.
AFTER_REQUESTS = (1, 3, 8)
LONGEST_SECONDS = 120.0
SETTINGS = """
[extract]
start = "3 days"
[score]
at_once = 2
requests_per_second = 500
[kits.interaction_quality]
code = "C5A1E07B"
"""
# Airflow takes seconds to start: once, here; each run of the DAG is a fork of this process.
RUNNER = """
import os, sys
from airflow import settings
from semarize_airflow.local.dag_runs import load_dags, run
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
dag = load_dags().dags["conversations__gong"]
settings.dispose_orm(do_log=False)
print("ready", file=answers, flush=True)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        settings.configure_orm()
        os._exit(len(run(dag).failed))
    print(child, file=answers, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)
"""


@contextmanager
def runner(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[str]]:
    path = os.pathsep.join([str(ROOT / "include"), str(ROOT / "plugins")])
    with (
        log.open("w") as output,
        subprocess.Popen(
            [sys.executable, "-c", RUNNER],
            env={**os.environ, **environment, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.long
@pytest.mark.usefixtures("pools")
def test_a_dag_that_is_killed_again_and_again(airflow_home: Path, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    given = [call("gong", n, now - timedelta(hours=5, minutes=n)) for n in range(CALLS)]
    world = World(given, limited=False)
    with running(world) as sandbox:
        world.switch("semarize", run_seconds=0.1)
        (tmp_path / "pipeline.toml").write_text(SETTINGS)
        environment = {
            f"AIRFLOW_CONN_{name.upper()}": given for name, given in sandbox.connections().items()
        }
        environment["PIPELINE_SETTINGS"] = str(tmp_path / "pipeline.toml")
        for name, kind in (("state", "sqlite"), ("warehouse", "duckdb")):
            held = {"conn_type": kind, "host": str(tmp_path / f"{name}.db")}
            environment[f"AIRFLOW_CONN_{name.upper()}_DEFAULT"] = json.dumps(held)
        ended = []
        with runner(environment, tmp_path / "log") as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", (tmp_path / "log").read_text()
            for after in (*AFTER_REQUESTS, None):
                before, give_up = len(world.requests()), time.monotonic() + LONGEST_SECONDS
                process.stdin.write("run\n")
                process.stdin.flush()
                child = int(process.stdout.readline())
                while after is not None and len(world.requests()) < before + after:
                    assert time.monotonic() < give_up, (tmp_path / "log").read_text()
                    time.sleep(0.005)
                if after is not None:
                    os.kill(child, signal.SIGKILL)
                ended.append(int(process.stdout.readline()))
        assert ended == [*[-signal.SIGKILL] * len(AFTER_REQUESTS), 0], (
            tmp_path / "log"
        ).read_text()
        store = semarize.of(world)
        assert len(store.paid) == CALLS
        assert store.duplicates() == []
    with DuckDBWarehouse(tmp_path / "warehouse.db").open("test") as session:
        for table, key in (
            ("gong__conversations", "conversation_id"),
            ("scores__interaction_quality", "conversation_id"),
            ("semarize__runs", "idempotency_key"),
        ):
            (row,) = session.query(
                f"select count(*) as n, count(distinct {key}) as keys from landing.{table}"
            )
            assert row == {"n": CALLS, "keys": CALLS}, table
        (row,) = session.query("select count(*) as n from landing.gong__utterances")
        assert row["n"] == CALLS * 3
        (row,) = session.query(
            "select count(*) as n from landing.ledger where (status, score_status) = "
            "('landed', 'scored')"
        )
        assert row["n"] == CALLS
    state = State(f"sqlite:///{tmp_path / 'state.db'}")
    assert state.runs.open("gong") == []
    assert state.watermarks.reached("gong") > now - timedelta(hours=1, minutes=5)
    state.close()
