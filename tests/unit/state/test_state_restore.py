"""What a rebuild puts back: what is unknown or newer, and never anything backward."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from unit.support import NOON, Clock
from unit.workers import a_run

from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import SLOW_START, Claim
from semarize_pipeline.state.ledger import ERASED, Entry

HOUR = timedelta(hours=1)
LANDED = Entry(conversation_id="c1", status="landed", listed_at=NOON, score_status="due")
STONE = Entry(conversation_id="c1", status="deleted", listed_at=NOON, reason=ERASED)


def mirrored(entry: Entry, updated_at: Any = NOON) -> dict[str, Any]:
    return {"vendor": "gong", **asdict(entry), "updated_at": updated_at, "_loaded_by": "a run"}


def test_an_empty_ledger_takes_everything_in_and_has_nothing_to_mirror(state: State) -> None:
    rows = [mirrored(replace(LANDED, conversation_id=f"c{n}")) for n in range(1200)]
    state.ledger.restore("gong", rows)
    assert state.ledger.counts("gong") == {"landed": 1200}
    assert state.ledger.unmirrored("gong") == []
    state.ledger.restore("gong", [])


def test_the_newer_entry_stays_whichever_side_has_it(state: State, clock: Clock) -> None:
    state.ledger.record("gong", [LANDED])
    scored = replace(LANDED, score_status="scored")
    state.ledger.restore("gong", [mirrored(scored, clock() - HOUR)])
    assert state.ledger.find("gong", ["c1"]) == {"c1": LANDED}
    state.ledger.restore("gong", [mirrored(scored, clock() + HOUR)])
    assert state.ledger.find("gong", ["c1"]) == {"c1": scored}


def test_what_was_erased_wins_however_old_it_is(state: State, clock: Clock) -> None:
    state.ledger.record("gong", [LANDED])
    state.ledger.restore("gong", [mirrored(STONE, clock() - HOUR)])
    assert state.ledger.erased("gong") == {"c1"}
    state.ledger.restore("gong", [mirrored(LANDED, clock() + HOUR)])
    assert state.ledger.erased("gong") == {"c1"}


def test_runs_come_back_and_open_ones_are_closed(state: State) -> None:
    ended = a_run("k1", status="failed", run_id="run_1", finished_at=NOON, error_code="boom")
    under_way = a_run("k2", status="running", run_id="run_2", next_poll_at=NOON)
    assert not state.runs.has_any("gong")
    state.runs.restore([ended, under_way])
    state.runs.restore([])
    assert state.runs.has_any("gong")
    assert state.runs.of("gong", ["c1"]) == [ended, under_way]
    state.runs.restore([replace(under_way, status="succeeded", finished_at=NOON + HOUR)])
    (after,) = [run for run in state.runs.of("gong", ["c1"]) if run.idempotency_key == "k2"]
    assert (after.status, after.finished_at, after.next_poll_at) == ("succeeded", NOON + HOUR, None)
    state.runs.restore([replace(ended, status="succeeded"), under_way])
    assert [run.status for run in state.runs.of("gong", ["c1"])] == ["failed", "succeeded"]


def test_watermarks_only_move_forward(state: State) -> None:
    assert state.watermarks.is_empty()
    state.watermarks.restore({"gong": (NOON - HOUR, NOON), "chorus": (NOON, NOON)})
    assert not state.watermarks.is_empty()
    state.watermarks.restore({"gong": (NOON, NOON - HOUR), "chorus": (NOON, NOON + HOUR)})
    assert state.watermarks.reached("gong") == NOON
    assert state.watermarks.began("gong") == NOON - HOUR
    assert state.watermarks.reached("chorus") == NOON + HOUR


def test_counters_never_fall_and_adaptive_keys_begin_slowly(state: State) -> None:
    claim = Claim("our key", "day")
    state.budgets.spend_all([claim], 7)
    state.budgets.restore([(claim, 5), (Claim("runs of one", "ever"), 3)], ["our key"])
    assert state.budgets.used("our key", "day") == 7
    assert state.budgets.used("runs of one", "ever") == 3
    state.budgets.restore([(claim, 9)], ["our key"])
    assert state.budgets.used("our key", "day") == 9
    with state.read() as connection:
        slow = connection.exec_driver_sql(
            "select slowdown from budgets where key = 'our key' and period = 'pace'"
        )
        assert slow.scalar_one() == SLOW_START
