"""A small day of hourly runs of the real pipeline against the sandbox, with everything counted.

What Snowflake would be asked is counted by its own session, which runs beside DuckDB's: it writes
its files and sends its statements to a connection that answers nothing but what tables there are.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import bench
import sqlalchemy as sa
from cost import Counts, hour, listing_requests

from semarize_pipeline import vendors
from semarize_pipeline.reconcile import reconcile
from semarize_pipeline.settings import ExtractSettings, Kit, ScoreSettings, Settings
from semarize_pipeline.vendors.base import Vendor
from semarize_pipeline.warehouse import snowflake
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import DbtTarget, Load, Removal, Session
from semarize_pipeline.warehouse.tables import Table

MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
TEXT_FIELD = 2


class _Cursor:
    """Takes statements and answers the one question that has an answer: which columns exist."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self.description: list[tuple[str, int]] = []
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> None:
        self._wire.statements[sql.split()[0]] += 1
        if "information_schema.columns" in sql:
            names = ("table_name", "column_name", "data_type", "numeric_scale")
            self.description = [(name, TEXT_FIELD) for name in names]
            self._rows = [
                (table.name.upper(), column.name.upper(), snowflake._CALLED[column.type], None)
                for table in self._wire.tables
                for column in table.columns
            ]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    def close(self) -> None:
        pass


class _Wire:
    """A connection to nowhere that counts what is sent."""

    def __init__(self) -> None:
        self.statements: Counter[str] = Counter()
        self.tables: set[Table] = set()
        self.logins = 0

    def cursor(self) -> _Cursor:
        return _Cursor(self)

    def close(self) -> None:
        pass


class _Beside(Session):
    """DuckDB's session, and Snowflake's beside it."""

    def __init__(self, real: Session, counted: Session, wire: _Wire) -> None:
        self._real, self._counted, self._wire = real, counted, wire

    def ensure(self, tables: Sequence[Table]) -> None:
        self._counted.ensure(tables)
        self._wire.tables.update(tables)
        self._real.ensure(tables)

    def land(self, loads: Sequence[Load]) -> None:
        self._counted.land(loads)
        self._real.land(loads)

    def remove(self, removals: Sequence[Removal], *, dry_run: bool = False) -> list[int]:
        return self._real.remove(removals, dry_run=dry_run)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        self._counted.query(sql, parameters)
        return self._real.query(sql, parameters)

    def find(
        self, table: Table, columns: Sequence[str], key: str, values: Sequence[str]
    ) -> list[dict[str, Any]]:
        self._counted.find(table, columns, key, values)
        return self._real.find(table, columns, key, values)


class CountingWarehouse:
    """A DuckDB file, with what Snowflake would be asked counted."""

    def __init__(self, path: Path) -> None:
        self._real = DuckDBWarehouse(path)
        self.wire = _Wire()
        given = snowflake.SnowflakeConnection("account", "user", "database", password="none")

        def connect(**arguments: Any) -> _Wire:
            self.wire.logins += 1
            return self.wire

        self._counted = snowflake.SnowflakeWarehouse(given, connect)

    def may_hold_rows(self) -> bool:
        return self._real.may_hold_rows()

    @contextmanager
    def open(self, purpose: str) -> Iterator[Session]:
        with self._real.open(purpose) as real, self._counted.open(purpose) as counted:
            yield _Beside(real, counted, self.wire)

    def for_dbt(self, purpose: str) -> AbstractContextManager[DbtTarget]:
        return self._real.for_dbt(purpose)


class _Writes:
    """Transactions of the state database that wrote; a request's turn is counted apart."""

    def __init__(self, engine: sa.Engine) -> None:
        self.count = 0
        self._seen: dict[int, set[str]] = {}
        sa.event.listen(engine, "before_cursor_execute", self._statement)
        sa.event.listen(engine, "commit", self._commit)

    def _statement(self, connection: sa.Connection, cursor: Any, sql: str, *rest: Any) -> None:
        word = "turn" if "budgets" in sql else sql.split()[0].upper()
        self._seen.setdefault(id(connection), set()).add(word)

    def _commit(self, connection: sa.Connection) -> None:
        self.count += "turn" not in self._seen.pop(id(connection), set())


def plan(vendor: Vendor, conversations: int, hours: int) -> list[bench.Call]:
    """Calls spread evenly over the look-back and the measured hours, but for the last of these.

    All are listed, with their transcripts, when they begin: what waits is another day's count.
    """
    apart = timedelta(days=1) / conversations
    start = MIDNIGHT - vendor.timing.lag - vendor.timing.lookback - timedelta(hours=2)
    count = int((timedelta(hours=hours + 1) + vendor.timing.lookback) / apart)
    return [
        bench.call(vendor.name, n, start + (n + 0.5) * apart, duration_seconds=1.0)
        for n in range(count)
    ]


def settings(kits: int, batch: int) -> Settings:
    return Settings(
        extract=ExtractSettings(
            start=MIDNIGHT - timedelta(days=10), slice_hours=1000, batch_conversations=batch
        ),
        # One at a time: acceptances that come together are written together.
        score=ScoreSettings(requests_per_second=2000, at_once=1),
        kits=tuple(
            Kit(name=kit.name, code=kit.code) for kit in (bench.QUALITY, bench.DEALS)[:kits]
        ),
    )


def compare(
    name: str,
    conversations: int,
    *,
    hours: int = 24,
    kits: int = 1,
    batch: int = 200,
    page: int | None = None,
) -> tuple[list[Counts], list[Counts]]:
    """What each hourly run of a day took, and what the formulas say that it takes.

    In the last hour nothing new comes. ``page`` is what the vendor's pages hold, where that is
    less than we ask for.
    """
    vendor, given = vendors.get(name), settings(kits, batch)
    planned = plan(vendor, conversations, hours)
    with (
        tempfile.TemporaryDirectory(prefix="cost-") as folder,
        bench.bench(name, Path(folder), planned) as made,
    ):
        # What came before lands in one piece, and no kit is owed to it.
        made.settings = replace(
            given, kits=(), extract=replace(given.extract, batch_conversations=5000)
        )
        made.warehouse = CountingWarehouse(Path(folder) / "counted.duckdb")  # type: ignore[assignment]
        if page:
            made.world.page_size[name] = page
        if name == "salesloft":
            # One without sentences costs one request more: another count.
            made.world.switch(name, full_text_only_every=0)
        made.clock.now = MIDNIGHT
        made.world.freeze(MIDNIGHT)
        made.extract(until=MIDNIGHT)
        made.settings = given
        took = list(_hours(made, hours))
    expected = [
        hour(vendor, given, listed, new, page=page)
        for listed, new in in_windows(vendor, [call.started_at for call in planned], hours)
    ]
    # A kit's table is made once.
    expected[0] += Counts(statements=kits)
    return took, expected


def reconciled(name: str, conversations: int) -> tuple[int, int]:
    """Requests of a reconcile of two days in which nothing differs: as run, and as computed."""
    vendor, given = vendors.get(name), settings(0, 200)
    given = replace(given, history=replace(given.history, reconcile_days=2))
    planned = plan(vendor, conversations, 0)
    with (
        tempfile.TemporaryDirectory(prefix="cost-") as folder,
        bench.bench(name, Path(folder), planned) as made,
    ):
        made.settings = given
        made.clock.now = MIDNIGHT
        made.world.freeze(MIDNIGHT)
        made.extract()
        made.world.clear_log()
        reconcile(
            made.vendor,
            made.api(),
            made.warehouse,
            made.state,
            until=MIDNIGHT,
            settings=given,
            run="cost",
        )
        ran = sum("token" not in asked.path for asked in made.world.requests(name))
    end = MIDNIGHT - vendor.timing.lag
    days = [MIDNIGHT - timedelta(days=2), MIDNIGHT - timedelta(days=1), end]
    held = [
        sum(start <= call.started_at < stop for call in planned) for start, stop in pairwise(days)
    ]
    return ran, sum(listing_requests(vendor, count) for count in held)


def in_windows(
    vendor: Vendor, started: Sequence[datetime], hours: int
) -> Iterator[tuple[int, int]]:
    """How many each hourly run's window holds, and how many of them no earlier one held."""
    lag, lookback = vendor.timing.lag, vendor.timing.lookback
    for number in range(hours):
        reached = MIDNIGHT + timedelta(hours=number) - lag
        end = reached + timedelta(hours=1)
        listed = sum(reached - lookback <= at < end for at in started)
        yield listed, sum(reached <= at < end for at in started)


def _hours(made: bench.Bench, hours: int) -> Iterator[Counts]:
    wire = made.warehouse.wire  # type: ignore[attr-defined]
    writes = _Writes(made.state._engine)
    path = made.vendor.listing.path
    for number in range(hours):
        # Waiting for a run moves the clock; the schedule does not wait with it.
        made.clock.now = MIDNIGHT + timedelta(hours=number + 1)
        made.world.freeze(made.clock.now)
        made.world.clear_log()
        logins, statements, wrote = wire.logins, wire.statements.total(), writes.count
        made.extract()
        scored = made.score()
        asked = [r for r in made.world.requests(made.vendor.name) if "token" not in r.path]
        listing = sum(r.path == path for r in asked)
        yield Counts(
            listing_requests=listing,
            transcript_requests=len(asked) - listing,
            runs=scored.paid,
            semarize_requests=scored.requests,
            logins=wire.logins - logins,
            statements=wire.statements.total() - statements,
            state_writes=writes.count - wrote,
        )
