"""The emulator as our launcher mends it: where it must behave as Snowflake does, it is asked."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector.errors import ProgrammingError
from unit.warehouse.emulator import emulated, told

Ask = Callable[..., list[Any]]


@pytest.fixture
def database() -> str:
    return f"TEST_{uuid.uuid4().hex}".upper()


def session(port: int, database: str, tag: str) -> Any:
    return snowflake.connector.connect(**emulated(port, database).connection.arguments(tag))


@pytest.fixture
def ask(emulator: int, database: str) -> Iterator[Ask]:
    with session(emulator, database, "a test") as opened:
        yield lambda sql: opened.cursor().execute(sql).fetchall()


@pytest.fixture
def things(ask: Ask) -> Ask:
    ask("create schema s")
    ask("create table s.things (id varchar, n number(38,0))")
    ask("insert into s.things values ('a', 1)")
    return ask


MERGE = (
    "merge into s.things as there using (select column1 as id, column2 as n from values {}) "
    "as incoming on there.id = incoming.id "
    "when matched then update set n = incoming.n "
    "when not matched then insert (id, n) values (incoming.id, incoming.n)"
)


def test_a_merge_within_a_transaction_is_undone_with_it(things: Ask) -> None:
    things("begin")
    assert things(MERGE.format("('a', 2), ('b', 3)")) == [(1, 1)]
    assert things("select * from s.things order by 1") == [("a", 2), ("b", 3)]
    things("rollback")
    assert things("select * from s.things") == [("a", 1)]


def test_a_merge_refuses_two_rows_for_one(things: Ask) -> None:
    with pytest.raises(ProgrammingError) as caught:
        things(MERGE.format("('a', 2), ('a', 3)"))
    assert caught.value.errno == 100090
    assert things("select * from s.things") == [("a", 1)]


def test_a_definition_commits_what_was_open(things: Ask) -> None:
    things("begin")
    things("insert into s.things values ('b', 2)")
    things("create table s.more (id varchar)")
    things("rollback")
    assert things("select count(*) from s.things") == [(2,)]


def test_a_temporary_table_goes_with_its_session(emulator: int, database: str, things: Ask) -> None:
    with session(emulator, database, "another") as other:
        other.cursor().execute(f"create temporary table {database}.s.brief as select 1 as n")
        assert other.cursor().execute("select n from s.brief").fetchall() == [(1,)]
    with pytest.raises(ProgrammingError, match="BRIEF"):
        things("select n from s.brief")


def test_what_is_refused_is_refused_at_once(things: Ask) -> None:
    things("create table s.strict (id varchar not null)")
    with pytest.raises(ProgrammingError) as caught:
        things("insert into s.strict values (null)")
    assert caught.value.errno == 999999


def test_the_history_knows_each_statement_by_the_tag_of_its_session(
    emulator: int, database: str, things: Ask
) -> None:
    things("alter session set query_tag = 'another tag'")
    things("select 42")
    found = told(emulator, database)
    (login,) = found["logins"]
    assert login["user"] == "tester"
    assert login["query_tag"] == "a test"
    by_sql = {each["sql"]: each["query_tag"] for each in found["statements"]}
    assert by_sql["create schema s"] == "a test"
    assert by_sql["select 42"] == "another tag"
