"""Reconciliation where it is the same for every vendor: proofs, the account, and kills."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from bench import NOW, Bench, bench, call
from pipeline.breaking import Killed, fused, mended
from pipeline.reconciling import LATER, accounts, go, read_to, spread

from semarize_pipeline.errors import Stop, TryAgain
from semarize_pipeline.warehouse import tables
from semarize_sandbox import semarize
from semarize_sandbox.faults import Fault
from semarize_sandbox.model import Call

Start = Callable[..., Bench]


@pytest.fixture
def vendor() -> str:
    return "gong"


@pytest.fixture
def start(vendor: str, tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(given: Sequence[Call]) -> Bench:
            return stack.enter_context(bench(vendor, tmp_path, given))

        yield begin


def test_a_much_shorter_listing_proves_nothing(start: Start, vendor: str) -> None:
    bench = read_to(start(spread(vendor, 14)))
    for each in bench.world.all_calls(vendor)[:11]:
        bench.world.remove(vendor, each.id)
    with pytest.raises(Stop, match="most_deleted_share"):
        go(bench)
    assert bench.statuses() == {"landed": 14}


def test_a_broken_listing_marks_nothing(start: Start, vendor: str) -> None:
    bench = read_to(start(spread(vendor)))
    bench.world.remove(vendor, bench.world.all_calls(vendor)[2].id)
    bench.world.page_size[vendor] = 2
    bench.world.fault(vendor, Fault(kind="delay", seconds=0.0))
    down = Fault(kind="status", status=500, headers={"Retry-After": "0"}, body={}, count=None)
    bench.world.fault(vendor, down)
    with pytest.raises(TryAgain):
        go(bench)
    assert "deleted" not in bench.statuses()


def test_what_the_ledger_forgot_is_neither_fetched_nor_bought_again(
    start: Start, vendor: str
) -> None:
    bench = read_to(start(spread(vendor)))
    bench.state.ledger.prune(vendor, LATER)
    bench.clock.advance(hours=1)
    assert bench.state.ledger.prune(vendor, bench.clock()) == 6
    assert bench.statuses() == {}
    paid = len(semarize.of(bench.world).paid)
    bench.world.clear_log()
    report = go(bench)
    assert (report.listed, report.found, report.changed) == (6, 0, 0)
    assert not bench.world.requests(vendor, "transcript"), "not one transcript is asked for"
    assert bench.score().paid == 0
    assert len(semarize.of(bench.world).paid) == paid
    assert accounts(bench) == {"listed": 6, "scored": 6}


def test_a_vendor_that_was_never_read_is_left_alone(start: Start, vendor: str) -> None:
    bench = start(spread(vendor))
    assert go(bench).listed == 0
    assert bench.world.requests(vendor) == []


def test_rows_that_the_warehouse_lost_come_back_and_cost_no_run(start: Start, vendor: str) -> None:
    bench = read_to(start(spread(vendor)))
    before = bench.conversations(), bench.utterances()
    lost = bench.world.all_calls(vendor)[2]
    for table in (tables.conversations(vendor), tables.utterances(vendor)):
        remove(bench, f"{table.qualified} where conversation_id = ?", lost.id)
    report = go(bench)
    assert (report.restored, report.changed, report.unaccounted) == (1, 0, 0)
    assert (bench.conversations().keys(), len(bench.utterances())) == (
        before[0].keys(),
        len(before[1]),
    )
    assert bench.score().paid == 0
    assert accounts(bench) == {"listed": 6, "scored": 6}
    assert go(bench).restored == 0


def test_a_lost_run_fails_the_check_and_names_the_day(start: Start, vendor: str) -> None:
    bench = read_to(start(spread(vendor)))
    lost = bench.world.all_calls(vendor)[2]
    remove(bench, f"{tables.RUNS.qualified} where conversation_id = ?", lost.id)
    assert go(bench).unaccounted == 1
    with pytest.raises(Stop, match=rf"{vendor} {lost.started_at:%Y-%m-%d} \(1 listed, 0"):
        accounts(bench)


def remove(bench: Bench, what: str, *values: str) -> None:
    with bench.warehouse.open("test") as session:
        session.query(f"delete from {what}", values)


# Transcripts on request, and transcripts in the listing.
@pytest.mark.slow
@pytest.mark.parametrize("vendor", ["gong", "clari_copilot"])
def test_killed_before_any_write_and_run_again(start: Start, vendor: str) -> None:
    """One bench, killed at one write after another, ends with the account of an undisturbed one."""
    bench = read_to(start(spread(vendor)))
    bench.world.remove(vendor, bench.world.all_calls(vendor)[2].id)
    served = bench.world.all_calls(vendor)
    step = 0
    while True:
        step += 1
        # New work each time, so that every step of it is reached with something to do.
        changed = replace(served[4], title=f"Title {step}")
        bench.world.add([call(vendor, 100 + step, NOW - timedelta(days=3, minutes=step)), changed])
        fused(bench, step)
        try:
            go(bench)
            break
        except Killed:
            mended(bench)
    assert step > 4, "the guard: there were writes to be killed before"
    mended(bench)
    bench.score()
    go(bench)
    assert accounts(bench) == {"listed": 6 + step, "scored": 5 + step, "deleted": 1}
    assert semarize.of(bench.world).duplicates() == []
    assert len(bench.utterances()) == 3 * (6 + step)
