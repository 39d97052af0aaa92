"""Erasure and retention by ``dag.test()``: real Airflow, a real DuckDB file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from semarize_pipeline import landing
from semarize_pipeline.model import Conversation, Participant, Utterance
from semarize_pipeline.state import State
from semarize_pipeline.state.ledger import Entry
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import Load

NOW = datetime.now(UTC)
KIM = "kim@acme.example.com"
WORDS = "the words of this call"
CALLS = [
    Conversation(
        conversation_id=name,
        started_at=NOW - timedelta(days=days),
        channel="voice",
        participants=(Participant(name="Kim", email=email, id=f"c-{name}"),),
        utterances=(Utterance("Kim", "customer", 0.0, 1.0, WORDS),),
        raw={"record": {"id": name}, "transcript": [WORDS]},
    )
    for name, days, email in [("g1", 1, KIM), ("g2", 1, None), ("g3", 100, None)]
]
EMPTY = dict.fromkeys(("vendor", "conversation_ids", "user_id", "email")) | {"dry_run": True}


@pytest.fixture
def warehouse(stores: Path, monkeypatch: pytest.MonkeyPatch) -> DuckDBWarehouse:
    """Three conversations, landed and on the ledger; thirty days of words are kept."""
    (stores / "pipeline.toml").write_text("[privacy.retention_days]\ntranscripts = 30\n")
    monkeypatch.setenv("PIPELINE_SETTINGS", str(stores / "pipeline.toml"))
    made = DuckDBWarehouse(stores / "warehouse.duckdb")
    state = State(f"sqlite:///{stores}/state.db")
    mark = landing.stamp(NOW, "test")
    with made.open("test") as session:
        session.ensure(landing.vendor_tables("gong"))
        rows = [landing.conversation_row(call, NOW) for call in CALLS]
        said = [row for call in CALLS for row in landing.utterance_rows(call)]
        session.land(
            [
                Load(tables.conversations("gong"), landing.stamped(rows, mark)),
                Load(tables.utterances("gong"), landing.stamped(said, mark)),
            ]
        )
    state.ledger.record(
        "gong",
        [Entry(conversation_id=c.conversation_id, status="landed", listed_at=NOW) for c in CALLS],
    )
    state.close()
    return made


@pytest.fixture
def trigger(dag_bag: Any, pools: None) -> Callable[..., Any]:
    """Runs a DAG as its form does; gives the run and what its task returned."""

    def run(dag_id: str, **form: Any) -> tuple[Any, Any]:
        dag = dag_bag.dags[dag_id]
        (task,) = dag.tasks
        kept, task.retries = task.retries, 0
        try:
            # Whole, as a form is: in one process an earlier run's answers would show through.
            dag_run = dag.test(run_conf={**EMPTY, **form} if form else None)
        finally:
            task.retries = kept
        (ti,) = dag_run.get_task_instances()
        return dag_run, ti.xcom_pull(task_ids=task.task_id)

    return run


def ids(warehouse: DuckDBWarehouse) -> set[str]:
    with warehouse.open("test") as session:
        found = session.query("select distinct conversation_id as id from landing.gong__utterances")
    return {row["id"] for row in found}


@pytest.mark.slow
def test_erasure_by_its_form(
    warehouse: DuckDBWarehouse, trigger: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run, told = trigger("erase", email=KIM, requested_by="ticket 14")
    assert run.state == "success"
    assert (told["dry_run"], told["found"]) == (True, ["gong:g1"]), (
        "dry unless it is told otherwise"
    )
    assert ids(warehouse) == {"g1", "g2", "g3"}
    run, told = trigger("erase", email=KIM, requested_by="ticket 14", dry_run=False)
    assert run.state == "success"
    assert told["removed"] == {"gong__conversations": 1, "gong__utterances": 1}
    assert KIM not in str(told)
    assert WORDS not in caplog.text + str(told)
    assert ids(warehouse) == {"g2", "g3"}
    _, told = trigger(
        "erase", vendor="gong", user_id="c-g2", requested_by="ticket 15", dry_run=False
    )
    assert told["found"] == ["gong:g2"]
    _, told = trigger(
        "erase", vendor="gong", conversation_ids="g3  g4", requested_by="t", dry_run=False
    )
    assert ids(warehouse) == set()
    run, _ = trigger("erase", email=KIM, vendor="gong", user_id="x", requested_by="t")
    assert run.state == "failed"


@pytest.mark.slow
def test_retention_by_its_settings(
    warehouse: DuckDBWarehouse, trigger: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run, told = trigger("retention")
    assert run.state == "success"
    assert told == {"gong__conversations": 2, "gong__utterances": 1}, "its raw, its transcript"
    assert WORDS not in caplog.text
    with warehouse.open("test") as session:
        rows = session.query(
            "select conversation_id as id, transcript, raw from landing.gong__conversations"
        )
        said = session.query("select conversation_id as id, text from landing.gong__utterances")
    assert {row["id"] for row in rows if row["transcript"] and row["raw"]} == {"g1", "g2"}
    assert {row["id"] for row in said if row["text"] == WORDS} == {"g1", "g2"}
    _, again = trigger("retention")
    assert again == {}
