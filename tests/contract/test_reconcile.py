"""Reconciliation, for every vendor, against the sandbox over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from bench import NOW, Bench, call
from pipeline.reconciling import accounts, go, read_to, spread, status

from semarize_pipeline.errors import Stop
from semarize_sandbox.model import Call

Start = Callable[..., Bench]


def test_nothing_changed_is_nothing_done(start: Start, vendor: str) -> None:
    bench = read_to(start(spread(vendor)))
    landed = bench.conversations()
    report = go(bench)
    assert (report.listed, report.found, report.changed, report.deleted) == (6, 0, 0, 0)
    assert bench.conversations() == landed
    assert accounts(bench) == {"listed": 6, "scored": 6}
    assert {day["listed"] for day in bench.query("select listed from landing.reconciliation")} == {
        1
    }


def test_what_was_missed_is_fetched_and_left_to_the_live_kits(start: Start, vendor: str) -> None:
    bench = read_to(start(spread(vendor)))
    missed = call(vendor, 40, NOW - timedelta(days=3, hours=2))
    bench.world.add([missed])
    assert bench.extract().landed == 0, "behind the look-back the hourly run never sees it"
    watermark = bench.state.watermarks.reached(vendor)
    assert go(bench).found == 1
    assert accounts(bench) == {"listed": 7, "scored": 6, "pending": 1}
    assert bench.state.watermarks.reached(vendor) == watermark
    assert bench.score().scored == 1
    go(bench)
    assert accounts(bench) == {"listed": 7, "scored": 7}


def test_what_changed_is_fetched_again_and_bought_again_only_for_new_words(
    start: Start, vendor: str
) -> None:
    bench = read_to(start(spread(vendor)))
    first, second = bench.world.all_calls(vendor)[:2]
    more = replace(second.turns[0], text="Something else was said.")
    bench.world.add(
        [
            replace(first, account_name="Renamed", title="Another title"),
            replace(second, title="Corrected", turns=(more, *second.turns[1:])),
        ]
    )
    report = go(bench)
    assert (report.changed, report.found) == (2, 0)
    assert "Something else" in bench.conversations()[second.id]["transcript"]
    assert bench.score().paid == 1, "the other one's words are the same"
    assert go(bench).changed == 0
    assert accounts(bench) == {"listed": 6, "scored": 6}


def test_what_is_gone_is_marked_and_comes_back(start: Start, vendor: str) -> None:
    bench = read_to(start(spread(vendor)))
    lost = bench.world.all_calls(vendor)[2]
    bench.world.remove(vendor, lost.id)
    assert go(bench).deleted == 1
    assert status(bench, lost.id) == "deleted"
    assert accounts(bench) == {"listed": 6, "scored": 5, "deleted": 1}
    assert go(bench).deleted == 0
    assert bench.conversations()[lost.id]["transcript"], "marked, not erased"
    bench.world._removed.clear()
    go(bench)
    assert status(bench, lost.id) == "landed"
    assert bench.score().paid == 0, "its words were bought before"


def test_a_row_that_shifts_out_of_the_listing_is_not_deleted(start: Start, vendor: str) -> None:
    """Missing from one listing, and there when asked: the next one will show it."""
    bench = read_to(start(spread(vendor)))
    hidden = bench.world.all_calls(vendor)[2]
    whole = bench.world.listed

    def without(name: str, *window: datetime | None) -> list[Call]:
        by_id = window == (None, None)  # Gong's transcripts are listed too, without a window
        return [each for each in whole(name, *window) if by_id or each.id != hidden.id]

    bench.world.listed = without  # type: ignore[method-assign]
    report = go(bench)
    assert (report.deleted, report.hidden) == (0, 1)
    assert status(bench, hidden.id) == "landed"


def test_an_empty_listing_proves_nothing(start: Start, vendor: str) -> None:
    bench = read_to(start(spread(vendor)))
    bench.world.listed = lambda *given: []  # type: ignore[method-assign]
    with pytest.raises(Stop, match=rf"{vendor}_default.*nothing was marked"):
        go(bench)
    assert bench.statuses() == {"landed": 6}


def test_made_private_is_marked(start: Start, vendor: str) -> None:
    bench = read_to(start(spread(vendor)))
    shy = bench.world.all_calls(vendor)[2]
    bench.world.add([replace(shy, private=True)])
    go(bench)
    # Where private ones are not listed at all, they look like deleted ones.
    told = status(bench, shy.id)
    assert told in ("private", "deleted") or vendor not in ("gong", "chorus"), told
    accounts(bench)
