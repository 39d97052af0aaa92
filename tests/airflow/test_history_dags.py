"""The DAGs about the past by ``dag.test()``: real Airflow, real HTTP to the sandbox, DuckDB."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import call

from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_sandbox import semarize
from semarize_sandbox.server import Sandbox, running
from semarize_sandbox.world import World

NOW = datetime.now(UTC)
OLD = f"{NOW - timedelta(days=40):%Y-%m-%d}"
SETTINGS = """
[extract]
start = "3 days"
slice_hours = 240
[score]
patience_seconds = 20
requests_per_second = 500
price_per_run = 0.1
currency = "EUR"
[history]
slice_hours = 240
approve_above_runs = 20
[kits.interaction_quality]
code = "C5A1E07B"
[kits.deal_signals]
code = "D3A15160"
vendors = []
"""


@pytest.fixture
def sandbox(stores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Three recent calls and two old ones of Gong, and a state and warehouse of its own."""
    given = [call("gong", n, NOW - timedelta(hours=6 + n)) for n in range(3)]
    given += [call("gong", 50 + n, NOW - timedelta(days=30 + n)) for n in range(2)]
    with running(World(given)) as made:
        (tmp_path / "pipeline.toml").write_text(SETTINGS)
        monkeypatch.setenv("PIPELINE_SETTINGS", str(tmp_path / "pipeline.toml"))
        for name, connection in made.connections().items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", connection)
        yield made


def rows(folder: Path, sql: str) -> list[dict[str, Any]]:
    with DuckDBWarehouse(folder / "warehouse.duckdb").open("test") as session:
        return session.query(sql)


def states(dag_run: Any) -> dict[str, str]:
    return {ti.task_id: str(ti.state) for ti in dag_run.get_task_instances()}


def paid(sandbox: Sandbox) -> int:
    return int(sandbox.world.standins["semarize"].counts()["runs_paid"])


def test_rescore(run_dag: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    run_dag("conversations__gong")
    assert paid(sandbox) == 3
    # Every field each time: dag.test() leaves a run's values in the DAG.
    form = {"vendor": "gong", "from": OLD, "kits": ["deal_signals"], "dry_run": False}
    only_planned = run_dag("rescore", {**form, "dry_run": True})
    assert only_planned.state == "success"
    assert states(only_planned)["rescore"] == "skipped"
    assert paid(sandbox) == 3
    dag_run = run_dag("rescore", form)
    assert set(states(dag_run).values()) == {"success"}
    assert paid(sandbox) == 6
    assert len(rows(tmp_path, "select * from landing.scores__deal_signals")) == 3
    again = run_dag("rescore", form)
    assert again.state == "success"
    assert paid(sandbox) == 6


def test_backfill(run_dag: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    form = {
        "vendor": "gong",
        "from": OLD,
        "to": f"{NOW - timedelta(days=20):%Y-%m-%d}",
        "kits": ["interaction_quality"],
        "max_runs": None,
        "campaign": None,
        "dry_run": True,
    }
    only_planned = run_dag("backfill", form)
    assert states(only_planned)["backfill"] == "skipped"
    plan = only_planned.get_task_instance("plan")
    (told,) = plan.xcom_pull(task_ids="plan", key="plans")
    assert (told["calls"], told["runs"], told["cost"]) == (2, 2, 0.2)
    dag_run = run_dag("backfill", {**form, "dry_run": False})
    assert set(states(dag_run).values()) == {"success"}
    assert len(rows(tmp_path, "select * from landing.gong__conversations")) == 2
    assert len(rows(tmp_path, "select * from landing.scores__interaction_quality")) == 2
    assert paid(sandbox) == 2
    done = dag_run.get_task_instances()
    (part,) = (ti for ti in done if ti.task_id == "backfill")
    told = part.xcom_pull(task_ids="backfill", map_indexes=0, key="progress")
    assert "(100 %), 2 calls listed, 2 landed" in told
    run_dag("conversations__gong")
    assert paid(sandbox) == 5, "the hourly run begins at its own start and buys only that"


def test_a_wrong_form_fails_at_once_and_names_the_field(run_dag: Any, sandbox: Sandbox) -> None:
    dag_run = run_dag("backfill", {"vendor": "gong", "from": OLD, "kits": ["unheard"]})
    assert states(dag_run)["plan"] == "failed"
    assert states(dag_run)["backfill"] == "upstream_failed"
    assert paid(sandbox) == 0


def test_reconcile(run_dag: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    run_dag("conversations__gong")
    dag_run = run_dag("reconcile")
    assert set(states(dag_run).values()) == {"success"}
    sums = "sum(listed)::int listed, sum(scored)::int scored, sum(unaccounted)::int wrong"
    (told,) = rows(tmp_path, f"select {sums} from landing.reconciliation")
    assert told == {"listed": 3, "scored": 3, "wrong": 0}
    with DuckDBWarehouse(tmp_path / "warehouse.duckdb").open("test") as session:
        session.query("delete from landing.gong__conversations")
    assert set(states(run_dag("reconcile")).values()) == {"success"}
    assert rows(tmp_path, "select count(*)::int n from landing.gong__conversations") == [{"n": 3}]
    with DuckDBWarehouse(tmp_path / "warehouse.duckdb").open("test") as session:
        session.query("delete from landing.semarize__runs")
    dag_run = run_dag("reconcile")
    assert states(dag_run)["relist__gong"] == "success"
    assert states(dag_run)["check"] == "failed"


def answer(dag_id: str, chosen: str) -> None:
    """Answer a waiting approval through Airflow's API, as a person would in its pages."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
    from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    for _ in range(600):
        time.sleep(0.1)
        with create_session() as session:
            asked = session.query(TaskInstance).filter_by(dag_id=dag_id, state="awaiting_input")
            found = asked.first()
            if found is None:
                continue
            update_hitl_detail(
                dag_id=dag_id,
                dag_run_id=found.run_id,
                task_id=found.task_id,
                update_hitl_detail_payload=UpdateHITLDetailPayload(
                    chosen_options=[chosen], params_input={}
                ),
                user=SimpleAuthManagerUser(username="somebody", role="admin"),
                session=session,
            )
            return
    with create_session() as session:  # or the test would wait for ever
        session.query(DagRun).filter_by(dag_id=dag_id, state="running").update({"state": "failed"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chosen", "state", "runs"), [("Approve", "success", 5), ("Reject", "skipped", 0)]
)
def test_a_large_plan_waits_for_a_person(
    run_dag: Any, sandbox: Sandbox, tmp_path: Path, chosen: str, state: str, runs: int
) -> None:
    small = (tmp_path / "pipeline.toml").read_text().replace("above_runs = 20", "above_runs = 1")
    (tmp_path / "pipeline.toml").write_text(small)
    form = {
        "vendor": "gong",
        "from": OLD,
        "to": None,
        "kits": ["interaction_quality"],
        "dry_run": False,
    }
    person = threading.Thread(target=answer, args=("backfill", chosen))
    person.start()
    dag_run = run_dag("backfill", form)
    person.join()
    assert states(dag_run)["approve"] == "success"
    assert states(dag_run)["backfill"] == state
    assert paid(sandbox) == runs
    approve = dag_run.get_task_instance("approve")
    assert "5 Semarize runs" in approve.xcom_pull(task_ids="plan", key="summary")


def test_replay(run_dag: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    once = (tmp_path / "pipeline.toml").read_text().replace("[score]", "[score]\nattempts = 1")
    (tmp_path / "pipeline.toml").write_text(once)
    sandbox.world.switch("semarize", fail_next=1)
    run_dag("conversations__gong")
    failed = "select * from landing.semarize__runs where status = 'failed'"
    assert len(rows(tmp_path, failed)) == 1
    dag_run = run_dag("replay", {"vendor": "gong", "what": "both", "dry_run": False})
    assert set(states(dag_run).values()) == {"success"}
    assert paid(sandbox) == 4
    assert len(rows(tmp_path, "select * from landing.scores__interaction_quality")) == 3


@pytest.mark.slow
def test_a_lost_state_database_is_noticed_and_rebuilt(
    sandbox: Sandbox, run_dag: Any, tmp_path: Path
) -> None:
    def paid() -> int:
        return len(semarize.of(sandbox.world).paid)

    assert run_dag("conversations__gong").state == "success"
    assert paid() == 3
    for file in tmp_path.glob("state.db*"):
        file.unlink()
    assert run_dag("conversations__gong").state == "failed"
    form = {"dry_run": True, "merge": False}
    assert run_dag("rebuild_state", form).state == "success"
    assert run_dag("conversations__gong").state == "failed", "that one was dry"
    dag_run = run_dag("rebuild_state", {**form, "dry_run": False})
    (ti,) = dag_run.get_task_instances()
    told = ti.xcom_pull(task_ids="rebuild")
    assert (told["conversations"], told["runs"], told["authorize"]) == ({"gong": 3}, 3, [])
    assert run_dag("conversations__gong").state == "success"
    assert paid() == 3
    assert run_dag("rebuild_state", {**form, "dry_run": False}).state == "failed", "not empty"
