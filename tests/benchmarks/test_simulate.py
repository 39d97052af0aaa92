"""The simulation keeps its own books, and agrees with what can be reckoned without it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SMALL = 200_000


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The programs of benchmarks/."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import simulate

    monkeypatch.setattr(simulate, "KEYS", 50)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(BENCHMARKS)):
            del sys.modules[name]


def test_slots_and_lines_take_turns() -> None:
    """Five pieces of ten seconds: two at a time end at 30, one at a time at 50."""
    import simulate

    simulation = simulate.Simulation()
    slots, line = simulate.Slots(simulation, 2), simulate.Line(simulation)
    by_slot: list[float] = []
    by_line: list[float] = []

    def in_slots() -> simulate.Step:
        yield slots
        yield 10.0
        slots.give()
        by_slot.append(simulation.now)

    def in_line() -> simulate.Step:
        there, _ = line.through(10.0)
        yield there
        by_line.append(simulation.now)

    for _ in range(5):
        simulation.start(in_slots())
        simulation.start(in_line())
    simulation.run(100.0)
    assert by_slot == [10, 10, 20, 20, 30]
    assert by_line == [10, 20, 30, 40, 50]
    assert line.longest == 4
    assert slots.use() == pytest.approx(0.25)
    assert line.use() == pytest.approx(0.5)


def test_nothing_is_lost_and_the_same_seed_is_the_same_tenant() -> None:
    import simulate

    ample = simulate.CONFIGURATIONS[-2]
    one, again = (simulate.simulate(ample, simulate.Assumed(), SMALL) for _ in range(2))
    assert one.lags == again.lags
    assert one.counts == again.counts
    through = sum(some for _, some in one.lags)
    begun = sum(key.arrived(0.0) for key in one.keys)
    assert begun == 0
    assert 0.85 * 2 * SMALL < through < 2 * SMALL, "what is missing is the last hours"
    assert one.backlog() < 0.01 * SMALL
    assert one.counts["paid runs"] >= through, "each was bought once"
    assert one.counts["paid runs"] < 2 * SMALL


def test_the_requests_are_those_of_the_formulas() -> None:
    import cost
    import simulate

    tenant = simulate.simulate(simulate.CONFIGURATIONS[-2], simulate.Assumed(), SMALL)
    reckoned = sum(
        cost.day(key.vendor, tenant.settings, max(1, round(key.a_day))).requests
        for key in tenant.keys
    )
    # Two days but for the first hour; arrivals by day and night instead of evenly.
    assert tenant.counts["vendor requests"] == pytest.approx(2 * reckoned, rel=0.05)


@pytest.mark.parametrize(
    ("changes", "binds"),
    [
        ({"workers": 1}, "workers"),
        ({"semarize_per_second": 4}, "Semarize's speed"),
        ({"batch": 8, "score_batch": 3}, "table locks"),
    ],
)
def test_what_is_made_scarce_is_what_binds(changes: dict[str, int], binds: str) -> None:
    import simulate

    ample = simulate.CONFIGURATIONS[-2]
    assert simulate.simulate(ample, simulate.Assumed(), SMALL).binds() == "nothing but the hour"
    scarce = replace(ample, deployments=1, **changes)
    tenant = simulate.simulate(scarce, simulate.Assumed(), SMALL)
    assert tenant.binds() == binds, tenant.uses()


def test_a_slow_state_database_binds() -> None:
    import simulate

    slow = simulate.Assumed(state_write=1.0)
    tenant = simulate.simulate(simulate.CONFIGURATIONS[-2], slow, SMALL)
    assert tenant.binds() == "state line"
