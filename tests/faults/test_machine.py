"""The machine fails: no room on the disk, a locked warehouse, a clock that jumps."""

from __future__ import annotations

import random
import sqlite3
import string
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import filelock
import pytest
from bench import NOW, call
from faults.site import LATER, Outcome, Processes, Site, differences, site, some_calls
from in_memory import folder_in_memory

from semarize_sandbox.model import Call

pytestmark = pytest.mark.long

REMEDY = {"warehouse": "make room on its disk", "state": "that its disk has room"}


def long_calls() -> list[Call]:
    """Calls with so many words that the warehouse, not the state, needs the room."""
    dice = random.Random(1)

    def words() -> str:
        return "".join(dice.choices(string.ascii_lowercase + " ", k=60_000))

    return [
        replace(made, turns=tuple(replace(turn, text=turn.text + words()) for turn in made.turns))
        for made in some_calls("gong")
    ]


@pytest.fixture
def gong(processes: Processes, folder: Path) -> Iterator[Site]:
    with site(processes, "gong", folder / "tried", some_calls("gong")) as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(processes: Processes) -> dict[str, list[str]]:
    with folder_in_memory() as folder, site(processes, "gong", folder, some_calls("gong")) as made:
        made.finish("both")
        return made.picture()


# ---------------------------------------------------------------------- the disk


def test_a_full_disk_stops_it_with_a_remedy_and_nothing_is_lost(
    processes: Processes, folder: Path
) -> None:
    """No file may grow by more than so many bytes, in one process after the other."""
    given = long_calls()
    with site(processes, "gong", folder / "whole", given) as made:
        made.finish("both")
        whole = made.picture()
    stopped: dict[str, int] = {"warehouse": 0, "state": 0}
    for room in (0, 150_000, 400_000):
        here = folder / str(room)
        with site(processes, "gong", here, given) as made:
            for work in ("extract", "score"):
                for _ in range(2):
                    largest = max((file.stat().st_size for file in here.iterdir()), default=0)
                    outcome = made.run(work, largest_file=largest + room)
                    if outcome.is_done:
                        continue
                    name, message = outcome.what
                    assert name == "TryAgain", (room, outcome)
                    which = "warehouse" if "the warehouse file" in message else "state"
                    assert REMEDY[which] in message
                    stopped[which] += 1
                made.finish(work)
            wrong = differences(made.picture(), whole)
            assert wrong == {}, f"with room for {room} bytes"
    print(f"stopped by {stopped}")
    assert min(stopped.values()) >= 2, "the guard: both databases ran out of room"


# ---------------------------------------------------------------------- locks


@contextmanager
def held(made: Site, how: str, seconds: float) -> Iterator[None]:
    """Somebody else has the warehouse or the state, for so many seconds."""
    warehouse, let_go = made.folder / "warehouse.duckdb", threading.Event()
    locked = threading.Event()

    def hold() -> None:
        if how == "in line":
            with filelock.FileLock(f"{warehouse}.lock"):
                locked.set()
                let_go.wait(seconds)
        elif how == "not in line":
            with duckdb.connect(str(warehouse)):
                locked.set()
                let_go.wait(seconds)
        else:
            connection = sqlite3.connect(made.folder / "state.db", isolation_level=None)
            connection.execute("begin immediate")
            locked.set()
            let_go.wait(seconds)
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert locked.wait(10)
    try:
        yield
    finally:
        let_go.set()
        thread.join()


@pytest.mark.parametrize("how", ["in line", "not in line", "the state"])
def test_what_is_locked_for_a_while_is_waited_for(
    gong: Site, undisturbed: dict[str, list[str]], how: str
) -> None:
    gong.finish("extract")
    begun = time.monotonic()
    with held(gong, how, 1.0):
        assert gong.run("score").is_done
    assert time.monotonic() - begun >= 0.9
    assert differences(gong.picture(), undisturbed) == {}


@pytest.mark.parametrize("how", ["in line", "not in line"])
def test_what_is_locked_for_long_is_named_and_nothing_is_paid_for_it(
    gong: Site, undisturbed: dict[str, list[str]], how: str
) -> None:
    gong.world.add([call("gong", 8, NOW - timedelta(minutes=20))])
    gong.finish("extract", until=NOW - timedelta(hours=2))
    reached = _reached(gong)
    with held(gong, how, 60.0):
        for work in ("extract", "score"):
            outcome = gong.run(work, wait_seconds=0.3)
            assert outcome.ended == "error", outcome
            name, message = outcome.what
            assert name == "TryAgain"
            assert "warehouse file" in message
            assert "then run this again" in message
    assert gong.paid == []
    assert _reached(gong) == reached, "the watermark has not moved"
    gong.finish("both")
    assert len(gong.paid) == 4


def _reached(made: Site) -> object:
    state = made.state()
    try:
        return state.watermarks.reached(made.vendor)
    finally:
        state.close()


# ---------------------------------------------------------------------- twice at once


def test_the_same_tasks_twice_at_once(
    processes: Processes, folder: Path, undisturbed: dict[str, list[str]]
) -> None:
    """Two of each, from the first moment on: nothing doubled, nothing paid twice."""
    for number in range(2):
        with site(processes, "gong", folder / str(number), some_calls("gong")) as made:
            for work in ("extract", "score"):
                children = [processes.start(made.job(work)) for _ in range(2)]
                for child in children:
                    outcome = child.wait()
                    assert outcome.is_done, outcome
            assert differences(made.picture(), undisturbed) == {}
            budget = made.state()
            assert budget.budgets.used("semarize runs", "day") >= len(made.paid) == 3
            budget.close()


# ---------------------------------------------------------------------- the clock


def test_a_clock_that_jumps_a_day_and_back_loses_nothing(gong: Site) -> None:
    """The usual look-back is two days: what begins before the clock is right again is found."""
    gong.settings = replace(
        gong.settings, timing={"gong": {"lag": timedelta(0), "lookback": timedelta(days=2)}}
    )
    gong.finish("both")
    day = timedelta(days=1)
    ahead = gong.run("both", now=NOW + day, until=NOW + day)
    assert ahead.is_done, ahead
    assert _reached(gong) == NOW + day
    fresh = [call("gong", 20 + n, NOW + timedelta(hours=2 + n)) for n in range(3)]
    gong.world.add(fresh)
    gong.world.freeze(NOW + timedelta(hours=6))
    back = gong.run("both", now=NOW + timedelta(hours=6), until=NOW + timedelta(hours=6))
    assert back.is_done, back
    assert _reached(gong) == NOW + day, "it never moves back"
    assert _landed(gong) >= {each.id for each in fresh}
    assert len(gong.paid) == 3 + 3


def test_a_clock_that_jumped_further_than_the_look_back_is_made_up_for(gong: Site) -> None:
    """By reconcile: the watermark waits until the clock is there again."""
    gong.finish("both")
    week = timedelta(days=7)
    assert gong.run("both", now=NOW + week, until=NOW + week).is_done
    fresh = call("gong", 20, NOW + timedelta(hours=2))
    gong.world.add([fresh])
    today = NOW + timedelta(hours=6)
    gong.world.freeze(today)
    assert gong.run("both", now=today, until=today).is_done
    assert fresh.id not in _landed(gong), "the look-back of an hour does not reach it"
    assert gong.run("reconcile", now=today, until=today).is_done
    assert gong.run("score", now=today).is_done
    assert fresh.id in _landed(gong)
    assert len(gong.paid) == 3 + 1


@pytest.mark.parametrize("by", [timedelta(days=1), timedelta(days=-1)])
def test_a_clock_that_jumps_in_the_middle(
    gong: Site, undisturbed: dict[str, list[str]], by: timedelta
) -> None:
    outcome = gong.run("both", jumps={20: by})
    assert outcome.is_done, outcome
    assert differences(gong.picture(), undisturbed) == {}
    assert gong.run("both", now=NOW + LATER).is_done
    assert differences(gong.picture(), undisturbed) == {}


def _landed(made: Site) -> set[str]:
    with duckdb.connect(str(made.folder / "warehouse.duckdb")) as connection:
        rows = connection.execute(
            f"select conversation_id from landing.{made.vendor}__conversations"
        ).fetchall()
    return {id_ for (id_,) in rows}


# ---------------------------------------------------------------------- the token


def test_a_token_that_was_renewed_and_never_saved(processes: Processes, folder: Path) -> None:
    """Salesloft has revoked the old one; the new one died with the process. Whom to ask is said."""
    with site(processes, "salesloft", folder / "whole", some_calls("salesloft")) as made:
        made.finish("both")
        whole = made.picture()
    with site(processes, "salesloft", folder / "tried", some_calls("salesloft")) as made:
        killed = made.run("extract", kill_before="state commit: insert tokens")
        assert killed == Outcome("killed", "state commit: insert tokens")
        for _ in range(2):
            outcome = made.run("both", now=NOW + LATER)
            assert outcome.ended == "error"
            name, message = outcome.what
            assert name == "BadCredentials"
            for told in ("salesloft_default", "invalid_grant", "authorize", "refresh_token"):
                assert told in message
            assert "sandbox-salesloft" not in message
        made.authorize_again()
        made.finish("both")
        assert differences(made.picture(), whole) == {}


def test_a_token_that_was_saved_before_it_was_used(processes: Processes, folder: Path) -> None:
    with site(processes, "salesloft", folder, some_calls("salesloft")) as made:
        killed = made.run("extract", kill_before="state commit: delete leases")
        assert killed.ended == "killed"
        made.finish("both")
        assert len(made.world.requests("salesloft", "oauth/token")) == 1
