"""The register of paid runs: what is bought once is never bought twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.engine import Connection
from unit import workers
from unit.conftest import Together
from unit.support import NOON
from unit.workers import a_run

from semarize_pipeline.errors import TryAgain
from semarize_pipeline.state import State


def test_a_run_comes_back_as_it_was(state: State) -> None:
    full = a_run(
        "k" * 254,
        kit_version_id="kv_2.3",
        attempt=2,
        status="failed",
        run_id="run_1",
        submitted_at=NOON,
        finished_at=NOON,
        next_poll_at=NOON,
        error_code="boom",
    )
    state.runs.plan([full])
    assert state.runs.of("gong", ["c1"]) == [full]
    assert state.runs.of("chorus", ["c1"]) == []
    state.runs.plan([])


def test_planning_twice_keeps_the_first(state: State) -> None:
    first = a_run("k1")
    state.runs.plan([first])
    state.runs.accepted("k1", "run_1", NOON)
    state.runs.plan([replace(first, kit_code="OTHER", attempt=9), a_run("k2")])
    kept, fresh = state.runs.of("gong", ["c1"])
    assert (kept.run_id, kept.status, kept.kit_code, kept.attempt) == (
        "run_1",
        "running",
        "A1B2C3D4",
        1,
    )
    assert fresh == a_run("k2")


def test_one_key_among_processes(url: str, together: Together) -> None:
    keys = [f"k{n}" for n in range(25)]
    together(workers.plan, *[(url, f"from {p}", keys) for p in range(3)])
    state = State(url)
    runs = state.runs.of("gong", [f"from {p}" for p in range(3)])
    assert sorted(run.idempotency_key for run in runs) == sorted(keys)
    state.close()


def test_from_planned_to_finished(state: State) -> None:
    state.runs.plan([a_run("k1"), a_run("k2"), a_run("k3")])
    assert state.runs.waiting("gong") == [], "nothing was accepted yet"
    state.runs.accepted("k1", "run_1", NOON)
    state.runs.accepted("k2", "run_2", NOON + timedelta(seconds=1))
    state.runs.polled("k1", NOON + timedelta(minutes=5))
    waiting = state.runs.waiting("gong")
    assert [run.run_id for run in waiting] == ["run_2", "run_1"], "the next poll first"
    assert waiting[0].submitted_at == NOON + timedelta(seconds=1)
    assert state.runs.waiting("chorus") == []
    state.runs.finish([("k1", "succeeded", NOON, None), ("k2", "failed", NOON, "model_error")])
    assert state.runs.waiting("gong") == []
    one, two, three = state.runs.of("gong", ["c1"])
    assert (one.status, one.finished_at, one.error_code) == ("succeeded", NOON, None)
    assert (two.status, two.error_code, two.next_poll_at) == ("failed", "model_error", None)
    assert three.status == "planned"
    state.runs.finish([])


def test_attempts_come_in_order(state: State) -> None:
    state.runs.plan([a_run(f"k{n}", attempt=n) for n in (3, 1, 2)])
    assert [run.attempt for run in state.runs.of("gong", ["c1"])] == [1, 2, 3]
    assert len(state.runs.of("gong", [f"x{n}" for n in range(1200)] + ["c1"])) == 3


class Held(State):
    """A state database that one has to wait for, as for a slow disk."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.writes = 0
        self.is_broken = False
        self.entered = threading.Event()
        self.free = threading.Event()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self.writes += 1
        self.entered.set()
        assert self.free.wait(60)
        if self.is_broken:
            raise TryAgain("the disk is full")
        with super().write() as connection:
            yield connection


@pytest.fixture
def held(url: str) -> Iterator[Held]:
    state = Held(url)
    yield state
    state.close()


def test_acceptances_that_come_together_are_written_together(held: Held) -> None:
    """One waits for the disk; those that come meanwhile share the next transaction."""
    held.free.set()
    held.runs.plan([a_run(f"k{n}") for n in range(9)])
    held.free.clear()
    held.entered.clear()
    held.writes = 0

    def accept(number: int) -> str:
        held.runs.accepted(f"k{number}", f"run_{number}", NOON)
        kept = {run.idempotency_key: run for run in held.runs.of("gong", ["c1"])}
        return kept[f"k{number}"].status

    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(accept, 0)
        assert held.entered.wait(60)
        others = [pool.submit(accept, n) for n in range(1, 9)]
        while len(held.runs._accepted) < 8:
            time.sleep(0.01)
        assert not first.done(), "nobody goes on before it is written"
        held.free.set()
        told = [first.result(60), *(each.result(60) for each in others)]
    assert told == ["running"] * 9, "each is written when its thread goes on"
    assert held.writes == 2
    kept = held.runs.of("gong", ["c1"])
    assert {run.idempotency_key: run.run_id for run in kept} == {
        f"k{n}": f"run_{n}" for n in range(9)
    }
    assert {(run.submitted_at, run.next_poll_at) for run in kept} == {(NOON, NOON)}


def test_what_goes_wrong_reaches_everyone_who_was_written_together(held: Held) -> None:
    held.free.set()
    held.runs.plan([a_run(f"k{n}") for n in range(4)])
    held.free.clear()
    held.entered.clear()
    held.is_broken = True
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(held.runs.accepted, "k0", "run_0", NOON)]
        assert held.entered.wait(60)
        waiting += [pool.submit(held.runs.accepted, f"k{n}", "run", NOON) for n in range(1, 4)]
        while len(held.runs._accepted) < 3:
            time.sleep(0.01)
        held.free.set()
        for each in waiting:
            with pytest.raises(TryAgain, match="disk is full"):
                each.result(60)
    held.is_broken = False
    held.runs.accepted("k1", "run_1", NOON)
    assert [run.status for run in held.runs.of("gong", ["c1"])].count("running") == 1


def test_one_that_an_erasure_ended_stays_ended(state: State) -> None:
    state.runs.plan([a_run("k1")])
    state.ledger.erase("gong", {"c1": NOON})
    state.runs.accepted("k1", "run_1", NOON)
    state.runs.polled("k1", NOON)
    (run,) = state.runs.of("gong", ["c1"])
    assert (run.status, run.run_id, run.next_poll_at) == ("cancelled", None, None)
