"""What went wrong, once more: records after a fix of the translation, runs after a bad hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench import Bench, bench, calls
from pipeline.breaking import Killed, fused, mended

from semarize_pipeline import orders, replay
from semarize_pipeline.vendors.base import Vendor
from semarize_sandbox import semarize
from semarize_sandbox.semarize import Semarize


@pytest.fixture
def gong(tmp_path: Path) -> Iterator[Bench]:
    with bench("gong", tmp_path, calls("gong", 4)) as made:
        yield made


def store(made: Bench) -> Semarize:
    return semarize.of(made.world)


def faulty(vendor: Vendor, *, header: bool, words: bool) -> Vendor:
    """The vendor with a mistake in its translation, to be mended."""
    whole = vendor.translate

    def translate(record: Any, transcript: Any) -> Any:
        if header and "Call 1" in str(record):
            raise ValueError("a shape that we did not know")
        if words and transcript is not None and "Call number 2." in str(transcript):
            raise ValueError("words that we could not read")
        return whole(record, transcript)

    return replace(vendor, translate=translate)


def planned(made: Bench, **form: Any) -> Any:
    order = orders.replay(
        {"vendor": "gong", **form}, made.settings, run="manual__1", now=made.clock()
    )
    return replay.plan(
        made.vendor,
        made.warehouse,
        made.state,
        order=order,
        began=made.clock(),
        settings=made.settings,
        run="test",
    )


def quarantine(made: Bench) -> list[dict[str, Any]]:
    return made.query("select * from landing.quarantine order by quarantine_id")


def broken(made: Bench) -> Vendor:
    """Extract with a mistake: one listing and one transcript cannot be read. The sound vendor."""
    sound = made.vendor
    made.vendor = faulty(sound, header=True, words=True)
    made.extract()
    assert made.statuses() == {"landed": 2, "quarantined": 2}
    made.score()
    made.clock.advance(hours=1)
    return sound


def test_records_land_after_a_fix_and_are_scored_like_any_other(gong: Bench) -> None:
    gong.vendor = broken(gong)
    assert planned(gong).calls == 2
    listings = len(gong.world.requests("gong", "extensive"))
    report = gong.replay()
    assert (report.tried, report.resolved) == (2, 2)
    assert len(gong.world.requests("gong", "extensive")) == listings, "nothing is listed again"
    assert len(gong.conversations()) == 4
    assert all(row["resolved_at"] for row in quarantine(gong))
    assert gong.statuses() == {"landed": 4, "replayed": 1}
    assert gong.score().paid == 2
    assert len(store(gong).paid) == 4
    assert gong.replay().tried == 0


def test_without_a_fix_they_stay_where_they_are(gong: Bench) -> None:
    broken(gong)
    report = gong.replay()
    assert (report.tried, report.resolved) == (2, 0)
    rows = quarantine(gong)
    assert len(rows) == 2
    assert not any(row["resolved_at"] for row in rows)
    assert gong.statuses() == {"landed": 2, "quarantined": 2}


def test_a_reason_and_a_day_choose(gong: Bench) -> None:
    gong.vendor = broken(gong)
    assert gong.replay(reason="no such reason").tried == 0
    assert gong.replay(**{"from": "2026-03-01", "to": "2026-03-09"}).tried == 0
    assert gong.replay(what="failed").tried == 0
    assert gong.replay(reason="valueerror", **{"from": "2026-03-10"}).tried == 2


def test_failed_runs_are_bought_once_more_beyond_their_attempts(gong: Bench) -> None:
    gong.extract()
    gong.world.switch("semarize", fail_matching="Call number 3.")
    gong.set(score=replace(gong.settings.score, attempts=1))
    assert gong.score().failed == 1
    gong.clock.advance(hours=1)
    assert planned(gong).runs == 1
    began = gong.clock()
    assert gong.replay(began=began).failed == 1, "still failing: tried once, not again and again"
    gong.clock.advance(days=1)
    assert gong.replay(began=began).failed == 0, "one that goes on buys nothing twice"
    assert len(store(gong).paid) == 5
    gong.world.switch("semarize", fail_matching=None)
    assert gong.replay(reason="another_code").scored == 0
    assert gong.replay(reason="evaluation_failed").scored == 1
    assert gong.score().paid == 0
    known = gong.state.ledger.find("gong", list(gong.conversations())).values()
    assert {entry.score_status for entry in known} == {"scored"}
    assert len(store(gong).paid) == 6


def test_refused_runs_and_transcripts_that_were_too_long(gong: Bench) -> None:
    gong.extract()
    gong.world.switch("semarize", refuse_matching="Call number 3.")
    assert gong.score().refused == 1
    gong.world.switch("semarize", refuse_matching=None)
    gong.clock.advance(hours=1)
    assert gong.replay().scored == 1
    assert gong.score().paid == 0
    short = replace(gong.settings.score, max_transcript_characters=20)
    gong.world.add(calls("gong", 6))
    gong.clock.advance(hours=1)
    gong.extract()
    usual = gong.settings.score
    gong.set(score=short)
    assert gong.score().refused == 2
    gong.set(score=usual)
    assert gong.replay().requeued == 2
    assert gong.score().scored == 2


def test_a_cap_holds(gong: Bench) -> None:
    gong.extract()
    gong.world.switch("semarize", fail_next=4)
    gong.set(score=replace(gong.settings.score, attempts=1))
    assert gong.score().failed == 4
    gong.clock.advance(hours=1)
    report = gong.replay(max_runs=3)
    assert (report.scored, report.over_cap) == (3, 1)


@pytest.mark.slow
def test_killed_before_each_write_and_run_again(tmp_path: Path) -> None:
    step, done = 0, False
    while not done:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        with bench("gong", folder, calls("gong", 4)) as made:
            made.world.switch("semarize", fail_next=1)
            made.set(score=replace(made.settings.score, attempts=1))
            made.vendor = broken(made)
            began = made.clock()
            fused(made, step)
            try:
                made.replay(began=began)
                done = True
            except Killed:
                mended(made)
                made.clock.advance(minutes=5)
                made.replay(began=began)
            mended(made)
            made.score()
            assert len(made.conversations()) == 4
            assert made.statuses() == {"landed": 4, "replayed": 1}
            assert all(row["resolved_at"] for row in quarantine(made))
            assert len(store(made).paid) == 5, "four transcripts, and one failed run once more"
            scores = made.query("select * from landing.scores__interaction_quality")
            assert len(scores) == 4
    assert step > 8, "the guard: there were writes to be killed before"
