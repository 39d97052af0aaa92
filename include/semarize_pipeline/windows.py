"""Which stretches of time to read: pure functions of moments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from semarize_pipeline.model import Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# No half is shorter: not every vendor's parameters know parts of a second.
SHORTEST = timedelta(seconds=1)


def live_window(
    *, reached: datetime, began: datetime, until: datetime, lag: timedelta, lookback: timedelta
) -> Window | None:
    """What a live run reads, or None when nothing is to be read yet.

    It begins ``lookback`` before the watermark, since conversations may be listed late, but
    never before the first run did. It ends ``lag`` before the run's own time, and never
    moves back behind the watermark.
    """
    end = max(reached, until - lag)
    start = max(began, reached - lookback)
    return Window(start, end) if start < end else None


def slices(window: Window, size: timedelta) -> Iterator[Window]:
    """The window in half-open parts of at most ``size``, oldest first, without gap or overlap.

    Parts end at multiples of ``size`` since 1970, so that a run that is broken off and begun
    again cuts at the same moments.
    """
    if size <= timedelta(0):
        raise ValueError("a slice needs a length")
    start = window.start
    while start < window.end:
        # Whole microseconds: as floats, a cut and the next one could fall on the same moment.
        end = min(window.end, EPOCH + ((start - EPOCH) // size + 1) * size)
        yield Window(start, end)
        start = end


def parts(window: Window, size: timedelta, lookback: timedelta) -> list[Window]:
    """One part where a run only looks back and a little forward; slices where it catches up."""
    if window.end - window.start <= lookback + size:
        return [window]
    return list(slices(window, size))


def halves(window: Window) -> tuple[Window, Window] | None:
    """The window in two, cut at a whole second; None where it is too short for that."""
    middle = (window.start + (window.end - window.start) / 2).replace(microsecond=0)
    if middle - window.start < SHORTEST or window.end - middle < SHORTEST:
        return None
    return Window(window.start, middle), Window(middle, window.end)
