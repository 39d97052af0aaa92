"""Where the figures come from: a copy of the DuckDB file's marts, or Snowflake; never written.

DuckDB lets one process in at a time, and dbt keeps the file for its whole build. So pages read a
copy of their own, made when the file has changed and nobody holds it. A page never waits for a new
copy while there is an older one.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb

from semarize_dashboards.query import Value
from semarize_dashboards.settings import Settings
from semarize_pipeline import vendors
from semarize_pipeline.errors import TryAgain
from semarize_pipeline.warehouse import connections
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse

log = logging.getLogger(__name__)

MARTS = "marts"
STAGING = "staging"
# The marts about people at work (HR): read, and copied, only with the switch for them.
WORKFORCE = "workforce"
# Kits about those who talk for a living: their answers are for HR, as that schema is.
WORKFORCE_KITS = ("agent_wellbeing",)
# Columns that quote a customer, or retell one. Without the switch the copy holds nulls in them.
WORDS = frozenset({"evidence", "reason", "quote", "pain_point", "utterance_text"})
LOOK_AGAIN_SECONDS = 2.0
# How long the file may be waited for: never in the way of the pipeline, nor of a first page.
HOLD_SECONDS = 0.3
FIRST_HOLD_SECONDS = 5.0
STATEMENT_SECONDS = 60
IDLE_SECONDS = 240.0

Rows = list[dict[str, Any]]


class NothingYet(Exception):
    """There is nothing to show; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class State:
    """What a source stands at: ``version`` changes with its data."""

    version: str
    as_of: datetime
    is_newest: bool = True


class Source(Protocol):
    """A warehouse to read."""

    def state(self) -> State:
        """Its state now. Raises NothingYet while there is nothing to read."""

    def read(self, sql: str, values: Sequence[Value], page: str) -> Rows:
        """A select's rows. ``page`` is told to the warehouse, which accounts for it."""


def source(settings: Settings) -> Source:
    """The source of the operator's connection."""
    warehouse = connections.warehouse(
        settings.name,
        settings.connection,
        query_seconds=STATEMENT_SECONDS,
    )
    if isinstance(warehouse, DuckDBWarehouse):
        return DuckDBCopy(warehouse.path, words=settings.transcripts, workforce=settings.workforce)
    return SnowflakeSource(
        warehouse, fresh_seconds=settings.fresh_seconds, words=settings.transcripts
    )


def utterances(vendor: str) -> str:
    """The staging model that holds a vendor's transcripts."""
    if vendor not in vendors.names():
        raise KeyError(vendor)
    return f"{STAGING}.stg_{vendor}__utterances"


class DuckDBCopy:
    """The marts of a DuckDB file, copied aside.

    :param words: copy the transcripts too.
    :param workforce: copy the marts about people at work too.
    """

    def __init__(
        self,
        path: Path,
        *,
        words: bool = False,
        workforce: bool = False,
        hold_seconds: float = HOLD_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._words = words
        self._workforce = workforce
        self._hold_seconds = hold_seconds
        self._clock = clock
        # Readable by nobody else, and gone with the process.
        self._folder = tempfile.TemporaryDirectory(prefix="semarize-dashboards-")
        self._lock = threading.Lock()
        self._copying = threading.Lock()
        self._open: duckdb.DuckDBPyConnection | None = None
        self._stamp: tuple[int, int] | None = None
        self._as_of = datetime.fromtimestamp(0, UTC)
        self._looked = float("-inf")
        self._number = 0

    def state(self) -> State:
        if self._open is None:
            with self._copying:
                if self._open is None:
                    self._copy(max(FIRST_HOLD_SECONDS, self._hold_seconds))
        elif self._clock() - self._looked >= LOOK_AGAIN_SECONDS:
            self._looked = self._clock()
            if self._stamp_now() != self._stamp and self._copying.acquire(blocking=False):
                threading.Thread(target=self._copy_aside, daemon=True).start()
        with self._lock:
            return State(str(self._number), self._as_of, self._stamp_now() == self._stamp)

    def read(self, sql: str, values: Sequence[Value], page: str) -> Rows:
        with self._lock:
            if self._open is None:
                raise NothingYet("there is no copy of the warehouse yet; reload the page")
            cursor = self._open.cursor()
        with cursor:
            try:
                cursor.execute(sql, list(values))
            except (duckdb.ParserException, duckdb.CatalogException, duckdb.BinderException):
                raise  # about the statement, so it says what is wrong with it
            except duckdb.Error as error:
                # Not chained: others may quote a value, so part of a transcript.
                raise TryAgain(
                    f"the page {page} could not be read: {type(error).__name__}"
                ) from None
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def close(self) -> None:
        """Let go of the copy, and remove it."""
        with self._copying, self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None
            self._folder.cleanup()

    def _stamp_now(self) -> tuple[int, int] | None:
        """When the file, or DuckDB's log beside it, last changed, and their size together."""
        try:
            told = [self._path.stat()]
        except OSError:
            return None
        with suppress(OSError):
            told.append(self._path.with_name(f"{self._path.name}.wal").stat())
        return max(each.st_mtime_ns for each in told), sum(each.st_size for each in told)

    def _copy_aside(self) -> None:
        try:
            self._copy(self._hold_seconds)
        except NothingYet as busy:
            log.info("the older copy stays: %s", busy)
        except Exception as problem:  # a page must never end with the copy's thread
            log.warning("the warehouse could not be copied: %s", type(problem).__name__)
        finally:
            self._copying.release()

    def _copy(self, patience: float) -> None:
        if self._stamp_now() is None:
            raise NothingYet(
                f"There is no warehouse at {self._path} yet. `make demo` makes one from the "
                "sandbox; a pipeline of yours makes it with its first run."
            )
        made = Path(self._folder.name) / f"{self._number + 1}.duckdb"
        made.unlink(missing_ok=True)
        try:
            with DuckDBWarehouse(self._path, patience).for_dbt("the dashboards' copy"):
                stamp = self._stamp_now()
                self._write(made)
        except (TryAgain, duckdb.IOException) as busy:
            made.unlink(missing_ok=True)
            if isinstance(busy, duckdb.IOException) and "lock" not in str(busy):
                raise
            raise NothingYet(
                "The pipeline is writing to the warehouse just now. This page shows itself as "
                "soon as the file is free; reload it in a minute."
            ) from None
        opened = duckdb.connect(
            str(made), read_only=True, config={"enable_external_access": "false"}
        )
        opened.execute("set timezone = 'UTC'")
        with self._lock:
            older, self._open = self._open, opened
            self._stamp, self._number = stamp, self._number + 1
            seconds = stamp[0] / 1e9 if stamp else 0.0
            self._as_of = datetime.fromtimestamp(seconds, UTC)
        if older is not None:
            older.close()
        for left in Path(self._folder.name).glob("*.duckdb"):
            if left != made:
                left.unlink(missing_ok=True)

    def _write(self, made: Path) -> None:
        with duckdb.connect() as copying:
            # Views name the database after its file.
            there = _quoted(self._path.stem)
            copying.execute(f"attach '{_text(self._path)}' as {there} (read_only)")
            copying.execute(f"attach '{_text(made)}' as copied")
            self.fill(copying, there)
        os.chmod(made, 0o600)

    def fill(self, copying: duckdb.DuckDBPyConnection, there: str) -> None:
        """Copy what is to be read from the database ``there`` to the one called ``copied``."""
        wanted = [
            MARTS,
            *([STAGING] if self._words else []),
            *([WORKFORCE] if self._workforce else []),
        ]
        columns = copying.execute(
            "select schema_name, table_name, list(column_name) "
            "from duckdb_columns() where database_name = ? and schema_name in "
            f"({', '.join('?' * len(wanted))}) group by all",
            [self._path.stem, *wanted],
        ).fetchall()
        transcripts = {utterances(vendor) for vendor in vendors.names()}
        for schema in wanted:
            copying.execute(f"create schema copied.{schema}")
        for schema, table, names in columns:
            if schema == STAGING and f"{schema}.{table}" not in transcripts:
                continue
            blank = [] if self._words else sorted(WORDS.intersection(names))
            instead = ", ".join(f"null::varchar as {_quoted(name)}" for name in blank)
            copying.execute(
                f"create table copied.{_quoted(schema)}.{_quoted(table)} as select * "
                + (f"replace ({instead}) " if blank else "")
                + f"from {there}.{_quoted(schema)}.{_quoted(table)}"
            )


@dataclass(slots=True)
class _Session:
    """A page's session at Snowflake, once it has asked anything; ``lock`` is its user's."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    stack: ExitStack | None = None
    session: Any = None
    used: float = float("inf")

    def end(self) -> None:
        stack, self.stack, self.session = self.stack, None, None
        if stack is not None:
            stack.close()


class SnowflakeSource:
    """Snowflake, by the reporter's role: selects alone, tagged with the page that asks.

    A session a page, kept for a while: logging in takes longer than most answers. With ``words``
    off, no statement names a column of customers' words.
    """

    def __init__(
        self,
        warehouse: Any,
        *,
        fresh_seconds: int,
        words: bool = False,
        program: str = "semarize dashboards",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._program = program
        self._warehouse = warehouse
        self._fresh = fresh_seconds
        self._words = words
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._sessions: dict[str, _Session] = {}

    def state(self) -> State:
        # What has been read stays for this long, so that reloading a page costs nothing.
        seconds = int(self._clock().timestamp()) // self._fresh * self._fresh
        return State(str(seconds), datetime.fromtimestamp(seconds, UTC))

    def read(self, sql: str, values: Sequence[Value], page: str) -> Rows:
        if not sql.lstrip().lower().startswith(("select", "with")):
            raise ValueError("the dashboards read, and nothing else")
        if not self._words and WORDS.intersection(re.findall(r"\w+", sql.lower())):
            raise PermissionError(f"the page {page} asks for customers' words; they are off")
        self._end_idle()
        with self._lock:
            own = self._sessions.setdefault(page, _Session())
        with own.lock:
            kept = own.session is not None
            try:
                return self._ask(own, sql, values, page)
            except TryAgain:
                own.end()
                if not kept:
                    raise
                # A session that was kept too long; a new one is worth one more try.
                return self._ask(own, sql, values, page)

    def _ask(self, own: _Session, sql: str, values: Sequence[Value], page: str) -> Rows:
        if own.session is None:
            stack = ExitStack()
            opened = stack.enter_context(self._warehouse.open(f"{self._program}: {page}"))
            own.stack, own.session = stack, opened
        own.used = self._seconds()
        return list(own.session.query(sql, list(values)))

    def _end_idle(self) -> None:
        with self._lock:
            kept = list(self._sessions.values())
        for each in kept:
            # Whoever holds it is using it.
            if self._seconds() - each.used > IDLE_SECONDS and each.lock.acquire(blocking=False):
                try:
                    each.end()
                finally:
                    each.lock.release()

    def close(self) -> None:
        """Log out."""
        with self._lock:
            kept = list(self._sessions.values())
        for each in kept:
            with each.lock:
                each.end()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(path: Path) -> str:
    return str(path).replace("'", "''")
