"""One vendor's sandbox with a state database and a warehouse file, for processes of their own.

``picture`` is what all of it holds in the end, without what may differ between two runs that did
the same: moments, run names, the ids that the sandbox numbered, and what each load did.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb
import orjson
from bench import FERNET, NOW, QUALITY, call
from faults.works import Job, nothing, work

from semarize_pipeline.rest.auth import Credentials
from semarize_pipeline.settings import ExtractSettings, HistorySettings, ScoreSettings, Settings
from semarize_pipeline.state import State
from semarize_sandbox import semarize
from semarize_sandbox.model import Call
from semarize_sandbox.semarize import Purchase, Semarize
from semarize_sandbox.server import Sandbox, running
from semarize_sandbox.world import World

# A process that was killed comes back a little later, when its leases have run out.
LATER = timedelta(minutes=2)
LONGEST_SECONDS = 60.0
VOLATILE = frozenset(
    {"_loaded_at", "_loaded_by", "_extracted_at", "updated_at", "listed_at", "landed_at"}
    | {"submitted_at", "finished_at", "scored_at", "quarantined_at", "resolved_at", "started_at"}
    | {"reconciled_at", "next_try_at", "next_poll_at", "planned_at", "score_after", "run_id"}
    | {"duration_ms", "done_at", "dirty"}
)
# Kept where it says when somebody spoke, rather than when a task did something.
SPOKEN = ("conversations", "ledger")
NOT_COMPARED = frozenset({"loads"})
# A part's mark says what landed in the go that finished it.
OF_ONE_GO = {"slices": frozenset({"landed"})}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a process ended: done, error, crash, or killed (before what, where that was chosen)."""

    ended: str
    what: Any
    crossed: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        return self.ended == "done"


class Child:
    """A process at work."""

    def __init__(self, process: Any, told: Connection) -> None:
        self._process = process
        self._told = told
        assert told.recv() == ("begun", None)

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, kill_after: float | None = None) -> Outcome:
        """Until it ends; ``kill_after`` so many seconds it is killed, if it has not ended."""
        outcome = Outcome("killed", None)
        patience = LONGEST_SECONDS if kill_after is None else kill_after
        self._process.join(patience)
        if self._process.exitcode is None:
            assert kill_after is not None, f"{self.pid} is at work for {LONGEST_SECONDS} s"
            self._process.kill()
            self._process.join()
        while self._told.poll():
            try:
                kind, what = self._told.recv()
            except EOFError:
                break
            if kind == "done":
                outcome = Outcome(kind, what[0], tuple(what[1]))
            elif kind == "killed before":
                outcome = Outcome("killed", what)
            else:
                outcome = Outcome(kind, what)
        self._told.close()
        if outcome.ended == "killed":
            assert self._process.exitcode == -signal.SIGKILL, self._process.exitcode
        self._process.close()
        return outcome


class Processes:
    """Forks processes from a warm one, which imported everything and opened nothing."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["faults.works"])
        path = os.pathsep.join(part for part in sys.path if part)
        # One thread, also of the libraries: forks of several are not to be trusted.
        with _environment(PYTHONPATH=path, OPENBLAS_NUM_THREADS="1", NO_PROXY="*", no_proxy="*"):
            forkserver.ensure_running()
        # Once it has forked, it has imported: whoever times a process does not time that.
        first = self._context.Process(target=nothing, daemon=True)
        first.start()
        first.join()
        assert first.exitcode == 0

    def start(self, job: Job) -> Child:
        told, tell = self._context.Pipe(duplex=False)
        process = self._context.Process(target=work, args=(job, tell), daemon=True)
        process.start()
        tell.close()
        return Child(process, told)

    def run(self, job: Job, kill_after: float | None = None) -> Outcome:
        return self.start(job).wait(kill_after)


@contextmanager
def _environment(**more: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Site:
    """One vendor's sandbox, and the folder that processes work in."""

    def __init__(
        self, sandbox: Sandbox, vendor: str, folder: Path, settings: Settings, processes: Processes
    ) -> None:
        self.world = sandbox.world
        self.vendor = vendor
        self.folder = folder
        self.settings = settings
        self.processes = processes
        self.credentials = {
            name: Credentials(
                connection=f"{name}_default",
                host=sandbox.base_url(name),
                **sandbox.credentials(name),
            )
            for name in (vendor, "semarize")
        }

    def job(self, work: str, **changes: Any) -> Job:
        known = Job(
            work=work,
            folder=self.folder,
            vendor=self.vendor,
            now=NOW,
            until=NOW,
            settings=self.settings,
            credentials=self.credentials,
        )
        return replace(known, **changes)

    def run(self, work: str, kill_after: float | None = None, **changes: Any) -> Outcome:
        return self.processes.run(self.job(work, **changes), kill_after)

    def finish(self, work: str, **changes: Any) -> Outcome:
        """Run it once more, a little later, to its end."""
        outcome = self.run(work, **{"now": NOW + LATER, **changes})
        assert outcome.is_done, outcome
        return outcome

    def authorize_again(self) -> None:
        """What the person does whom the error asks: a new code instead of the lost token."""
        given = self.credentials[self.vendor]
        extra = {name: value for name, value in given.extra.items() if name != "refresh_token"}
        assert extra["authorization_code"]
        self.credentials = {**self.credentials, self.vendor: replace(given, extra=extra)}

    @property
    def semarize(self) -> Semarize:
        return semarize.of(self.world)

    @property
    def paid(self) -> list[Purchase]:
        return self.semarize.paid

    def state(self, now: datetime = NOW) -> State:
        return State(f"sqlite:///{self.folder}/state.db", fernet_key=FERNET, clock=lambda: now)

    # What it holds

    def picture(self) -> dict[str, list[str]]:
        """All tables of both databases, as far as two runs of the same work must agree."""
        return {**self.landed(), **self.kept(), "paid": self._bought()}

    def landed(self) -> dict[str, list[str]]:
        """The warehouse's tables."""
        if not (self.folder / "warehouse.duckdb").exists():
            return {}
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as connection:
            connection.execute("set timezone = 'UTC'")
            names = connection.execute(
                "select table_name from information_schema.tables where table_schema = 'landing'"
            ).fetchall()
            found = {}
            for (name,) in names:
                cursor = connection.execute(f'select * from landing."{name}"')
                columns = [column[0] for column in cursor.description or []]
                rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
                if name not in NOT_COMPARED and rows:
                    found[name] = _told(name, rows)
            return found

    def kept(self) -> dict[str, list[str]]:
        """The state database's tables."""
        found = {}
        with sqlite3.connect(self.folder / "state.db") as connection:
            connection.row_factory = sqlite3.Row
            for name in ("watermarks", "slices", "ledger", "semarize_runs"):
                rows = [dict(row) for row in connection.execute(f"select * from {name}")]
                if name == "slices":
                    # Of a first run they only tell how far it is: one that goes on cuts otherwise.
                    rows = [row for row in rows if row["stream"].startswith("backfill:")]
                if rows:
                    found[f"state {name}"] = _told(name, rows)
        connection.close()
        return found

    def _bought(self) -> list[str]:
        assert self.semarize.duplicates() == [], "a run was paid twice"
        return sorted(f"{p.kit_version_id} {p.transcript_hash}" for p in self.paid)


def differences(
    found: Mapping[str, list[str]], expected: Mapping[str, list[str]]
) -> dict[str, tuple[list[str], list[str]]]:
    """By table, the rows that are too many and those that are missing."""
    wrong = {}
    for name in found.keys() | expected.keys():
        there, wanted = Counter(found.get(name, [])), Counter(expected.get(name, []))
        if there != wanted:
            wrong[name] = list((there - wanted).elements()), list((wanted - there).elements())
    return wrong


def _told(table: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    left_out = VOLATILE - ({"started_at"} if table.endswith(SPOKEN) else set())
    left_out |= OF_ONE_GO.get(table.removeprefix("state "), frozenset())
    made = []
    for row in rows:
        kept = {name: value for name, value in row.items() if name not in left_out}
        if kept.get("status") == "pending":
            del kept["tries"]  # it depends on how often its hour had come
        if kept.get("response"):
            response = orjson.loads(kept["response"])
            kept["response"] = {k: v for k, v in response.items() if k not in VOLATILE}
        made.append(orjson.dumps(kept, default=str, option=orjson.OPT_SORT_KEYS).decode())
    return sorted(made)


# More than one call has: a load holds the first slice and what the second one begins with.
ACROSS_SLICES = 200


def quick(**changes: Any) -> Settings:
    """Settings that go through every part of the code in little time: slices, batches, loads across
    slices, one thread for what would have no order."""
    return Settings(
        **{
            "extract": ExtractSettings(
                start=timedelta(hours=12),
                slice_hours=6,
                batch_conversations=2,
                load_characters=ACROSS_SLICES,
            ),
            "score": ScoreSettings(
                at_once=1, requests_per_second=200, batch_conversations=2, patience_seconds=20
            ),
            "history": HistorySettings(slice_hours=6),
            "kits": (QUALITY,),
            **changes,
        }
    )


def some_calls(vendor: str, late: bool = True) -> list[Call]:
    """Three calls in two slices, and one whose transcript is not ready."""
    made = [call(vendor, n, NOW - timedelta(hours=hours)) for n, hours in enumerate((9, 5, 4))]
    if late:
        made.append(call(vendor, 7, NOW - timedelta(hours=3), ready_after=timedelta(days=2)))
    return made


@contextmanager
def site(
    processes: Processes,
    vendor: str,
    folder: Path,
    given: Sequence[Call],
    settings: Settings | None = None,
    template: Path | None = None,
) -> Iterator[Site]:
    """A site of its own; ``template`` is a folder whose databases it begins with."""
    folder.mkdir(parents=True, exist_ok=True)
    if template is not None:
        shutil.copytree(template, folder, dirs_exist_ok=True)
    world = World(given, limited=False)
    world.freeze(NOW)
    used = settings or quick()
    timing = {vendor: {"lag": timedelta(0), "lookback": timedelta(hours=1)}}
    with running(world) as sandbox:
        world.switch("semarize", run_seconds=0.0, retry_after_seconds=None)
        yield Site(sandbox, vendor, folder, replace(used, timing=timing), processes)
