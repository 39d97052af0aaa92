"""What the killed processes do: one piece of work of the pipeline, as a task of it would.

A process is forked from a warm one that imported this module and opened nothing. It works on the
files of a folder and asks the sandbox over HTTP, as in production. Everything that crosses its
boundary passes ``Boundary`` first, by hooks of the libraries that the pipeline uses; the pipeline
itself knows nothing of it. Between two crossings nothing outside changes, so that a kill before
each of them, and one at the end, are all the kills that can leave different traces.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dateutil.relativedelta
import duckdb
import pyarrow.pandas_compat
import pytz
import requests
import sqlalchemy as sa
import sqlalchemy.dialects.sqlite
from bench import FERNET, fast

from semarize_pipeline import (
    backfill,
    campaigns,
    connect,
    orders,
    pipeline,
    reconcile,
    rescore,
    vendors,
)
from semarize_pipeline.errors import PipelineError
from semarize_pipeline.privacy import erasure
from semarize_pipeline.rest.auth import Credentials
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.semarize.client import SemarizeClient
from semarize_pipeline.settings import Kit, Settings
from semarize_pipeline.state import State
from semarize_pipeline.vendors.base import Vendor
from semarize_pipeline.warehouse import arrow
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse

# One that is at work for longer says where it hangs.
STUCK_SECONDS = 45
# What a turn of the pace is called.
PACED = "update next_turn"
# Whatever is imported late, is imported now.
PRELOADED = [
    *(arrow, dateutil.relativedelta, pyarrow.pandas_compat, pytz, sqlalchemy.dialects.sqlite),
    *map(vendors.get, vendors.names()),
]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One process's work: what, where, at which moment of the clock, and where it ends.

    ``kill_before`` is the number of the crossing before which it is killed, counted from 1, or
    what the first such crossing is called; "after ..." is the crossing after such a one.
    ``jumps`` moves the clock for good when it has been looked at so many times.
    """

    work: str
    folder: Path
    vendor: str
    now: datetime
    until: datetime
    settings: Settings
    credentials: Mapping[str, Credentials]
    kill_before: int | str | None = None
    form: Mapping[str, Any] = field(default_factory=dict)
    kits: tuple[Kit, ...] = ()
    largest_file: int | None = None
    wait_seconds: float = 20.0
    jumps: Mapping[int, timedelta] = field(default_factory=dict)
    tables_too: bool = False
    """Whether the making of a table is a crossing: each is one by itself, and holds nothing."""


class Boundary:
    """Counts what crosses a process's boundary, and kills it before a chosen crossing."""

    def __init__(
        self, kill_before: int | str | None, tables_too: bool, tell: Callable[[Any], None]
    ) -> None:
        self._kill_before = kill_before
        self.tables_too = tables_too
        self._tell = tell
        self._lock = threading.Lock()
        self.crossed: list[str] = []

    def cross(self, what: str) -> None:
        with self._lock:
            after = f"after {self.crossed[-1]}" if self.crossed else ""
            self.crossed.append(what)
            if self._kill_before in (len(self.crossed), what, after):
                self._tell(("killed before", what))
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """From here on every request, state commit and warehouse commit is a crossing."""
        self._watch_requests()
        self._watch_state()
        self._watch_warehouse()

    def _watch_requests(self) -> None:
        send = requests.adapters.HTTPAdapter.send

        def watched(adapter: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            path = urlsplit(request.url).path
            named = "/".join(
                part for part in path.split("/") if not any(map(str.isdigit, part[2:]))
            )
            self.cross(f"request {request.method} {named}")
            return send(adapter, request, *args, **kwargs)

        requests.adapters.HTTPAdapter.send = watched  # type: ignore[method-assign]

    def _watch_state(self) -> None:
        wrote: dict[int, list[str]] = {}

        @sa.event.listens_for(sa.Engine, "before_cursor_execute")
        def _note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            words = statement.split()
            if words[0] in ("INSERT", "UPDATE", "DELETE"):
                table = words[1] if words[0] == "UPDATE" else words[2]
                what = PACED if "next_turn=" in statement else f"{words[0].lower()} {table}"
                wrote.setdefault(threading.get_ident(), []).append(what)

        @sa.event.listens_for(sa.Engine, "commit")
        def _commit(connection: Any) -> None:
            done = dict.fromkeys(wrote.pop(threading.get_ident(), []))
            # A turn of the pace belongs to the request after it; what only read changes nothing.
            if done and PACED not in done:
                self.cross(f"state commit: {', '.join(done)}")

    def _watch_warehouse(self) -> None:
        opened, boundary = duckdb.connect, self

        class Watched:
            """A connection whose lasting changes are crossings, and its end where it made some."""

            def __init__(self, connection: Any) -> None:
                self._connection = connection
                self._changed = False

            def __getattr__(self, name: str) -> Any:
                return getattr(self._connection, name)

            def execute(self, sql: str, *given: Any) -> Any:
                words = sql.split()
                if words[0] == "commit" or (boundary.tables_too and words[0] == "create"):
                    boundary.cross("warehouse " + " ".join(words[:2]))
                    self._changed = True
                return self._connection.execute(sql, *given)

            def close(self) -> None:
                if self._changed:
                    boundary.cross("warehouse close")
                self._connection.close()

        duckdb.connect = lambda *given, **more: Watched(opened(*given, **more))


class Desk:
    """What a task has at hand: the vendor, its clients, the state and the warehouse."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.looks = 0
        self.vendor: Vendor = fast(vendors.get(job.vendor))
        self.state = State(f"sqlite:///{job.folder}/state.db", fernet_key=FERNET, clock=self.clock)
        self.warehouse = DuckDBWarehouse(
            job.folder / "warehouse.duckdb", wait_seconds=job.wait_seconds
        )
        self.run = f"{job.work}/{os.getpid()}"

    def clock(self) -> datetime:
        self.looks += 1
        passed = [by for look, by in self.job.jumps.items() if self.looks >= look]
        return self.job.now + sum(passed, timedelta(0))

    def sleep(self, seconds: float) -> None:
        """The sandbox's runs end at once: whoever polls need not wait."""

    def api(self) -> RestClient:
        return connect.vendor_client(
            self.vendor, self.job.credentials[self.vendor.name], self.state
        )

    def semarize(self) -> SemarizeClient:
        given = self.job.credentials["semarize"]
        return connect.semarize_client(given, self.state, self.job.settings.score)

    def pinned(self) -> tuple[Kit, ...]:
        return campaigns.pinned(self.job.kits, self.semarize())

    def _read(self, task: Callable[..., Any]) -> Any:
        return task(
            self.vendor,
            self.api(),
            self.warehouse,
            self.state,
            until=self.job.until,
            settings=self.job.settings,
            run=self.run,
        )

    def extract(self) -> Any:
        return self._read(pipeline.extract)

    def score(self) -> Any:
        return pipeline.score(
            self.vendor.name,
            self.semarize(),
            self.warehouse,
            self.state,
            settings=self.job.settings,
            run=self.run,
            sleep=self.sleep,
        )

    def both(self) -> Any:
        self.extract()
        return self.score()

    def reconcile(self) -> Any:
        return self._read(reconcile.reconcile)

    def backfill(self) -> Any:
        order = orders.backfill(self._form(), self.job.settings, run="manual", now=self.job.until)
        return backfill.backfill(
            self.vendor,
            self.api(),
            self.semarize(),
            self.warehouse,
            self.state,
            order=order,
            kits=self.pinned(),
            settings=self.job.settings,
            run=self.run,
            until=self.job.until,
            sleep=self.sleep,
        )

    def rescore(self) -> Any:
        order = orders.rescore(self._form(), self.job.settings, run="manual", now=self.job.until)
        return rescore.rescore(
            rescore.Selection(vendor=self.vendor.name, window=order.window, ids=order.ids),
            self.semarize(),
            self.warehouse,
            self.state,
            kits=self.pinned(),
            campaign=order.campaign,
            caps=order.caps,
            settings=self.job.settings,
            run=self.run,
            sleep=self.sleep,
        )

    def erase(self) -> Any:
        return erasure.erase(
            erasure.Request(**self.job.form),
            self.warehouse,
            self.state,
            requested_by="ticket 1",
            run="erase/manual",
            dry_run=False,
        )

    def _form(self) -> dict[str, Any]:
        return {"vendor": self.vendor.name, **self.job.form}


def nothing() -> None:
    """The life of a process whose start is all that is wanted of it."""


def work(job: Job, told: Connection) -> None:
    """A process's whole life: do the job, and tell how it ended."""
    faulthandler.dump_traceback_later(STUCK_SECONDS)
    boundary = Boundary(job.kill_before, job.tables_too, told.send)
    boundary.watch()
    if job.largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job.largest_file, resource.RLIM_INFINITY))
    told.send(("begun", None))
    try:
        desk = Desk(job)
        report = getattr(desk, job.work)()
        desk.state.close()
    except PipelineError as error:
        told.send(("error", (type(error).__name__, str(error))))
    except Exception as error:
        told.send(("crash", (type(error).__name__, str(error))))
    else:
        boundary.cross("the end")
        told.send(("done", (report, boundary.crossed)))
