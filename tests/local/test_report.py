"""The demo's tables: what is counted, and what a person sees."""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb

from semarize_airflow.local import report
from semarize_airflow.local.environment import Runtime
from semarize_airflow.local.report import Effort, Landed
from semarize_pipeline import reconcile
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import Load

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def ledger_row(vendor: str, number: int, status: str, score: str | None) -> dict[str, object]:
    return {
        "vendor": vendor,
        "conversation_id": f"{vendor}-{number}",
        "status": status,
        "score_status": score,
        "_loaded_at": NOW,
    }


def run_row(vendor: str, number: int, run_id: str | None, key: str) -> dict[str, object]:
    return {
        "idempotency_key": key,
        "run_id": run_id,
        "vendor": vendor,
        "conversation_id": f"{vendor}-{number}",
        "kit_code": "C5A1E07B",
        "kit_version_id": "v1",
        "transcript_hash": "same",
        "status": "succeeded",
    }


def test_where_nothing_has_landed_there_is_nothing_to_count(runtime: Runtime) -> None:
    assert report.landed(runtime.warehouse).empty
    assert not runtime.warehouse.exists()


def test_the_counts_are_those_of_the_warehouse(runtime: Runtime) -> None:
    with DuckDBWarehouse(runtime.warehouse).open("test") as session:
        session.ensure([tables.LEDGER, tables.RUNS])
        session.land(
            [
                Load(
                    tables.LEDGER,
                    [
                        ledger_row("gong", 1, "landed", "scored"),
                        ledger_row("gong", 2, "landed", "due"),
                        ledger_row("gong", 3, "pending", None),
                        ledger_row("gong", 4, "private", None),
                        ledger_row("chorus", 1, "quarantined", None),
                        ledger_row("chorus", 2, "absent", None),
                        ledger_row("chorus", 3, "expired", None),
                    ],
                ),
                Load(
                    tables.RUNS,
                    [
                        run_row("gong", 1, "r1", "k1"),
                        run_row("gong", 2, "r2", "k2"),
                        run_row("gong", 2, "r3", "k3"),
                        run_row("gong", 3, None, "k4"),
                    ],
                ),
            ]
        )
    landed = report.landed(runtime.warehouse)
    assert landed.counts == {
        "gong": {
            "listed": 4,
            "landed": 2,
            "pending": 1,
            "absent": 0,
            "quarantined": 0,
            "private": 1,
            "scored": 1,
            "runs": 3,
        },
        "chorus": {
            "listed": 3,
            "landed": 0,
            "pending": 0,
            "absent": 2,
            "quarantined": 1,
            "private": 0,
            "scored": 0,
        },
    }
    assert landed.total("listed") == 7
    assert landed.bought_twice == 1
    assert report.best_scorecard(runtime.warehouse) is None


def test_a_first_run_shows_totals_and_a_later_one_what_is_new() -> None:
    before = Landed({"gong": {"listed": 10, "landed": 9, "pending": 1, "runs": 9}})
    after = Landed(
        {"gong": {"listed": 12, "landed": 12, "pending": 0, "runs": 12}, "chorus": {"listed": 1}}
    )
    efforts = {"gong": Effort(7, 1.25), "chorus": Effort(2, 3.0)}
    first = report.table(Landed(), after, efforts)
    assert not [line for line in first if "+" in line]
    lines = report.table(before, after, efforts)
    assert [line.split()[0] for line in lines] == ["vendor", "chorus", "gong", "all"]
    assert "12 (+2)" in lines[2]
    assert "0 (-1)" in lines[2]
    assert lines[2].split()[-2:] == ["7", "1.2"]
    assert "13 (+3)" in lines[3]
    assert lines[3].split()[-2:] == ["9", "3.0"], "side by side, all take as long as the slowest"


def test_columns_stand_under_each_other() -> None:
    lines = report.aligned([["vendor", "n"], ["gong", "1"], ["clari_copilot", "10000"]])
    assert lines == ["vendor             n", "gong               1", "clari_copilot  10000"]


def test_the_scorecard_is_the_fullest_day(runtime: Runtime) -> None:
    runtime.warehouse.parent.mkdir(parents=True)
    with duckdb.connect(str(runtime.warehouse)) as connection:
        connection.execute(
            """
            create schema marts;
            create table marts.agent_daily_scorecards as select * from (values
                ('Ann', 'a', 'gong', date '2026-03-01', 'voice', 3, 0.9, 0.5, 0.1, 0.25, 'billing'),
                ('Bob', 'b', 'gong', date '2026-03-02', 'voice', 3, 0.9, null, 0.1, 0.2, 'price'),
                ('Cat', 'c', 'gong', date '2026-03-03', 'voice', 1, 0.9, 0.5, 0.1, 0.2, 'price')
            ) as t(agent_name, agent_id, vendor, scorecard_date, channel, conversations_scored,
                compliance_score, empathy_score, escalation_risk, resolution_achieved_share,
                topic_primary)
            """
        )
    best = report.best_scorecard(runtime.warehouse)
    assert best is not None
    assert (best["agent_name"], best["scorecard_date"]) == ("Ann", date(2026, 3, 1))
    shown = "\n".join(report.scorecard(best))
    assert "Ann (gong, voice), Sunday 01 March 2026" in shown
    assert "25%" in shown
    gaps = "\n".join(report.scorecard({**best, "agent_name": None, "empathy_score": None}))
    assert gaps.startswith("a (gong, voice)")
    assert "empathy               -" in gaps


def reconciled(vendor: str, listed: int, scored: int) -> dict[str, object]:
    empty = dict.fromkeys(reconcile.CATEGORIES, 0)
    day = {"vendor": vendor, "day": NOW.replace(hour=0), "listed": listed, "unaccounted": 0}
    return {**empty, **day, "scored": scored, "_loaded_at": NOW}


def test_the_account_counts_every_conversation_that_was_listed(runtime: Runtime) -> None:
    assert "is empty" in str(report.account(runtime.warehouse))
    entries = [
        {**ledger_row("gong", n, status, score), "started_at": NOW, "listed_at": NOW}
        for n, (status, score) in enumerate(
            [("landed", "scored"), ("landed", "due"), ("pending", None), ("private", None)]
        )
    ]
    words = [
        {"conversation_id": f"gong-{n}", "transcript_status": "ready", "_loaded_at": NOW}
        for n in (0, 1)
    ]
    with DuckDBWarehouse(runtime.warehouse).open("test") as session:
        conversations = tables.conversations("gong")
        session.ensure([conversations])
        session.land(
            [
                Load(tables.LEDGER, entries),
                Load(conversations, words),
                Load(tables.RUNS, [run_row("gong", 0, "r1", "k1")]),
                Load(tables.RECONCILIATION, [reconciled("gong", 4, 4)]),
            ]
        )
    account = report.account(runtime.warehouse)
    assert account.adds_up
    assert str(account) == "The account adds up: 4 listed = 1 scored + 2 pending + 1 private"


def test_an_account_that_does_not_add_up_names_vendor_and_day(runtime: Runtime) -> None:
    """Words that are gone, and a listing that showed more than has come."""
    entry = {**ledger_row("gong", 1, "landed", "due"), "started_at": NOW, "listed_at": NOW}
    with DuckDBWarehouse(runtime.warehouse).open("test") as session:
        session.ensure([tables.LEDGER, tables.RUNS, tables.RECONCILIATION])
        session.land([Load(tables.LEDGER, [entry])])
    account = report.account(runtime.warehouse)
    assert not account.adds_up
    assert "1 listed, none accounted for" in str(account)
    assert "gong 2026-03-02" in str(account)
    with DuckDBWarehouse(runtime.warehouse).open("test") as session:
        session.land([Load(tables.RECONCILIATION, [reconciled("chorus", 3, 2)])])
    assert "chorus 2026-03-02" in str(report.account(runtime.warehouse))
