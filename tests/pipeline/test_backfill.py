"""A backfill: slices that stay done, caps, quotas, and the live watermark left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import DEALS, NOW, QUALITY, Bench, bench, call
from pipeline.breaking import Killed, fused, mended

from semarize_pipeline import backfill, campaigns, connect, orders, vendors
from semarize_pipeline.errors import Wait
from semarize_pipeline.state.budgets import Limits
from semarize_sandbox import semarize
from semarize_sandbox.model import Call
from semarize_sandbox.semarize import Semarize

Start = Callable[..., Bench]
FIRST, LAST = "2026-01-20", "2026-01-29"


@pytest.fixture
def vendor() -> str:
    return "gong"


@pytest.fixture
def start(vendor: str, tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(given: Sequence[Call] | None = None) -> Bench:
            made = stack.enter_context(bench(vendor, tmp_path, given or past(vendor)))
            made.set(history=replace(made.settings.history, slice_hours=48.0))
            return made

        yield begin


def past(vendor: str, count: int = 8) -> list[Call]:
    """A call at noon of each day from the 21st of January on."""
    return [call(vendor, n, NOW - timedelta(days=48 - n)) for n in range(count)]


def store(made: Bench) -> Semarize:
    return semarize.of(made.world)


def ordered(made: Bench, **form: Any) -> orders.BackfillOrder:
    given = {"vendor": made.vendor.name, "from": FIRST, "to": LAST, **form}
    settings = replace(made.settings, kits=(QUALITY, DEALS))
    return orders.backfill(given, settings, run="manual__1", now=NOW)


def client(made: Bench) -> Any:
    given = made.credentials("semarize")
    return connect.semarize_client(given, made.state, made.settings.score)


def go(made: Bench, **form: Any) -> backfill.BackfillReport:
    order = ordered(made, **form)
    told: list[str] = form.pop("told", [])
    return backfill.backfill(
        made.vendor,
        made.api(),
        client(made),
        made.warehouse,
        made.state,
        order=order,
        kits=campaigns.pinned(order.kits, client(made)),
        settings=made.settings,
        run="test",
        until=NOW,
        tell=lambda progress: told.append(str(progress)),
        sleep=made.sleep,
    )


def planned(made: Bench, **form: Any) -> campaigns.Plan:
    order = ordered(made, **form)
    return backfill.plan(
        made.vendor,
        made.api(),
        made.warehouse,
        made.state,
        order=order,
        kits=campaigns.pinned(order.kits, client(made)),
        settings=made.settings,
        run="test",
        until=NOW,
    )


def test_without_kits_it_lands_and_buys_nothing_now_or_later(start: Start) -> None:
    made = start()
    report = go(made)
    assert (report.landed, report.slices_done, report.slices) == (8, 6, 6)
    made.extract()
    assert made.score().paid == 0
    assert store(made).paid == {} or len(store(made).paid) == 0
    kinds = made.query("select distinct kind from landing.loads")
    assert [row["kind"] for row in kinds] == ["backfill"]


def test_one_that_was_pending_stays_the_backfills_own(start: Start) -> None:
    late = call("gong", 30, NOW - timedelta(days=5), ready_after=timedelta(days=6))
    made = start([late])
    assert go(made, **{"from": "2026-03-01", "to": "2026-03-09"}).pending == 1
    made.clock.advance(days=2)
    made.extract()
    assert made.statuses() == {"landed": 1}
    assert made.score().paid == 0, "landed by the hourly run, and still nobody asked for a score"


def test_the_live_watermark_is_never_touched(start: Start) -> None:
    made = start([*past("gong"), call("gong", 50, NOW - timedelta(hours=5))])
    go(made, kits=["interaction_quality"])
    assert made.state.watermarks.reached("gong") is None
    made.extract()
    before = made.state.watermarks.reached("gong"), made.state.watermarks.began("gong")
    go(made, campaign="another", kits=["interaction_quality"])
    assert (made.state.watermarks.reached("gong"), made.state.watermarks.began("gong")) == before


@pytest.mark.parametrize(("order", "first"), [("newest first", 7), ("oldest first", 0)])
def test_it_goes_in_the_order_asked_for(start: Start, order: str, first: int) -> None:
    made = start()
    made.set(history=replace(made.settings.history, slice_hours=24.0))
    report = go(made, order=order, max_calls=1)
    assert report.stopped == "max_calls"
    assert set(made.conversations()) == {made.world.all_calls("gong")[first].id}


def test_a_cap_on_calls_holds_across_goes_and_a_higher_one_goes_on(start: Start) -> None:
    made = start()
    assert go(made, max_calls=3).landed == 3
    again = go(made, max_calls=3)
    assert (again.landed, again.stopped) == (0, "max_calls")
    assert made.statuses() == {"landed": 3}, "what may not be fetched is not listed as missing"
    assert go(made, max_calls=100).landed == 5


def test_what_a_cap_on_calls_lets_through_is_scored(start: Start) -> None:
    made = start()
    report = go(made, max_calls=3, kits=["interaction_quality"])
    assert (report.landed, report.scored, report.stopped) == (3, 3, "max_calls")
    assert len(store(made).paid) == 3


def test_a_cap_on_runs_and_on_cost(start: Start) -> None:
    made = start()
    made.set(score=replace(made.settings.score, price_per_run=0.5))
    report = go(made, kits=["interaction_quality"], max_cost=1.4)
    assert (report.scored, report.stopped) == (2, "max_runs or max_cost")
    assert len(store(made).paid) == 2
    report = go(made, kits=["interaction_quality"], max_runs=8)
    assert (report.scored, report.stopped) == (6, None)
    assert store(made).duplicates() == []


def test_todays_cap_delays_the_scores_and_not_the_calls(start: Start) -> None:
    made = start()
    made.set(score=replace(made.settings.score, max_runs_per_day=5))
    report = go(made, kits=["interaction_quality"])
    assert (report.landed, report.scored) == (8, 3)
    assert report.capped > 0
    made.clock.advance(days=1)
    assert go(made, kits=["interaction_quality"]).scored == 3
    made.clock.advance(days=1)
    report = go(made, kits=["interaction_quality"])
    assert (report.scored, report.capped) == (2, 0)
    assert len(store(made).paid) == 8


def test_slow_runs_are_gone_on_with(start: Start) -> None:
    made = start()
    made.world.switch("semarize", slow_share=1.0, slow_seconds=3600.0)
    made.set(score=replace(made.settings.score, patience_seconds=0.3))
    report = go(made, kits=["interaction_quality"])
    assert len(set(report.waiting)) == len(report.waiting) == 8
    made.clock.advance(hours=2)
    report = go(made, kits=["interaction_quality"])
    assert (report.scored, report.waiting) == (8, [])
    assert len(store(made).paid) == 8


def test_the_plan_and_what_it_comes_to(start: Start) -> None:
    made = start()
    made.set(score=replace(made.settings.score, price_per_run=0.25, currency="EUR"))
    plan = planned(made, kits=["interaction_quality", "deal_signals"])
    assert (plan.calls, plan.runs, plan.cost, plan.exact) == (8, 16, 4.0, True)
    assert made.statuses() == {}, "a plan lands nothing"
    before = len(made.world.requests("gong"))
    report = go(made, kits=["interaction_quality", "deal_signals"])
    assert (report.landed, report.scored) == (8, 16)
    took = len(made.world.requests("gong")) - before
    assert plan.requests <= took <= plan.requests + report.slices, "batches end with their slice"
    again = planned(made, kits=["interaction_quality", "deal_signals"])
    assert (again.calls, again.runs) == (0, 0)
    assert planned(made, kits=["deal_signals"], max_calls=0).calls == 0


def test_a_large_plan_is_projected_from_some_slices_and_says_so(start: Start) -> None:
    made = start(past("gong", 40))
    made.set(history=replace(made.settings.history, slice_hours=24.0, plan_slices=5))
    plan = planned(made, **{"to": "2026-03-02"})
    assert not plan.exact
    assert 30 <= plan.calls <= 42
    assert len(made.world.requests("gong")) == 5
    assert "about" in str(plan)
    assert campaigns.needs_approval([plan], made.settings) is False
    small = replace(made.settings, history=replace(made.settings.history, approve_above_calls=9))
    assert campaigns.needs_approval([plan], small)


def test_days_at_the_vendors_limits(start: Start) -> None:
    made = start()
    made.vendor = replace(made.vendor, limits=Limits(requests_per_second=100, per_week=10))
    plan = planned(made)
    assert plan.days == pytest.approx(7 * plan.requests / (10 * 0.7))


def test_a_weeks_quota_is_waited_for_and_it_goes_on_by_itself(start: Start) -> None:
    """Clari's rule on a small scale: the quota ends it, and next week it goes on at its marks."""
    made = start()
    live = Limits(requests_per_second=5000, per_week=14)
    made.vendor = replace(made.vendor, limits=replace(live, reserved=0.3))
    with pytest.raises(Wait) as caught:
        go(made)
    assert caught.value.until.weekday() == 6, "a week begins on Sunday"
    assert len(made.world.requests("gong")) == 9, "three in ten are the hourly runs' own"
    half = len(made.state.watermarks.slices(backfill.stream("manual__1", "gong")))
    assert 0 < half < 6
    made.vendor = replace(made.vendor, limits=live)
    assert made.extract().requests == 1, "an hourly run in the same week is let through"
    made.vendor = replace(made.vendor, limits=replace(live, reserved=0.3))
    made.clock.advance(seconds=(caught.value.until - made.clock()).total_seconds() + 1)
    made.world.clear_log()
    report = go(made)
    assert report.slices_done == report.slices == 6
    assert len(made.conversations()) == 8
    listings = made.world.requests("gong", "extensive")
    assert len(listings) == 6 - half, "what was marked is not listed again"


def test_progress_is_told_while_it_runs(start: Start) -> None:
    made = start()
    told: list[str] = []
    order = ordered(made)
    backfill.backfill(
        made.vendor,
        made.api(),
        None,
        made.warehouse,
        made.state,
        order=order,
        kits=(),
        settings=made.settings,
        run="test",
        until=NOW,
        tell=lambda progress: (told.append(str(progress)), made.clock.advance(minutes=10))[0],
    )
    assert len(told) == 6
    assert told[2].startswith("slice 3 of 6 (50 %)")
    assert "0:30:00 left" in told[2]
    assert told[-1].startswith("slice 6 of 6 (100 %), 8 calls listed, 8 landed")


def test_what_the_ledger_forgot_is_neither_fetched_nor_bought_again(start: Start) -> None:
    made = start()
    go(made, kits=["interaction_quality"])
    made.clock.advance(hours=1)
    assert made.state.ledger.prune("gong", made.clock()) == 8
    made.world.clear_log()
    report = go(made, campaign="another", kits=["interaction_quality"])
    assert (report.listed, report.landed, report.scored) == (8, 0, 0)
    assert made.world.requests("gong", "transcript") == []
    assert len(store(made).paid) == 8


@pytest.mark.slow
def test_killed_before_each_write_and_run_again(tmp_path: Path) -> None:
    """Every write of a small backfill, each on a fresh start."""
    step, done = 0, False
    while not done:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        with bench("gong", folder, past("gong", 2)) as made:
            made.set(history=replace(made.settings.history, slice_hours=240.0))
            fused(made, step)
            try:
                go(made, kits=["interaction_quality"])
                done = True
            except Killed:
                mended(made)
                go(made, kits=["interaction_quality"])
            as_undisturbed(made, 2)
    assert step > 12, "the guard: there were writes to be killed before"


@pytest.mark.slow
@pytest.mark.parametrize("vendor", vendors.names())
def test_killed_again_and_again_it_ends_as_undisturbed(start: Start, vendor: str) -> None:
    """One campaign in four slices, killed at ever later writes until it gets through."""
    made = start(past(vendor, 6))
    kills = 0
    while True:
        fused(made, 3 + 2 * kills)
        try:
            go(made, kits=["interaction_quality"])
            break
        except Killed:
            kills += 1
    assert kills > 4
    mended(made)
    as_undisturbed(made, 6)


def as_undisturbed(made: Bench, count: int) -> None:
    assert len(made.conversations()) == count
    assert len(made.utterances()) == 3 * count
    assert made.statuses() == {"landed": count}
    assert len(store(made).paid) == count
    assert store(made).duplicates() == []
    runs = made.query("select status from landing.semarize__runs")
    assert [row["status"] for row in runs] == ["succeeded"] * count
    assert len(made.query("select * from landing.scores__interaction_quality")) == count
    ledger = made.query("select distinct status, score_status from landing.ledger")
    assert ledger == [{"status": "landed", "score_status": "unasked"}]
