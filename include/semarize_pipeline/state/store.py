"""The port to the state database: one object, a part for each kind of state."""

from __future__ import annotations

import os
import socket
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

from semarize_pipeline.errors import Misconfigured, TryAgain
from semarize_pipeline.model import Window
from semarize_pipeline.state import tables as t

Clock = Callable[[], datetime]
# How long one waits for another's transaction: each takes milliseconds.
BUSY_SECONDS = 60
# When the server ends the transaction of a worker that vanished without a word (PostgreSQL).
VANISHED_SECONDS = 30
CONNECT_SECONDS = 10
# PostgreSQL's lock of one writer at a time: any number that no other program in there uses.
WRITER = 5_374_617_465


def utc_now() -> datetime:
    return datetime.now(UTC)


class State:
    """All state of the pipeline.

    :param url: an SQLAlchemy URL: ``sqlite:////path/state.db`` or ``postgresql+psycopg2://…``.
    :param fernet_key: seals OAuth tokens; needed only where there are any.

    Raises TryAgain while the database cannot be reached, Misconfigured for a wrong URL.
    """

    def __init__(self, url: str, *, fernet_key: str | None = None, clock: Clock = utc_now) -> None:
        from semarize_pipeline.state.budgets import Budgets
        from semarize_pipeline.state.ledger import Ledger
        from semarize_pipeline.state.runs import Runs
        from semarize_pipeline.state.tokens import Tokens

        self.clock = clock
        self._engine = _engine(url)
        self.watermarks = Watermarks(self)
        self.ledger = Ledger(self)
        self.runs = Runs(self)
        self.budgets = Budgets(self)
        self.tokens = Tokens(self, fernet_key)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that nobody else interleaves with."""
        with self._translated(), self._engine.connect() as connection:
            _wait_in_line(connection)
            yield connection
            connection.commit()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            raise TryAgain(
                f"the state database does not answer ({type(error.orig).__name__}); check the "
                "connection state_default, that its server is up and that its disk has room"
            ) from error

    def upsert(
        self,
        connection: Connection,
        table: sa.Table,
        rows: Sequence[Mapping[str, Any]],
        update: Iterable[str] | None,
    ) -> int:
        """Insert rows; where the key exists set ``update``'s columns, or leave it when None."""
        if not rows:
            return 0
        insert = _insert(connection.dialect.name, table)
        key = [column.name for column in table.primary_key]
        statement = (
            insert.on_conflict_do_nothing(index_elements=key)
            if update is None
            else insert.on_conflict_do_update(
                index_elements=key, set_={name: insert.excluded[name] for name in update}
            )
        )
        return int(connection.execute(statement, list(rows)).rowcount)

    @contextmanager
    def lease(self, name: str, seconds: float, wait_seconds: float) -> Iterator[None]:
        """Hold a named right for a while; whoever dies holding it loses it after ``seconds``."""
        holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        give_up = time.monotonic() + wait_seconds
        while not self._grab(name, holder, seconds):
            if time.monotonic() > give_up:
                raise TryAgain(f"another task holds {name} for longer than {wait_seconds:.0f} s")
            time.sleep(0.05)
        try:
            yield
        finally:
            with self.write() as connection:
                connection.execute(
                    sa.delete(t.leases).where(t.leases.c.name == name, t.leases.c.holder == holder)
                )

    def _grab(self, name: str, holder: str, seconds: float) -> bool:
        now = self.clock()
        with self.write() as connection:
            connection.execute(
                sa.delete(t.leases).where(t.leases.c.name == name, t.leases.c.until <= now)
            )
            row = {"name": name, "holder": holder, "until": now + timedelta(seconds=seconds)}
            return self.upsert(connection, t.leases, [row], None) == 1


class Watermarks:
    """How far each stream has been read. Moves last, and only forward."""

    def __init__(self, state: State) -> None:
        self._state = state

    def reached(self, stream: str) -> datetime | None:
        return self._column(stream, t.watermarks.c.reached)

    def began(self, stream: str) -> datetime | None:
        return self._column(stream, t.watermarks.c.began)

    def begin(self, stream: str, at: datetime) -> datetime:
        """Fix a first run's start, once: a relative start must not move with each try."""
        row = {"stream": stream, "reached": at, "began": at, "updated_at": self._state.clock()}
        with self._state.write() as connection:
            self._state.upsert(connection, t.watermarks, [row], None)
        return self._column(stream, t.watermarks.c.reached) or at

    def advance(self, stream: str, to: datetime) -> bool:
        """Move forward to ``to``; False where it already lies further. Compares moments."""
        with self._state.write() as connection:
            moved = connection.execute(
                sa.update(t.watermarks)
                .where(t.watermarks.c.stream == stream, t.watermarks.c.reached < to)
                .values(reached=to, updated_at=self._state.clock())
            ).rowcount
        return bool(moved)

    def is_empty(self) -> bool:
        """Whether no stream was ever begun here."""
        with self._state.read() as connection:
            return connection.execute(sa.select(t.watermarks.c.stream).limit(1)).first() is None

    def restore(self, proven: Mapping[str, tuple[datetime, datetime]]) -> None:
        """By stream, where it began and how far it was read: all of them at once, forward only."""
        now = self._state.clock()
        rows = [
            {"stream": stream, "began": began, "reached": reached, "updated_at": now}
            for stream, (began, reached) in proven.items()
        ]
        with self._state.write() as connection:
            self._state.upsert(connection, t.watermarks, rows, None)
            for row in rows:
                connection.execute(
                    sa.update(t.watermarks)
                    .where(
                        t.watermarks.c.stream == row["stream"],
                        t.watermarks.c.reached < row["reached"],
                    )
                    .values(reached=row["reached"], updated_at=now)
                )

    def mark_slice(self, stream: str, window: Window, listed: int, landed: int) -> None:
        row = {
            "stream": stream,
            "slice_start": window.start,
            "slice_end": window.end,
            "listed": listed,
            "landed": landed,
            "done_at": self._state.clock(),
        }
        with self._state.write() as connection:
            self._state.upsert(connection, t.slices, [row], ["listed", "landed", "done_at"])

    def slices(self, stream: str) -> list[dict[str, Any]]:
        query = (
            sa.select(t.slices).where(t.slices.c.stream == stream).order_by(t.slices.c.slice_start)
        )
        with self._state.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def _column(self, stream: str, column: sa.Column[Any]) -> datetime | None:
        with self._state.read() as connection:
            found = connection.execute(sa.select(column).where(t.watermarks.c.stream == stream))
            return found.scalar_one_or_none()


def _insert(dialect: str, table: sa.Table) -> Any:
    """The database's own INSERT. Imported here: to load the other's types takes its time."""
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def _engine(url: str) -> Engine:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise Misconfigured(
            "state_default is not a database URL; use sqlite with a file path, or postgres"
        ) from None
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise Misconfigured(f"state_default is a {backend} database; use sqlite or postgres")
    engine = _sqlite(parsed) if backend == "sqlite" else _postgresql(parsed)
    _create(engine)
    return engine


def _postgresql(url: sa.URL) -> Engine:
    engine = sa.create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,
        # Whoever waited in line must see what was written meanwhile, whatever the server's default.
        isolation_level="READ COMMITTED",
        # A round trip for a hundred rows: the others wait in line meanwhile.
        executemany_mode="values_plus_batch",
        # The URL's own, if it names one.
        connect_args={"connect_timeout": url.query.get("connect_timeout", CONNECT_SECONDS)},
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{VANISHED_SECONDS}s'")
        connection.commit()

    return engine


def _sqlite(url: sa.URL) -> Engine:
    if url.database:
        os.makedirs(os.path.dirname(os.path.abspath(url.database)), exist_ok=True)
    engine = sa.create_engine(
        url,
        # Errors would show the row that they are about.
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # We begin transactions ourselves: the driver would begin them late, and deadlock.
        connection.isolation_level = None
        cursor = connection.cursor()
        _write_ahead(cursor)
        # A paid run must survive a power cut as well as a killed task.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    return engine


def _write_ahead(cursor: Any) -> None:
    """Readers beside one writer. SQLite does not wait here by itself when two tasks are first."""
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.02)


def _wait_in_line(connection: Connection) -> None:
    """Begin a transaction that writes: one at a time, so that none deadlocks or reads old rows."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITER)))


def _grow(connection: Connection) -> None:
    """Add the columns and indexes that an older version of these tables lacks."""
    there = sa.inspect(connection)
    for table in t.metadata.sorted_tables:
        found = {column["name"] for column in there.get_columns(table.name)}
        for column in table.columns:
            if column.name not in found:
                kind = column.type.compile(connection.dialect)
                connection.exec_driver_sql(
                    f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}'
                )
        indexed = {index["name"] for index in there.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indexed:
                index.create(connection)


def _create(engine: Engine) -> None:
    try:
        with engine.connect() as connection:
            # Two tasks on a fresh database: one makes all of it, the other waits.
            _wait_in_line(connection)
            t.metadata.create_all(connection, checkfirst=True)
            _grow(connection)
            connection.commit()
    except OperationalError as error:
        raise TryAgain(
            f"the state database does not answer ({type(error.orig).__name__}); check the "
            "connection state_default, that its server is up and that its disk has room"
        ) from None
    except sa.exc.ProgrammingError as error:
        raise Misconfigured(
            f"the state database's tables could not be made ({type(error.orig).__name__}); let the "
            "user of state_default create tables: GRANT CREATE, USAGE ON SCHEMA public TO its name"
        ) from None
