"""Makes the emulator take the statements that Snowflake takes.

They are sent as Snowflake would get them, by the pipeline and by dbt; whatever the emulator
cannot do with them is mended here, on its side of the wire, and nowhere else.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from typing import Any

import duckdb
import fakesnow.arrow
import fakesnow.server
import fakesnow.transforms
import pyarrow as pa
import sqlglot
import walks
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.transforms.merge import operations
from snowflake.connector.errors import ProgrammingError
from sqlglot import Expr, exp
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

# Snowflake's number for two rows of a source that want to change one row.
DUPLICATE_ROW = 100090
# What DuckDB refuses and the emulator has no number for. Not one of Snowflake's.
REFUSED = 999999
DEFINITIONS = (exp.Create, exp.Drop, exp.Alter)
DONE = "select 'Statement executed successfully.' as status"

transform_before = FakeSnowflakeCursor._transform
execute_before = FakeSnowflakeCursor._execute
command_before = FakeSnowflakeCursor.execute
close_before = FakeSnowflakeConnection.close
login_before = fakesnow.server.login_request
query_before = fakesnow.server.query_request
moments_before = fakesnow.arrow.timestamp_to_sf_struct
described_before = FakeSnowflakeCursor._describe_last_sql
created_before = fakesnow.transforms.create_table_as


class Session:
    """What the emulator forgets of a session."""

    def __init__(self) -> None:
        self.parameters: dict[str, str] = {}
        self.drops: list[str] = []
        self.in_transaction = False


class Sessions(dict[str, FakeSnowflakeConnection]):
    """The emulator's sessions by token; it forgets to close those that log out."""

    def __delitem__(self, token: str) -> None:
        self[token].close()
        super().__delitem__(token)


OPEN: dict[FakeSnowflakeConnection, Session] = {}
EXPIRED: set[str] = set()
LOGINS: list[dict[str, Any]] = []
STATEMENTS: list[dict[str, str]] = []


def session_of(connection: FakeSnowflakeConnection) -> Session:
    return OPEN.setdefault(connection, Session())


# ---------------------------------------------------------------------- sessions


async def login(request: Request) -> JSONResponse:
    """As before, and remembered, with the parameters that came along."""
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    told = json.loads(body)["data"]
    answer = json.loads(bytes((await login_before(request)).body))
    # Without this second token the connector never logs out.
    answer["data"]["masterToken"] = token = answer["data"]["token"]
    parameters = {name: str(value) for name, value in told["SESSION_PARAMETERS"].items()}
    session_of(fakesnow.server.sessions[token]).parameters.update(parameters)
    asked = request.query_params
    LOGINS.append(
        {
            "user": told.get("LOGIN_NAME"),
            "authenticator": told.get("AUTHENTICATOR"),
            "application": told.get("CLIENT_ENVIRONMENT", {}).get("APPLICATION"),
            "role": asked.get("roleName"),
            "warehouse": asked.get("warehouse"),
            "database": asked.get("databaseName"),
            "query_tag": parameters.get("QUERY_TAG", ""),
            "query_seconds": parameters.get("STATEMENT_TIMEOUT_IN_SECONDS"),
        }
    )
    return JSONResponse(answer)


def command(self: FakeSnowflakeCursor, sql: str, *args: Any, **kwargs: Any) -> FakeSnowflakeCursor:
    """Each statement that came over the wire, with the tag of its session, as in the history."""
    if kwargs.get("server"):
        tag = session_of(self._conn).parameters.get("QUERY_TAG", "")
        database = self._conn.database or ""
        STATEMENTS.append({"database": database, "query_tag": tag, "sql": sql})
    try:
        return command_before(self, sql, *args, **kwargs)
    except duckdb.Error as error:
        # The emulator would answer 500, which the connector takes for a passing trouble.
        told = str(error).split("\n")[0]
        raise ProgrammingError(msg=told, errno=REFUSED, sqlstate="22000") from error


def close(self: FakeSnowflakeConnection, retry: bool = True) -> None:
    session = session_of(self)
    if session.in_transaction:
        self._duck_conn.rollback()
        session.in_transaction = False
    for drop in session.drops:
        self.cursor().execute(drop)
    del OPEN[self]
    self.results_cache.clear()
    close_before(self, retry)


async def expire(request: Request) -> JSONResponse:
    """End the sessions of one database, as when nobody used them for hours."""
    database = request.path_params["database"].upper()
    ended = [t for t, each in fakesnow.server.sessions.items() if each.database == database]
    for token in ended:
        del fakesnow.server.sessions[token]
        EXPIRED.add(token)
    return JSONResponse({"expired": len(ended)})


async def query(request: Request) -> JSONResponse:
    """As before; but who asks by an expired token is told of it in Snowflake's own way."""
    if fakesnow.server.to_token(request) in EXPIRED:
        return _refused("390112", "Session token has expired.")
    return await query_before(request)


async def renew(request: Request) -> JSONResponse:
    """The connector asks for a new token by its second one, which has expired as well."""
    return _refused("390114", "Authentication token has expired.")


def _refused(code: str, message: str) -> JSONResponse:
    return JSONResponse({"data": None, "code": code, "message": message, "success": False})


async def history(request: Request) -> JSONResponse:
    """What was said to one database: logins and statements, oldest first."""
    database = request.path_params["database"].upper()
    return JSONResponse(
        {
            "logins": [each for each in LOGINS if str(each["database"]).upper() == database],
            "statements": [each for each in STATEMENTS if each["database"] == database],
        }
    )


# ---------------------------------------------------------------------- statements


def transform(self: FakeSnowflakeCursor, expression: Expr, params: Any) -> Expr:
    session = session_of(self._conn)
    if isinstance(expression, exp.Alter) and expression.args.get("kind") == "SESSION":
        told = {
            each.this.name.upper(): each.expression.name for each in expression.find_all(exp.EQ)
        }
        if "AUTOCOMMIT" not in told:
            session.parameters.update(told)
            return sqlglot.parse_one(DONE)
    temporary = isinstance(expression, exp.Create) and expression.find(exp.TemporaryProperty)
    if temporary:
        # DuckDB's temporary tables have no schema. Made like any other, and dropped at the end.
        temporary.pop()
        name = expression.find(exp.Table).sql(dialect="snowflake")
        session.drops.append(f"drop {expression.args['kind']} if exists {name}")
    with walks.KNOWN.set(is_between=True):
        return _texts_of_variants(transform_before(self, expression, params))


def _texts_of_variants(expression: Expr) -> Expr:
    """``as_varchar``, which the emulator lacks: the text that a JSON string is."""
    for call in list(expression.find_all(exp.Anonymous)):
        if call.name.upper() == "AS_VARCHAR":
            text = call.expressions[0].sql(dialect="duckdb")
            call.replace(sqlglot.parse_one(f"({text} ->> '$')", read="duckdb"))
    return expression


def execute(self: FakeSnowflakeCursor, transformed: Expr, params: Any = None) -> None:
    session = session_of(self._conn)
    if session.in_transaction and isinstance(transformed, DEFINITIONS):
        self._duck_conn.commit()  # as Snowflake does before a definition
        session.in_transaction = False
    if isinstance(transformed, exp.Merge):
        transformed, params = _merged(self, transformed, params), None
    execute_before(self, transformed, params)
    if isinstance(transformed, exp.Transaction):
        session.in_transaction = True
    elif isinstance(transformed, exp.Commit | exp.Rollback):
        session.in_transaction = False


def created(expression: Expr, duck: duckdb.DuckDBPyConnection) -> Expr:
    """A table made of a ``select *``: the emulator would ask for its columns in another dialect."""
    query = expression.expression if isinstance(expression, exp.Create) else None
    query = query.unnest() if isinstance(query, exp.Subquery) else query
    if (
        isinstance(query, exp.Select)
        and isinstance(expression.this, exp.Schema)
        and any(isinstance(each, exp.Star) for each in query.expressions)
    ):
        described = duck.execute(f"describe {query.sql(dialect='duckdb')}").fetchall()
        query.set("expressions", [exp.column(exp.to_identifier(name)) for name, *_ in described])
    return created_before(expression, duck)


def _merged(cursor: FakeSnowflakeCursor, merge: exp.Merge, params: Any) -> Expr:
    """DuckDB's own MERGE: all of it or nothing, also within a transaction.

    The emulator's is four statements, and stages its rows in a second database, which DuckDB
    refuses within a transaction.
    """
    target, source, on = (
        each.sql(dialect="duckdb") for each in (merge.this, merge.args["using"], merge.args["on"])
    )
    twice = (
        f"select count(*) from (select 1 from {target} join {source} on {on} "
        f'group by "{merge.this.alias_or_name}".rowid having count(*) > 1)'
    )
    duck = cursor._duck_conn
    if duck.execute(twice, params).fetchall()[0][0]:
        told = "Duplicate row detected during DML action"
        raise ProgrammingError(msg=told, errno=DUPLICATE_ROW, sqlstate="42P18")
    changed = duck.execute(f"{merge.sql(dialect='duckdb')} returning merge_action", params)
    done = Counter(action for (action,) in changed.fetchall())
    of = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}
    counts = sqlglot.parse_one(
        "select "
        + ", ".join(
            f'{done[of[called]]} as "number of rows {called}"'
            for called, whens in operations(merge).items()
            if whens
        ),
        read="duckdb",
    )
    counts.set("merge_counts", True)
    return counts


# ---------------------------------------------------------------------- results


def described(self: FakeSnowflakeCursor) -> list[Any]:
    """The last result's columns. The emulator would parse its own SQL anew to ask for them."""
    if self._last_sql is None or not self._last_sql.lower().startswith(("select", "with")):
        return list(described_before(self))
    asked = self._duck_conn.execute(f"describe {self._last_sql}", self._last_params)
    return list(asked.fetchall())


def with_nulls(moments: Any) -> Any:
    """The emulator sends a null moment as 1970-01-01; Snowflake sends a null."""
    sent = moments_before(moments)
    plain = moments.combine_chunks() if isinstance(moments, pa.ChunkedArray) else moments
    sent = sent.combine_chunks() if isinstance(sent, pa.ChunkedArray) else sent
    return pa.StructArray.from_arrays(
        [sent.field(n) for n in range(sent.type.num_fields)],
        fields=list(sent.type),
        mask=plain.is_null(),
    )


def apply() -> None:
    """Put all of it in place."""
    walks.apply()
    FakeSnowflakeCursor._describe_last_sql = described
    FakeSnowflakeCursor._transform = transform
    FakeSnowflakeCursor._execute = execute
    FakeSnowflakeCursor.execute = command
    FakeSnowflakeConnection.close = close
    fakesnow.transforms.create_table_as = created
    fakesnow.transforms.merge = lambda expression: [expression]
    fakesnow.arrow.timestamp_to_sf_struct = with_nulls
    fakesnow.server.sessions = Sessions()
    routes = fakesnow.server.app.router.routes
    routes.insert(0, Route("/session/v1/login-request", login, methods=["POST"]))
    routes.insert(0, Route("/queries/v1/query-request", query, methods=["POST"]))
    routes.append(Route("/session/token-request", renew, methods=["POST"]))
    routes.append(Route("/emulated/{database}/expire", expire, methods=["POST"]))
    routes.append(Route("/emulated/{database}", history, methods=["GET"]))
