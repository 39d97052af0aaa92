"""Windows: nothing is read twice by a cut, and nothing falls between two."""

# ruff: noqa: DTZ001 (hypothesis wants naive bounds beside its time zones)

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semarize_pipeline.model import Window
from semarize_pipeline.windows import halves, live_window, parts, slices

MOMENTS = st.datetimes(
    min_value=datetime(1999, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC)
)
SIZES = st.one_of(
    st.timedeltas(min_value=timedelta(milliseconds=100), max_value=timedelta(days=400)),
    st.floats(min_value=0.001, max_value=10_000).map(lambda hours: timedelta(hours=hours)),
    st.sampled_from([timedelta(hours=24), timedelta(hours=1), timedelta(hours=168)]),
)
COUNTS = st.floats(min_value=0.001, max_value=30)
SPANS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=60))


@given(start=MOMENTS, size=SIZES, count=COUNTS)
def test_slices_partition_the_window(start: datetime, size: timedelta, count: float) -> None:
    window = Window(start, start + max(size * count, timedelta(microseconds=1)))
    cut = list(slices(window, size))
    assert cut[0].start == window.start
    assert cut[-1].end == window.end
    assert all(a.end == b.start for a, b in pairwise(cut))
    assert all(part.start < part.end <= part.start + size for part in cut)


@given(start=MOMENTS, size=SIZES, count=COUNTS, done=st.integers(min_value=0, max_value=40))
def test_a_run_begun_again_cuts_at_the_same_moments(
    start: datetime, size: timedelta, count: float, done: int
) -> None:
    window = Window(start, start + max(size * count, timedelta(microseconds=1)))
    cut = list(slices(window, size))
    done = min(done, len(cut) - 1)
    again = list(slices(Window(cut[done].start, window.end), size))
    assert again == cut[done:]


@given(start=MOMENTS, size=SIZES, count=COUNTS, later=SPANS)
def test_a_longer_window_keeps_the_cuts_of_a_shorter_one(
    start: datetime, size: timedelta, count: float, later: timedelta
) -> None:
    window = Window(start, start + max(size * count, timedelta(microseconds=1)))
    longer = Window(start, window.end + min(later, 50 * size))
    assert (
        list(slices(longer, size))[: len(list(slices(window, size))) - 1]
        == (list(slices(window, size))[:-1])
    )


def test_cuts_are_the_same_moments_whatever_the_offset() -> None:
    start = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)
    east = start.astimezone(timezone(timedelta(hours=5, minutes=30)))
    size = timedelta(hours=24)
    cut = list(slices(Window(start, start + timedelta(days=3)), size))
    assert list(slices(Window(east, east + timedelta(days=3)), size)) == cut
    assert [part.start.hour for part in cut[1:]] == [0, 0, 0]


@pytest.mark.parametrize("size", [timedelta(0), timedelta(seconds=-1)])
def test_a_slice_needs_a_length(size: timedelta) -> None:
    window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    with pytest.raises(ValueError, match="length"):
        list(slices(window, size))


@given(
    began=MOMENTS,
    read=SPANS,
    until=st.timedeltas(min_value=timedelta(days=-90), max_value=timedelta(days=90)),
    lag=SPANS,
    lookback=SPANS,
)
def test_live_window(
    began: datetime, read: timedelta, until: timedelta, lag: timedelta, lookback: timedelta
) -> None:
    reached = began + read
    now = reached + until
    window = live_window(reached=reached, began=began, until=now, lag=lag, lookback=lookback)
    if now - lag > reached:
        # What is new is read whole, in every case.
        assert window is not None
        assert window.start <= reached
        assert window.end == now - lag
    if window is None:
        assert reached == began or lookback == timedelta(0)
        return
    assert window.start < window.end
    assert window.start >= began
    assert window.start >= reached - lookback
    assert window.end >= reached, "the watermark would move back"


@given(
    began=MOMENTS,
    gaps=st.lists(st.timedeltas(timedelta(minutes=1), timedelta(days=20)), min_size=1, max_size=8),
    lag=st.timedeltas(timedelta(0), timedelta(days=3)),
    lookback=st.timedeltas(timedelta(0), timedelta(days=5)),
    size=st.timedeltas(timedelta(hours=1), timedelta(days=9)),
)
def test_runs_one_after_another_read_every_moment_and_what_is_listed_late(
    began: datetime,
    gaps: list[timedelta],
    lag: timedelta,
    lookback: timedelta,
    size: timedelta,
) -> None:
    """Whatever the runs' distances, of which a daylight saving hour is one."""
    reached, now = began, began
    for gap in gaps:
        now += gap
        window = live_window(reached=reached, began=began, until=now, lag=lag, lookback=lookback)
        if window is None:
            continue
        cut = parts(window, size, lookback)
        assert all(a.end == b.start for a, b in pairwise(cut))
        # What began a look-back ago and was listed since the run before is read now.
        assert cut[0].start <= max(began, reached - lookback)
        assert cut[-1].end == max(reached, now - lag)
        reached = cut[-1].end
    assert reached == max(began, now - lag), "all but the lag has been read"


@given(start=MOMENTS, length=st.floats(min_value=0.01, max_value=50), lookback=SPANS)
def test_parts_cover_the_window(start: datetime, length: float, lookback: timedelta) -> None:
    size = timedelta(hours=24)
    window = Window(start, start + size * length)
    cut = parts(window, size, lookback)
    assert cut[0].start == window.start
    assert cut[-1].end == window.end
    assert all(a.end == b.start for a, b in pairwise(cut))
    assert (len(cut) == 1) or window.end - window.start > lookback + size


def test_an_hourly_run_is_one_part() -> None:
    end = datetime(2026, 5, 1, 7, tzinfo=UTC)
    window = Window(end - timedelta(days=2, hours=1), end)
    assert parts(window, timedelta(hours=24), timedelta(days=2)) == [window]
    assert len(parts(window, timedelta(hours=24), timedelta(0))) == 3


def test_windows_want_aware_moments_in_order() -> None:
    naive, aware = datetime(2026, 1, 1), datetime(2026, 1, 2, tzinfo=UTC)
    with pytest.raises(ValueError, match="aware"):
        Window(naive, aware)
    with pytest.raises(ValueError, match="aware"):
        Window(aware, naive)
    with pytest.raises(ValueError, match="reversed"):
        Window(aware, aware)
    assert str(Window(aware, aware + timedelta(hours=1))) == (
        "[2026-01-02T00:00:00+00:00, 2026-01-02T01:00:00+00:00)"
    )


@given(start=MOMENTS, length=st.timedeltas(timedelta(microseconds=1), timedelta(days=400)))
def test_halves_are_the_window_and_end_somewhere(start: datetime, length: timedelta) -> None:
    window, cuts = Window(start, start + length), 0
    while found := halves(window):
        first, second = found
        assert (first.start, first.end, second.end) == (window.start, second.start, window.end)
        assert min(first.end - first.start, second.end - second.start) >= timedelta(seconds=1)
        window, cuts = second, cuts + 1
    assert window.end - window.start < timedelta(seconds=4)
    assert cuts <= 30
