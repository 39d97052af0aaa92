"""The register of paid runs: what is bought once is never bought twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from unit import workers
from unit.conftest import Together
from unit.support import NOON
from unit.workers import a_run

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
