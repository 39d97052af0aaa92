"""The copy of the DuckDB file: never in the pipeline's way, and without customers' words."""

from __future__ import annotations

import ast
import inspect
import math
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from semarize_dashboards import parts
from semarize_dashboards.filters import FILTERS, NAMES
from semarize_dashboards.page import MINIMUM_N, View
from semarize_dashboards.pages import PAGES, channels
from semarize_dashboards.pages.conversation import highlighted, quotes
from semarize_dashboards.query import Query
from semarize_dashboards.settings import Settings
from semarize_dashboards.source import WORDS, DuckDBCopy, NothingYet, source
from semarize_dashboards.style import CHANNELS, NONE, colours, number, percent, vendor_name
from semarize_pipeline import vendors
from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema landing; create schema marts; create schema staging")
        connection.execute("create table landing.gong__utterances (text varchar)")
        connection.execute("insert into landing.gong__utterances values ('said')")
        connection.execute(
            "create view staging.stg_gong__utterances as "
            "select text as utterance_text from warehouse.landing.gong__utterances"
        )
        connection.execute("create table staging.stg_crm__users as select 'secret' as name")
        connection.execute("create schema workforce; create table workforce.risk as select 1 as r")
        connection.execute(
            "create table marts.values_made as select 1 as n, 'said' as evidence, 'b' as reason"
        )
    return path


def change(path: Path, n: int) -> None:
    with DuckDBWarehouse(path).open("a test") as session:
        session.query("update marts.values_made set n = ?", [n])


def until(done: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not done():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_the_copy_holds_no_words_and_no_landing_tables(file: Path) -> None:
    copy = DuckDBCopy(file)
    copy.state()
    assert copy.read("select n, evidence, reason from marts.values_made", [], "t") == [
        {"n": 1, "evidence": None, "reason": None}
    ]
    there = copy.read("select table_name from information_schema.tables", [], "t")
    assert [row["table_name"] for row in there] == ["values_made"]
    copy.close()


def test_people_at_work_are_copied_with_their_own_switch_only(file: Path) -> None:
    for words in (False, True):
        copy = DuckDBCopy(file, words=words)
        copy.state()
        there = copy.read("select schema_name as s from information_schema.schemata", [], "t")
        assert "marts" in {row["s"] for row in there}
        assert "workforce" not in {row["s"] for row in there}
        copy.close()
    copy = DuckDBCopy(file, workforce=True)
    copy.state()
    assert copy.read("select r from workforce.risk", [], "t") == [{"r": 1}]
    there = copy.read("select table_name from information_schema.tables", [], "t")
    assert {row["table_name"] for row in there} == {"values_made", "risk"}
    copy.close()


def test_no_page_reads_people_at_work_unless_they_are_switched_on(file: Path) -> None:
    """Whatever the login may read: on Snowflake it may be the pipeline's own."""
    copy = DuckDBCopy(file, words=True, workforce=True)
    view = View(PAGES[0], copy, copy.state(), {}, words=True)
    query = Query("select r from workforce.risk")
    for read in (view.read, view.read_words):
        with pytest.raises(PermissionError, match="people at work"):
            read(query)
        assert list(read(Query("select n from marts.values_made"))["n"]) == [1]
    shown = replace(view, workforce=True)
    assert list(shown.read(query)["r"]) == [1]
    copy.close()


def test_with_the_switch_on_it_holds_the_transcripts_and_nothing_else_of_staging(
    file: Path,
) -> None:
    copy = DuckDBCopy(file, words=True)
    copy.state()
    said = copy.read("select utterance_text from staging.stg_gong__utterances", [], "t")
    assert said == [{"utterance_text": "said"}]
    assert copy.read("select evidence from marts.values_made", [], "t")[0]["evidence"] == "said"
    there = copy.read("select table_name from information_schema.tables", [], "t")
    assert {row["table_name"] for row in there} == {"values_made", "stg_gong__utterances"}
    copy.close()


def test_a_change_is_seen_and_a_busy_file_leaves_the_older_copy(file: Path) -> None:
    now = [0.0]
    copy = DuckDBCopy(file, clock=lambda: now[0])
    first = copy.state()
    change(file, 2)
    with DuckDBWarehouse(file).for_dbt("a build"):
        now[0] += 10
        begun = time.monotonic()
        state = copy.state()
        rows = copy.read("select n from marts.values_made", [], "t")
        assert time.monotonic() - begun < 0.5, "no page waits for a build"
        assert rows == [{"n": 1}]
        assert (state.version, state.is_newest) == (first.version, False)
        time.sleep(0.6)
        assert copy.state().version == first.version

    def newer() -> bool:
        now[0] += 10
        return copy.state().version != first.version

    until(newer)
    assert copy.read("select n from marts.values_made", [], "t") == [{"n": 2}]
    assert copy.state().is_newest
    copy.close()


def test_the_pipeline_gets_the_file_while_pages_read(file: Path) -> None:
    copy = DuckDBCopy(file)
    copy.state()
    with DuckDBWarehouse(file, wait_seconds=0.2).open("a load") as session:
        assert session.query("select 1 as one") == [{"one": 1}]
    copy.close()


def test_without_a_file_and_with_a_busy_one_it_says_what_to_do(file: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingYet, match="make demo"):
        DuckDBCopy(tmp_path / "none.duckdb").state()
    assert not (tmp_path / "none.duckdb").exists()


def test_nothing_can_be_written_and_no_file_be_read(file: Path) -> None:
    copy = DuckDBCopy(file)
    copy.state()
    for statement in (
        "create table marts.x as select 1 as one",
        "delete from marts.values_made",
        f"select * from read_text('{ROOT / 'README.md'}')",
    ):
        with pytest.raises(Exception, match=r"read-only|could not be read|disabled"):
            copy.read(statement, [], "t")
    copy.close()


def test_values_are_bound_and_never_become_sql() -> None:
    query = Query(
        "select {one} as a from marts.x where k in ({many}) and {filters}",
        by={"vendor": "x.vendor", "days": "x.day", "team": None},
    )
    evil = "'; drop table marts.x --"
    days = [date(2026, 6, 1), date(2026, 6, 2)]
    sql, values = query.bound({"vendor": [evil], "days": days, "team": ["t"]}, one=1, many=["b"])
    assert sql == (
        "select ? as a from marts.x where k in (?) and x.vendor in (?) and x.day between ? and ?"
    )
    assert values == [1, "b", evil, *days]
    assert Query("select {many}").bound({}, many=[]) == ("select null", [])
    with pytest.raises(KeyError, match="channel"):
        query.bound({"channel": ["voice"]}, one=1, many=[])
    with pytest.raises(ValueError, match="no column"):
        Query("select 1", by={"vendor": "x; drop"})


def test_pages_read_marts_alone_and_say_what_each_filter_narrows() -> None:
    seen = 0
    for page in PAGES:
        assert set(page.filters) <= set(NAMES), page.slug
        for name, query in page.queries.items():
            tables = re.findall(r"\b(?:from|join)\s+([a-z_]+\.[a-z_]+)", query.sql)
            assert tables, (page.slug, name)
            # Only this one is behind the switch for people at work.
            schemas = ("workforce.",) if page.slug == "attrition" else ("marts.",)
            assert all(table.startswith(schemas) for table in tables), (page.slug, name, tables)
            assert not re.search(r"--.*;|;", query.sql), (page.slug, name)
            if "{filters}" in query.sql:
                assert set(page.filters) <= set(query.by or {}), (page.slug, name)
            seen += len(tables)
    assert seen > 8
    assert len({page.slug for page in PAGES}) == len(PAGES)
    assert all("marts." in filter_.options.sql for filter_ in FILTERS.values())


def test_customers_words_are_asked_for_as_such() -> None:
    """DuckDB's copy holds nulls in their place; on Snowflake such a query is refused."""
    asked = 0
    for page in PAGES:
        module = sys.modules[page.render.__module__]
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            match node:
                case ast.Call(ast.Attribute(attr="read"), [ast.Name(name), *_]):
                    words = WORDS.intersection(re.findall(r"\w+", getattr(module, name).sql))
                    assert not words, f"{page.slug}: view.read({name}) names {words}: read_words"
                    asked += 1
    assert asked > 8


def test_the_minimum_is_the_marts() -> None:
    project = (ROOT / "dbt" / "dbt_project.yml").read_text()
    assert re.search(r"minimum_n: (\d+)", project)[1] == str(MINIMUM_N)  # type: ignore[index]


def test_csv_cells_are_no_formulas() -> None:
    rows = pd.DataFrame(
        {"text": ["=1+1", "+x", "-x", "@x", "\tx", 'a,"b"\nc', "Zoë"], "number": [-1.5, *range(6)]}
    )
    content = parts.csv_bytes(rows)
    assert content.startswith(b"\xef\xbb\xbf")
    lines = content.decode("utf-8-sig")
    assert lines.startswith("text,number\r\n'=1+1,-1.5\r\n'+x,0.0\r\n'-x,1.0\r\n'@x,")
    assert '"a,""b""\nc"' in lines
    assert "Zoë" in lines


def test_a_comparison_claims_no_more_than_its_interval() -> None:
    assert parts.compare((0.9, 0.1, 100), (0.5, 0.1, 100)).verdict == "higher"
    assert parts.compare((0.5, 0.1, 100), (0.9, 0.1, 100)).verdict == "lower"
    assert parts.compare((0.52, 0.3, 30), (0.5, 0.3, 30)).verdict == "no clear change"
    assert parts.compare((0.9, 0.1, 19), (0.5, 0.1, 100)).verdict == parts.NOT_ENOUGH
    assert parts.compare((0.9, 0.0, 1), (0.5, 0.0, 0)).verdict == parts.NOT_ENOUGH


def test_a_share_has_wilsons_interval() -> None:
    low, high = parts.share_interval(16, 20)
    assert (round(low, 3), round(high, 3)) == (0.584, 0.919)
    assert parts.share_interval(0, 10)[0] == 0
    assert parts.share_interval(10, 10)[1] == 1
    assert all(math.isnan(bound) for bound in parts.share_interval(0, 0))


def test_figures_in_words_round_as_those_in_tables() -> None:
    assert [percent(each) for each in (0.625, 0.005, 0.615, None)] == ["63 %", "1 %", "62 %", NONE]
    assert [number(each, 1) for each in (1234.25, -0.25, float("nan"))] == ["1,234.3", "-0.3", NONE]


def test_the_widest_gap_is_one_between_channels_with_enough_conversations() -> None:
    rows = [
        ("empathy", "voice", 30, 0.0), ("empathy", "chat", 25, 19.0), ("empathy", "video", 4, 40.0),
        ("clarity", "voice", 30, 0.0), ("clarity", "chat", 3, 30.0),
    ]  # fmt: skip
    now = pd.DataFrame(rows, columns=["brick_key", "channel", "conversation_count", "gap_points"])
    compared = channels.comparable(now.assign(measure=now["brick_key"]))
    assert list(zip(compared["brick_key"], compared["channel"], strict=True)) == [
        ("empathy", "chat"),
        ("empathy", "voice"),
    ]


def test_evidence_is_marked_and_markup_is_not_taken_for_ours() -> None:
    words = pd.DataFrame(
        {
            "kit_name": ["k", "k"],
            "brick_key": ["one", "two"],
            "evidence": ['["a <b>"]', '["a <b> c", "a <b>"]'],
        }
    )
    marks = quotes(words)
    assert marks == {"a <b>": "k: one, k: two", "a <b> c": "k: two"}
    made = highlighted("<i>x</i> a <b> c and a <b>", marks)
    assert made == (
        '&lt;i&gt;x&lt;/i&gt; <mark title="k: two">a &lt;b&gt; c</mark> and '
        '<mark title="k: one, k: two">a &lt;b&gt;</mark>'
    )


def test_a_vendor_and_a_channel_have_one_colour_each() -> None:
    names = [vendor_name(vendor) for vendor in vendors.names()]
    whole = colours("vendor", names)
    assert len(set(whole.values())) == len(names) == 5
    assert colours("vendor", ["Gong"])["Gong"] == whole["Gong"]
    assert len(set(colours("channel", CHANNELS).values())) == 4


def test_what_the_operator_sets() -> None:
    usual = Settings.told({"AIRFLOW_HOME": "/a"})
    assert usual.connection == {"conn_type": "duckdb", "host": "/a/warehouse.duckdb"}
    assert (usual.address, usual.transcripts, usual.workforce) == ("127.0.0.1", False, False)
    assert Settings.told({"DASHBOARD_WORKFORCE": "true"}).workforce
    assert not Settings.told({"DASHBOARD_TRANSCRIPTS": "true"}).workforce
    own = Settings.told(
        {
            "AIRFLOW_CONN_WAREHOUSE_DEFAULT": '{"conn_type": "duckdb", "host": "/b"}',
            "AIRFLOW_CONN_DASHBOARDS_DEFAULT": '{"conn_type": "duckdb", "host": "/c"}',
            "DASHBOARD_TRANSCRIPTS": "true",
        }
    )
    assert (own.name, own.connection["host"], own.transcripts) == ("dashboards_default", "/c", True)
    for wrong in (
        {"DASHBOARD_TRANSCRIPTS": "perhaps"},
        {"DASHBOARD_WORKFORCE": "perhaps"},
        {"DASHBOARD_PORT": "eighty"},
        {"AIRFLOW_CONN_WAREHOUSE_DEFAULT": "duckdb:///x"},
    ):
        with pytest.raises(Misconfigured, match=next(iter(wrong))):
            Settings.told(wrong)
    with pytest.raises(Misconfigured, match="dashboards_default"):
        source(Settings("dashboards_default", {"conn_type": "mysql"}))
