"""Killed before every request, and before every commit of the state and the warehouse.

Each time in a fresh folder: killed at one crossing, run again to its end, and compared with what an
undisturbed run leaves. What only reads the databases changes nothing that a kill could leave
otherwise, and is no crossing. The number of crossings is not known beforehand: it is counted up
until a run is through.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from bench import DEALS, QUALITY
from faults.site import Processes, differences, quick, site, some_calls

pytestmark = pytest.mark.long


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Work that is killed, what was done before it, and how it is told what to do."""

    vendor: str
    work: str
    before: Sequence[str] = ()
    told: Mapping[str, Any] = field(default_factory=dict)
    passes: Sequence[str] = ()
    """What must be among the crossings: a guard."""
    without: int = 0
    """How many calls are left out: what each of them goes through, the others do too."""
    every: int = 1
    """Killed before each so manieth crossing: in-process tests stop these before each write."""


LANDS = ("warehouse commit", "state commit: insert ledger", "state commit: update watermarks")
PAYS = (
    "state commit: insert semarize_runs",
    "request POST /semarize/v1/runs",
    "state commit: update semarize_runs",
    "warehouse commit",
)
DEALS_OF_DAYS = {"from": "2026-03-10", "to": "2026-03-10", "kits": DEALS.name}
SCENARIOS = {
    "extract, transcripts in batches": Scenario(
        vendor="gong",
        work="extract",
        told={"tables_too": True},
        passes=(*LANDS, "warehouse create table"),
        without=1,
    ),
    "extract, a transcript each, rotating tokens": Scenario(
        vendor="salesloft",
        work="extract",
        without=2,
        passes=(*LANDS, "request POST /salesloft/oauth/token", "state commit: insert tokens"),
    ),
    "score": Scenario(vendor="gong", work="score", before=["extract"], passes=PAYS),
    "reconcile": Scenario(vendor="chorus", work="reconcile", before=["extract"]),
    "backfill": Scenario(
        vendor="gong", work="backfill", told={"form": DEALS_OF_DAYS, "kits": (DEALS,)}, every=3
    ),
    "rescore": Scenario(
        vendor="clari_copilot",
        work="rescore",
        before=["extract"],
        told={"form": DEALS_OF_DAYS, "kits": (DEALS,)},
        every=3,
    ),
    "erase": Scenario(
        vendor="gong",
        work="erase",
        before=["extract", "score"],
        told={"form": {"email": "kim@acme.example.com"}},
        without=2,
        passes=("state commit: insert ledger, update semarize_runs", "warehouse commit"),
    ),
}
# A new token pair is on its way into the state database, and the vendor has revoked the old one.
LOSES_THE_TOKEN = "state commit: insert tokens"


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_before_every_crossing(name: str, processes: Processes, folder: Path) -> None:
    scenario = SCENARIOS[name]
    given = some_calls(scenario.vendor)[scenario.without :]
    template = folder / "template"
    settings = quick(kits=(QUALITY, replace(DEALS, vendors=())))
    with site(processes, scenario.vendor, template, given, settings) as made:
        for work in scenario.before:
            assert made.run(work).is_done
    with site(processes, scenario.vendor, folder / "whole", given, settings, template) as made:
        outcome = made.run(scenario.work, **scenario.told)
        assert outcome.is_done, outcome
        undisturbed = made.picture()
    killed: list[str] = []
    at = scenario.every
    while True:
        tried = folder / "tried"
        with site(processes, scenario.vendor, tried, given, settings, template) as made:
            outcome = made.run(scenario.work, kill_before=at, **scenario.told)
            if outcome.is_done:
                break
            assert outcome.ended == "killed", outcome
            killed.append(outcome.what)
            if outcome.what == LOSES_THE_TOKEN:
                made.authorize_again()
            made.finish(scenario.work, **scenario.told)
            found = differences(made.picture(), undisturbed)
            assert found == {}, f"killed before {outcome.what} ({at})"
        shutil.rmtree(tried)
        at += scenario.every
    print(f"{name}: killed before {len(killed)} crossings")
    assert len(killed) >= 5
    if scenario.every == 1:
        assert killed[-1] == "the end"
        assert set(scenario.passes) <= set(killed), "the guard: it was killed where it matters"
