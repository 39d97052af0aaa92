"""Pain: a call whose transcript is not ready when it is listed is never looked at again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from bench import NOW, Bench, call

from semarize_sandbox import semarize

Start = Callable[..., Bench]


def test_a_transcript_that_is_ready_three_days_later_is_landed_and_scored_once(
    start: Start, vendor: str
) -> None:
    late = call(vendor, 1, NOW - timedelta(hours=2), ready_after=timedelta(days=3))
    bench = start([call(vendor, 0, NOW - timedelta(hours=3)), late])
    report = bench.extract()
    assert (report.landed, report.pending) == (1, 1)
    bench.score()
    assert bench.conversations()[late.id]["transcript_status"] == "pending"
    # Others come and the watermark moves on, past the look-back.
    for day in (1, 2, 3):
        bench.clock.advance(hours=32)
        bench.world.add([call(vendor, 10 + day, bench.clock() - timedelta(hours=2))])
        assert bench.extract().landed == (1 if day < 3 else 2)
    bench.score()
    reached = bench.state.watermarks.reached(vendor)
    assert reached is not None
    assert reached - bench.vendor.timing.lookback > late.started_at, "no look-back lists it again"
    landed = bench.conversations()
    assert {row["transcript_status"] for row in landed.values()} == {"ready"}
    assert bench.statuses() == {"landed": 5}
    assert [row["text"] for row in bench.utterances() if row["conversation_id"] == late.id] == [
        turn.text for turn in late.turns
    ]
    runs = bench.query("select conversation_id, status from landing.semarize__runs")
    assert sorted(run["conversation_id"] for run in runs) == sorted(landed)
    assert {run["status"] for run in runs} == {"succeeded"}
    assert len(semarize.of(bench.world).paid) == 5, "each was paid for once"
