"""Kills at random moments: what the files of such tests share.

The moments come from a seed, which is printed; ``FAULTS_SEED`` sets another one. The same seed
gives the same delays, and yet never quite the same kills: processes are not that punctual.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import NOW, call
from faults.site import LATER, Processes, differences, quick, site

from semarize_pipeline.settings import Settings
from semarize_sandbox.model import Call

SEED = int(os.environ.get("FAULTS_SEED", "20261121"))
MOST_IN_A_ROW = 8


def busy() -> Settings:
    """Several things at a time, unlike where each step has its number."""
    return quick(score=replace(quick().score, at_once=4))


def calls_of_a_day(vendor: str) -> list[Call]:
    """Eight calls in two slices, and one whose transcript is not ready."""
    made = [call(vendor, n, NOW - timedelta(hours=10, minutes=-50 * n)) for n in range(8)]
    return [*made, call(vendor, 9, NOW - timedelta(hours=3), ready_after=timedelta(days=2))]


def killed_at_random(
    processes: Processes, folder: Path, vendors: Sequence[str], works: Sequence[str], kills: int
) -> Counter[str]:
    """Kill all of ``works``, which run at once, several times in a row; then let each finish in
    turn, and compare. Until there were so many kills. Counts how the processes ended."""
    dice = random.Random(f"{SEED} {works}")
    print(f"FAULTS_SEED={SEED}")
    ended: Counter[str] = Counter()
    rounds = 0
    whole, longest = {}, {}
    for vendor in vendors:
        given = calls_of_a_day(vendor)
        with site(processes, vendor, folder / "whole" / vendor, given, busy()) as made:
            begun = time.monotonic()
            for work in dict.fromkeys(works):
                made.finish(work)
            longest[vendor] = (time.monotonic() - begun) / len(set(works))
            whole[vendor] = made.picture()
    while ended["killed"] < kills:
        vendor = vendors[rounds % len(vendors)]
        rounds += 1
        here = folder / "tried"
        with site(processes, vendor, here, calls_of_a_day(vendor), busy()) as made:
            for number in range(dice.randint(2, MOST_IN_A_ROW)):
                # Later and later, or the end would never be reached.
                moments = [dice.uniform(0, longest[vendor] * (1 + number / 4)) for _ in works]
                now, begun = NOW + number * LATER, time.monotonic()
                outcomes = at_once(processes, [made.job(w, now=now) for w in works], moments)
                for outcome in outcomes:
                    assert outcome.ended in ("killed", "done"), outcome
                    ended[outcome.ended] += 1
                if all(outcome.is_done for outcome in outcomes):
                    # The machine may have been busier when it was measured: moments after the end
                    # would kill nothing, again and again.
                    longest[vendor] = min(longest[vendor], time.monotonic() - begun)
                    break
            for work in dict.fromkeys(works):
                made.finish(work, now=NOW + MOST_IN_A_ROW * LATER)
            wrong = differences(made.picture(), whole[vendor])
            assert not wrong, f"{vendor}, round {rounds}: {wrong}"
        shutil.rmtree(here)
    print(f"{dict(ended)} in {rounds} rounds of {', '.join(works)}")
    return ended


def at_once(processes: Processes, jobs: Sequence[Any], moments: Sequence[float]) -> list[Any]:
    """Run jobs side by side; each is killed at its own moment, unless it has ended."""
    begun = time.monotonic()
    children = [processes.start(job) for job in jobs]
    outcomes: dict[int, Any] = {}
    for number in sorted(range(len(jobs)), key=lambda n: moments[n]):
        left = max(0.0, moments[number] - (time.monotonic() - begun))
        outcomes[number] = children[number].wait(kill_after=left)
    return [outcomes[number] for number in range(len(jobs))]
