"""What is too old is blanked, once; what is younger and what is not content stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from unit.support import NOON, Clock

from semarize_pipeline import landing
from semarize_pipeline.model import Conversation, Utterance
from semarize_pipeline.privacy.policy import Retention
from semarize_pipeline.privacy.retention import keep
from semarize_pipeline.state import State
from semarize_pipeline.state.ledger import Entry
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import Load

MARK = landing.stamp(NOON - timedelta(days=300), "conversations__gong/1/extract")
AGES = {"old": 100, "middle": 50, "young": 10}
# Every place that holds content, and which setting it ages by.
CONTENT = {
    ("gong__conversations", "raw"): "raw",
    ("gong__conversations", "transcript"): "transcripts",
    ("gong__utterances", "text"): "transcripts",
    ("semarize__signals", "reason"): "evidence",
    ("semarize__signals", "evidence"): "evidence",
    ("semarize__runs", "response"): "evidence",
    ("semarize__runs", "error_message"): "evidence",
    ("quarantine", "raw"): "quarantine",
}


@pytest.fixture
def warehouse(tmp_path: Path, state: State) -> DuckDBWarehouse:
    made = DuckDBWarehouse(tmp_path / "warehouse.duckdb")
    calls, signals, runs, odd = [], [], [], []
    for name, days in AGES.items():
        at = NOON - timedelta(days=days)
        calls.append(
            Conversation(
                conversation_id=name, started_at=at, channel="voice", title="A title",
                utterances=(Utterance("Ann", "rep", 0.0, 1.0, "words"),),
                raw={"record": {"id": name}, "transcript": ["words"]},
            )
        )  # fmt: skip
        of = {"vendor": "gong", "conversation_id": name, "run_id": f"run-{name}"}
        signals.append(
            {**of, "brick_key": "x", "value_number": 0.5, "reason": "words",
             "evidence": ["words"], "scored_at": at}
        )  # fmt: skip
        runs.append(
            {**of, "idempotency_key": name, "status": "failed", "response": {"w": "words"},
             "error_message": "words", "finished_at": at}
        )  # fmt: skip
        odd.append(landing.quarantine_row("gong", "score", "odd", {"w": "words"}, at, name))
    with made.open("test") as session:
        session.ensure(landing.vendor_tables("gong"))
        landed = [landing.conversation_row(call, NOON) for call in calls]
        said = [row for call in calls for row in landing.utterance_rows(call)]
        for table, rows in (
            (tables.conversations("gong"), landed),
            (tables.utterances("gong"), said),
            (tables.SIGNALS, signals),
            (tables.RUNS, runs),
            (tables.QUARANTINE, odd),
        ):
            session.land([Load(table, landing.stamped(rows, MARK))])
        state.ledger.record(
            "gong", [Entry(conversation_id=n, status="landed", listed_at=NOON) for n in AGES]
        )
        landing.mirror(session, state, "gong", MARK)
    return made


def everything(warehouse: DuckDBWarehouse) -> dict[str, dict[str, dict[str, Any]]]:
    shown = {table for table, _ in CONTENT} | {"ledger"}
    with warehouse.open("test") as session:
        return {
            table: {
                row["conversation_id"]: row
                for row in session.query(f"select * from landing.{table}")
            }
            for table in shown
        }


@pytest.mark.parametrize(
    ("retention", "gone"),
    [
        (Retention(raw=30), {"raw": 30}),
        # The vendor's record holds the words as well.
        (Retention(transcripts=30), {"transcripts": 30, "raw": 30}),
        (Retention(raw=70, transcripts=30), {"transcripts": 30, "raw": 30}),
        (Retention(raw=30, transcripts=70), {"transcripts": 70, "raw": 30}),
        (Retention(quarantine=70), {"quarantine": 70}),
        (Retention(evidence=30, quarantine=1), {"evidence": 30, "quarantine": 1}),
    ],
    ids=str,
)
def test_content_goes_when_it_is_too_old(
    retention: Retention, gone: dict[str, float], warehouse: DuckDBWarehouse, state: State
) -> None:
    before = everything(warehouse)
    changed = keep(retention, warehouse, state, run="retention/1/blank")
    after = everything(warehouse)
    touched = 0
    for (table, column), setting in CONTENT.items():
        for name, days in AGES.items():
            is_gone = setting in gone and days > gone[setting]
            kept = before[table][name][column]
            assert kept, "there was something to keep"
            assert after[table][name][column] == (None if is_gone else kept), (table, column, name)
            touched += is_gone
    assert touched > 0
    # Nothing else changed but the stamp of what did; of the ledger nothing at all.
    for table, rows in before.items():
        blanked = {column for t, column in CONTENT if t == table} | {"_loaded_at", "_loaded_by"}
        for name, row in rows.items():
            now = after[table][name]
            assert {k: now[k] for k in row if k not in blanked} == {
                k: row[k] for k in row if k not in blanked
            }
            assert (now["_loaded_at"] == NOON) == (now != row)
    assert after["ledger"] == before["ledger"]
    assert set(changed) == {table for (table, _), setting in CONTENT.items() if setting in gone}
    assert keep(retention, warehouse, state, run="retention/2/blank") == {}, "once"
    assert everything(warehouse) == after


def test_by_default_everything_is_kept_and_nothing_is_opened(state: State) -> None:
    assert keep(Retention(), DuckDBWarehouse("/nowhere/at/all"), state, run="retention") == {}


def test_a_day_s_work_is_what_aged_on_that_day(
    warehouse: DuckDBWarehouse, state: State, clock: Clock
) -> None:
    def work() -> dict[str, int]:
        return keep(Retention(quarantine=60), warehouse, state, run="retention")

    assert work() == {"quarantine": 1}
    clock.advance(seconds=9.5 * 86400)
    assert work() == {}
    clock.advance(seconds=86400)
    assert work() == {"quarantine": 1}
