"""The state database is lost, again and again, and rebuilt from the warehouse, for every vendor.

Nothing lands twice, nothing is paid twice (the sandbox counts), nothing is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import hurried
import pytest
from bench import Bench
from pipeline.breaking import Killed
from pipeline.losing import lose, mixed, past, prepared, refused, restored, store
from pipeline.reconciling import accounts, go

from semarize_pipeline.errors import BadCredentials, Stop
from semarize_pipeline.privacy.erasure import Request, erase

Start = Callable[..., Bench]


@pytest.mark.long
def test_lost_at_every_moment_and_rebuilt(start: Start, vendor: str) -> None:
    bench = prepared(start(mixed(vendor)))

    def lost_and_rebuilt(open_runs: int = 0, erased: int = 0) -> None:
        lose(bench)
        refused(bench)
        dry = restored(bench, dry_run=True)
        assert bench.state.watermarks.is_empty()
        assert bench.statuses() == {}
        report = restored(bench)
        assert replace(report, dry_run=True) == dry
        assert (report.open_runs, report.erased) == (open_runs, erased)
        assert report.conversations == {vendor: 5}
        reached = bench.state.watermarks.reached(vendor)
        assert reached is not None
        assert reached <= before_the_loss, "never beyond what was read"
        landed = bench.conversations()
        bench.clock.advance(minutes=5)
        until = bench.clock()
        again = hurried.extract(bench)
        assert (again.listed, again.landed, again.quarantined) == (5, 0, 0)
        assert bench.conversations() == landed, "nothing is landed again"
        assert bench.state.watermarks.reached(vendor) == until

    # After extract.
    assert hurried.extract(bench).landed == 3
    before_the_loss = bench.clock()
    lost_and_rebuilt()
    assert store(bench).paid == []

    # Runs are paid for, the round is cut off, and no table of the warehouse knows of them.
    bench.world.switch("semarize", run_seconds=600.0, key_hours=1.0)
    with pytest.raises(Killed):
        hurried.score(bench, sleep=_killed)
    assert 0 < len(store(bench).paid) <= 6
    lost_and_rebuilt()

    # The round ends with runs under way; by the next one, Semarize has forgotten their keys.
    patient = bench.settings.score
    bench.set(score=replace(patient, patience_seconds=0.01))
    assert len(hurried.score(bench).waiting) == 6
    assert len(store(bench).paid) == 6, "three calls, two kits"
    bench.clock.advance(hours=2)
    lost_and_rebuilt(open_runs=6)
    assert hurried.score(bench).scored == 6
    bench.world.switch("semarize", run_seconds=0.0)
    bench.set(score=patient)

    # After scores.
    lost_and_rebuilt()
    assert hurried.score(bench).paid == 0

    # After an erasure: what was erased stays away.
    first = bench.world.all_calls(vendor)[0].id
    request = Request(vendor=vendor, conversation_ids=(first,))
    erase(request, bench.warehouse, bench.state, requested_by="t", run="test", dry_run=False)
    lost_and_rebuilt(erased=1)
    assert first not in bench.conversations()
    assert hurried.score(bench).paid == 0
    assert len(store(bench).paid) == 6

    # The pending one comes on its own clock, which was not lost.
    bench.clock.advance(days=2)
    assert hurried.extract(bench).landed == 1
    assert hurried.score(bench).scored == 2
    assert len(store(bench).paid) == 8
    assert store(bench).duplicates() == []
    assert bench.statuses() == {"landed": 3, "quarantined": 1, "deleted": 1}
    bench.clock.advance(days=1)
    hurried.extract(bench)
    assert go(bench).unaccounted == 0
    assert accounts(bench) == {"listed": 5, "scored": 3, "quarantined": 1, "deleted": 1}
    assert len(store(bench).paid) == 8


def _killed(seconds: float) -> None:
    raise Killed


def test_lost_during_a_backfill(start: Start, vendor: str) -> None:
    bench = prepared(start(mixed(vendor)))
    assert past(bench, 2).scored == 2
    before = bench.conversations()
    lose(bench)
    with pytest.raises(Stop, match="rebuild_state"):
        past(bench, 2)
    report = restored(bench)
    assert report.used["runs of the past (ever)"] == 2
    assert past(bench, 2).scored == 0, "the campaign's cap is used up, as it was"
    assert past(bench, None).scored == 1
    assert bench.conversations() == before
    bench.clock.advance(days=2)
    hurried.extract(bench)
    hurried.score(bench)
    assert len(store(bench).paid) == 3, "the hourly runs' kits leave it alone, as before"


def test_who_has_to_authorize_again(start: Start, vendor: str) -> None:
    bench = prepared(start(mixed(vendor)))
    if vendor == "salesloft":
        bench.world.switch(vendor, rotate_refresh_tokens=True)
    hurried.extract(bench)
    lose(bench)
    report = restored(bench)
    if not report.authorize:
        assert hurried.extract(bench).listed == 5
        assert vendor != "salesloft"
        return
    assert report.authorize == [f"{vendor}_default"]
    with pytest.raises(BadCredentials, match=rf"{vendor}_default.*authorize again"):
        hurried.extract(bench)
    given = bench.credentials()
    code = {name: value for name, value in given.extra.items() if name != "refresh_token"}
    again = hurried.client(bench, replace(given, extra=code))
    assert hurried.extract(bench, api=again).listed == 5
