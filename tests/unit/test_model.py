"""The model: moments, digests, and what a transcript looks like as text."""

# ruff: noqa: DTZ001 (hypothesis wants naive bounds beside its time zones)

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semarize_pipeline.model import Conversation, Utterance, digest, text_digest, utc

AT = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=5)
    ),
    max_leaves=15,
)


@pytest.mark.parametrize(
    "told",
    [
        "2026-03-29T01:30:00Z",
        "2026-03-29T01:30:00+00:00",
        "2026-03-29T03:30:00+02:00",
        "2026-03-28T20:00:00-05:30",
        "2026-03-29T01:30:00.000000Z",
        "2026-03-29T01:30:00",
        "2026-03-29 01:30:00",
        1774747800,
        1774747800.0,
        datetime(2026, 3, 29, 1, 30),
        AT,
        AT.astimezone(timezone(timedelta(hours=9))),
    ],
)
def test_one_moment_in_every_writing(told: Any) -> None:
    moment = utc(told)
    assert moment == AT
    assert moment.utcoffset() == timedelta(0)


def test_microseconds_are_kept() -> None:
    assert utc("2026-03-29T01:30:00.123456Z").microsecond == 123456
    assert utc("2026-03-29T01:30:00.1234567Z").microsecond == 123456


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)),
    st.integers(-23 * 60, 23 * 60),
)
def test_any_offset_is_the_same_moment(naive: datetime, minutes: int) -> None:
    there = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert utc(there.isoformat()) == there
    assert utc(there.isoformat()).tzinfo is UTC


@pytest.mark.parametrize("told", [True, False, None, [], {}, "", "soon", "13:00", b"2026-01-01"])
def test_what_is_no_moment_is_refused(told: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        utc(told)


@pytest.mark.parametrize("told", [float("nan"), float("inf"), 1e30, "0001-01-01T00:00:00+05:00"])
def test_what_is_beyond_time_is_refused(told: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        utc(told)


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        items = [(key, shuffled(inner, chance)) for key, inner in value.items()]
        chance.shuffle(items)
        return dict(items)
    return [shuffled(inner, chance) for inner in value] if isinstance(value, list) else value


@given(JSON_VALUES, st.randoms(use_true_random=False))
def test_digest_ignores_the_order_of_keys(value: Any, chance: random.Random) -> None:
    assert digest(value) == digest(shuffled(value, chance))


@given(JSON_VALUES, JSON_VALUES)
def test_digest_tells_values_apart(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digest(one) == digest(other)) == same


def test_digest_takes_moments_and_keys_that_are_no_text() -> None:
    assert digest({1: AT}) == digest({1: AT})
    assert digest([1, 2]) != digest([2, 1])
    assert len(text_digest("é")) == 64
    assert text_digest("a") != text_digest("b")


def conversation(**more: Any) -> Conversation:
    told: dict[str, Any] = {
        "conversation_id": "7782342274025937895",
        "started_at": AT,
        "channel": "voice",
        "raw": {"record": {"id": 1}},
    }
    return Conversation(**{**told, **more})


def test_a_transcript_is_a_line_for_each_utterance() -> None:
    said = (
        Utterance("Ann", "rep", 0.0, 1.5, "Hello?"),
        Utterance(None, "unknown", None, None, "(music)"),
        Utterance("Bo: Li", "customer", 2.0, None, "Hi."),
    )
    made = conversation(utterances=said)
    assert made.transcript == "Ann: Hello?\n(music)\nBo: Li: Hi."
    assert made.status == "ready"


def test_a_transcript_without_speakers() -> None:
    assert conversation(full_text="Dear Ann").transcript == "Dear Ann"
    spoken = (Utterance("A", "rep", 0.0, 1.0, "x"),)
    assert conversation(full_text="unused", utterances=spoken).transcript == "A: x"


@pytest.mark.parametrize("full_text", [None, ""])
def test_no_words_is_no_transcript(full_text: str | None) -> None:
    made = conversation(full_text=full_text)
    assert made.transcript is None
    assert made.status == "pending"


def test_a_status_that_the_vendor_stated_stands() -> None:
    assert conversation(transcript_status="absent").status == "absent"
    assert conversation(transcript_status="pending", full_text="half of it").status == "pending"
