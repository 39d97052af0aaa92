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
    "product_claim_accuracy", "product_claim_accuracy_weekly", "pricing_accuracy",
    "pricing_risk_exposure_weekly", "battlecard_accuracy", "battlecard_claims_checked",
    "messaging_drift", "messaging_drift_elements", "messaging_drift_by_age", "messaging_decay",
    "messaging_adoption_lag", "deal_risk_evidence",
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


# What reps say, held against documents, prices, battlecards and what they were taught.


def test_a_new_playbook_takes_about_six_weeks_to_be_used(company: Any) -> None:
    rows = company.query(
        "select document_version, adoption_status, adoption_lag_days as days "
        "from marts.messaging_adoption_lag where document = 'Sales Playbook' order by 1"
    )
    known = {row["document_version"]: row for row in rows}
    assert known["v2026.1"]["adoption_status"] == "in_force_before_observed"
    assert known["v2026.1"]["days"] is None
    assert known["v2026.2"]["adoption_status"] in ("adopted", "fully_adopted")
    assert 25 <= known["v2026.2"]["days"] <= 60


def test_approved_messaging_falls_off_after_enablement(company: Any) -> None:
    decay = company.query("select * from marts.messaging_decay")
    assert {row["element"] for row in decay} == {
        "value_prop", "positioning", "competitive_response",
    }  # fmt: skip
    assert all(row["has_enough_data"] for row in decay)
    steepest = next(row for row in decay if row["decay_rank"] == 1)
    assert steepest["points_per_30_days_upper"] < 0
    slopes = {row["element"]: row["points_per_30_days"] for row in decay}
    assert slopes["competitive_response"] < slopes["positioning"]
    ages = company.query(
        "select bucket_from_days as day, sum(approved_call_count) / sum(call_count) as share "
        "from marts.messaging_drift_by_age where scope = 'element' group by 1 order by 1"
    )
    assert [row["day"] for row in ages] == [0, 7, 14, 21, 28, 35]
    assert ages[-1]["share"] < ages[0]["share"] - 0.2


def test_a_rep_gives_discounts_that_are_not_his_to_give(company: Any) -> None:
    rows = company.query(
        "select rep_name, sum(calls_authority_exceeded) as n, sum(amount_at_risk_usd) as usd "
        "from marts.pricing_risk_exposure_weekly where scope = 'rep' group by 1 "
        "order by n desc limit 2"
    )
    assert rows[0]["rep_name"] == "Luc Desrosiers"
    assert rows[0]["n"] > rows[1]["n"]
    assert rows[0]["usd"] > 0


def test_claims_are_counted_once_in_every_scope(company: Any) -> None:
    rows = company.query(
        "select scope, sum(claims_checked) as n, sum(claims_correct + claims_incorrect "
        "+ claims_imprecise + claims_outdated) as told "
        "from marts.product_claim_accuracy_weekly group by 1"
    )
    assert {row["scope"] for row in rows} == {"area", "document"}
    claims = company.query("select count(*) as n from marts.product_claim_accuracy")[0]["n"]
    assert claims > 100
    assert all(row["n"] == row["told"] == claims for row in rows)


def test_a_battlecard_with_outdated_claims_wants_an_update(company: Any) -> None:
    rows = company.query(
        "select action, min(claims_outdated) as fewest, max(claims_outdated) as most "
        "from marts.battlecard_accuracy where scope = 'competitor' group by 1"
    )
    found = {row["action"]: row for row in rows}
    assert found["up_to_date"]["most"] == 0
    assert found["urgent_update"]["fewest"] > 0


def test_risks_are_quoted_with_the_role_of_who_named_them(company: Any) -> None:
    rows = company.query(
        "select speaker_title, count(*) as n from marts.deal_risk_evidence "
        "where is_speaker_in_crm and speaker_role = 'customer' group by 1"
    )
    named = {row["speaker_title"]: row["n"] for row in rows}
    assert named["CFO"] > 0
    assert len(named) > 3
