"""Kits over what has landed: what is bought, what is left alone, and where it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import DEALS, NOW, QUALITY, Bench, bench, calls
from pipeline.breaking import Killed, fused, mended

from semarize_pipeline import campaigns, connect, rescore
from semarize_pipeline.campaigns import NO_CAPS, Caps
from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.model import Window
from semarize_pipeline.rescore import Selection
from semarize_pipeline.semarize.client import SemarizeClient
from semarize_sandbox import semarize
from semarize_sandbox.semarize import Semarize

ALL_TIME = Window(NOW - timedelta(days=30), NOW)


@pytest.fixture
def gong(tmp_path: Path) -> Iterator[Bench]:
    """Six calls, landed and scored by the live kit."""
    with bench("gong", tmp_path, calls("gong", 6)) as made:
        made.extract()
        made.score()
        assert len(store(made).paid) == 6
        yield made


def store(made: Bench) -> Semarize:
    return semarize.of(made.world)


def client(made: Bench) -> SemarizeClient:
    given = made.credentials("semarize")
    return connect.semarize_client(given, made.state, made.settings.score)


def go(made: Bench, *kits: Any, caps: Caps = NO_CAPS, **selected: Any) -> Any:
    selected.setdefault("window", ALL_TIME)
    return rescore.rescore(
        Selection(vendor=made.vendor.name, **selected),
        client(made),
        made.warehouse,
        made.state,
        kits=campaigns.pinned(kits, client(made)),
        campaign="campaign 1",
        caps=caps,
        settings=made.settings,
        run="test",
        sleep=made.sleep,
    )


def planned(made: Bench, *kits: Any, caps: Caps = NO_CAPS) -> Any:
    return rescore.plan(
        Selection(vendor=made.vendor.name, window=ALL_TIME),
        made.warehouse,
        made.state,
        kits=campaigns.pinned(kits, client(made)),
        caps=caps,
        settings=made.settings,
        run="test",
    )


def ledger(made: Bench) -> list[dict[str, Any]]:
    columns = "conversation_id, status, score_status, updated_at"
    return made.query(f"select {columns} from landing.ledger order by 1")


def test_a_second_kit_over_the_same_calls_asks_no_vendor_and_leaves_the_ledger(
    gong: Bench,
) -> None:
    before, asked = ledger(gong), len(gong.world.requests("gong"))
    report = go(gong, DEALS)
    assert (report.scored, report.paid) == (6, 6)
    assert len(store(gong).paid) == 12
    assert store(gong).duplicates() == []
    assert len(gong.query("select * from landing.scores__deal_signals")) == 6
    assert ledger(gong) == before
    assert len(gong.world.requests("gong")) == asked
    kinds = gong.query("select distinct kind from landing.loads order by 1")
    assert [row["kind"] for row in kinds] == ["extract", "rescore", "score"]
    assert go(gong, DEALS).paid == 0, "ordered again it buys nothing"


def test_two_kits_at_once_can_be_compared_call_by_call(gong: Bench) -> None:
    old = store(gong).kits[QUALITY.code].current.id
    store(gong).publish(QUALITY.code, without=["topic_primary"])
    report = go(gong, replace(QUALITY, version_id=old), QUALITY, DEALS)
    assert report.scored == 12, "what the live kit bought at the old version is not bought again"
    both = gong.query(
        "select conversation_id, count(distinct kit_version_id) n "
        "from landing.scores__interaction_quality group by all"
    )
    assert [row["n"] for row in both] == [2] * 6


def test_a_new_version_is_bought_once_and_the_live_kit_buys_it_no_more(gong: Bench) -> None:
    store(gong).publish(QUALITY.code, without=["topic_primary"])
    assert planned(gong, QUALITY).runs == 6
    assert go(gong, QUALITY).paid == 6
    assert gong.score().paid == 0
    assert planned(gong, QUALITY).runs == 0


def test_a_window_and_a_list_select(gong: Bench) -> None:
    served = gong.world.all_calls("gong")
    some = Window(served[1].started_at, served[3].started_at)
    assert go(gong, DEALS, window=some).scored == 2, "the window's end does not belong to it"
    listed = (served[5].id, served[1].id, "unheard of")
    assert go(gong, DEALS, window=None, ids=listed).scored == 1


def test_the_own_cap_ends_it_and_the_days_cap_only_delays_it(gong: Bench) -> None:
    report = go(gong, DEALS, caps=Caps(runs=2))
    assert (report.paid, report.over_cap, report.capped) == (2, 4, 0)
    again = go(gong, DEALS, caps=Caps(runs=2))
    assert (again.paid, again.over_cap) == (0, 4), "the same campaign has one cap"
    gong.set(score=replace(gong.settings.score, max_runs_per_day=12))
    report = go(gong, DEALS, caps=Caps(runs=6))
    assert (report.paid, report.capped) == (0, 4), "30 % of the day's 12 are the live runs' own"
    gong.clock.advance(days=1)
    assert go(gong, DEALS, caps=Caps(runs=6)).paid == 4
    assert len(store(gong).paid) == 12


def test_the_plan_counts_what_is_missing_and_its_price(gong: Bench) -> None:
    gong.set(score=replace(gong.settings.score, price_per_run=0.1, currency="EUR"))
    made = planned(gong, QUALITY, DEALS)
    assert (made.calls, made.runs, made.cost) == (6, 6, 0.6)
    assert "6 Semarize runs" in str(made)
    assert "0.60 EUR" in str(made)
    assert planned(gong, DEALS, caps=Caps(runs=2)).runs == 2
    assert campaigns.runs_for(1.0, None, gong.settings) == 10, "1.0 / 0.1 is no binary fraction"
    assert campaigns.runs_for(1.0, 7, gong.settings) == 7
    without = replace(gong.settings, score=replace(gong.settings.score, price_per_run=None))
    with pytest.raises(Misconfigured, match=r"max_cost.*score\.price_per_run"):
        campaigns.runs_for(1.0, None, without)


def test_slow_runs_are_waited_for_by_those_who_bought_them(gong: Bench) -> None:
    gong.world.switch("semarize", slow_share=1.0, slow_seconds=3600.0)
    gong.set(score=replace(gong.settings.score, patience_seconds=0.3))
    report = go(gong, DEALS)
    assert len(report.waiting) == 6
    assert gong.score().waiting == [], "the hourly run does not wait for them"
    gong.clock.advance(hours=2)
    assert go(gong, DEALS).scored == 6
    assert len(store(gong).paid) == 12


def test_an_unnamed_version_must_be_named(gong: Bench) -> None:
    gong.world.switch("semarize", schema_names_version=False)
    with pytest.raises(Misconfigured, match=r"kits: .*interaction_quality@"):
        go(gong, QUALITY)


@pytest.mark.slow
def test_killed_before_any_write_and_run_again(tmp_path: Path) -> None:
    """The same tables as without a kill, and no run paid twice."""
    given = calls("gong", 3)
    step, done = 0, False
    while not done:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        with bench("gong", folder, given) as made:
            made.extract()
            made.score()
            fused(made, step)
            try:
                go(made, DEALS)
                done = True
            except Killed:
                mended(made)
                go(made, DEALS)
            assert len(store(made).paid) == 6
            assert store(made).duplicates() == []
            assert len(made.query("select * from landing.scores__deal_signals")) == 3
            runs = made.query("select status from landing.semarize__runs")
            assert [row["status"] for row in runs] == ["succeeded"] * 6
            assert made.state.runs.open("gong") == []
    assert step > 6, "the guard: there were writes to be killed before"
