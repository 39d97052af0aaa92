"""What every translation reads with: the first place wins, and nothing wrong passes silently."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semarize_pipeline import reading as read
from semarize_pipeline.errors import Unreadable
from semarize_pipeline.model import Participant, Utterance, Window, utc

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
READERS = [
    read.text, read.identity, read.words, read.number, read.whole, read.seconds,
    read.length, read.milliseconds, read.moment, read.objects, read.names, read.direction,
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@given(value=JSON)
def test_readers_read_or_refuse_and_never_tell_what_stood_there(reader: Any, value: Any) -> None:
    told = "place"
    try:
        reader({"place": value}, "place")
    except Unreadable as error:
        told = str(error)
    assert "place" in told
    assert len(told) < 60


@pytest.mark.parametrize("nothing", [None, "", "  ", [], {}])
def test_nothing_makes_way_for_the_next_place(nothing: Any) -> None:
    assert read.first({"a": nothing, "b": {"c": 0}}, "a", "b.c") == 0
    assert read.first({"a": nothing}, "a", "b.c") is None
    assert read.first(nothing, "a") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [(28, "28"), (2.5, "2.5"), ("false", "false"), (True, "true"), (" a ", "a"), ([1], None)],
)
def test_text_of_scalars(value: Any, expected: str | None) -> None:
    assert read.text({"a": value}, "a") == expected


@pytest.mark.parametrize("value", [7782342274025937895, "7782342274025937895"])
def test_ids_of_nineteen_digits_keep_them_all(value: Any) -> None:
    assert read.identity({"id": value}, "id") == "7782342274025937895"


@pytest.mark.parametrize("value", [None, "", " ", 7.0, True, [1], {"a": 1}])
def test_what_is_no_id_is_refused(value: Any) -> None:
    with pytest.raises(Unreadable, match="id"):
        read.identity({"id": value}, "id")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1:23", 83.0), ("00:01:23", 83.0), ("01:00:00.5", 3600.5), ("83.5", 83.5), (83, 83.0)],
)
def test_seconds_from_clock_text(value: Any, expected: float) -> None:
    assert read.seconds({"t": value}, "t") == expected


@given(st.integers(0, 10**6))
def test_clock_text_is_the_seconds_it_stands_for(total: int) -> None:
    clock = f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}"
    assert read.seconds({"t": clock}, "t") == total


@given(
    st.one_of(
        st.floats(),
        st.lists(st.floats().map(str), min_size=1, max_size=120).map(":".join),
        st.lists(st.integers().map(str), min_size=1, max_size=220).map(":".join),
    )
)
def test_whatever_time_is_read_is_finite_and_no_length_below_zero(value: Any) -> None:
    for reader, least in ((read.seconds, -math.inf), (read.length, 0.0)):
        try:
            told = reader({"t": value}, "t")
        except Unreadable:
            continue
        assert told is not None
        assert math.isfinite(told)
        assert least <= told <= read.LONGEST_SECONDS


@given(st.floats(0, 8000), st.sampled_from([1, 60, 3600]))
def test_a_length_is_read_as_seconds_are(told: float, unit: int) -> None:
    clock = f"{told}" + ":0" * {1: 0, 60: 1, 3600: 2}[unit]
    assert read.length({"t": clock}, "t") == pytest.approx(told * unit)
    assert read.length({"t": told}, "t") == told


@pytest.mark.parametrize("value", [1e300, -4e7, "1e9", "9000:00:00"])
def test_a_time_that_no_conversation_has_is_refused(value: Any) -> None:
    """As it stands it would be added to a moment, and to others: no warehouse can do that."""
    with pytest.raises(Unreadable, match="t is longer than a year"):
        read.seconds({"t": value}, "t")
    if not isinstance(value, str):
        with pytest.raises(Unreadable, match="t is longer than a year"):
            read.milliseconds({"t": value * 1000}, "t")


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", -1, 8e9]
)
def test_a_moment_of_another_age_is_refused(value: Any) -> None:
    """The year 1 is what many programs write for no moment at all."""
    with pytest.raises(Unreadable, match="t is no moment between 1970 and 2200"):
        read.moment({"t": value}, "t")
    assert read.moment({"t": "2020-01-01T00:00:00+14:00"}, "t").year == 2019


@pytest.mark.parametrize("value", ["nan", "inf", "1:x", ":", "soon", True, [1]])
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(Unreadable, match="t is not"):
        read.seconds({"t": value}, "t")


@given(st.datetimes(datetime(1980, 1, 1), datetime(2199, 12, 31)), st.integers(-12, 14))  # noqa: DTZ001
def test_a_moment_is_the_same_however_it_is_written(at: datetime, hours: int) -> None:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
    zone = timezone(timedelta(hours=hours))
    milliseconds = round(at.timestamp() * 1000)
    for written in (at.isoformat(), at.astimezone(zone).isoformat(), milliseconds):
        assert abs(read.moment({"t": written}, "t") - at) < timedelta(milliseconds=1)
    assert read.moment({"t": milliseconds // 1000}, "t") == at.replace(microsecond=0)


@given(st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_a_window_is_asked_for_in_utc_to_the_microsecond(at: datetime) -> None:
    window = Window(utc(at), utc(at) + timedelta(hours=1))
    asked = read.span(window, "from", "to")
    assert all(text.endswith("Z") for text in asked.values())
    assert [utc(asked["from"]), utc(asked["to"])] == [window.start, window.end]


def test_objects_leave_nulls_out_and_refuse_anything_else() -> None:
    assert read.objects({"a": [{"b": 1}, None]}, "a") == [{"b": 1}]
    assert read.objects({}, "a") == []
    for wrong in ("x", {"b": 1}, [1], [[]]):
        with pytest.raises(Unreadable, match="a is not an array"):
            read.objects({"a": wrong}, "a")


def test_lines_are_none_while_there_is_no_transcript() -> None:
    assert read.lines(None, "rows") == []
    assert read.lines({"rows": None}, "rows") == []
    assert read.lines({"rows": [{"a": 1}]}, "lines", "rows") == [{"a": 1}]
    assert read.lines([{"a": 1}], "rows", "") == [{"a": 1}]
    for unknown in ({"other": []}, [], "text", {}):
        with pytest.raises(Unreadable, match="unknown shape"):
            read.lines(unknown, "rows")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(["a", {"name": "b"}, {"code": 3}, None, {}], ["a", "b", "3"]), ("a", ["a"]), (None, [])],
)
def test_names(value: Any, expected: list[str]) -> None:
    assert read.names({"a": value}, "a") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("INBOUND", "inbound"), ("Unknown", "unknown"), ("sideways", "unknown"), (None, None)],
)
def test_directions(value: Any, expected: str | None) -> None:
    assert read.direction({"a": value}, "a") == expected


def test_a_name_with_two_roles_has_none() -> None:
    people = [Participant(name=n, role=r) for n, r in (("A", "rep"), ("A", "customer"))]
    people += [Participant(name="B", role="rep"), Participant(name="B", role="rep")]
    people += [Participant(role="rep")]
    assert read.roles_by_name(people) == {"A": "unknown", "B": "rep"}


def test_counts_that_no_database_holds_are_refused() -> None:
    assert read.whole({"n": "5.0"}, "n") == 5
    for wrong in (5.5, 1e300, "x"):
        with pytest.raises(Unreadable):
            read.whole({"n": wrong}, "n")


def test_only_utterances_with_words_are_kept() -> None:
    said = [Utterance(None, "unknown", None, None, text) for text in ("a", "", "b")]
    assert [each.text for each in read.spoken(said)] == ["a", "b"]
