"""What every warehouse promises. A new implementation is one more entry of ``WAREHOUSES``."""

# ruff: noqa: DTZ001 (hypothesis wants naive bounds beside its time zones)

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.support import NOON
from unit.warehouse.emulator import emulated

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import Json, Load, Removal, Session, Warehouse
from semarize_pipeline.warehouse.tables import SCHEMA, SHARED, Column, Table, Type, utterances
from semarize_pipeline.warehouse.tables import conversations as conversations_of

WAREHOUSES: dict[str, Callable[[Path, Callable[[], int]], Warehouse]] = {
    "duckdb": lambda folder, _: DuckDBWarehouse(folder / "warehouse.duckdb", wait_seconds=20),
    # The real connector over HTTP. A database of its own stands for the folder.
    "snowflake": lambda _, port: emulated(port(), f"TEST_{uuid.uuid4().hex}"),
}
# Each example is a dozen requests there.
EXAMPLES = {"duckdb": 60, "snowflake": 6}


@pytest.fixture(params=WAREHOUSES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def warehouse(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Warehouse:
    return WAREHOUSES[kind](tmp_path, lambda: request.getfixturevalue("emulator"))


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.open("a test") as opened:
        yield opened


def table(name: str = "things", guard: str | None = None, *more: Column) -> Table:
    columns = (
        Column("id", Type.TEXT),
        Column("value", Type.TEXT),
        Column("hash", Type.TEXT),
        *more,
        Column("_loaded_at", Type.TIMESTAMP),
    )
    return Table(name, columns, ("id",), guard)


def row(id_: str, value: str | None = "v", at: datetime = NOON, **more: Any) -> dict[str, Any]:
    return {"id": id_, "value": value, "hash": f"h-{value}", "_loaded_at": at, **more}


def rows_of(session: Session, wanted: Table, order: str = "1") -> list[dict[str, Any]]:
    names = ", ".join(f'"{name}"' for name in wanted.column_names)
    return session.query(f"select {names} from {SCHEMA}.{wanted.name} order by {order}")


# ---------------------------------------------------------------------- merging


def test_landing_twice_is_landing_once(session: Session) -> None:
    things = table()
    session.ensure([things])
    rows = [row("a"), row("b", None)]
    session.land([Load(things, rows)])
    once = rows_of(session, things)
    session.land([Load(things, rows)])
    assert rows_of(session, things) == once == rows


def test_rows_are_found_by_their_keys(session: Session) -> None:
    said = utterances("gong")
    session.ensure([said])
    rows = [
        {"conversation_id": id_, "position": n, "text": f"{id_}{n}", "_content_hash": "h"}
        for id_ in ("a", "b", "c'; --", "d")
        for n in range(2)
    ]
    session.land([Load(said, rows)])
    wanted = ["b", "c'; --", "nobody"]
    found = session.find(said, ["text", "position"], "conversation_id", wanted)
    expected = [{"text": f"{id_}{n}", "position": n} for id_ in wanted[:2] for n in range(2)]
    assert sorted(found, key=lambda each: each["text"]) == expected
    assert session.find(said, ["text"], "conversation_id", ["nobody"]) == []


ROWS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.text("xyz", max_size=2)), min_size=1, max_size=10
)


def test_the_last_of_equal_keys_wins(session: Session, kind: str) -> None:
    @settings(max_examples=EXAMPLES[kind])
    @given(batches=st.lists(ROWS, max_size=4))
    def check(batches: list[list[tuple[str, str]]]) -> None:
        things = table(f"t{abs(hash(str(batches)))}")
        session.ensure([things])
        expected: dict[str, str] = {}
        for batch in batches:
            session.land([Load(things, [row(id_, value) for id_, value in batch])])
            expected.update(dict(batch))
        assert {r["id"]: r["value"] for r in rows_of(session, things)} == expected

    check()


def test_a_key_of_several_columns(session: Session) -> None:
    said = utterances("gong")
    session.ensure([said])

    def one(conversation: str, position: int, text: str) -> dict[str, Any]:
        key = {"conversation_id": conversation, "position": position}
        return {**key, "text": text, "_content_hash": text}

    session.land([Load(said, [one(c, p, f"{c}{p}") for c in "ab" for p in (0, 1)])])
    session.land([Load(said, [one("a", 1, "new")])])
    found = {(r["conversation_id"], r["position"]): r["text"] for r in rows_of(session, said)}
    assert found == {("a", 0): "a0", ("a", 1): "new", ("b", 0): "b0", ("b", 1): "b1"}


def test_no_rows_is_no_work(session: Session) -> None:
    things = table()
    session.ensure([things])
    session.land([])
    session.land([Load(things, [])])
    session.land([Load(things, [], whole="id")])
    assert rows_of(session, things) == []


def test_the_guard_leaves_unchanged_rows_alone(session: Session) -> None:
    """``_loaded_at`` says when a row changed, so that what reads it reads only changes."""
    things = table(guard="hash")
    session.ensure([things])
    session.land([Load(things, [row("a"), row("b"), row("c", None) | {"hash": None}])])
    later = NOON + timedelta(hours=1)
    again = [row("a", at=later), row("b", "new", at=later), row("d", at=later)]
    session.land([Load(things, [*again, row("c", None, later) | {"hash": None}])])
    assert {r["id"]: r["_loaded_at"] for r in rows_of(session, things)} == {
        "a": NOON,
        "b": later,
        "c": NOON,
        "d": later,
    }
    session.land([Load(things, [row("c", "was null", later)])])
    assert {r["id"]: r["value"] for r in rows_of(session, things)}["c"] == "was null"


def test_without_a_guard_every_landing_counts(session: Session) -> None:
    things = table()
    session.ensure([things])
    later = NOON + timedelta(hours=1)
    session.land([Load(things, [row("a")])])
    session.land([Load(things, [row("a", at=later)])])
    assert rows_of(session, things)[0]["_loaded_at"] == later


def said(conversation: str, *texts: str) -> list[dict[str, Any]]:
    return [
        {"conversation_id": conversation, "position": p, "text": text, "_content_hash": str(texts)}
        for p, text in enumerate(texts)
    ]


def test_a_shorter_transcript_removes_its_surplus_and_nothing_else(session: Session) -> None:
    wanted = utterances("gong")
    session.ensure([wanted])
    session.land(
        [Load(wanted, [*said("a", "1", "2", "3"), *said("b", "1", "2")], whole="conversation_id")]
    )
    session.land([Load(wanted, said("a", "1", "two"), whole="conversation_id")])

    def found() -> dict[str, list[str]]:
        texts: dict[str, list[str]] = {}
        for each in rows_of(session, wanted, "1, 2"):
            texts.setdefault(each["conversation_id"], []).append(each["text"])
        return texts

    assert found() == {"a": ["1", "two"], "b": ["1", "2"]}
    session.land([Load(wanted, said("a", "1", "two", "3", "4"), whole="conversation_id")])
    assert found()["a"] == ["1", "two", "3", "4"]
    session.land([Load(wanted, said("a", "only"))])
    assert found()["a"] == ["only", "two", "3", "4"], "without whole nothing is removed"


# ---------------------------------------------------------------------- all or nothing


def test_an_error_in_the_second_load_undoes_the_first(
    session: Session, warehouse: Warehouse
) -> None:
    one, two = table("one"), table("two", None, Column("amount", Type.INTEGER))
    session.ensure([one, two])
    session.land([Load(one, [row("a")])])
    bad = [Load(one, [row("a", "changed"), row("b")]), Load(two, [row("x", amount="many")])]
    with pytest.raises(Exception, match=r"many|int"):
        session.land(bad)
    assert rows_of(session, one) == [row("a")]
    assert rows_of(session, two) == []
    session.land([Load(one, [row("c")])])  # and the session goes on
    assert len(rows_of(session, one)) == 2


def test_an_error_in_a_removal_undoes_it_too(session: Session) -> None:
    wanted, other = utterances("gong"), table("other")
    session.ensure([wanted])
    session.land([Load(wanted, said("a", "1", "2"), whole="conversation_id")])
    with pytest.raises(Exception, match="other"):
        session.land(
            [
                Load(wanted, said("a", "1"), whole="conversation_id"),
                Load(other, [row("x")]),  # a table that does not exist
            ]
        )
    assert len(rows_of(session, wanted)) == 2


def test_what_was_landed_outlives_a_failure_after_it(warehouse: Warehouse) -> None:
    things = table()

    def work() -> None:
        with warehouse.open("a test") as session:
            session.ensure([things])
            session.land([Load(things, [row("a")])])
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        work()
    with warehouse.open("a test") as session:
        assert rows_of(session, things) == [row("a")]


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Type.INTEGER, "5"),
        (Type.INTEGER, 1.5),
        (Type.FLOAT, "1.5"),
        (Type.BOOLEAN, "true"),
        (Type.BOOLEAN, 1),
        (Type.TEXT, 5),
        (Type.TIMESTAMP, "2026-01-01"),
    ],
    ids=str,
)
def test_a_value_of_another_type_is_never_guessed(
    type_: Type, value: Any, session: Session
) -> None:
    things = table("typed", None, Column("x", type_))
    session.ensure([things])
    with pytest.raises(Exception):  # noqa: B017, PT011
        session.land([Load(things, [row("a", x=value)])])
    assert rows_of(session, things) == []


# ---------------------------------------------------------------------- tables


def test_ensuring_twice_is_ensuring_once(session: Session) -> None:
    things = table()
    session.ensure([things, conversations_of("gong"), *SHARED])
    session.land([Load(things, [row("a")])])
    session.ensure([things, conversations_of("gong"), *SHARED])
    assert rows_of(session, things) == [row("a")]


def test_a_new_column_is_added(session: Session) -> None:
    session.ensure([table()])
    session.land([Load(table(), [row("a")])])
    wider = table("things", None, Column("score", Type.FLOAT), Column("more", Type.JSON))
    session.ensure([wider])
    session.land([Load(wider, [row("b", score=1.5, more={"x": [1]})])])
    found = rows_of(session, wider)
    assert [(r["id"], r["score"], r["more"]) for r in found] == [
        ("a", None, None),
        ("b", 1.5, {"x": [1]}),
    ]
    session.land([Load(table(), [row("c")])])
    assert len(rows_of(session, wider)) == 3


def test_two_versions_of_a_new_table_are_one_table(session: Session) -> None:
    """Runs of two versions of a kit end together, before either has landed."""
    narrow = table("scores__kit", None, Column("score", Type.FLOAT))
    wide = table("scores__kit", None, Column("score", Type.FLOAT), Column("more", Type.BOOLEAN))
    session.ensure([narrow, wide])
    session.land([Load(narrow, [row("a", score=1.0)]), Load(wide, [row("b", more=True)])])
    found = rows_of(session, wide)
    told = [(row["id"], row["score"], row["more"]) for row in found]
    assert told == [("a", 1.0, None), ("b", None, True)]


def test_a_changed_type_is_for_a_person(session: Session) -> None:
    session.ensure([table("scores__kit", None, Column("score", Type.FLOAT))])
    with pytest.raises(Misconfigured, match=r"landing\.scores__kit\.score") as caught:
        session.ensure([table("scores__kit", None, Column("score", Type.BOOLEAN))])
    assert "rename the table" in str(caught.value)


def test_names_that_sql_reserves(session: Session) -> None:
    odd = Table("order", (Column("select", Type.TEXT), Column("group", Type.TEXT)), ("select",))
    session.ensure([odd])
    for group in ("x", "y"):
        session.land([Load(odd, [{"select": "a", "group": group}])])
    assert session.query(f'select "select", "group" from {SCHEMA}."order"') == [
        {"select": "a", "group": "y"}
    ]


# ---------------------------------------------------------------------- golden rows

RAW = {
    "record": {"id": 7782342274025937895, "nested": {"a": [1, {"b": None}], "empty": []}},
    "transcript": [{"text": "Grüß Gott 👩🏽‍💻", "n": 1.5, "t": True}],
}
GOLDEN: list[dict[str, Any]] = [
    {
        "conversation_id": "7782342274025937895",
        "title": "Q&A: \"quotes\", 'more' \\ back\nslash; -- drop table",
        "channel": "voice",
        "direction": None,
        "started_at": datetime(2026, 3, 29, 3, 30, 0, 123456, timezone(timedelta(hours=2))),
        "duration_seconds": 1800.25,
        "owner_id": "0001234567890123456",
        "owner_name": "Zoë Ñandú 李",
        "owner_email": "",
        "participants": [{"name": "A", "email": None}, {"name": "👩🏽‍💻"}],
        "transcript": "Ann: ü👩🏽‍💻\n" * 7000,
        "utterance_count": 2**40,
        "attributes": {},
        "raw": Json(json.dumps(RAW)),
        "_extracted_at": datetime(1999, 12, 31, 23, 59, 59, 999999, UTC),
        "_content_hash": "h",
        "_loaded_at": NOON,
        "_loaded_by": "a run",
    },
    {"conversation_id": "all null", "_content_hash": "h"},
    {
        "conversation_id": " spaces kept ",
        "participants": [],
        "attributes": {"list": [], "none": None, "text": "null", "deep": {"k": [[[]]]}},
        "raw": {"7": "keys that are numbers"},
        "duration_seconds": 0.0,
        "utterance_count": 0,
        "title": "",
    },
]


def test_golden_rows_read_back_equal(session: Session) -> None:
    wanted = conversations_of("gong")
    session.ensure([wanted])
    session.land([Load(wanted, GOLDEN)])
    assert len(GOLDEN[0]["transcript"].encode()) > 100_000
    found = {r["conversation_id"]: r for r in rows_of(session, wanted)}
    assert len(found) == len(GOLDEN)
    for told in GOLDEN:
        expected = {name: told.get(name) for name in wanted.column_names}
        if isinstance(expected["raw"], Json):
            expected["raw"] = RAW
        assert found[told["conversation_id"]] == expected
    moment = found["7782342274025937895"]["started_at"]
    assert moment.utcoffset() == timedelta(0), "moments come back in UTC"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
).filter(lambda value: value is not None)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


VALUES = st.lists(
    st.fixed_dictionaries(
        {
            "value": st.none() | TEXTS,
            "j": st.none() | JSON_VALUES,
            "f": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "i": st.none() | st.integers(-(2**63), 2**63 - 1),
            "b": st.none() | st.booleans(),
            "t": st.none()
            | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
        }
    ),
    min_size=1,
    max_size=5,
)


def test_any_value_reads_back_equal(session: Session, kind: str) -> None:
    things = table(
        "any_value",
        None,
        Column("j", Type.JSON),
        Column("f", Type.FLOAT),
        Column("i", Type.INTEGER),
        Column("b", Type.BOOLEAN),
        Column("t", Type.TIMESTAMP),
    )
    session.ensure([things])

    @settings(max_examples=EXAMPLES[kind])
    @given(values=VALUES)
    def check(values: Sequence[dict[str, Any]]) -> None:
        session.query(f"delete from {SCHEMA}.any_value")
        rows = [{"id": str(n), "hash": None, "_loaded_at": None, **v} for n, v in enumerate(values)]
        session.land([Load(things, rows)])
        assert rows_of(session, things) == rows

    check()


def test_queries_take_parameters(session: Session) -> None:
    things = table()
    session.ensure([things])
    session.land([Load(things, [row("a'; drop table x; --"), row("b")])])
    found = session.query(f"select id from {SCHEMA}.things where id = ?", ["a'; drop table x; --"])
    assert found == [{"id": "a'; drop table x; --"}]
    assert session.query(f"select id from {SCHEMA}.things where id = ?", ["c"]) == []


def test_json_is_dumped_as_it_was_given(session: Session) -> None:
    things = table("dumped", None, Column("j", Type.JSON))
    session.ensure([things])
    told = {"at": NOON, 5: "key", "id": 7782342274025937895}
    session.land([Load(things, [row("a", j=told)])])
    assert rows_of(session, things)[0]["j"] == {
        "at": orjson.loads(orjson.dumps(NOON)),
        "5": "key",
        "id": 7782342274025937895,
    }


# ---------------------------------------------------------------------- removing


def test_removing_takes_these_rows_and_no_others(session: Session) -> None:
    shared = table("shared", None, Column("vendor", Type.TEXT), Column("j", Type.JSON))
    session.ensure([shared])
    rows = [row(f"{v}-{n}", n, vendor=v, j={"n": n}) for v in ("x", "y") for n in "abc"]
    session.land([Load(shared, rows)])
    wanted = [Removal(shared, "value", ["a", "b'; drop table x", "z"], vendor="x")]
    assert session.remove(wanted, dry_run=True) == [1]
    assert rows_of(session, shared) == rows, "a dry run only counts"
    assert session.remove(
        [*wanted, Removal(shared, "value", ["b"]), Removal(shared, "id", [])]
    ) == [
        1,
        2,
        0,
    ]
    assert [r["id"] for r in rows_of(session, shared)] == ["x-c", "y-a", "y-c"]
    assert session.remove(wanted) == [0], "again is nothing"


def test_blanking_empties_columns_and_says_when(session: Session) -> None:
    things = table("blanked", None, Column("j", Type.JSON))
    session.ensure([things])
    session.land([Load(things, [row("a", j={"x": 1}), row("b", j=None), row("c", j=[2])])])
    later = NOON + timedelta(hours=1)
    blank = Removal(things, "id", ["a", "b"], blank=("j",), stamp={"_loaded_at": later})
    assert session.remove([blank]) == [1]
    found = {r["id"]: (r["value"], r["j"], r["_loaded_at"]) for r in rows_of(session, things)}
    assert found == {"a": ("v", None, later), "b": ("v", None, NOON), "c": ("v", [2], NOON)}
    again = replace(blank, stamp={"_loaded_at": later + timedelta(hours=1)})
    assert session.remove([again]) == [0], "what is empty does not change again"


def test_removals_are_all_or_none(session: Session) -> None:
    things = table("both")
    session.ensure([things])
    session.land([Load(things, [row("a")])])
    with pytest.raises(Exception, match=r"missing|does not exist"):
        session.remove([Removal(things, "id", ["a"]), Removal(table("not_there"), "id", ["a"])])
    assert rows_of(session, things) == [row("a")]
    session.land([Load(things, [row("b")])])  # and the session goes on
    assert len(rows_of(session, things)) == 2


def test_a_table_that_is_named_twice_is_made_once(session: Session) -> None:
    """As a first build on an empty warehouse does: all vendors share some tables."""
    shared = table("named_twice")
    session.ensure([shared, shared])
    session.land([Load(shared, [row("a")])])
    session.ensure([shared, shared])
    assert [found["id"] for found in rows_of(session, shared)] == ["a"]
