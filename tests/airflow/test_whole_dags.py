"""Whole DAGs by ``dag.test()``: real Airflow, real HTTP to the sandbox, real DuckDB.

scorecards, and all of them on Snowflake's emulator, are in test_both_warehouses.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import ALL, call

from semarize_pipeline.state import State
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_sandbox.server import Sandbox, running
from semarize_sandbox.world import World


@pytest.fixture(scope="module")
def sandbox(airflow_home: Path, settings_file: Path) -> Iterator[Sandbox]:
    """Three calls a vendor; one more is ready only later; one of Gong's is private."""
    now = datetime.now(UTC)
    given = [call(v, n, now - timedelta(hours=6 + n)) for v in ALL for n in range(3)]
    given += [call(v, 7, now - timedelta(hours=5), ready_after=timedelta(days=2)) for v in ALL]
    given.append(call("gong", 8, now - timedelta(hours=5), private=True))
    with running(World(given)) as running_sandbox:
        os.environ["PIPELINE_SETTINGS"] = str(settings_file)
        for name, connection in running_sandbox.connections().items():
            os.environ[f"AIRFLOW_CONN_{name.upper()}"] = connection
        yield running_sandbox


def rows(home: Path, sql: str) -> list[dict[str, Any]]:
    with DuckDBWarehouse(home / "warehouse.duckdb").open("test") as session:
        return session.query(sql)


@pytest.mark.parametrize("vendor", ALL)
def test_a_vendors_dag_lands_and_scores(
    run_dag: Any, sandbox: Sandbox, airflow_home: Path, vendor: str
) -> None:
    dag_run = run_dag(f"conversations__{vendor}")
    assert dag_run.state == "success"
    assert {ti.state for ti in dag_run.get_task_instances()} == {"success"}
    landed = rows(airflow_home, f"select * from landing.{vendor}__conversations")
    assert len(landed) == 4
    kits = 2 if vendor == "gong" else 1
    runs = rows(airflow_home, f"select * from landing.semarize__runs where vendor = '{vendor}'")
    assert len(runs) == 3 * kits
    assert {row["status"] for row in runs} == {"succeeded"}
    scores = rows(
        airflow_home, f"select * from landing.scores__interaction_quality where vendor = '{vendor}'"
    )
    assert len(scores) == 3
    assert all(0 <= row["compliance_score"] <= 1 for row in scores)
    assert all(row["agent_id"] for row in scores)
    (loaded_by,) = {row["_loaded_by"] for row in landed}
    assert loaded_by.startswith(f"conversations__{vendor}/")
    mirrored = rows(
        airflow_home,
        f"select status, score_status, count(*) n from landing.ledger where vendor = '{vendor}' "
        "group by all",
    )
    counted = {(row["status"], row["score_status"]): row["n"] for row in mirrored}
    assert counted[("landed", "scored")] == 3
    assert counted[("pending", None)] == 1
    assert counted.get(("private", None), 0) == (1 if vendor == "gong" else 0)


def test_again_buys_nothing_and_announces_nothing(
    run_dag: Any, sandbox: Sandbox, airflow_home: Path
) -> None:
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    def events() -> int:
        with create_session() as session:
            return len(session.query(AssetEvent).all())

    run_dag("conversations__gong")
    paid = len(sandbox.world.requests("semarize", "/v1/runs"))
    told = events()
    assert told >= 1, "a run that lands scores announces them"
    dag_run = run_dag("conversations__gong")
    assert dag_run.state == "success"
    assert len(sandbox.world.requests("semarize", "/v1/runs")) == paid
    assert events() == told


@pytest.mark.usefixtures("pools")
def test_a_bad_credential_fails_without_retries(
    dag_bag: Any,
    sandbox: Sandbox,
    airflow_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = json.loads(os.environ["AIRFLOW_CONN_CHORUS_DEFAULT"])
    monkeypatch.setenv(
        "AIRFLOW_CONN_CHORUS_DEFAULT", json.dumps({**held, "password": "wrong-token"})
    )
    before = len(sandbox.world.requests("chorus"))
    # With its retries: failing at once is what is tested.
    assert dag_bag.dags["conversations__chorus"].get_task("extract").retries == 3
    dag_run = dag_bag.dags["conversations__chorus"].test()
    tasks = {ti.task_id: ti for ti in dag_run.get_task_instances()}
    assert dag_run.state == "failed"
    assert tasks["extract"].state == "failed"
    assert tasks["extract"].try_number == 1
    assert len(sandbox.world.requests("chorus")) - before == 1


def test_nothing_but_counts_and_ids_is_in_the_metadata_database(airflow_home: Path) -> None:
    """XCom, triggers and rendered templates: no words of a conversation, no secret."""
    # What was written last may still stand beside the file, in its log.
    raw = b"".join(file.read_bytes() for file in airflow_home.glob("airflow.db*"))
    assert b"conversations__gong" in raw, "the guard: this is the database that was used"
    for words in (b"budget is approved", b"sign the contract", b"smz_test_"):
        assert words not in raw


def test_the_state_database_holds_no_token_in_the_clear(airflow_home: Path) -> None:
    key = os.environ["AIRFLOW__CORE__FERNET_KEY"]
    state = State(f"sqlite:///{airflow_home}/state.db", fernet_key=key)
    pair = state.tokens.load("callminer_default")
    assert pair is not None
    assert pair.access
    assert pair.access.encode() not in (airflow_home / "state.db").read_bytes()
    state.close()
