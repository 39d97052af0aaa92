"""The embedded warehouse: one DuckDB file, shared by taking turns.

DuckDB lets one process in at a time, readers included. So the file is opened late and closed
early, and whoever wants it waits in line on a lock file beside it; a note in that file says
who holds it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import orjson

from semarize_pipeline.errors import Misconfigured, TryAgain
from semarize_pipeline.warehouse.port import DbtTarget, Load, Removal, Session, type_changed
from semarize_pipeline.warehouse.tables import SCHEMA, Table, Type

if TYPE_CHECKING:
    # Both are large. They are imported when the file is opened, which an hour with nothing new
    # never does.
    import duckdb

WAIT_SECONDS = 300.0
# What has landed waits in DuckDB's log beside the file until there is this much of it; a load that
# is larger goes into the file at once. dbt folds in the rest.
FOLD_AT = "16MB"
# DuckDB would also join the blocks of rows that are there with those that come, up to 122,880 rows
# a block: each fold would compress the last one anew, in time and memory that grow with it. dbt's
# builds join them.
JOINED_BLOCKS = 0
# Landing goes on beside fetching, and each thread takes memory of its own.
THREADS = 1
# Half the time of DuckDB's own choice for text, and a smaller file.
LONG = " using compression zstd"
_SQL = {
    Type.TEXT: "VARCHAR",
    Type.FLOAT: "DOUBLE",
    Type.INTEGER: "BIGINT",
    Type.BOOLEAN: "BOOLEAN",
    Type.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    Type.JSON: "JSON",
}


class DuckDBWarehouse:
    """A warehouse in one file.

    :param path: the file; its folder is made when missing.
    :param wait_seconds: how long to wait in line before giving up with TryAgain.
    """

    def __init__(self, path: str | Path, wait_seconds: float = WAIT_SECONDS) -> None:
        self.path = Path(path)
        self._wait = wait_seconds

    def may_hold_rows(self) -> bool:
        return self.path.exists()

    @contextmanager
    def open(self, purpose: str) -> Iterator[DuckDBSession]:
        with self._hold(purpose), self._writing():
            connection = self._connect()
            try:
                yield DuckDBSession(connection)
            finally:
                connection.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """What a full disk looks like to DuckDB, said with its remedy."""
        import duckdb

        try:
            yield
        except (duckdb.IOException, duckdb.TransactionException) as error:
            if "Could not write" not in str(error):
                raise
            raise TryAgain(
                f"the warehouse file {self.path} cannot be written "
                f"({str(error).rsplit(': ', 1)[-1]}); make room on its disk, then run this again"
            ) from None

    @contextmanager
    def for_dbt(self, purpose: str) -> Iterator[DbtTarget]:
        # dbt opens the file itself and keeps it to the end: it waits in line for all of that.
        with self._hold(purpose) as path:
            yield DbtTarget("duckdb", {"DBT_DUCKDB_PATH": str(path)})

    @contextmanager
    def _hold(self, purpose: str) -> Iterator[Path]:
        """The file for oneself, closed: for another program to open."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(f"{self.path}.lock", timeout=self._wait)
        note = Path(f"{self.path}.holder")
        try:
            lock.acquire()
        except filelock.Timeout:
            raise TryAgain(
                f"the warehouse file {self.path} stayed taken for {self._wait:.0f} s, by "
                f"{_holder(note)}; wait for it or end it, then run this again"
            ) from None
        try:
            note.write_text(
                json.dumps(
                    {
                        "purpose": purpose,
                        "pid": os.getpid(),
                        "host": socket.gethostname(),
                        "since": datetime.now(UTC).isoformat(timespec="seconds"),
                    }
                )
            )
            yield self.path
        finally:
            note.unlink(missing_ok=True)
            lock.release()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        """Open the file. A program that does not know our lock, such as a BI tool, may hold it."""
        import duckdb

        give_up = time.monotonic() + self._wait
        log = Path(f"{self.path}.wal")
        if not self.path.exists():
            # Made beside it: a task killed in the middle of that would leave a file that nobody
            # can open. Nobody else makes one meanwhile, as we have the lock.
            draft = self.path.with_name(f"{self.path.name}.new")
            draft.unlink(missing_ok=True)
            duckdb.connect(str(draft)).close()
            if log.exists():
                # Of a file that was taken away; DuckDB would refuse the new one because of it.
                log.replace(f"{log}.without_its_file")
            draft.replace(self.path)
        while True:
            try:
                connection = duckdb.connect(str(self.path))
            except duckdb.IOException as error:
                if "replaying WAL" in str(error):
                    raise Misconfigured(
                        f"{log} does not belong to the warehouse file beside it, which was "
                        "replaced or copied without its log; put the file and the log back that "
                        "belong together, or move the log away and run the DAG reconcile: it "
                        "fetches again what only the log held"
                    ) from None
                if "Could not set lock" not in str(error):
                    raise
                if time.monotonic() > give_up:
                    raise TryAgain(
                        f"another program has the warehouse file open ({_blocker(error)}); "
                        "close it there, then run this again"
                    ) from None
                time.sleep(0.2)
            else:
                connection.execute("set timezone = 'UTC'")
                connection.execute(f"set checkpoint_threshold = '{FOLD_AT}'")
                connection.execute("pragma disable_checkpoint_on_shutdown")
                connection.execute(f"set max_vacuum_tasks = {JOINED_BLOCKS}")
                connection.execute(f"set threads = {THREADS}")
                return connection


class DuckDBSession(Session):
    """The open file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def ensure(self, tables: Sequence[Table]) -> None:
        self._connection.execute(f"create schema if not exists {SCHEMA}")
        there: dict[str, dict[str, str]] = {}
        for table, column, type_ in self._connection.execute(
            "select table_name, column_name, data_type from information_schema.columns "
            "where table_schema = ?",
            [SCHEMA],
        ).fetchall():
            there.setdefault(table, {})[column] = type_
        # Once each: vendors share some of them. Two versions of a kit are two tables of one name.
        for table in dict.fromkeys(tables):
            if table.name in there:
                self._extend(table, there[table.name])
            else:
                self._create(table)
                there[table.name] = {column.name: _SQL[column.type] for column in table.columns}

    def _create(self, table: Table) -> None:
        # No primary key: merging on it with one writer keeps it, and DuckDB's index would cost
        # memory for each row that ever landed. dbt tests the keys.
        columns = ", ".join(
            f'"{c.name}" {_SQL[c.type]}{LONG if c.is_long else ""}' for c in table.columns
        )
        self._connection.execute(f"create table {_name(table)} ({columns})")

    def _extend(self, table: Table, there: dict[str, str]) -> None:
        for column in table.columns:
            wanted = _SQL[column.type]
            if column.name not in there:
                self._connection.execute(
                    f'alter table {_name(table)} add column "{column.name}" {wanted}'
                )
            elif there[column.name] != wanted:
                raise type_changed(table, column.name, there[column.name], wanted)

    def land(self, loads: Sequence[Load]) -> None:
        self._connection.execute("begin")
        try:
            for load in loads:
                if load.rows:
                    self._merge(load)
            self._connection.execute("commit")
        except BaseException:
            self._roll_back()
            raise
        finally:
            # Only now: within a transaction that failed, this would hide why.
            self._connection.unregister("incoming")

    def _merge(self, load: Load) -> None:
        from semarize_pipeline.warehouse.arrow import arrow

        table = load.table
        self._connection.register("incoming", arrow(load))
        if not self._is_there(load):
            # Nearly always. A merge would hold all that comes in memory once more, to look it up.
            names = ", ".join(map(_quoted, table.column_names))
            self._connection.execute(
                f"insert into {_name(table)} ({names}) select {names} from incoming"
            )
            return
        on = _same(table.key)
        others = [name for name in table.column_names if name not in table.key]
        guard = (
            f'and there."{table.guard}" is distinct from incoming."{table.guard}"'
            if table.guard
            else ""
        )
        if load.whole:
            near, bounds = _near(load, [load.whole])
            self._connection.execute(
                f'delete from {_name(table)} as there where there."{load.whole}" in '
                f'(select "{load.whole}" from incoming) '
                f"and not exists (select 1 from incoming where {on}){near}",
                bounds,
            )
        near, bounds = _near(load, table.key)
        self._connection.execute(
            f"merge into {_name(table)} as there using incoming on {on}{near} "
            f"when matched {guard} then update set "
            + ", ".join(f'"{name}" = incoming."{name}"' for name in others)
            + " when not matched then insert ("
            + ", ".join(f'"{name}"' for name in table.column_names)
            + ") values ("
            + ", ".join(f'incoming."{name}"' for name in table.column_names)
            + ")",
            bounds,
        )

    def _is_there(self, load: Load) -> bool:
        """Whether a row that comes has landed before; or one of its ``whole``."""
        names = [load.whole] if load.whole else load.table.key
        near, bounds = _near(load, names)
        found = self._connection.execute(
            f"select 1 from {_name(load.table)} as there "
            f"where exists (select 1 from incoming where {_same(names)}){near} limit 1",
            bounds,
        )
        return found.fetchone() is not None

    def remove(self, removals: Sequence[Removal], *, dry_run: bool = False) -> list[int]:
        counts = []
        self._connection.execute("begin")
        try:
            for removal in removals:
                counting, change = removal.statements(_name(removal.table), _quoted)
                counts.append(self.query(*counting)[0]["n"] if removal.values else 0)
                if counts[-1] and not dry_run:
                    self._connection.execute(*change)
            self._connection.execute("commit")
            if any(counts) and not dry_run:
                # What was landed lately stands in the log too, and must not stay there; and blocks
                # with few rows left are to be written anew.
                self._connection.execute("reset max_vacuum_tasks")
                self._connection.execute("checkpoint")
        except BaseException:
            self._roll_back()
            raise
        return counts

    def _roll_back(self) -> None:
        import duckdb

        # A commit that fails, as on a full disk, has ended the transaction: that is no news.
        with contextlib.suppress(duckdb.TransactionException):
            self._connection.execute("rollback")

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        cursor = self._connection.execute(sql, list(parameters))
        described = cursor.description or []
        names = [column[0] for column in described]
        json_at = {i for i, column in enumerate(described) if str(column[1]).upper() == "JSON"}
        return [
            {
                name: orjson.loads(value) if i in json_at and value is not None else value
                for i, (name, value) in enumerate(zip(names, row, strict=True))
            }
            for row in cursor.fetchall()
        ]

    def find(
        self, table: Table, columns: Sequence[str], key: str, values: Sequence[str]
    ) -> list[dict[str, Any]]:
        # In two steps: in one, DuckDB reads the texts of all rows before it looks at their keys.
        marks = ", ".join("?" * len(values))
        wanted = f"select rowid from {_name(table)} where {_quoted(key)} in ({marks})"
        return self.query(
            f"select {', '.join(map(_quoted, columns))} from {_name(table)} "
            f"where rowid in ({wanted})",
            values,
        )


def _near(load: Load, columns: Sequence[str]) -> tuple[str, list[str]]:
    """A condition that holds for all rows that come, and its parameters.

    By it DuckDB skips the blocks of a table whose keys all lie below or beyond: most of them,
    where a vendor counts its ids up.
    """
    texts = {column.name for column in load.table.columns if column.type is Type.TEXT}
    near, bounds = "", list[str]()
    for name in (name for name in columns if name in texts):
        values = [row[name] for row in load.rows]
        near += f' and there."{name}" between ? and ?'
        bounds += [min(values), max(values)]
    return near, bounds


def _same(names: Sequence[str]) -> str:
    return " and ".join(f'there."{name}" = incoming."{name}"' for name in names)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _name(table: Table) -> str:
    return f'"{SCHEMA}"."{table.name}"'


def _holder(note: Path) -> str:
    try:
        held = json.loads(note.read_text())
        return f"{held['purpose']} (process {held['pid']} on {held['host']}, since {held['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "a program that left no note"


def _blocker(error: Exception) -> str:
    """DuckDB names the program and its process id between "held in" and "."."""
    text = str(error)
    return text.split("held in", 1)[1].split(". ")[0].strip() if "held in" in text else "unknown"
