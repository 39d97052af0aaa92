"""What the operator's page reads: never in the pipeline's way, without words, and soon."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import bench, calls
from unit.warehouse.emulator import PASSWORD, emulated, told

from semarize_pipeline import landing
from semarize_pipeline.overview.from_warehouse import Warehouse
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse


@pytest.fixture
def landed(tmp_path: Path) -> Path:
    """A warehouse with a call of Gong, scored, and the schema of the marts."""
    with bench("gong", tmp_path, calls("gong", 1)) as made:
        made.extract()
        made.score()
        made.query("create schema marts")
        made.query(
            "create table marts.fct as select 'gong:1' as conversation_key, 'Hello' as quote"
        )
        made.query("create table marts.other as select 'Hello' as words")
    return tmp_path / "warehouse.duckdb"


def test_the_copy_has_no_words_of_anybody(airflow_home: Path, landed: Path) -> None:
    from semarize_airflow.page.sources import Answers, OperatorsCopy

    copy = OperatorsCopy(landed)
    asking = Answers(copy, patience=20).asking()
    assert asking.query("select * from marts.fct") == [{"conversation_key": "gong:1"}]
    tables = asking.query(
        "select table_schema as s, table_name as t from information_schema.tables"
    )
    names = {f"{row['s']}.{row['t']}" for row in tables}
    assert "landing.gong__conversations" in names
    assert "landing.scores__interaction_quality" in names
    assert not names & {"landing.gong__utterances", "landing.semarize__signals", "marts.other"}
    said = 0
    with DuckDBWarehouse(landed).open("test") as session:
        said += "Hello" in str(session.query("select * from landing.gong__conversations"))
    for name in names:
        rows = str(asking.query(f"select * from {name}"))
        assert "Hello" not in rows, name
        assert "budget is approved" not in rows, name
        assert "Dana" not in rows, name
    assert said == 1
    (id_,) = [row["id"] for row in asking.query("select conversation_id as id from landing.ledger")]
    runs = Warehouse(asking).runs("gong", id_)
    assert runs[0]["status"] == "succeeded"
    copy.close()


def test_a_busy_warehouse_is_said_soon_and_is_read_when_it_is_free(
    airflow_home: Path, landed: Path
) -> None:
    from semarize_airflow.page.sources import Answers, Busy, OperatorsCopy

    copy = OperatorsCopy(landed)
    answers = Answers(copy, patience=0.3)
    with DuckDBWarehouse(landed).open("dbt") as held:
        begun = time.monotonic()
        with pytest.raises(Busy, match="loaded again"):
            answers.asking()
        assert time.monotonic() - begun < 2
        assert held.query("select 1 as n") == [{"n": 1}], "whoever holds it keeps it"
    give_up = time.monotonic() + 20
    while True:
        try:
            asking = answers.asking()
            break
        except Busy:
            assert time.monotonic() < give_up
    assert asking.query("select count(*) as n from landing.ledger") == [{"n": 1}]
    with DuckDBWarehouse(landed).open("dbt") as held:
        held.query("delete from landing.ledger")
        older = answers.asking()
        assert older.query("select count(*) as n from landing.ledger") == [{"n": 1}]
    copy.close()


class Slow:
    """A warehouse across a network: it counts what it is asked, and may not answer."""

    def __init__(self) -> None:
        self.version = "1"
        self.asked: list[str] = []
        self.go = threading.Event()

    def state(self) -> Any:
        from semarize_dashboards.source import State

        return State(self.version, datetime(2026, 3, 1, tzinfo=UTC))

    def read(self, sql: str, values: Sequence[Any], page: str) -> list[dict[str, Any]]:
        self.asked.append(sql)
        assert self.go.wait(20)
        return [{"n": len(self.asked)}]


def test_a_slow_answer_is_waited_for_once_and_kept(airflow_home: Path) -> None:
    from semarize_airflow.page.sources import Answers, Busy

    slow = Slow()
    answers = Answers(slow, patience=0.2)
    for _ in range(3):
        asking = answers.asking() if not slow.asked else None
        begun = time.monotonic()
        with pytest.raises(Busy):
            (asking or answers.asking()).query("select 1", [])
        assert time.monotonic() - begun < 1
    assert slow.asked == ["select 1"], "it is not asked again while it is being asked"
    slow.go.set()
    answers = Answers(slow, patience=10)
    slow.asked.clear()
    assert answers.asking().query("select 1") == [{"n": 1}]
    assert answers.asking().query("select 1") == [{"n": 1}]
    assert answers.asking().query("select 2") == [{"n": 2}]
    slow.version = "2"
    assert answers.asking().query("select 1") == [{"n": 3}], "new data are new answers"


@pytest.mark.slow
def test_snowflake_is_asked_once_for_the_same_and_in_one_session(
    airflow_home: Path, emulator: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the pipeline's connection names it; the far side is the emulator."""
    from semarize_airflow.page import sources as page_sources

    database = f"OPERATOR_{uuid.uuid4().hex}".upper()
    with emulated(emulator, database).open("a test") as session:
        session.ensure(landing.vendor_tables("gong"))
    connection = {
        "conn_type": "snowflake",
        "login": "pipeline",
        "password": PASSWORD,
        "host": "127.0.0.1",
        "port": emulator,
        "extra": {"account": "emulated", "database": database, "protocol": "http"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE_DEFAULT", json.dumps(connection))
    monkeypatch.setattr(page_sources, "PATIENCE_SECONDS", 60.0)
    # Longer than the test, so that no minute ends within it.
    monkeypatch.setattr(page_sources, "FRESH_SECONDS", 10**9)
    sources = page_sources.Sources()
    now = datetime.now(UTC)
    for _ in range(2):
        warehouse = Warehouse(sources.asking())
        assert warehouse.days(["gong", "chorus"], now - timedelta(days=3), now) == []
        assert warehouse.quarantine(["gong"]) == warehouse.where(["gong"], "1") == []
        assert warehouse.in_marts("gong", "1") == {}
    asked = [
        each
        for each in told(emulator, database)["statements"]
        if each["query_tag"] == "semarize: operator page"
    ]
    selects = [each["sql"] for each in asked if "select" in each["sql"].lower()]
    assert len(selects) >= 5
    assert len(selects) == len(set(selects)), "the second page asked again"
    logins = told(emulator, database)["logins"]
    assert sum(each["query_tag"] == "semarize: operator page" for each in logins) == 1


def test_answers_go_when_their_connection_does(
    airflow_home: Path, landed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connections are those that the API server finds, in its environment first."""
    from semarize_airflow.page import sources as page_sources
    from semarize_pipeline.errors import TryAgain

    monkeypatch.setenv(
        "AIRFLOW_CONN_WAREHOUSE_DEFAULT", f'{{"conn_type": "duckdb", "host": "{landed}"}}'
    )
    monkeypatch.setenv(
        "AIRFLOW_CONN_STATE_DEFAULT",
        f'{{"conn_type": "sqlite", "host": "{landed.parent / "nowhere.db"}"}}',
    )
    monkeypatch.setenv(
        "AIRFLOW_CONN_GONG_DEFAULT", '{"conn_type": "http", "extra": {"budget_key": "ours"}}'
    )
    monkeypatch.setattr(page_sources, "LOOK_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(page_sources, "PATIENCE_SECONDS", 20.0)
    sources = page_sources.Sources()
    assert (sources.key("gong_default"), sources.key("nobody_default")) == ("ours", None)
    with pytest.raises(TryAgain, match=r"there is no state database at .*nowhere\.db"):
        sources.state()
    assert not (landed.parent / "nowhere.db").exists()
    monkeypatch.setenv(
        "AIRFLOW_CONN_STATE_DEFAULT",
        f'{{"conn_type": "sqlite", "host": "{landed.parent / "state.db"}"}}',
    )
    assert sources.state() is sources.state()
    asking = sources.asking()
    assert asking.query("select count(*) as n from landing.ledger") == [{"n": 1}]
    other = landed.with_name("other.duckdb")
    monkeypatch.setenv(
        "AIRFLOW_CONN_WAREHOUSE_DEFAULT", f'{{"conn_type": "duckdb", "host": "{other}"}}'
    )
    with pytest.raises(page_sources.Busy, match=r"There is no warehouse at .*other\.duckdb"):
        sources.asking()
