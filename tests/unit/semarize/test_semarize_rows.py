"""Typed rows: a value lands as what the schema says, or is reported; it is never bent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.support import NOON

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.semarize.client import COLUMN_TYPES, Brick, KitSchema, RunAnswer
from semarize_pipeline.semarize.rows import Typed, column, scores_table, typed
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.tables import Type

BRICKS = (
    Brick("score", "number", "score", 0.0, 100.0),
    Brick("free", "number", "number"),
    Brick("flag", "boolean", "boolean"),
    Brick("why", "text", "category", allowed=("price", "time")),
    Brick("name", "text", "string"),
    Brick("names", "list", "string_list"),
    Brick("new", None, "tensor"),
)
SCHEMA = KitSchema("A1B2C3D4", "kv_1", BRICKS)


def of(**bricks: Any) -> Typed:
    return typed(RunAnswer("run_1", "succeeded", bricks=bricks), SCHEMA, NOON)


def only(key: str, value: Any, **more: Any) -> dict[str, Any]:
    made = of(**{key: {"value": value, **more}})
    assert made.odd == []
    (signal,) = made.signals
    return signal


@pytest.mark.parametrize(
    ("key", "value", "column_name", "wide"),
    [
        ("score", 64, "value_number", 64.0),
        ("score", 0, "value_number", 0.0),
        ("score", 100, "value_number", 100.0),
        ("score", 2.5, "value_number", 2.5),
        ("free", -1e9, "value_number", -1e9),
        ("flag", True, "value_boolean", True),
        ("flag", False, "value_boolean", False),
        ("why", "price", "value_text", "price"),
        ("name", "", "value_text", ""),
        ("names", ["a", "ü"], "value_list", '["a","ü"]'),
        ("names", [], "value_list", "[]"),
    ],
)
def test_a_value_lands_in_its_column_alone(
    key: str, value: Any, column_name: str, wide: Any
) -> None:
    signal = only(key, value)
    values = {name: signal[name] for name in signal if name.startswith("value_")}
    assert values.pop("value_type") == {b.key: b.kind for b in BRICKS}[key]
    assert values.pop(column_name) == value
    assert set(values.values()) == {None}
    assert type(signal[column_name]) is (float if column_name == "value_number" else type(value))
    assert of(**{key: {"value": value}}).score == {key: wide}


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("score", True, "bool where the schema says score"),
        ("score", False, "bool where"),
        ("score", "64", "str where"),
        ("score", [64], "list where"),
        ("score", 101, "beyond its scale 0.0 to 100.0"),
        ("score", -0.5, "beyond its scale"),
        ("score", float("nan"), "beyond its scale"),
        ("free", float("inf"), "beyond its scale"),
        ("flag", "true", "str where the schema says boolean"),
        ("flag", 1, "int where the schema says boolean"),
        ("flag", 0, "int where"),
        ("why", "weather", "category that the schema does not list"),
        ("why", True, "bool where"),
        ("name", 5, "int where"),
        ("names", "a", "str where"),
        ("names", ["a", 1], "list where"),
        ("names", [None], "list where"),
        ("new", 5, "unknown type 'tensor'"),
        ("new", None, "unknown type 'tensor'"),
        ("nobody", 5, "no such brick"),
    ],
)
def test_a_value_that_does_not_fit_is_reported_and_lands_nowhere(
    key: str, value: Any, reason: str
) -> None:
    made = of(**{"name": {"value": "fine"}, "free": {"value": 1}, key: {"value": value}})
    fine = {"name": "fine", "free": 1.0}
    assert made.score == {other: landed for other, landed in fine.items() if other != key}
    ((odd_key, told, kept),) = made.odd
    assert odd_key == key
    assert reason in told
    assert kept is value, "the raw value is kept for whoever looks"
    assert key not in {signal["brick_key"] for signal in made.signals}


def test_null_is_an_answer() -> None:
    for brick in BRICKS[:-1]:
        signal = only(brick.key, None)
        assert {signal[n] for n in signal if n.startswith("value_") and n != "value_type"} == {None}
        assert of(**{brick.key: {"value": None}}).score == {brick.key: None}


def test_a_brick_that_is_missing_has_no_row() -> None:
    made = of(flag={"value": True})
    assert [signal["brick_key"] for signal in made.signals] == ["flag"]
    assert made.score == {"flag": True}
    assert typed(RunAnswer("r", "failed"), SCHEMA, NOON) == Typed()


@pytest.mark.parametrize(
    ("evidence", "landed"),
    [
        ("a quote", ["a quote"]),
        (["one", "two"], ["one", "two"]),
        ([], []),
        (None, []),
        (["one", 2, None], ["one"]),
        ({"text": "x"}, []),
    ],
)
def test_evidence_is_a_list(evidence: Any, landed: list[str]) -> None:
    assert only("flag", True, evidence=evidence)["evidence"] == landed


@pytest.mark.parametrize(
    ("confidence", "landed"),
    [(0.9, 0.9), (1, 1.0), (0, 0.0), (None, None), (True, None), ("0.9", None)],
)
def test_confidence(confidence: Any, landed: float | None) -> None:
    assert only("flag", True, confidence=confidence)["confidence"] == landed


def test_fields_that_a_brick_does_not_have() -> None:
    signal = only("flag", True)
    assert (signal["confidence"], signal["reason"], signal["evidence"]) == (None, None, [])
    assert only("flag", True, reason=5)["reason"] is None
    assert signal["scored_at"] == NOON
    assert of(flag=True).score == {"flag": True}, "the value alone, without its envelope"


def test_a_signal_has_columns_of_its_table() -> None:
    assert set(only("flag", True)) <= set(tables.SIGNALS.column_names)


@given(
    st.dictionaries(
        st.sampled_from([b.key for b in BRICKS] + ["other"]),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-200, 200),
            st.floats(),
            st.text(max_size=5),
            st.lists(st.text(max_size=3) | st.integers(), max_size=3),
            st.just({}),
        ).map(lambda value: {"value": value}),
        max_size=6,
    )
)
def test_every_brick_lands_or_is_reported(bricks: dict[str, Any]) -> None:
    made = of(**bricks)
    landed = [signal["brick_key"] for signal in made.signals]
    assert sorted([*landed, *(key for key, _, _ in made.odd)]) == sorted(bricks)
    assert set(made.score) == {column(key) for key in landed}
    types = {b.key: COLUMN_TYPES[b.kind] for b in BRICKS if b.kind}
    wanted = {Type.FLOAT: float, Type.BOOLEAN: bool, Type.TEXT: str}
    for key, value in made.score.items():
        assert value is None or type(value) is wanted[types[key]]
    for signal in made.signals:
        if signal["value_type"] == "list" and signal["value_list"] is not None:
            assert json.loads(made.score[signal["brick_key"]]) == signal["value_list"]


# ---------------------------------------------------------------------- columns


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("empathy_score", "empathy_score"),
        ("Empathy Score", "empathy_score"),
        ("empathy-score (1/5)", "empathy_score_1_5"),
        ("_hidden_", "hidden"),
        ("1st_impression", "brick_1st_impression"),
        ("run_id", "brick_run_id"),
        ("channel", "brick_channel"),
        ("Scored At", "brick_scored_at"),
        ("agent_id", "brick_agent_id"),
        ("_loaded_at", "loaded_at"),
        ("😀", "brick_"),
    ],
)
def test_column_names(key: str, name: str) -> None:
    assert column(key) == name


@given(st.text(max_size=20))
def test_any_key_is_a_safe_column(key: str) -> None:
    name = column(key)
    assert name.isascii()
    assert name.isidentifier()
    assert name == name.lower()
    assert name not in tables.scores("any", []).column_names


def schema_of(*keys: str) -> KitSchema:
    return KitSchema("A", None, tuple(Brick(key, "number", "score") for key in keys))


def test_a_table_of_scores() -> None:
    made = scores_table("quality", SCHEMA)
    assert made.name == "scores__quality"
    assert made.key == ("vendor", "conversation_id", "kit_version_id")
    types = {c.name: c.type for c in made.columns}
    assert types["score"] is Type.FLOAT
    assert types["flag"] is Type.BOOLEAN
    assert types["why"] is types["names"] is Type.TEXT
    assert "new" not in types, "a type that we do not know gets no column"
    assert len(made.column_names) == len(set(made.column_names))


@pytest.mark.parametrize(
    "keys", [("a b", "a_b"), ("Pain", "pain"), ("run_id", "brick_run_id"), ("😀", "😃")]
)
def test_two_keys_with_one_column_are_for_a_person(keys: tuple[str, ...]) -> None:
    with pytest.raises(Misconfigured, match=r"kit quality.*column"):
        scores_table("quality", schema_of(*keys))
