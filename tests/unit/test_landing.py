"""Rows for the landing tables: complete, and equal exactly where the vendor said the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from unit.support import NOON

from semarize_pipeline import landing
from semarize_pipeline.model import Conversation, Participant, Utterance, text_digest
from semarize_pipeline.state import State
from semarize_pipeline.state.ledger import Entry
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse

SAID = (
    Utterance("Ann", "rep", 0.0, 1.5, "Hello?"),
    Utterance("Bo", "customer", 2.0, None, "Hi."),
)
CALL = Conversation(
    conversation_id="c1",
    started_at=NOON,
    channel="voice",
    raw={"record": {"id": "c1", "b": 1, "a": 2}, "transcript": [{"x": 1}]},
    title="A call",
    duration_seconds=2.5,
    participants=(Participant(name="Ann", role="rep"),),
    utterances=SAID,
    attributes={"topic": "price"},
)
MARK = landing.stamp(NOON, "conversations__gong/manual/extract")


def test_a_row_has_every_column_of_its_table() -> None:
    row = {**landing.conversation_row(CALL, NOON), **MARK}
    assert set(row) == set(tables.conversations("gong").column_names)
    for said in landing.stamped(landing.utterance_rows(CALL), MARK):
        assert set(said) == set(tables.utterances("gong").column_names)
    odd = {**landing.quarantine_row("gong", "listing", "no id", {"a": 1}, NOON), **MARK}
    assert set(odd) == set(tables.QUARANTINE.column_names)


def test_what_a_row_says() -> None:
    row = landing.conversation_row(CALL, NOON)
    assert row["transcript"] == "Ann: Hello?\nBo: Hi."
    assert row["transcript_hash"] == text_digest(row["transcript"])
    assert row["transcript_status"] == "ready"
    assert row["utterance_count"] == 2
    assert row["participants"][0]["name"] == "Ann"
    raw = orjson.loads(str(row["raw"]))
    assert raw == CALL.raw
    said = landing.utterance_rows(CALL)
    assert [(s["position"], s["text"], s["end_seconds"]) for s in said] == [
        (0, "Hello?", 1.5),
        (1, "Hi.", None),
    ]


def test_a_conversation_without_words() -> None:
    row = landing.conversation_row(replace(CALL, utterances=()), NOON)
    assert (row["transcript"], row["transcript_hash"], row["utterance_count"]) == (None, None, 0)
    assert row["transcript_status"] == "pending"
    assert landing.utterance_rows(replace(CALL, utterances=())) == []


def hash_of(conversation: Conversation) -> str:
    return str(landing.conversation_row(conversation, NOON)["_content_hash"])


def test_the_same_content_has_the_same_hash() -> None:
    reordered = {"transcript": [{"x": 1}], "record": {"a": 2, "b": 1, "id": "c1"}}
    assert hash_of(replace(CALL, raw=reordered)) == hash_of(CALL)
    later = landing.conversation_row(CALL, NOON.replace(hour=23))
    assert later["_content_hash"] == hash_of(CALL), "when it was read is no content"


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another"},
        {"duration_seconds": 2.75},
        {"raw": {"record": {"id": "c1", "new": None}}},
        {"attributes": {}},
        {"participants": ()},
        {"utterances": SAID[:1]},
        {"transcript_status": "absent"},
    ],
    ids=str,
)
def test_any_change_changes_the_hash(change: dict[str, Any]) -> None:
    assert hash_of(replace(CALL, **change)) != hash_of(CALL)


def test_utterances_change_together() -> None:
    shorter = landing.utterance_rows(replace(CALL, utterances=SAID[:1]))
    whole = landing.utterance_rows(CALL)
    assert whole[0]["_content_hash"] == whole[1]["_content_hash"]
    assert shorter[0]["_content_hash"] != whole[0]["_content_hash"]


def test_the_same_bad_record_is_one_row() -> None:
    one = landing.quarantine_row("gong", "listing", "no id", {"a": 1, "b": 2}, NOON)
    same = landing.quarantine_row("gong", "listing", "no id", {"b": 2, "a": 1}, NOON)
    assert one["quarantine_id"] == same["quarantine_id"]
    others = [
        landing.quarantine_row("chorus", "listing", "no id", {"a": 1, "b": 2}, NOON),
        landing.quarantine_row("gong", "score", "no id", {"a": 1, "b": 2}, NOON),
        landing.quarantine_row("gong", "listing", "no id", {"a": 1}, NOON),
        landing.quarantine_row("gong", "listing", "no id", {"a": 1, "b": 2}, NOON, "c1"),
    ]
    assert len({each["quarantine_id"] for each in [one, *others]}) == 5
    assert landing.record_name({"a": 1, "b": 2}) == landing.record_name({"b": 2, "a": 1})
    assert landing.record_name({}).startswith("unreadable:")


def test_the_mirror_holds_what_the_ledger_says(state: State, tmp_path: Any) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "w.duckdb")
    entry = Entry(conversation_id="c1", status="pending", listed_at=NOON, next_try_at=NOON, tries=1)
    state.ledger.record("gong", [entry])
    state.ledger.record("chorus", [entry])
    with warehouse.open("a test") as session:
        session.ensure(landing.vendor_tables("gong"))
        landing.mirror(session, state, "gong", MARK)
        state.ledger.record("gong", [replace(entry, status="landed", next_try_at=None)])
        landing.mirror(session, state, "gong", MARK)
        landing.mirror(session, state, "gong", MARK)
        found = session.query("select vendor, status, tries, next_try_at from landing.ledger")
    assert found == [{"vendor": "gong", "status": "landed", "tries": 1, "next_try_at": None}]
