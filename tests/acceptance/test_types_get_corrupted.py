"""Pain: moments lose their zone, ids their last digits and lists their brackets on the way.

From a vendor's JSON to rows, on both warehouses. Single values of every type, and whole DAGs:
unit/warehouse/test_warehouse_contract.py, airflow/test_both_warehouses.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from bench import DEALS, NOW, QUALITY, Bench, bench, call
from unit.warehouse.emulator import emulated

from semarize_sandbox.model import Person, Turn

# Beyond 2^53: as floating point it would end in other digits.
ID = "7782342274025937895"
OWNER = Person(id="u-1", name="Zoë Ñandú 李", email="zoe@northwind.example.com", role="rep")
STARTED = datetime(2026, 3, 8, 23, 45, 30, tzinfo=UTC)  # in the zone below it is the next day
OFFSET_MINUTES = 330
WORDS = 'She said "null", 1.0 and []: 👩🏽‍💻\\n'


@pytest.fixture(params=["duckdb", "snowflake"])
def gong(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A full call and one with nothing in it that may be missing."""
    full = call(
        "gong",
        0,
        STARTED,
        id=ID,
        owner=OWNER,
        people=(OWNER,),
        turns=(Turn("u-1", 0.0, 4.125, WORDS), Turn(None, 4.5, 9.0, "Who was that?")),
        title="0001",
    )
    bare = call(
        "gong",
        1,
        NOW - timedelta(hours=5),
        id="0000000000000000001",
        title=None,
        people=(),
        turns=(Turn("u-1", 0.0, 1.0, "Alone."),),
        account_name=None,
        opportunity_id=None,
    )
    with bench("gong", tmp_path, [full, bare]) as made:
        made.world.switch("gong", started_utc_offset_minutes=OFFSET_MINUTES)
        if request.param == "snowflake":
            database = f"GOLDEN_{uuid.uuid4().hex}".upper()
            port = request.getfixturevalue("emulator")
            made.warehouse = cast(Any, emulated(port, database))
        made.set(kits=(QUALITY, DEALS))
        made.extract()
        made.score()
        yield made


def test_golden_rows_read_back_equal(gong: Bench) -> None:
    rows = gong.conversations()
    assert sorted(rows) == ["0000000000000000001", ID], "ids are text, to the last digit"
    full, bare = rows[ID], rows["0000000000000000001"]
    assert full["started_at"] == STARTED
    assert full["started_at"].utcoffset() == timedelta(0), "told in another zone, kept in UTC"
    assert full["_loaded_at"] == full["_extracted_at"] == NOW
    assert full["title"] == "0001"
    assert full["owner_name"] == OWNER.name
    (person,) = full["participants"]
    assert person["email"] == OWNER.email
    # Nested as it came: objects in lists in objects, its own number, and the zone it was told in.
    record = full["raw"]["record"]
    assert record["metaData"]["started"] == "2026-03-09T05:15:30+05:30"
    assert record["metaData"]["duration"] == 60
    (system,) = record["context"]
    assert {each["objectType"] for each in system["objects"]} == {"Account", "Opportunity"}
    fields = [f["value"] for each in system["objects"] for f in each["fields"]]
    assert any(isinstance(value, int) for value in fields)
    assert "false" in fields, "a text that looks like a boolean stays a text"
    # Nulls are nulls, and empty lists are lists.
    for name in ("title", "account_name", "opportunity_id", "_redaction"):
        assert bare[name] is None, name
    assert bare["participants"] == []
    assert isinstance(bare["utterance_count"], int)
    assert bare["utterance_count"] == 1


def test_utterances_keep_words_and_fractions_and_a_missing_speaker(gong: Bench) -> None:
    first, second = (row for row in gong.utterances() if row["conversation_id"] == ID)
    assert first["text"] == WORDS
    assert (first["start_seconds"], first["end_seconds"]) == (0.0, 4.125)
    assert first["speaker_role"] == "rep"
    assert (second["speaker"], second["text"]) == (None, "Who was that?")


def test_scores_have_the_type_of_their_brick(gong: Bench) -> None:
    quality = gong.query("select * from landing.scores__interaction_quality")
    for row in quality:
        assert isinstance(row["compliance_score"], float)
        assert isinstance(row["resolution_achieved"], bool)
        assert isinstance(row["topic_primary"], str)
    lists = gong.query(
        "select conversation_id, value_list, value_number, value_text, value_boolean "
        "from landing.semarize__signals where brick_key = 'competitors_mentioned'"
    )
    assert {row["conversation_id"]: row["value_list"] for row in lists} == {
        ID: [],
        "0000000000000000001": [],
    }, "an empty list is neither null nor text"
    assert {(r["value_number"], r["value_text"], r["value_boolean"]) for r in lists} == {
        (None, None, None)
    }
    moments = gong.query("select scored_at, _loaded_at from landing.semarize__signals")
    assert {value.utcoffset() for row in moments for value in row.values()} == {timedelta(0)}
