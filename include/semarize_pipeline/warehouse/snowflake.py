"""Snowflake as the warehouse: rows arrive in bulk, through a stage, and merge on their keys.

The one file that imports the connector, which is large: nothing imports this file until a
connection says that the warehouse is Snowflake. See docs/snowflake.md.
"""

from __future__ import annotations

import logging
import re
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as parquet
import snowflake.connector
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from snowflake.connector import errors as sf

from semarize_pipeline.errors import BadCredentials, Misconfigured, PipelineError, TryAgain
from semarize_pipeline.warehouse.arrow import arrow
from semarize_pipeline.warehouse.port import DbtTarget, Load, Removal, Session, type_changed
from semarize_pipeline.warehouse.tables import SCHEMA, Table, Type

log = logging.getLogger(__name__)

LOGIN_TIMEOUT_SECONDS = 60
NETWORK_TIMEOUT_SECONDS = 300
QUERY_TAG_CHARACTERS = 2000  # Snowflake's own limit
# A staging table's name says when it was made, so that one that a killed task left is found.
LEFT_BEHIND_AFTER = timedelta(days=1)
_STAGING_TIME = "%Y%m%d%H%M%S"
_STAGING_NAME = re.compile(r"INCOMING_(\d{14})_[0-9A-F]{32}")
_ROW_NUMBER = "_ROW_NUMBER"
_JSON_TYPES = frozenset({"VARIANT", "OBJECT", "ARRAY"})
# What a table's column is, and what information_schema calls it.
_SQL = {
    Type.TEXT: "varchar",
    Type.FLOAT: "double",
    Type.INTEGER: "number(38,0)",
    Type.BOOLEAN: "boolean",
    Type.TIMESTAMP: "timestamp_tz",
    Type.JSON: "variant",
}
_CALLED = {
    Type.TEXT: "TEXT",
    Type.FLOAT: "FLOAT",
    Type.INTEGER: "NUMBER",
    Type.BOOLEAN: "BOOLEAN",
    Type.TIMESTAMP: "TIMESTAMP_TZ",
    Type.JSON: "VARIANT",
}
# What the staging table holds, and how its value becomes the table's. Moments travel as whole
# microseconds since 1970: no file format option and no session setting can shift those.
_STAGED = {**_SQL, Type.TIMESTAMP: "number(38,0)", Type.JSON: "varchar"}
_FROM_STAGED = {Type.TIMESTAMP: "to_timestamp_tz({}, 6)", Type.JSON: "parse_json({})"}

_CONNECTION = "warehouse_default"
# Snowflake's numbers, sorted by what to do about them. Some are the connector's own constants,
# the others what people report in public; Snowflake publishes no list.
_LOGIN_OBJECTS = frozenset({390186, 390189, 390201})  # role not granted, no role, no warehouse
_NETWORK_POLICY = frozenset({390422, 390432})  # this address is not let in, a policy is needed
_NO_CREDIT = frozenset({390913})
_USER_LOCKED = frozenset({390102})
_SESSION_ENDED = frozenset({390103, 390104, 390111, 390112, 390113, 390114, 390115})
# An object, a table, or the database itself that is not there or not for this role.
_MISSING = frozenset({1757, 2003, 2043, 90105, 90106})
_NO_PRIVILEGE = frozenset({3001, 3003, 3041})
_NO_WAREHOUSE = frozenset({606, 90073})  # none selected, quota used up
_PASSING = frozenset({604, 608, 625, 630})  # cancelled, suspended meanwhile, lock, time limit


@dataclass(frozen=True, slots=True)
class SnowflakeConnection:
    """Where to log in and as whom: a password, a private key or an OAuth token.

    :param dbt_warehouse: the virtual warehouse on which dbt builds, where it is another one.
    :param private_key: a PEM text, or the path of a PEM file.
    :param query_seconds: after which Snowflake ends a statement; without it, as the account says.
    :param host: with ``port`` and ``protocol``, another address than the account's own.
    """

    account: str
    user: str
    database: str
    warehouse: str | None = None
    dbt_warehouse: str | None = None
    role: str | None = None
    password: str | None = field(default=None, repr=False)
    private_key: str | Path | None = field(default=None, repr=False)
    private_key_passphrase: str | None = field(default=None, repr=False)
    oauth_token: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    protocol: str | None = None
    login_timeout_seconds: int = LOGIN_TIMEOUT_SECONDS
    network_timeout_seconds: int = NETWORK_TIMEOUT_SECONDS
    query_seconds: int | None = None

    def arguments(self, purpose: str) -> dict[str, Any]:
        """What the connector's ``connect`` is given."""
        wanted = {
            "account": self.account,
            "user": self.user,
            "database": self.database,
            "warehouse": self.warehouse,
            "role": self.role,
            "host": self.host,
            "port": self.port,
            "protocol": self.protocol,
            "login_timeout": self.login_timeout_seconds,
            # Never left out: without it the connector sends a failing statement again for ever.
            "network_timeout": self.network_timeout_seconds,
            "paramstyle": "qmark",
            "autocommit": True,
            "application": "semarize_conversations",
            "session_parameters": {
                "QUERY_TAG": purpose[:QUERY_TAG_CHARACTERS],
                "TIMEZONE": "UTC",
                # Names are upper-case there, so "id" in a query has to find ID.
                "QUOTED_IDENTIFIERS_IGNORE_CASE": True,
                # Nothing about our statements leaves for the driver's own statistics.
                "CLIENT_TELEMETRY_ENABLED": False,
                **(
                    {"STATEMENT_TIMEOUT_IN_SECONDS": self.query_seconds}
                    if self.query_seconds
                    else {}
                ),
            },
            **self._credential(),
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def _credential(self) -> dict[str, Any]:
        if self.private_key:
            return {"private_key": self._der(), "authenticator": "SNOWFLAKE_JWT"}
        if self.oauth_token:
            return {"token": self.oauth_token, "authenticator": "oauth"}
        if self.password:
            return {"password": self.password}
        raise Misconfigured(
            f"{_CONNECTION} holds no credential; give a password, a private key or a token"
        )

    def dbt_environment(self) -> dict[str, str]:
        """What ``dbt/profiles.yml`` reads. dbt blots out the values of DBT_ENV_SECRET_ itself.

        Nothing is left out: what dbt inherits from the worker must not fill a gap.
        """
        self._credential()  # a key that cannot be opened is told of here, not in dbt's log
        key, path = self._key_text(), self._key_path()
        authenticator = "oauth" if self.oauth_token and not self.private_key else None
        wanted = {
            "SNOWFLAKE_ACCOUNT": self.account,
            "SNOWFLAKE_USER": self.user,
            "SNOWFLAKE_DATABASE": self.database,
            "SNOWFLAKE_WAREHOUSE": self.dbt_warehouse or self.warehouse,
            "SNOWFLAKE_ROLE": self.role,
            "SNOWFLAKE_HOST": self.host,
            "SNOWFLAKE_PORT": self.port,
            "SNOWFLAKE_PROTOCOL": self.protocol,
            "SNOWFLAKE_AUTHENTICATOR": authenticator,
            "SNOWFLAKE_PRIVATE_KEY_PATH": path,
            "DBT_ENV_SECRET_SNOWFLAKE_PRIVATE_KEY": key,
            "DBT_ENV_SECRET_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": self.private_key_passphrase,
            "DBT_ENV_SECRET_SNOWFLAKE_PASSWORD": None if self.private_key else self.password,
            "DBT_ENV_SECRET_SNOWFLAKE_TOKEN": self.oauth_token if authenticator else None,
        }
        return {name: str(value or "") for name, value in wanted.items()}

    def _key_text(self) -> str | None:
        told = self.private_key
        is_text = isinstance(told, str) and told.lstrip().startswith("-----BEGIN")
        return str(told).strip() if is_text else None

    def _key_path(self) -> Path | None:
        if not self.private_key or self._key_text():
            return None
        return Path(self.private_key).expanduser().absolute()

    def _der(self) -> bytes:
        """The key as the connector wants it: unencrypted PKCS#8, as DER."""
        text, path = self._key_text(), self._key_path()
        try:
            pem = path.read_bytes() if path else str(text).encode()
        except OSError:
            raise Misconfigured(
                f"the private key file of {_CONNECTION} cannot be read; check its path"
            ) from None
        passphrase = self.private_key_passphrase
        try:
            key = serialization.load_pem_private_key(
                pem, passphrase.encode() if passphrase else None
            )
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise BadCredentials(
                f"the private key of {_CONNECTION} cannot be opened; give it as PEM, and with "
                "its passphrase only where it has one"
            ) from None
        return key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


class SnowflakeWarehouse:
    """A warehouse in a Snowflake database, in the schema ``landing``."""

    def __init__(
        self,
        connection: SnowflakeConnection,
        connect: Callable[..., Any] = snowflake.connector.connect,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.connection = connection
        self._connect = connect
        self._clock = clock

    def may_hold_rows(self) -> bool:
        return True  # only a look inside would tell

    @contextmanager
    def open(self, purpose: str) -> Iterator[SnowflakeSession]:
        arguments = self.connection.arguments(purpose)
        try:
            opened = self._connect(**arguments)
        except (sf.Error, OSError) as error:
            raise _login_refused(error) from None
        try:
            yield SnowflakeSession(opened, self._clock)
        finally:
            # Work that succeeded must not fail on the way out.
            with suppress(sf.Error, OSError):
                opened.close()

    @contextmanager
    def for_dbt(self, purpose: str) -> Iterator[DbtTarget]:
        # Nothing to wait for: dbt logs in by itself, beside whoever loads.
        yield DbtTarget("snowflake", self.connection.dbt_environment())


class SnowflakeSession(Session):
    """A logged-in session."""

    def __init__(self, connection: Any, clock: Callable[[], datetime]) -> None:
        self._connection = connection
        self._clock = clock

    # ------------------------------------------------------------------ tables

    def ensure(self, tables: Sequence[Table]) -> None:
        there: dict[str, dict[str, str]] = {}
        for row in self.query(
            "select table_name, column_name, data_type, numeric_scale "
            "from information_schema.columns where table_schema = ?",
            [SCHEMA.upper()],
        ):
            called = row["data_type"]
            if called == "NUMBER" and row["numeric_scale"]:
                called = f"NUMBER with {row['numeric_scale']} decimals"
            there.setdefault(row["table_name"], {})[row["column_name"]] = called
        self._sweep(there)
        # Asked first: the right to create schemas is rarely given once this one exists.
        if not there and not self.query(
            "select schema_name from information_schema.schemata where schema_name = ?",
            [SCHEMA.upper()],
        ):
            self._run(f"create schema if not exists {SCHEMA}", SCHEMA)
        for table in tables:
            name = table.name.upper()
            if name in there:
                self._extend(table, there[name])
            else:
                columns = ", ".join(f"{_q(c.name)} {_SQL[c.type]}" for c in table.columns)
                self._run(f"create table if not exists {_name(table)} ({columns})", table.qualified)
                # Two versions of a kit are two tables of one name.
                there[name] = {c.name.upper(): _CALLED[c.type] for c in table.columns}

    def _sweep(self, there: Iterable[str]) -> None:
        """Drop the staging tables of tasks that were killed, long after any could still load."""
        latest = f"{self._clock() - LEFT_BEHIND_AFTER:{_STAGING_TIME}}"
        for name in there:
            ours = _STAGING_NAME.fullmatch(name)
            if ours and ours[1] < latest:
                log.info("dropping %s.%s, which a task that was killed left behind", SCHEMA, name)
                self._drop(f"{SCHEMA}.{name}")

    def _extend(self, table: Table, there: dict[str, str]) -> None:
        for column in table.columns:
            found, wanted = there.get(column.name.upper()), _CALLED[column.type]
            if found is None:
                self._run(
                    f"alter table {_name(table)} add column if not exists "
                    f"{_q(column.name)} {_SQL[column.type]}",
                    table.qualified,
                )
            elif found != wanted:
                raise type_changed(table, column.name, found, wanted)

    # ------------------------------------------------------------------ landing

    def land(self, loads: Sequence[Load]) -> None:
        # All files before the first statement: a value of another type stops the whole batch.
        with tempfile.TemporaryDirectory(prefix="landing-") as folder:
            staged = [
                _write(load, Path(folder), _staging_name(self._clock()))
                for load in loads
                if load.rows
            ]
            if staged:
                self._land(staged)

    def _land(self, staged: Sequence[_Staged]) -> None:
        try:
            # Definitions commit on their own, so all of them come before the transaction.
            for each in staged:
                self._fill(each)
            self._merge(staged)
        finally:
            for each in staged:
                self._drop(each.name)

    def _fill(self, staged: _Staged) -> None:
        columns = ", ".join(f"{_q(c.name)} {_STAGED[c.type]}" for c in staged.load.table.columns)
        about = staged.load.table.qualified
        self._run(
            f"create transient table {staged.name} ({columns}, "
            f'"{_ROW_NUMBER}" number(38,0)) data_retention_time_in_days = 0',
            about,
        )
        # The table's own stage: dropping the table takes the file along, whatever went wrong.
        stage = staged.name.replace(".", ".%")
        self._run(f"put 'file://{staged.file.as_posix()}' @{stage} auto_compress = false", about)
        self._run(
            f"copy into {staged.name} from @{stage}/{staged.file.name} "
            "file_format = (type = parquet) match_by_column_name = case_insensitive "
            "on_error = abort_statement",
            about,
        )

    def remove(self, removals: Sequence[Removal], *, dry_run: bool = False) -> list[int]:
        counts: list[int] = []
        with self._in_one_transaction():
            for removal in removals:
                counting, (change, given) = removal.statements(_name(removal.table), _q)
                counts.append(self.query(*counting)[0]["n"] if removal.values else 0)
                if counts[-1] and not dry_run:
                    with self._cursor(change, _bound(given), removal.table.qualified):
                        pass
        return counts

    def _merge(self, staged: Sequence[_Staged]) -> None:
        with self._in_one_transaction():
            for each in staged:
                for statement in _merging(each):
                    self._run(statement, each.load.table.qualified)

    @contextmanager
    def _in_one_transaction(self) -> Iterator[None]:
        self._run("begin", "the landing tables")
        try:
            yield
            self._run("commit", "the landing tables")
        except BaseException:
            # A lost connection cannot roll back; Snowflake then does so by itself.
            with suppress(PipelineError):
                self._run("rollback", "the landing tables")
            raise

    def _drop(self, name: str) -> None:
        """Clear up, without hiding why the work failed."""
        try:
            self._run(f"drop table if exists {name}", name)
        except PipelineError as error:
            log.warning("the staging table %s is left behind: %s", name, error)

    # ------------------------------------------------------------------ statements

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        with self._cursor(sql, _bound(parameters), "a query") as cursor:
            described = cursor.description or []
            names = [str(column[0]).lower() for column in described]
            types = [snowflake.connector.constants.FIELD_ID_TO_NAME[c[1]] for c in described]
            return [
                {
                    name: _read(value, type_)
                    for name, value, type_ in zip(names, row, types, strict=True)
                }
                for row in cursor.fetchall()
            ]

    def find(
        self, table: Table, columns: Sequence[str], key: str, values: Sequence[str]
    ) -> list[dict[str, Any]]:
        marks = ", ".join("?" * len(values))
        return self.query(
            f"select {', '.join(columns)} from {table.qualified} where {key} in ({marks})", values
        )

    def _run(self, sql: str, about: str) -> None:
        with self._cursor(sql, None, about):
            pass

    @contextmanager
    def _cursor(self, sql: str, parameters: Sequence[Any] | None, about: str) -> Iterator[Any]:
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql, parameters)
            yield cursor
        except (sf.Error, OSError) as error:
            # Not chained: the vendor's own text may quote a value, so part of a transcript.
            raise _refused(error, about) from None
        finally:
            cursor.close()


@dataclass(frozen=True, slots=True)
class _Staged:
    """A load on its way: its file here, and its table there."""

    load: Load
    file: Path
    name: str


def _staging_name(now: datetime) -> str:
    return f"incoming_{now:{_STAGING_TIME}}_{uuid.uuid4().hex}"


def _write(load: Load, folder: Path, name: str) -> _Staged:
    """The rows as a Parquet file with our types: a value that does not fit is an error here."""
    rows = arrow(load)
    arrays = {
        c.name.upper(): rows[c.name].cast(pa.int64()) if c.type is Type.TIMESTAMP else rows[c.name]
        for c in load.table.columns
    }
    arrays[_ROW_NUMBER] = pa.array(range(len(rows)), type=pa.int64())
    file = folder / f"{name}.parquet"
    parquet.write_table(pa.table(arrays), file, compression="snappy")
    return _Staged(load, file, f"{SCHEMA}.{name}")


def _merging(staged: _Staged) -> list[str]:
    """What brings staged rows home: the removal of surplus rows, if any, then one merge."""
    table, load = staged.load.table, staged.load
    on = " and ".join(f"there.{_q(name)} = incoming.{_q(name)}" for name in table.key)
    statements = []
    if load.whole:
        whole = _q(load.whole)
        statements.append(
            f"delete from {_name(table)} as there where there.{whole} in "
            f"(select staged.{whole} from {staged.name} as staged) "
            f"and not exists (select 1 from {staged.name} as incoming where {on})"
        )
    values = ", ".join(
        _FROM_STAGED.get(c.type, "{}").format(f"staged.{_q(c.name)}") + f" as {_q(c.name)}"
        for c in table.columns
    )
    keys = ", ".join(f"staged.{_q(name)}" for name in table.key)
    guard = (
        f" and there.{_q(table.guard)} is distinct from incoming.{_q(table.guard)}"
        if table.guard
        else ""
    )
    others = [name for name in table.column_names if name not in table.key]
    statements.append(
        f"merge into {_name(table)} as there using ("
        f"select {values} from {staged.name} as staged qualify row_number() over "
        # A total order, so that a repeated key cannot fail the merge or change its outcome.
        f'(partition by {keys} order by staged."{_ROW_NUMBER}" desc) = 1'
        f") as incoming on {on} "
        f"when matched{guard} then update set "
        + ", ".join(f"{_q(name)} = incoming.{_q(name)}" for name in others)
        + " when not matched then insert ("
        + ", ".join(_q(name) for name in table.column_names)
        + ") values ("
        + ", ".join(f"incoming.{_q(name)}" for name in table.column_names)
        + ")"
    )
    return statements


def _q(name: str) -> str:
    """Quoted, for words that SQL reserves; upper-case, for queries that do not quote."""
    return f'"{name.upper()}"'


def _name(table: Table) -> str:
    return f"{SCHEMA}.{_q(table.name)}"


def _bound(parameters: Sequence[Any]) -> list[Any] | None:
    """Moments with their type: the connector would bind them without their time zone."""
    bound = [("TIMESTAMP_TZ", p) if isinstance(p, datetime) else p for p in parameters]
    return bound or None


def _read(value: Any, type_: str) -> Any:
    if type_ in _JSON_TYPES and isinstance(value, str):
        return orjson.loads(value)
    if isinstance(value, datetime):
        # Without a zone it is in the session's, and that is UTC.
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value


def _login_refused(error: Exception) -> PipelineError:
    number = getattr(error, "errno", None) or 0
    if isinstance(error, sf.ForbiddenError):
        return Misconfigured(
            f"Snowflake knows no such account, or lets this address not in; check the account "
            f"of {_CONNECTION} and the network policy"
        )
    if number in _LOGIN_OBJECTS:
        return Misconfigured(
            f"Snowflake has no such role, warehouse or database for this user (error {number}); "
            f"check them in {_CONNECTION}"
        )
    if number in _NETWORK_POLICY:
        return Misconfigured(
            f"Snowflake does not let this address in (error {number}); have its network policy "
            f"allow it for the user of {_CONNECTION}"
        )
    if number in _NO_CREDIT:
        return Misconfigured(
            f"the Snowflake account of {_CONNECTION} is suspended (error {number}); see its billing"
        )
    if number in _USER_LOCKED:
        return Misconfigured(
            f"Snowflake has locked the user of {_CONNECTION} after wrong logins (error {number}); "
            "find out who logs in with an old credential, and wait or have it unlocked"
        )
    if number in _SESSION_ENDED:
        return TryAgain(f"Snowflake ended the login (error {number}); try again")
    if number // 10_000 == 39:
        return BadCredentials(
            f"Snowflake refused the login (error {number}); renew the credential of {_CONNECTION}"
        )
    if number // 1000 == 251 and isinstance(error, (sf.ProgrammingError, sf.InterfaceError)):
        return Misconfigured(
            f"the Snowflake connection is incomplete (error {number}); check account, login and "
            f"credential of {_CONNECTION}"
        )
    return TryAgain(f"Snowflake cannot be reached ({_told(error)}); try again a little later")


def _refused(error: Exception, about: str) -> PipelineError:
    number = getattr(error, "errno", None) or 0
    told = _told(error)
    if number in _NO_PRIVILEGE:
        return Misconfigured(
            f"{about}: the role of {_CONNECTION} lacks a privilege ({told}); grant it usage on "
            f"database and warehouse, and all on schema {SCHEMA} and its tables"
        )
    if number in _MISSING:
        return Misconfigured(
            f"{about}: something is missing, or hidden from the role of {_CONNECTION} ({told}); "
            "check database, schema and grants"
        )
    if number in _NO_WAREHOUSE:
        return Misconfigured(
            f"{about}: no virtual warehouse is running for it ({told}); name one in "
            f"{_CONNECTION}, resume it, and check its resource monitor"
        )
    if number in _SESSION_ENDED or number in _PASSING:
        return TryAgain(f"{about}: Snowflake ended the statement ({told}); try again")
    if not isinstance(error, (sf.ProgrammingError, sf.IntegrityError, sf.DataError)):
        return TryAgain(f"{about}: Snowflake did not answer ({told}); try again a little later")
    return Misconfigured(
        f"{about}: Snowflake refused the statement ({told}); its query history says why"
    )


def _told(error: Exception) -> str:
    """Which error it was, without the text: that may quote a value."""
    number = getattr(error, "errno", None)
    known = [f"error {number}"] if number and number > 0 else [type(error).__name__]
    query = getattr(error, "sfqid", None)
    if query and re.fullmatch(r"[0-9a-f-]{30,40}", str(query)):
        known.append(f"query {query}")
    return ", ".join(known)
