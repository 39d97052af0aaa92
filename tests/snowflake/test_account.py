"""What only a Snowflake account can show: roles, policies, the history, transactions."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from unit.support import NOON

from semarize_pipeline.dbt_build import Build, DbtBuild
from semarize_pipeline.errors import Misconfigured, PipelineError
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Load, Session
from semarize_pipeline.warehouse.snowflake_setup import existing, landing_tables, statements
from semarize_pipeline.warehouse.tables import Column, Table, Type

ROOT = Path(__file__).resolve().parents[2]
WORDS = "Ann: what we said is nobody's business"


@pytest.fixture
def session(far: Any) -> Iterator[Session]:
    with far.session() as opened:
        yield opened


def table(*more: Column) -> Table:
    """A table that no other test has."""
    columns = (Column("id", Type.TEXT), Column("value", Type.TEXT), Column("at", Type.TIMESTAMP))
    return Table(f"things_{uuid.uuid4().hex[:12]}", (*columns, *more), ("id",))


def row(id_: str, value: str = "v", at: datetime = NOON) -> dict[str, Any]:
    return {"id": id_, "value": value, "at": at}


def values(session: Session, wanted: Table) -> dict[str, str]:
    found = session.query(f'select id, "VALUE" from landing.{wanted.name}')
    assert len({r["id"] for r in found}) == len(found), "a key is there twice"
    return {r["id"]: r["value"] for r in found}


# ---------------------------------------------------------------------- the set-up


def state(session: Session, far: Any) -> dict[str, Any]:
    """The grants of every role and the objects of the database, without their dates."""
    kept = ("privilege", "granted_on", "name", "grant_on", "owner", "retention_time", "comment")
    asked = [f"show grants to role {v}" for n, v in far.names.items() if n.endswith("_role")]
    database = far.names["database"]
    asked += [f"show schemas in database {database}", f"show tables in database {database}"]
    asked += [f"show future grants in schema {database}.{name}" for name in ("landing", "marts")]
    return {
        each: sorted(
            str({n: v for n, v in found.items() if n in kept}) for found in session.query(each)
        )
        for each in asked
    }


@pytest.mark.emulator_cannot(
    "has neither roles nor grants, and refuses most of the set-up", raises=AssertionError
)
def test_the_set_up_is_accepted_and_once_more_changes_nothing(far: Any) -> None:
    assert not far.refused
    with far.session("admin") as session:
        before = state(session, far)
        for each in statements(far.names, masking=far.masking):
            session.query(each.sql)
        session.query("use role accountadmin")
        assert state(session, far) == before
    assert sum(len(found) for found in before.values()) > 30


@pytest.mark.emulator_cannot("has no roles to show", raises=AssertionError)
def test_the_plan_finds_all_that_it_made(far: Any) -> None:
    wanted = statements(far.names, masking=far.masking)
    made = [m for each in wanted if (m := each.makes(far.names["database"]))]
    with far.session("admin") as session:
        found = existing(session, made)
    assert [each for each, there in found.items() if there is not True] == []


MAY = [
    ("pipeline", "create table landing.{new} (n number)"),
    ("pipeline", "create table marts.{new} (n number)"),
    ("pipeline", "create view staging.{new} as select load_id from landing.loads"),
    ("loader", "create transient table landing.{new} (n number)"),
    ("loader", "select count(*) from landing.loads"),
    ("transformer", "select count(*) from landing.loads"),
    ("transformer", "create table staging.{new} (n number)"),
    ("transformer", "create view intermediate.{new} as select load_id from landing.loads"),
]
MAY_NOT = [
    ("reporter", "select count(*) from landing.loads"),
    ("reporter", "select count(*) from landing.semarize__signals"),
    ("reporter", "create table marts.{new} (n number)"),
    ("transformer", "insert into landing.loads (load_id) select 'x' where false"),
    ("transformer", "create table landing.{new} (n number)"),
    ("loader", "create table marts.{new} (n number)"),
    ("pipeline", "create schema {new}"),
    ("pipeline", "grant select on table landing.loads to role {reporter}"),
]


EVERYBODY_MAY = pytest.mark.emulator_cannot(
    "lets everybody do everything", raises=pytest.fail.Exception
)


def fill(far: Any, sql: str) -> str:
    return sql.format(new=f"n_{uuid.uuid4().hex[:12]}", reporter=far.names["reporter_role"])


@pytest.mark.parametrize(("role", "sql"), MAY)
def test_what_a_role_may(far: Any, role: str, sql: str) -> None:
    with far.session(role) as session:
        session.query(fill(far, sql))


@pytest.mark.parametrize(
    ("role", "sql"),
    [
        # The emulator refuses a grant, whoever makes it.
        each if each[1].startswith("grant") else pytest.param(*each, marks=EVERYBODY_MAY)
        for each in MAY_NOT
    ],
)
def test_what_a_role_may_not(far: Any, role: str, sql: str) -> None:
    with far.session(role) as session, pytest.raises(Misconfigured):
        session.query(fill(far, sql))


# ---------------------------------------------------------------------- landing


def test_a_batch_lands_whole_or_not_at_all(session: Session) -> None:
    one, two, missing = table(), table(), table()
    session.ensure([one, two])
    session.land([Load(one, [row("a")]), Load(two, [row("a")])])
    with pytest.raises(PipelineError):
        session.land(
            [
                Load(one, [row("a", "changed"), row("b")]),
                Load(two, [row("a", "changed")], whole="id"),
                Load(missing, [row("a")]),
            ]
        )
    assert values(session, one) == values(session, two) == {"a": "v"}
    session.land([Load(one, [row("c")])])
    assert values(session, one) == {"a": "v", "c": "v"}, "and the session goes on"


def test_a_merge_refuses_two_rows_for_one(session: Session) -> None:
    """Why the loader cuts repeated keys down to the last before it merges."""
    things = table()
    session.ensure([things])
    session.land([Load(things, [row("a")])])
    source = "select column1 as id, column2 as v from values ('a', '1'), ('a', '2')"
    with pytest.raises(Misconfigured, match="100090"):
        session.query(
            f"merge into landing.{things.name} as there using ({source}) as incoming "
            'on there.id = incoming.id when matched then update set "VALUE" = incoming.v'
        )
    session.land([Load(things, [row("a", "1"), row("a", "2")])])
    assert values(session, things) == {"a": "2"}


@pytest.mark.emulator_cannot(
    "keeps text that is longer than its column", raises=pytest.fail.Exception
)
def test_text_longer_than_its_column_is_refused(session: Session) -> None:
    name = table().name
    session.query(f"create table landing.{name} (t varchar(3))")
    session.query(f"insert into landing.{name} values ('abc')")
    with pytest.raises(Misconfigured):
        session.query(f"insert into landing.{name} values ('abcd')")


def test_a_long_transcript_fits(session: Session) -> None:
    things = table()
    session.ensure([things])
    long = "ü" * 2_000_000
    session.land([Load(things, [row("a", long)])])
    assert values(session, things) == {"a": long}


def test_rows_that_are_no_more_are_deleted_with_their_conversation_alone(session: Session) -> None:
    said = replace(tables.utterances("gong"), name=table().name)
    session.ensure([said])

    def texts(conversation: str, *each: str) -> list[dict[str, Any]]:
        key = {"conversation_id": conversation, "_content_hash": str(each)}
        return [{**key, "position": n, "text": text} for n, text in enumerate(each)]

    session.land([Load(said, [*texts("a", "1", "2", "3"), *texts("b", "1")], "conversation_id")])
    session.land([Load(said, texts("a", "one"), "conversation_id")])
    found = session.query(f'select conversation_id as c, "TEXT" as t from landing.{said.name}')
    assert sorted((r["c"], r["t"]) for r in found) == [("a", "one"), ("b", "1")]


def test_a_moment_is_bound_and_read_back(session: Session) -> None:
    things = table()
    session.ensure([things])
    summer = datetime(2026, 7, 1, 12, 30, 15, 123456, timezone(timedelta(hours=2)))
    session.land([Load(things, [row("a", at=summer), row("b", at=summer + timedelta(days=1))])])
    found = session.query(f'select id, "AT" from landing.{things.name} where "AT" <= ?', [summer])
    assert found == [{"id": "a", "at": summer}]
    assert found[0]["at"].tzinfo is UTC
    (bound,) = session.query("select ? as at", [summer])
    assert bound["at"] == summer


@pytest.mark.emulator_cannot("does not know the zone of a timestamp_tz", raises=AssertionError)
def test_a_moment_is_kept_in_utc(session: Session) -> None:
    things = table()
    session.ensure([things])
    session.land([Load(things, [row("a", at=NOON.astimezone(timezone(timedelta(hours=5))))])])
    sql = f"""select to_char("AT", 'YYYY-MM-DD HH24:MI TZH:TZM') as t from landing.{things.name}"""
    assert session.query(sql) == [{"t": "2026-11-18 12:00 +00:00"}]


def test_a_file_is_copied_by_the_names_of_its_columns(session: Session, tmp_path: Path) -> None:
    """Whatever their order in the file, and whatever case they have there."""
    name = table().name
    file = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"B": ["from b"], "A": ["from a"]}), file)
    session.query(f"create transient table landing.{name} (a varchar, b varchar)")
    session.query(f"put 'file://{file.as_posix()}' @landing.%{name} auto_compress = false")
    session.query(
        f"copy into landing.{name} from @landing.%{name}/{file.name} "
        "file_format = (type = parquet) match_by_column_name = case_insensitive"
    )
    assert session.query(f"select a, b from landing.{name}") == [{"a": "from a", "b": "from b"}]


def test_a_column_more_in_a_table_of_the_set_up(session: Session) -> None:
    """Its owner is the loader, and the pipeline's role inherits from it."""
    wider = replace(tables.LOADS, columns=(*tables.LOADS.columns, Column("note", Type.TEXT)))
    key = f"load {uuid.uuid4()}"
    for _ in range(2):
        session.ensure([wider])
    session.land([Load(wider, [{"load_id": key, "note": "n"}])])
    found = session.query("select note, vendor from landing.loads where load_id = ?", [key])
    assert found == [{"note": "n", "vendor": None}]


def test_no_staging_table_is_left(session: Session) -> None:
    things = table()
    session.ensure([things])
    session.land([Load(things, [row("a")])])
    with pytest.raises(PipelineError):
        session.land([Load(things, [row("a")]), Load(table(), [row("a")])])
    assert session.query("show tables like 'INCOMING%' in schema landing") == []


def test_what_a_killed_task_left_is_swept_and_what_loads_is_not(session: Session) -> None:
    def staging(made: datetime) -> str:
        return f"INCOMING_{made:%Y%m%d%H%M%S}_{uuid.uuid4().hex}".upper()

    now = datetime.now(UTC)
    old, new = staging(now - timedelta(days=3)), staging(now)
    for name in (old, new):
        session.query(f"create transient table landing.{name} (id varchar)")
    session.ensure([table()])
    found = session.query("show tables like 'INCOMING%' in schema landing")
    assert {r["name"] for r in found} == {new}
    session.query(f"drop table landing.{new}")


@pytest.mark.account_only("the emulator's transactions conflict where Snowflake's wait in line")
def test_two_writers_merge_the_same_keys(far: Any) -> None:
    things = table()
    keys = [f"k{n}" for n in range(50)]
    with far.session() as session:
        session.ensure([things])

    def write(writer: int) -> None:
        with far.session() as session:
            for turn in range(5):
                session.land([Load(things, [row(key, f"{writer} {turn}") for key in keys])])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    with far.session() as session:
        found = values(session, things)
    assert set(found) == set(keys)
    assert len(set(found.values())) == 1, "each merge is whole"
    assert set(found.values()) <= {"0 4", "1 4"}


@pytest.mark.emulator_cannot("has no query history", raises=Misconfigured)
def test_the_history_names_the_run_that_asked(far: Any) -> None:
    purpose = f"conversations__gong/run {uuid.uuid4()}/extract: land a batch"
    with far.session(purpose=purpose) as session:
        session.query("select 'to be found' as t")
        found = session.query(
            "select query_text, role_name, warehouse_name "
            "from table(information_schema.query_history_by_session(result_limit => 100)) "
            "where query_tag = ? and query_text like 'select ''to be found''%'",
            [purpose],
        )
    assert [r["role_name"] for r in found] == [far.names["pipeline_role"]]
    assert [r["warehouse_name"] for r in found] == [far.names["loading_warehouse"]]


# ---------------------------------------------------------------------- what was said


def landed(session: Session) -> None:
    """A conversation, its utterance, a run and a signal: every column with words in it."""
    key = {"conversation_id": "said", "_loaded_at": NOON}
    run = {"run_id": "r", "vendor": "gong", "kit_code": "K", "kit_name": "interaction_quality"}
    runs = {**key, **run, "idempotency_key": "i", "status": "succeeded", "submitted_at": NOON}
    signal = {**key, **run, "brick_key": "empathy_score", "value_type": "number"}
    session.land(
        [
            Load(
                tables.conversations("gong"),
                [
                    {
                        **key,
                        "title": "A title",
                        "started_at": NOON,
                        "transcript_status": "ready",
                        "transcript": WORDS,
                        "raw": {"said": WORDS},
                        "_content_hash": "h",
                    }
                ],
            ),
            Load(
                tables.utterances("gong"),
                [{**key, "position": 0, "text": WORDS, "_content_hash": "h"}],
            ),
            Load(tables.RUNS, [{**runs, "finished_at": NOON, "response": {"said": WORDS}}]),
            Load(
                tables.SIGNALS,
                [
                    {
                        **signal,
                        "value_number": 0.5,
                        "reason": WORDS,
                        "evidence": [WORDS],
                        "scored_at": NOON,
                    }
                ],
            ),
            Load(
                tables.QUARANTINE,
                [
                    {
                        "quarantine_id": "q",
                        "vendor": "gong",
                        "raw": {"said": WORDS},
                        "quarantined_at": NOON,
                    }
                ],
            ),
        ]
    )


SAID = [
    ("transcript", "gong__conversations"),
    ("raw", "gong__conversations"),
    ("text", "gong__utterances"),
    ("response", "semarize__runs"),
    ("reason", "semarize__signals"),
    ("evidence", "semarize__signals"),
    ("raw", "quarantine"),
]


def test_who_loads_and_models_sees_the_words(far: Any) -> None:
    with far.session() as session:
        session.ensure(landing_tables())
        landed(session)
        for column, name in SAID:
            found = session.query(f'select "{column.upper()}" as said from landing.{name}')
            assert any(WORDS in str(r["said"]) for r in found), (column, name)


@pytest.mark.emulator_cannot("has no masking policies", raises=Misconfigured)
def test_nobody_else_sees_them(far: Any) -> None:
    if not far.masking:
        pytest.skip("SNOWFLAKE_TEST_EDITION says that this account cannot mask")
    analyst, database = f"{far.names['prefix']}_ANALYST", far.names["database"]
    landing = f"{database}.landing"
    with far.session() as session:
        landed(session)
    with far.session("admin") as session:
        for sql in (
            "use role accountadmin",
            f"create role if not exists {analyst}",
            f"grant role {analyst} to role sysadmin",
            f"grant usage on database {database} to role {analyst}",
            f"grant usage on schema {landing} to role {analyst}",
            f"grant select on all tables in schema {landing} to role {analyst}",
            f"grant usage on warehouse {far.names['reporting_warehouse']} to role {analyst}",
            f"use role {analyst}",
            f"use warehouse {far.names['reporting_warehouse']}",
        ):
            session.query(sql)
        for column, name in SAID:
            found = session.query(f'select "{column.upper()}" as said from {name}')
            assert found, name
            assert {r["said"] for r in found} <= {"(masked)", None}, (column, name)
        titles = session.query(f"select title from {landing}.gong__conversations")
        assert titles == [{"title": "A title"}], "and no more is hidden than that"


# ---------------------------------------------------------------------- dbt


# The emulator builds the whole project in tests/airflow; here it is enough that the tests run.
SOME = ["--select", "+fct_brick_values"]
SOME += ["--exclude-resource-type", "unit_test", "--indirect-selection", "cautious"]


@pytest.fixture(scope="module")
def build(far: Any, dbt_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    with far.session() as session:
        session.ensure(landing_tables())
        landed(session)
    with far.warehouse().for_dbt("a test: dbt build") as target:
        build = DbtBuild(dbt_program, ROOT / "dbt", tmp_path_factory.mktemp("dbt"))
        return build.run(target.name, target.environment, *([] if far.real else SOME))


@pytest.mark.slow
def test_dbt_builds_and_all_its_tests_pass(far: Any, build: Build) -> None:
    build.check()
    counts = build.counts()
    assert counts["success"] >= (30 if far.real else 5)
    assert counts["pass"] > (150 if far.real else 10)
    with far.session("reporter") as session:
        found = session.query("select conversation_id, value_number from marts.fct_brick_values")
    assert found == [{"conversation_id": "said", "value_number": 0.5}]


@pytest.mark.slow
@pytest.mark.emulator_cannot(
    "has no masking policies, so none follows into marts", raises=AssertionError
)
def test_what_dbt_copied_is_masked_too(far: Any, build: Build) -> None:
    if not far.masking:
        pytest.skip("SNOWFLAKE_TEST_EDITION says that this account cannot mask")
    build.check()
    with far.session("reporter") as session:
        found = session.query("select reason, evidence from marts.fct_brick_values")
    assert found
    for each in found:
        assert WORDS not in str(each)
