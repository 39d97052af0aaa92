"""The dashboards on Snowflake: what they say to it over the wire, by the real connector.

The far side is the emulator, which has no roles, no limits of time and no costs.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from unit.warehouse.emulator import PASSWORD, emulated, expire, told

from semarize_dashboards.page import View
from semarize_dashboards.pages import PAGES
from semarize_dashboards.query import Query
from semarize_dashboards.settings import Settings
from semarize_dashboards.source import IDLE_SECONDS, STATEMENT_SECONDS, SnowflakeSource, source
from semarize_pipeline.errors import Misconfigured, TryAgain

PAGE = PAGES[0]


@pytest.fixture
def database(emulator: int) -> str:
    """A database with a mart in it."""
    name = f"SHOWN_{uuid.uuid4().hex}".upper()
    with emulated(emulator, name).open("a test") as session:
        for statement in (
            "create schema marts",
            "create table marts.things (id varchar, n number(38,0), day date, evidence varchar)",
            "insert into marts.things values ('a', 1, '2026-06-01', 'said'), "
            "('b', 2, '2026-06-02', 'said')",
        ):
            session.query(statement)
    return name


def connection(port: int, database: str) -> dict[str, Any]:
    """As in AIRFLOW_CONN_DASHBOARDS_DEFAULT."""
    return {
        "conn_type": "snowflake",
        "login": "reporter",
        "password": PASSWORD,
        "host": "127.0.0.1",
        "port": port,
        "extra": {
            "account": "emulated",
            "database": database,
            "role": "REPORTER",
            "warehouse": "REPORTING",
            "protocol": "http",
        },
    }


class Shown:
    """The source of a connection, two clocks to turn, and what came over the wire."""

    def __init__(self, port: int, database: str, **settings: Any) -> None:
        self.port, self.database = port, database
        self.now = datetime(2026, 6, 30, 12, tzinfo=UTC)
        self.seconds = 0.0
        told_source = source(Settings("dashboards_default", connection(port, database), **settings))
        assert isinstance(told_source, SnowflakeSource)
        self.source = SnowflakeSource(
            told_source._warehouse,
            fresh_seconds=settings.get("fresh_seconds", 300),
            words=settings.get("transcripts", False),
            clock=lambda: self.now,
            seconds=lambda: self.seconds,
        )

    def read(self, sql: str = "select id from marts.things order by id", page: str = "p") -> Any:
        return self.source.read(sql, [], page)

    def logins(self) -> list[dict[str, Any]]:
        return [each for each in told(self.port, self.database)["logins"] if each["role"]]

    def statements(self) -> list[dict[str, Any]]:
        everything = told(self.port, self.database)["statements"]
        return [each for each in everything if each["query_tag"] != "a test"]


@pytest.fixture
def shown(emulator: int, database: str) -> Iterator[Callable[..., Shown]]:
    made: list[Shown] = []

    def make(**settings: Any) -> Shown:
        made.append(Shown(emulator, database, **settings))
        return made[-1]

    yield make
    for each in made:
        each.source.close()


def test_it_logs_in_as_the_reporter_and_says_which_page_asks(shown: Callable[..., Shown]) -> None:
    dashboards = shown()
    assert dashboards.read(page="overview") == [{"id": "a"}, {"id": "b"}]
    (login,) = dashboards.logins()
    assert (login["user"], login["role"], login["warehouse"]) == (
        "reporter",
        "REPORTER",
        "REPORTING",
    )
    assert login["query_tag"] == "semarize dashboards: overview"
    assert login["query_seconds"] == str(STATEMENT_SECONDS)
    (statement,) = dashboards.statements()
    assert statement["query_tag"] == "semarize dashboards: overview"


def test_a_page_keeps_its_session_and_each_page_has_its_own(shown: Callable[..., Shown]) -> None:
    dashboards = shown()
    for page in ("overview", "overview", "deals", "overview"):
        dashboards.read(page=page)
    tags = [login["query_tag"] for login in dashboards.logins()]
    assert tags == ["semarize dashboards: overview", "semarize dashboards: deals"]
    assert len(dashboards.statements()) == 4


def test_a_session_that_nobody_uses_is_ended(shown: Callable[..., Shown]) -> None:
    dashboards = shown()
    dashboards.read(page="overview")
    dashboards.seconds = IDLE_SECONDS - 1
    dashboards.read(page="deals")
    dashboards.seconds = IDLE_SECONDS + 1
    dashboards.read(page="deals")
    assert len(dashboards.logins()) == 2
    assert expire(dashboards.port, dashboards.database) == 1, "the other one has logged out"
    dashboards.read(page="overview")
    assert len(dashboards.logins()) == 3


def test_an_expired_session_is_followed_by_a_new_one(shown: Callable[..., Shown]) -> None:
    dashboards = shown()
    dashboards.read()
    assert expire(dashboards.port, dashboards.database) == 1
    assert dashboards.read() == [{"id": "a"}, {"id": "b"}]
    assert len(dashboards.logins()) == 2
    dashboards.read()
    assert len(dashboards.logins()) == 2, "the new one is kept"


def test_pages_ask_side_by_side(shown: Callable[..., Shown]) -> None:
    dashboards = shown()
    answers: dict[str, Any] = {}
    asking = [
        threading.Thread(target=lambda p=page: answers.update({p: dashboards.read(page=p)}))
        for page in ("a", "a", "b", "b", "c")
    ]
    for each in asking:
        each.start()
    for each in asking:
        each.join(timeout=60)
    assert answers == {page: [{"id": "a"}, {"id": "b"}] for page in "abc"}
    assert len(dashboards.logins()) == 3


def test_nothing_is_written_and_without_the_switch_no_words_are_asked_for(
    shown: Callable[..., Shown],
) -> None:
    dashboards = shown()
    for statement in (
        "delete from marts.things",
        "  INSERT into marts.things values ('c', 3, null, null)",
        "create table marts.x as select 1 as n",
        "call x()",
    ):
        with pytest.raises(ValueError, match="nothing else"):
            dashboards.read(statement)
    with pytest.raises(PermissionError, match="words"):
        dashboards.read("select Evidence from marts.things")
    assert dashboards.logins() == []
    assert shown(transcripts=True).read("select evidence from marts.things limit 1") == [
        {"evidence": "said"}
    ]


def test_an_answer_stays_for_as_long_as_the_operator_says(shown: Callable[..., Shown]) -> None:
    dashboards = shown(fresh_seconds=60)
    query = Query(
        "select id, n, day from marts.things where n >= {least} and {filters} order by id",
        by={"days": "day", "vendor": "id"},
    )

    def page(**chosen: Any) -> pd.DataFrame:
        state = dashboards.source.state()
        days = [date(2026, 6, 1), date(2026, 6, 30)]
        view = View(PAGE, dashboards.source, state, {"days": days, **chosen}, False)
        return view.read(query, least=1)

    first = page()
    assert list(first["id"]) == ["a", "b"]
    assert first["n"].sum() == 3
    assert first["day"].iloc[0] == date(2026, 6, 1)
    assert len(dashboards.statements()) == 1
    dashboards.now += timedelta(seconds=59)
    assert page().equals(first)
    assert len(dashboards.statements()) == 1
    assert list(page(vendor=["b"])["id"]) == ["b"]
    assert len(dashboards.statements()) == 2
    dashboards.now += timedelta(seconds=1)
    page()
    assert len(dashboards.statements()) == 3


def test_what_goes_wrong_is_told_with_its_remedy(shown: Callable[..., Shown]) -> None:
    dashboards = shown()
    with pytest.raises(Misconfigured, match="missing") as caught:
        dashboards.read("select n from marts.not_there where id = 'a secret'")
    assert "secret" not in str(caught.value)
    gone = shown()
    gone.source._warehouse.connection = emulated(1, "GONE").connection
    with pytest.raises(TryAgain, match="cannot be reached"):
        gone.read()
