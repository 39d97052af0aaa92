"""A quarter of the sandbox company through the real dbt: each mart has rows and its story."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from company_landing import landed, write

pytestmark = pytest.mark.slow

UNTIL = datetime(2026, 6, 30, 15, 30, tzinfo=UTC)
MARTS = (
    "dim_accounts", "dim_opportunities", "dim_territories", "dim_documents", "dim_cadence_steps",
    "fct_claims", "bridge_conversation_opportunities",
    "unified_deal_scores", "deal_signal_coverage", "deal_readiness",
    "conversation_weighted_forecast", "crm_writeback_opportunities",
    "compliance_trends", "compliance_framework_coverage", "compliance_evidence_register",
    "omnichannel_consistency", "coaching_alerts",
    "csat_prediction_features", "crm_writeback_contacts", "crm_writeback_contacts_matching",
    "rep_ramp_tracker", "rep_certification_tracker", "rep_certification_skills",
)  # fmt: skip


@pytest.fixture(scope="module")
def company(run_dbt: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    warehouse: Path = tmp_path_factory.mktemp("company") / "warehouse.duckdb"
    write(warehouse, landed(UNTIL, days=91, calls_per_day=4))
    ended = run_dbt(
        "build", "--exclude-resource-type", "test", "unit_test", "--vars", '{as_of: "2026-06-30"}',
        warehouse=warehouse, settings={"SANDBOX_REFERENCE": "true"},
    )  # fmt: skip
    assert ended.code == 0, ended.output
    return ended


@pytest.mark.parametrize("mart", MARTS)
def test_every_mart_has_rows(company: Any, mart: str) -> None:
    assert company.query(f"select count(*) as n from marts.{mart}")[0]["n"] > 0


def test_nothing_of_later_days_shows(company: Any) -> None:
    for table, day in (
        ("marts.dim_opportunities", "stage_since_on"),
        ("marts.dim_opportunities", "created_on"),
        ("marts.dim_documents", "valid_from_on"),
        ("staging.stg_reference__csat_surveys", "answered_on"),
        ("staging.stg_crm__users", "known_from"),
    ):
        newest = company.query(f"select max({day}) as day from {table}")[0]["day"]
        assert newest.isoformat() <= "2026-06-30", table
        assert newest.year == 2026, table


def test_most_sales_calls_are_linked_and_the_others_are_counted(company: Any) -> None:
    rows = company.query(
        "select link_method, count(*) as n from marts.bridge_conversation_opportunities "
        "where vendor <> 'callminer' group by 1"
    )
    counted = {row["link_method"]: row["n"] for row in rows}
    assert {"opportunity_id", "contact_email", "unlinked"} <= set(counted)
    assert counted["opportunity_id"] > 0.8 * sum(counted.values())
    assert counted["unlinked"] < 0.1 * sum(counted.values())


def test_won_deals_score_higher_and_show_more_signals(company: Any) -> None:
    rows = company.query(
        "select is_won, avg(deal_score) as score, count(*) as n from marts.unified_deal_scores "
        "where is_closed group by 1 order by 1"
    )
    lost, won = rows
    assert min(lost["n"], won["n"]) >= 10
    assert won["score"] > lost["score"]


def test_the_vendors_framework_misses_violations_that_the_houses_finds(company: Any) -> None:
    rows = company.query(
        "select is_custom, rules_missed, violation_coverage_share as share "
        "from marts.compliance_framework_coverage order by 1"
    )
    vendor, house = rows
    assert (vendor["rules_missed"], house["rules_missed"]) == (2, 0)
    assert vendor["share"] < 0.85 < house["share"] == 1


def test_chat_lags_behind_the_phone_in_empathy(company: Any) -> None:
    rows = company.query(
        "select channel, score_normalised as score from marts.omnichannel_consistency "
        "where period_grain = 'quarter' and brick_key = 'empathy_demonstrated' "
        "and period_start = '2026-04-01' and channel in ('chat', 'voice')"
    )
    scores = {row["channel"]: row["score"] for row in rows}
    assert scores["chat"] < scores["voice"] - 0.1


def test_a_rep_has_three_weak_calls_in_a_row(company: Any) -> None:
    rows = company.query(
        "select * from marts.coaching_alerts where is_open and skill = 'objection_handling'"
    )
    assert rows
    assert all(row["calls_below"] >= 3 and row["manager"] for row in rows)


# ---------------------------------------------------------------------- people


@pytest.mark.parametrize("mart", ["features", "risk_history", "risk", "backtest"])
def test_every_mart_about_people_at_work_has_rows(company: Any, mart: str) -> None:
    assert company.query(f"select count(*) as n from workforce.agent_attrition_{mart}")[0]["n"] > 0


def test_newcomers_climb_to_the_benchmark(company: Any) -> None:
    rows = company.query(
        "select week_number, score_normalised as score, has_enough_data, ramp_status "
        "from marts.rep_ramp_tracker where skill = 'objection_handling'"
    )
    first = [row["score"] for row in rows if row["week_number"] <= 4 and row["has_enough_data"]]
    last = [row["score"] for row in rows if row["week_number"] >= 9 and row["has_enough_data"]]
    assert min(len(first), len(last)) >= 2
    assert sum(first) / len(first) < sum(last) / len(last) - 0.1
    assert {row["ramp_status"] for row in rows} >= {"on_track", "early_warning"}


def test_reps_are_at_different_distances_from_being_certified(company: Any) -> None:
    rows = company.query("select * from marts.rep_certification_tracker")
    statuses = {row["certification_status"] for row in rows}
    assert {"certified", "close"} <= statuses
    assert all(
        row["calls_until_certified"] == 0 and row["readiness_percent"] >= 70
        for row in rows
        if row["certification_status"] == "certified"
    )


def test_customers_who_were_helped_give_better_marks(company: Any) -> None:
    rows = company.query(
        "select resolution_achieved as solved, avg(survey_score_of_five) as mark, count(*) as n "
        "from marts.csat_prediction_features where survey_score_of_five is not null "
        "and resolution_achieved is not null group by 1 order by 1"
    )
    unsolved, solved = rows
    assert min(unsolved["n"], solved["n"]) >= 10
    assert unsolved["mark"] < solved["mark"]


def test_contacts_are_found_by_address_and_the_rest_is_counted(company: Any) -> None:
    rows = company.query("select * from marts.crm_writeback_contacts_matching")
    assert {row["vendor"] for row in rows if row["matched_conversation_count"]} >= {"gong", "chorus"}
    scored = company.query("select count(distinct conversation_key) as n from marts.fct_brick_values "
                           "where is_latest and kit_name = 'interaction_quality'")  # fmt: skip
    assert sum(row["conversation_count"] for row in rows) == scored[0]["n"]


def test_whoever_left_was_frustrated_before_and_no_label_comes_too_early(company: Any) -> None:
    rows = company.query("select * from workforce.agent_attrition_features")
    left = [row["frustration_frequency"] for row in rows if row["left_within_horizon"]]
    others = [row["frustration_frequency"] for row in rows if row["left_on"] is None]
    assert min(len(left), len(others)) >= 2
    assert sum(left) / len(left) > 2 * sum(others) / len(others)
    early = [row for row in rows if row["label_known_on"] > UNTIL.date()]
    assert {row["left_within_horizon"] for row in early} == {None, True}
    assert all(row["left_on"] for row in early if row["left_within_horizon"])
    states = company.query("select backtest_state as state from workforce.agent_attrition_backtest")
    assert {row["state"] for row in states} == {"not_enough_data"}
