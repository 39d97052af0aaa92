"""Pain: a connector calls itself incremental, and asks for everything each time.

The windows are read from the requests as they arrived at the server: query or body, whatever the
vendor calls its bounds.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench import NOW, Bench, call, calls

from semarize_sandbox.world import LoggedRequest

Start = Callable[..., Bench]
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2}))?")


def bounds(request: LoggedRequest) -> list[datetime]:
    """Every moment that a request names, days as their first moment, oldest first."""
    sent = str({**request.query, **(request.body or {})})
    found = [datetime.fromisoformat(text) for text in MOMENT.findall(sent)]
    return sorted(m if m.tzinfo else m.replace(tzinfo=UTC) for m in found)


def asked(bench: Bench, vendor: str) -> list[datetime]:
    """The moments that all requests since the last look named."""
    named = [bounds(request) for request in bench.world.requests(vendor)]
    bench.world.clear_log()
    return sorted(moment for moments in named for moment in moments)


def test_the_second_run_asks_only_for_the_overlap(start: Start, vendor: str) -> None:
    bench = start(calls(vendor, 3))
    bench.extract()
    whole = asked(bench, vendor)
    first = bench.settings.extract.begin(NOW)
    assert whole[0] <= first, "the guard: the first run's window is seen, from its start"
    lookback = bench.vendor.timing.lookback
    for hour in (1, 2):
        bench.clock.advance(hours=1)
        report = bench.extract()
        since = NOW + timedelta(hours=hour - 1) - lookback
        assert report.window_start == max(since, first).isoformat()
        moments = asked(bench, vendor)
        assert moments, "the guard: it asked"
        # Some filter by whole days: then by the day that the overlap begins on.
        assert moments[0] >= since.replace(hour=0, minute=0, second=0)
        assert moments[-1] <= bench.clock() + timedelta(days=1)


def test_windows_are_recorded_and_join_without_a_gap(start: Start, vendor: str) -> None:
    bench = start()
    for hour in range(4):
        at = bench.clock() - timedelta(minutes=90)
        bench.world.add([call(vendor, hour, at)])
        bench.extract()
        bench.clock.advance(hours=1)
    loads = bench.query("select window_start, window_end from landing.loads order by window_end")
    assert len(loads) == 4
    for before, after in itertools.pairwise(loads):
        assert after["window_start"] <= before["window_end"], "inclusive at its start"
        assert after["window_end"] > before["window_end"]
    assert len(bench.conversations()) == 4


def test_calls_that_start_at_the_watermark_itself_land_once(start: Start, vendor: str) -> None:
    """A cursor that is strictly greater loses ties; one that is not doubles them."""
    bench = start([call(vendor, 0, NOW - timedelta(hours=1)), call(vendor, 1, NOW)])
    bench.extract()
    assert bench.state.watermarks.reached(vendor) == NOW
    bench.world.add([call(vendor, 2, NOW), call(vendor, 3, NOW)])
    bench.clock.advance(hours=1)
    bench.extract()
    assert len(bench.conversations()) == 4, "and conversations() fails on a doubled one"
    assert bench.statuses() == {"landed": 4}
