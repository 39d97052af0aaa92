"""Killed at random moments, or a little later each time, and then allowed to finish."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from bench import NOW, call
from faults.at_random import busy, killed_at_random
from faults.site import LATER, Processes, Site, site

pytestmark = pytest.mark.long


def test_a_task_after_the_other(processes: Processes, folder: Path) -> None:
    ended = killed_at_random(processes, folder, ("gong", "chorus", "clari_copilot"), ("both",), 40)
    assert ended["killed"] >= 40


def test_killed_a_little_later_each_time(processes: Processes, folder: Path) -> None:
    """Until it gets through by itself: what it landed and bought before each kill is kept."""
    given = [call("callminer", n, NOW - timedelta(hours=11, minutes=-20 * n)) for n in range(24)]
    with site(processes, "callminer", folder / "whole", given, busy()) as made:
        begun = time.monotonic()
        assert made.run("both").is_done
        whole = time.monotonic() - begun
    kills, finished = 0, False
    with site(processes, "callminer", folder / "tried", given, busy()) as made:
        while not finished:
            outcome = made.run("both", kill_after=kills * whole / 60, now=NOW + kills * LATER)
            assert outcome.ended in ("killed", "done"), outcome
            finished = outcome.is_done
            kills += not finished
        assert kills >= 8
        assert counted(made, "callminer__conversations") == len(given)
        assert counted(made, "callminer__utterances") == len(given) * 3
        assert counted(made, "semarize__runs") == len(given)
        assert counted(made, "semarize__signals") == len(given) * 5
        assert len(made.paid) == len(given)
        assert made.semarize.duplicates() == []
        state = made.state()
        assert state.ledger.counts("callminer") == {"landed": len(given)}
        assert state.watermarks.reached("callminer") == NOW
        landed = state.ledger.in_status("callminer", ["landed"])
        assert {entry.score_status for entry in landed} == {"scored"}
        state.close()


def counted(made: Site, table: str) -> int:
    with duckdb.connect(str(made.folder / "warehouse.duckdb")) as connection:
        ((rows,),) = connection.execute(f"select count(*) from landing.{table}").fetchall()
    return int(rows)
