"""Where the page's figures come from, and that nobody waits long for them.

Connections are found as the API server finds them: in its secrets backends, its environment and
Airflow's database. A page never opens the warehouse's file: it reads a copy made aside, or asks
Snowflake in a thread of its own, and gives up after a moment while the answer is still fetched.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import sqlalchemy as sa
from airflow.models.connection import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from semarize_airflow.hooks.state_hook import StateHook, airflow_home
from semarize_airflow.hooks.warehouse_hook import WarehouseHook
from semarize_dashboards.source import DuckDBCopy, NothingYet, SnowflakeSource, Source
from semarize_dashboards.source import State as SourceState
from semarize_pipeline import connect
from semarize_pipeline.errors import PipelineError, TryAgain
from semarize_pipeline.overview import from_warehouse
from semarize_pipeline.state import State
from semarize_pipeline.warehouse import connections
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse

T = TypeVar("T")

PAGE = "operator page"
# Connections change rarely, and a page is loaded often.
LOOK_AGAIN_SECONDS = 60.0
FRESH_SECONDS = 60
STATEMENT_SECONDS = 30
# How long one page waits for the warehouse, all its questions together.
PATIENCE_SECONDS = 2.0
ANSWERS_KEPT = 500


class Busy(Exception):
    """The warehouse cannot be read just now; the message says why and what to do."""


class OperatorsCopy(DuckDBCopy):
    """Of the warehouse's file what the page needs: counts, ids and reasons, and no words."""

    def fill(self, copying: duckdb.DuckDBPyConnection, there: str) -> None:
        copying.execute("create schema copied.landing; create schema copied.marts")
        found = copying.execute(
            "select schema_name, table_name, list(column_name) from duckdb_columns() "
            "where database_name = ? and schema_name in ('landing', 'marts') group by all",
            [self._path.stem],
        ).fetchall()
        for schema, table, names in found:
            wanted = [name for name in _wanted(schema, table, names) if name in names]
            if not wanted:
                continue
            columns = ", ".join(
                f'case when "{name}" is not null then \'\' end as "{name}"'
                if name in from_warehouse.BLANKED
                else f'"{name}"'
                for name in wanted
            )
            copying.execute(
                f'create table copied.{schema}."{table}" as '
                f'select {columns} from {there}.{schema}."{table}"'
            )


def _wanted(schema: str, table: str, names: Sequence[str]) -> Sequence[str]:
    """The columns of a table that are copied."""
    if schema == "marts":
        return names if table == from_warehouse.HEALTH else (from_warehouse.KEY,)
    if table.startswith("scores__"):
        return from_warehouse.COPIED_SCORES
    if table.endswith("__conversations"):
        return from_warehouse.COPIED_CONVERSATIONS
    return from_warehouse.COPIED.get(table, ())


class Answers:
    """A source's answers, kept while its data stays the same; fetched by a thread of its own."""

    def __init__(self, source: Source, patience: float) -> None:
        self._source = source
        self._patience = patience
        # One: a warehouse that does not answer must not take the API server's threads.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="operator-page")
        self._lock = threading.Lock()
        self._state: Future[SourceState] | None = None
        self._version = ""
        self._kept: dict[tuple[str, tuple[Any, ...]], Future[list[dict[str, Any]]]] = {}

    def asking(self) -> Asking:
        """The questions of one page, which wait no longer than its patience."""
        return Asking(self, time.monotonic() + self._patience)

    def state(self, until: float) -> SourceState:
        with self._lock:
            if self._state is None or self._state.done():
                self._state = self._thread.submit(self._source.state)
            asked = self._state
        told = _in_time(asked, until)
        with self._lock:
            if told.version != self._version or len(self._kept) > ANSWERS_KEPT:
                self._version = told.version
                self._kept.clear()
        return told

    def answer(self, sql: str, values: Sequence[Any], until: float) -> list[dict[str, Any]]:
        key = (sql, tuple(values))
        with self._lock:
            asked = self._kept.get(key)
            if asked is None or (asked.done() and asked.exception() is not None):
                asked = self._thread.submit(self._source.read, sql, list(values), PAGE)
                self._kept[key] = asked
        return _in_time(asked, until)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        closing: Callable[[], None] | None = getattr(self._source, "close", None)
        if closing is not None:
            threading.Thread(target=closing, daemon=True).start()


class Asking:
    """What a page asks: a reader for ``from_warehouse``."""

    def __init__(self, answers: Answers, until: float) -> None:
        self._answers = answers
        self._until = until
        told = answers.state(until)
        self.as_of: datetime = told.as_of
        self.is_newest: bool = told.is_newest

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        return self._answers.answer(sql, parameters, self._until)


def _in_time(asked: Future[T], until: float) -> T:
    try:
        return asked.result(max(0.0, until - time.monotonic()))
    except NotInTime:
        raise Busy(
            "The warehouse has not answered yet. It is still being asked; this page shows the rest "
            "when it is loaded again in some seconds."
        ) from None
    except (NothingYet, PipelineError) as problem:
        raise Busy(str(problem)) from None


class Sources:
    """The state database and the warehouse of the project's connections, kept open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: tuple[str, State] | None = None
        self._answers: tuple[tuple[Any, ...], Answers] | None = None
        self._keys: dict[str, str | None] = {}
        self._looked = float("-inf")

    def state(self) -> State:
        """The state database. Raises a PipelineError that names the connection."""
        with self._lock:
            self._look()
            if self._state is None:
                self._state = self._opened()
            return self._state[1]

    def asking(self) -> Asking:
        """The warehouse for one page. Raises Busy."""
        with self._lock:
            self._look()
            if self._answers is None:
                try:
                    self._answers = _warehouse()
                except PipelineError as problem:
                    raise Busy(str(problem)) from None
            answers = self._answers[1]
        return answers.asking()

    def key(self, connection: str) -> str | None:
        """Under which key a connection's requests are counted; None where there is none."""
        with self._lock:
            self._look()
            if connection not in self._keys:
                found = _connection(connection)
                self._keys[connection] = found and connect.budget_key(
                    connection, found.extra_dejson
                )
            return self._keys[connection]

    def _look(self) -> None:
        """Once in a while: whether the connections are still the same."""
        if time.monotonic() - self._looked < LOOK_AGAIN_SECONDS:
            return
        self._looked = time.monotonic()
        self._keys.clear()
        if self._answers is not None and self._answers[0] != _fields(_connection(_WAREHOUSE)):
            self._answers[1].close()
            self._answers = None
        if self._state is not None and self._state[0] != _state_url():
            self._state[1].close()
            self._state = None

    def _opened(self) -> tuple[str, State]:
        url = _state_url()
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
            # Opening it would make it, in a place that may be wrong.
            raise TryAgain(
                f"there is no state database at {parsed.database} yet: a vendor's DAG makes it "
                "with its first run. If one has run, the API server's connection state_default "
                "names another place than the workers'"
            )
        return url, State(url)


_WAREHOUSE = WarehouseHook.default_conn_name


def _connection(conn_id: str) -> Connection | None:
    try:
        return Connection.get_connection_from_secrets(conn_id)
    except AirflowNotFoundException:
        return None


def _state_url() -> str:
    hook = StateHook()
    return hook.url(_connection(hook.state_conn_id))


def _fields(found: Connection | None) -> tuple[Any, ...]:
    if found is None:
        return ()
    names = ("conn_type", "host", "login", "password", "schema", "port", "extra")
    return tuple(getattr(found, name) for name in names)


def _warehouse() -> tuple[tuple[Any, ...], Answers]:
    found = _connection(_WAREHOUSE)
    if found is None:
        home = airflow_home() / "warehouse.duckdb"
        return (), Answers(OperatorsCopy(home), PATIENCE_SECONDS)
    made = connections.warehouse(
        _WAREHOUSE,
        {
            "conn_type": found.conn_type,
            "host": found.host,
            "login": found.login,
            "password": found.password,
            "schema": found.schema,
            "port": found.port,
            "extra": found.extra_dejson,
        },
        query_seconds=STATEMENT_SECONDS,
    )
    if isinstance(made, DuckDBWarehouse):
        return _fields(found), Answers(OperatorsCopy(made.path), PATIENCE_SECONDS)
    # No statement of the page names a column with words; reasons are our own.
    source = SnowflakeSource(made, fresh_seconds=FRESH_SECONDS, words=True, program="semarize")
    return _fields(found), Answers(source, PATIENCE_SECONDS)
