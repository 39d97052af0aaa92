"""Pain: nobody knows what a run will cost before it has, and it buys the same things twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import DEALS, NOW, QUALITY, Bench, bench, call
from pipeline.reconciling import go as reconciled

from semarize_pipeline import backfill, campaigns, connect, orders
from semarize_sandbox import semarize
from semarize_sandbox.model import Turn
from semarize_sandbox.semarize import Semarize

FORM = {"vendor": "gong", "from": "2026-01-20", "to": "2026-01-29", "kits": ["interaction_quality"]}


@pytest.fixture
def gong(tmp_path: Path) -> Iterator[Bench]:
    """A call at noon of each of eight days in January."""
    old = [call("gong", n, NOW - timedelta(days=48 - n)) for n in range(8)]
    with bench("gong", tmp_path, old) as made:
        made.set(
            history=replace(made.settings.history, slice_hours=48.0),
            score=replace(made.settings.score, price_per_run=0.5, currency="EUR"),
            kits=(QUALITY, DEALS),
        )
        yield made


def store(made: Bench) -> Semarize:
    return semarize.of(made.world)


def parts(made: Bench, form: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What plan and backfill are both given."""
    order = orders.backfill(form, made.settings, run="manual__1", now=NOW)
    client = connect.semarize_client(made.credentials("semarize"), made.state, made.settings.score)
    return (made.vendor, made.api(), client, made.warehouse, made.state), {
        "order": order,
        "kits": campaigns.pinned(order.kits, client),
        "settings": made.settings,
        "run": "test",
        "until": NOW,
    }


def plan(made: Bench, **form: Any) -> campaigns.Plan:
    (vendor, api, _, warehouse, state), told = parts(made, {**FORM, **form})
    return backfill.plan(vendor, api, warehouse, state, **told)


def go(made: Bench, **form: Any) -> backfill.BackfillReport:
    given, told = parts(made, {**FORM, **form})
    return backfill.backfill(*given, **told, sleep=made.sleep)


def test_a_dry_run_says_calls_requests_scoring_runs_time_and_price_and_does_nothing(
    gong: Bench,
) -> None:
    foreseen = plan(gong)
    assert (foreseen.calls, foreseen.runs, foreseen.cost) == (8, 8, 4.0)
    told = str(foreseen)
    assert told.startswith("gong: 8 calls, ")
    for words in (f"{foreseen.requests} requests", "8 Semarize runs", " days", "4.00 EUR"):
        assert words in told
    assert not store(gong).paid, "a plan buys nothing"
    assert gong.statuses() == {}, "and lands nothing"
    before = len(gong.world.requests("gong"))
    report = go(gong)
    assert (report.landed, report.scored) == (foreseen.calls, foreseen.runs)
    took = len(gong.world.requests("gong")) - before
    assert foreseen.requests <= took <= foreseen.requests + report.slices, "as it was foreseen"
    assert plan(gong).runs == 0, "and once it is done there is nothing left to pay"


def test_time_is_told_where_a_limit_makes_it_days(gong: Bench) -> None:
    gong.set(score=replace(gong.settings.score, max_runs_per_day=2))
    assert plan(gong).days == 8.0, "one of two a day is left to the hourly runs"


def test_the_cap_stops_at_the_limit_and_goes_on_where_it_stopped(gong: Bench) -> None:
    report = go(gong, max_runs=3)
    assert (report.scored, report.stopped) == (3, "max_runs or max_cost")
    assert len(store(gong).paid) == 3
    again = go(gong, max_runs=3)
    assert (again.scored, again.stopped) == (0, "max_runs or max_cost")
    assert len(store(gong).paid) == 3, "the cap holds however often it is started"
    report = go(gong, max_runs=8)
    assert (report.scored, report.stopped) == (5, None)
    assert len(store(gong).paid) == 8
    assert store(gong).duplicates() == []


def test_the_days_cap_stops_the_hourly_runs_and_tomorrow_they_go_on(gong: Bench) -> None:
    today = [call("gong", 20 + n, NOW - timedelta(hours=3 + n)) for n in range(5)]
    gong.world.add(today)
    gong.set(score=replace(gong.settings.score, max_runs_per_day=4), kits=(QUALITY,))
    gong.extract()
    report = gong.score()
    assert (report.scored, report.capped) == (4, 1)
    assert gong.score().paid == 0
    gong.clock.advance(days=1)
    assert gong.score().scored == 1
    assert store(gong).duplicates() == []


def test_what_is_unchanged_is_never_scored_again(gong: Bench) -> None:
    """By the words and the kit's version: new words and a new kit are work, all else is not."""
    gong.set(
        kits=(QUALITY, replace(DEALS, vendors=())),
        extract=replace(gong.settings.extract, start=timedelta(days=60)),
    )
    gong.extract()
    assert gong.score().paid == 8
    # Read again as its listing has changed: five with the same words, one with others.
    served = gong.world.all_calls("gong")
    gong.world.add([replace(each, title=f"Renamed: {each.title}") for each in served[:5]])
    gong.world.add([replace(served[5], turns=(Turn("u-1", 0.0, 4.0, "Said otherwise."),))])
    gong.clock.advance(hours=1)
    gong.set(history=replace(gong.settings.history, reconcile_days=60))
    assert reconciled(gong).changed == 6
    assert gong.score().paid == 1
    assert go(gong, campaign="again").scored == 0
    assert len(store(gong).paid) == 9
    # Another kit is new work, once.
    assert go(gong, campaign="deals", kits=["deal_signals"]).scored == 8
    assert go(gong, campaign="deals, once more", kits=["deal_signals"]).scored == 0
    assert len(store(gong).paid) == 17
    assert store(gong).duplicates() == []
