"""What is said to Snowflake, and what is made of its errors. The connection is a recording."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
import snowflake.connector.errors as sf
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from unit.support import NOON
from unit.warehouse.emulator import PASSWORD, emulated

from semarize_pipeline.errors import BadCredentials, Misconfigured, PipelineError, TryAgain
from semarize_pipeline.warehouse.port import Load
from semarize_pipeline.warehouse.snowflake import SnowflakeConnection, SnowflakeWarehouse
from semarize_pipeline.warehouse.tables import Column, Table, Type, utterances

SECRET = "hunter2-hunter2"
CONNECTION = SnowflakeConnection(
    account="acme-eu", user="LOADER", database="CALLS", warehouse="LOADING", password=SECRET
)
THINGS = Table(
    "things",
    (
        Column("id", Type.TEXT),
        Column("part", Type.INTEGER),
        Column("at", Type.TIMESTAMP),
        Column("raw", Type.JSON),
        Column("hash", Type.TEXT),
    ),
    ("id", "part"),
    "hash",
)
ROW = {"id": "a", "part": 1, "at": NOON, "raw": {"x": 1}, "hash": "h"}


class Recorded:
    """The far side: keeps what it was told, and fails where the test says so."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.bound: list[Any] = []
        self.files: list[Any] = []
        self.fails: Callable[[str], Exception | None] = lambda sql: None
        self.arguments: dict[str, Any] = {}
        self.closed = 0
        self.description: list[Any] = []
        self.finds: list[Any] = []

    def connect(self, **arguments: Any) -> Recorded:
        self.arguments = arguments
        return self

    def cursor(self) -> Recorded:
        return self

    def execute(self, sql: str, parameters: Any = None) -> None:
        self.said.append(sql)
        self.bound.append(parameters)
        if sql.startswith("put "):
            self.files.append(parquet.read_table(sql.split("'")[1].removeprefix("file://")))
        failed = self.fails(sql)
        if failed:
            raise failed

    def fetchall(self) -> list[Any]:
        return self.finds

    def close(self) -> None:
        self.closed += 1

    def verbs(self) -> list[str]:
        return [" ".join(sql.split()[:2]) if sql not in BRACKETS else sql for sql in self.said]


BRACKETS = ("begin", "commit", "rollback")


@pytest.fixture
def far() -> Recorded:
    return Recorded()


def land(far: Recorded, *loads: Load) -> None:
    warehouse = SnowflakeWarehouse(CONNECTION, connect=far.connect)
    with warehouse.open("a test") as session:
        session.land(loads)


SAID = utterances("gong")
TWO = (
    Load(THINGS, [ROW, {**ROW, "part": 2}]),
    Load(SAID, [{"conversation_id": "c", "position": 0}], whole="conversation_id"),
)


# ---------------------------------------------------------------------- the load path


def test_definitions_come_before_the_transaction_and_all_changes_within(far: Recorded) -> None:
    land(far, *TWO)
    filling = ["create transient", "put", "copy into"]
    told = [verb if not verb.startswith("put") else "put" for verb in far.verbs()]
    assert told == [
        *filling,
        *filling,
        "begin",
        "merge into",
        "delete from",
        "merge into",
        "commit",
        "drop table",
        "drop table",
    ]


def test_nothing_is_said_without_rows(far: Recorded) -> None:
    land(far, Load(THINGS, []))
    assert far.said == []


@pytest.mark.parametrize("where", ["create transient", "put ", "copy into", "delete", "commit"])
def test_a_failure_rolls_back_and_leaves_no_staging_table(far: Recorded, where: str) -> None:
    far.fails = lambda sql: (
        sf.ProgrammingError(msg="refused", errno=100038) if sql.startswith(where) else None
    )
    with pytest.raises(Misconfigured, match=r"landing\.|landing tables"):
        land(far, *TWO)
    begun = "begin" in far.said
    assert begun == (where in ("delete", "commit"))
    assert ("rollback" in far.said) == begun
    made = {sql.split()[3] for sql in far.said if sql.startswith("create transient")}
    dropped = {sql.split()[-1] for sql in far.said if sql.startswith("drop table if exists")}
    assert made
    assert made <= dropped
    if begun:
        assert far.said.index("rollback") < next(
            n for n, sql in enumerate(far.said) if sql.startswith("drop")
        )


def test_a_failing_rollback_or_drop_does_not_hide_the_cause(
    far: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    far.fails = lambda sql: (
        sf.OperationalError(msg="gone", errno=250003)
        if sql.startswith(("merge", "rollback", "drop"))
        else None
    )
    with pytest.raises(TryAgain, match=r"landing\.things"):
        land(far, *TWO)
    assert "is left behind" in caplog.text


def test_each_load_has_a_staging_table_of_its_own(far: Recorded) -> None:
    land(far, *TWO)
    land(far, *TWO)
    made = [sql.split()[3] for sql in far.said if sql.startswith("create transient")]
    assert len(set(made)) == len(made) == 4
    for name in made:
        stage = f"@{name.replace('.', '.%')}"
        assert sum(stage in sql for sql in far.said if sql.startswith(("put", "copy"))) == 2


def test_the_merge_in_full(far: Recorded) -> None:
    land(far, TWO[0])
    (merge,) = [sql for sql in far.said if sql.startswith("merge")]
    (staging,) = [sql.split()[3] for sql in far.said if sql.startswith("create")]
    assert merge == (
        'merge into landing."THINGS" as there using (select staged."ID" as "ID", '
        'staged."PART" as "PART", to_timestamp_tz(staged."AT", 6) as "AT", '
        'parse_json(staged."RAW") as "RAW", staged."HASH" as "HASH" '
        f"from {staging} as staged qualify row_number() over "
        '(partition by staged."ID", staged."PART" order by staged."_ROW_NUMBER" desc) = 1) '
        'as incoming on there."ID" = incoming."ID" and there."PART" = incoming."PART" '
        'when matched and there."HASH" is distinct from incoming."HASH" then update set '
        '"AT" = incoming."AT", "RAW" = incoming."RAW", "HASH" = incoming."HASH" '
        'when not matched then insert ("ID", "PART", "AT", "RAW", "HASH") values '
        '(incoming."ID", incoming."PART", incoming."AT", incoming."RAW", incoming."HASH")'
    )


def test_surplus_rows_are_those_of_the_same_conversations_alone(far: Recorded) -> None:
    land(far, TWO[1])
    (delete,) = [sql for sql in far.said if sql.startswith("delete")]
    (staging,) = [sql.split()[3] for sql in far.said if sql.startswith("create")]
    assert delete == (
        'delete from landing."GONG__UTTERANCES" as there where there."CONVERSATION_ID" in '
        f'(select staged."CONVERSATION_ID" from {staging} as staged) and not exists '
        f"(select 1 from {staging} as incoming where "
        'there."CONVERSATION_ID" = incoming."CONVERSATION_ID" and '
        'there."POSITION" = incoming."POSITION")'
    )


def test_the_file_has_our_types_and_a_row_number(far: Recorded) -> None:
    land(far, Load(THINGS, [ROW, {**ROW, "part": 2, "at": None}]))
    (file,) = far.files
    assert {field.name: str(field.type) for field in file.schema} == {
        "ID": "string",
        "PART": "int64",
        "AT": "int64",
        "RAW": "string",
        "HASH": "string",
        "_ROW_NUMBER": "int64",
    }
    assert file["AT"].to_pylist() == [int(NOON.timestamp()) * 1_000_000, None]
    assert file["_ROW_NUMBER"].to_pylist() == [0, 1]


def test_a_value_of_another_type_stops_before_the_first_statement(far: Recorded) -> None:
    with pytest.raises(Exception, match="int"):
        land(far, TWO[1], Load(THINGS, [{**ROW, "part": "many"}]))
    assert far.said == []


def test_moments_are_bound_with_their_zone(far: Recorded) -> None:
    with SnowflakeWarehouse(CONNECTION, connect=far.connect).open("a test") as session:
        session.query("select 1 where ? > ?", [NOON, "x"])
    assert far.bound == [[("TIMESTAMP_TZ", NOON), "x"]]


# ---------------------------------------------------------------------- the connection


def test_what_is_always_set(far: Recorded) -> None:
    purpose = "conversations__gong/run 1/extract: " + "x" * 3000
    with SnowflakeWarehouse(CONNECTION, connect=far.connect).open(purpose):
        assert far.closed == 0
    assert far.closed == 1
    told = far.arguments
    assert 0 < told["login_timeout"] <= 120
    assert 0 < told["network_timeout"] <= 900
    assert told["autocommit"] is True
    assert told["paramstyle"] == "qmark"
    assert told["session_parameters"]["TIMEZONE"] == "UTC"
    assert told["session_parameters"]["QUERY_TAG"] == purpose[:2000]
    assert "role" not in told, "what is not given is the account's own default"


@pytest.mark.parametrize("passphrase", [None, "a passphrase"])
@pytest.mark.parametrize("as_file", [True, False])
def test_a_key_is_handed_over_as_der(
    far: Recorded, tmp_path: Path, passphrase: str | None, as_file: bool
) -> None:
    key = rsa.generate_private_key(65537, 2048)
    locked: Any = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked
    ).decode()
    path = tmp_path / "key.p8"
    path.write_text(pem)
    told = replace(
        CONNECTION,
        password=None,
        private_key=str(path) if as_file else pem,
        private_key_passphrase=passphrase,
    )
    with SnowflakeWarehouse(told, connect=far.connect).open("a test"):
        pass
    found = serialization.load_der_private_key(far.arguments["private_key"], None)
    assert isinstance(found, rsa.RSAPrivateKey)
    assert found.private_numbers() == key.private_numbers()
    assert far.arguments["authenticator"] == "SNOWFLAKE_JWT"
    assert "password" not in far.arguments
    wrong = replace(told, private_key_passphrase="wrong" if passphrase else "surplus")
    with pytest.raises(BadCredentials, match="warehouse_default") as caught:
        wrong.arguments("a test")
    assert pem not in f"{caught.value!r}{wrong!r}"


def test_other_credentials(tmp_path: Path) -> None:
    told = replace(CONNECTION, password=None, oauth_token=SECRET).arguments("a test")
    assert (told["token"], told["authenticator"]) == (SECRET, "oauth")
    with pytest.raises(Misconfigured, match="no credential"):
        replace(CONNECTION, password=None).arguments("a test")
    with pytest.raises(Misconfigured, match="cannot be read"):
        replace(CONNECTION, private_key=tmp_path / "none").arguments("a test")


def test_dbt_is_let_in_without_a_login_of_ours(far: Recorded) -> None:
    """Nothing is held for it: loads go on beside it."""
    warehouse = SnowflakeWarehouse(CONNECTION, connect=far.connect)
    with warehouse.for_dbt("a test") as target, warehouse.for_dbt("beside it"):
        assert target.name == "snowflake"
    assert far.arguments == {}
    with pytest.raises(Misconfigured, match="no credential"):
        SnowflakeWarehouse(replace(CONNECTION, password=None)).for_dbt("a test").__enter__()


# ---------------------------------------------------------------------- errors

LOGIN = [
    (sf.DatabaseError(msg=f"Incorrect {SECRET}", errno=390100), BadCredentials),
    (sf.DatabaseError(msg=f"JWT token is invalid {SECRET}", errno=394304), BadCredentials),
    (sf.DatabaseError(msg="Invalid OAuth access token", errno=390303), BadCredentials),
    (sf.DatabaseError(msg="role", errno=390189), Misconfigured),
    (sf.DatabaseError(msg="IP 10.0.0.1 is not allowed", errno=390422), Misconfigured),
    (sf.DatabaseError(msg="free trial has ended", errno=390913), Misconfigured),
    (sf.DatabaseError(msg="User temporarily locked", errno=390102), Misconfigured),
    (sf.DatabaseError(msg="master token expired", errno=390114), TryAgain),
    (sf.ForbiddenError(msg="403", errno=250001), Misconfigured),
    (sf.ProgrammingError(msg="no user", errno=251005), Misconfigured),
    (sf.OperationalError(msg="no answer", errno=250001), TryAgain),
    (sf.ServiceUnavailableError(msg="503", errno=250001), TryAgain),
    (ConnectionResetError("reset"), TryAgain),
]


@pytest.mark.parametrize(("error", "expected"), LOGIN, ids=repr)
def test_a_refused_login(error: Exception, expected: type[PipelineError]) -> None:
    def refuse(**_: Any) -> Any:
        raise error

    with (
        pytest.raises(PipelineError) as caught,
        SnowflakeWarehouse(CONNECTION, connect=refuse).open("a test"),
    ):
        pass
    assert type(caught.value) is expected
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert SECRET not in str(caught.value)
    if expected is not TryAgain:
        assert "warehouse_default" in str(caught.value)


STATEMENT = [
    (sf.ProgrammingError(msg="Object", errno=2003), Misconfigured, "missing"),
    (sf.ProgrammingError(msg="privileges", errno=3001), Misconfigured, "grant"),
    (sf.ProgrammingError(msg="No active warehouse", errno=606), Misconfigured, "resume"),
    (sf.ProgrammingError(msg="quota", errno=90073), Misconfigured, "resource monitor"),
    (sf.ProgrammingError(msg="No such table", errno=1757), Misconfigured, "missing"),
    (sf.ProgrammingError(msg="lock", errno=625), TryAgain, "try again"),
    (sf.ProgrammingError(msg="suspended", errno=608), TryAgain, "try again"),
    (sf.ProgrammingError(msg="time limit", errno=630), TryAgain, "try again"),
    (sf.ProgrammingError(msg="no session", errno=390113), TryAgain, "try again"),
    (sf.ProgrammingError(msg="session expired", errno=390112), TryAgain, "try again"),
    (sf.OperationalError(msg="network", errno=250003), TryAgain, "did not answer"),
    (sf.InternalServerError(msg="500"), TryAgain, "did not answer"),
    (TimeoutError("slow"), TryAgain, "did not answer"),
    (sf.ProgrammingError(msg="Error parsing JSON", errno=100069), Misconfigured, "history"),
]


@pytest.mark.parametrize(("error", "expected", "remedy"), STATEMENT, ids=repr)
def test_a_refused_statement_names_the_remedy_and_no_content(
    far: Recorded, error: Exception, expected: type[PipelineError], remedy: str
) -> None:
    error.args = (*error.args, "Ann: my number is")
    if isinstance(error, sf.Error):
        error.msg = f"{error.msg}: 'Ann: my number is'"
    far.fails = lambda sql: error if sql.startswith("merge") else None
    with pytest.raises(expected, match=remedy) as caught:
        land(far, TWO[0])
    assert "landing.things" in str(caught.value)
    assert "Ann" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


# ---------------------------------------------------------------------- over the wire


def test_no_credential_in_any_log_record(emulator: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    warehouse = emulated(emulator, "LOGGED")
    with warehouse.open("a test") as session:
        session.ensure([THINGS])
        session.land([Load(THINGS, [ROW])])
        assert session.query('select id, "at" from landing.things') == [{"id": "a", "at": NOON}]
    assert any(record.name.startswith("snowflake.connector") for record in caplog.records)
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(warehouse.connection)


def test_staging_tables_are_gone_afterwards(emulator: int) -> None:
    with emulated(emulator, "CLEARED").open("a test") as session:
        session.ensure([THINGS])
        session.land([Load(THINGS, [ROW, {**ROW, "at": NOON + timedelta(hours=1)}])])
        found = session.query(
            "select table_name from information_schema.tables where table_schema = ?", ["LANDING"]
        )
        assert found == [{"table_name": "THINGS"}]


def staging(age: timedelta) -> str:
    return f"INCOMING_{datetime.now(UTC) - age:%Y%m%d%H%M%S}_{uuid.uuid4().hex.upper()}"


def test_what_a_killed_task_left_is_swept_and_nothing_else(emulator: int) -> None:
    left, loading = staging(timedelta(hours=25)), staging(timedelta(hours=23))
    others = [loading, "INCOMING_ORDERS", f"INCOMING_{'9' * 14}", f"MY_{left}", f"{left}_1"]
    with emulated(emulator, f"SWEPT_{uuid.uuid4().hex}").open("a test") as session:
        session.ensure([THINGS])
        for name in (left, *others):
            session.query(f"create table landing.{name} (id varchar)")
        session.ensure([THINGS])
        found = session.query(
            "select table_name from information_schema.tables where table_schema = ?", ["LANDING"]
        )
        assert {row["table_name"] for row in found} == {"THINGS", *others}


def test_what_was_staged_is_known_again_a_day_later(far: Recorded) -> None:
    now = NOON
    warehouse = SnowflakeWarehouse(CONNECTION, connect=far.connect, clock=lambda: now)
    with warehouse.open("a test") as session:
        session.land(TWO)
        names = [sql.split()[3].upper() for sql in far.said if sql.startswith("create")]
        far.description = [(name, 2) for name in ("table_name", "column_name", "data_type", "x")]
        far.description[-1] = ("numeric_scale", 0)
        far.finds = [(name.split(".")[1], "ID", "TEXT", None) for name in names]
        far.said.clear()
        session.ensure([])
        assert not [sql for sql in far.said if sql.startswith("drop")], "it may still be loading"
        now += timedelta(hours=25)
        far.fails = lambda sql: (
            sf.ProgrammingError(msg="not yours", errno=3001) if sql.startswith("drop") else None
        )
        session.ensure([])
    dropped = [sql.split()[-1].upper() for sql in far.said if sql.startswith("drop")]
    assert dropped == names, "and one that cannot be dropped does not stop the work"


def test_a_server_that_is_gone_is_worth_another_try() -> None:
    warehouse = emulated(1, "GONE")
    short = SnowflakeWarehouse(replace(warehouse.connection, login_timeout_seconds=1))
    with pytest.raises(TryAgain, match="cannot be reached"), short.open("a test"):
        pass
