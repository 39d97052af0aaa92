"""A quarter of the sandbox company through the real dbt: each mart has rows and its story."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest
from company_warehouse import UNTIL

from semarize_sandbox.kits import kits

pytestmark = pytest.mark.slow

MARTS = (
    "dim_accounts", "dim_opportunities", "dim_territories", "dim_documents", "dim_cadence_steps",
    "fct_claims", "bridge_conversation_opportunities",
    "unified_deal_scores", "deal_signal_coverage", "deal_readiness",
    "conversation_weighted_forecast", "crm_writeback_opportunities",
    "compliance_trends", "compliance_framework_coverage", "compliance_evidence_register",
    "omnichannel_consistency", "coaching_alerts",
    "conversation_explorer",
    "methodology_ab_test", "methodology_adherence", "methodology_coverage_by_outcome",
    "framework_adherence_calls", "framework_adherence_weekly",
    "qualification_signal_win_rates", "win_loss_analysis",
    "cadence_step_quality_audit", "cadence_quality_comparison", "territory_intelligence",
    "alert_queue",
    "product_claim_accuracy", "product_claim_accuracy_weekly", "pricing_accuracy",
    "pricing_risk_exposure_weekly", "battlecard_accuracy", "battlecard_claims_checked",
    "messaging_drift", "messaging_drift_elements", "messaging_drift_by_age", "messaging_decay",
    "messaging_adoption_lag", "deal_risk_evidence",
    "csat_prediction_features", "crm_writeback_contacts", "crm_writeback_contacts_matching",
    "rep_ramp_tracker", "rep_certification_tracker", "rep_certification_skills",
)  # fmt: skip


class Company:
    """The built warehouse, to ask."""

    def __init__(self, file: Path) -> None:
        self.warehouse = file
        self.target = file.parent / "target"

    def query(self, sql: str) -> list[dict[str, Any]]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def company(company_file: Path) -> Company:
    return Company(company_file)


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


@pytest.mark.parametrize(
    ("segment", "sign", "winner"), [("enterprise", 1, "a_higher"), ("mid-market", -1, "b_higher")]
)
def test_each_methodology_goes_with_winning_in_one_segment(
    company: Any, segment: str, sign: int, winner: str
) -> None:
    """A quarter has too few closed deals of one segment to name the winner, and that is said."""
    (row,) = company.query(f"select * from marts.methodology_ab_test where segment = '{segment}'")
    assert row["deal_count"] >= 10
    assert sign * row["win_correlation_difference"] > 0.2
    assert row["verdict"] == (winner if row["has_enough_data"] else "not_enough_data")
    (overall,) = company.query("select * from marts.methodology_ab_test where scope = 'overall'")
    assert overall["has_enough_data"]
    assert overall["verdict"] == "no_clear_winner"


def test_of_most_lost_deals_nobody_ever_said_how_they_are_decided(company: Any) -> None:
    rows = company.query(
        "select * from marts.methodology_coverage_by_outcome "
        "where kit_name = 'methodology_meddicc' and element = 'decision_process'"
    )
    by = {row["outcome"]: row for row in rows}
    assert by["lost"]["zero_coverage_share"] > 0.5 > 0.3 > by["won"]["zero_coverage_share"]
    assert by["lost"]["zero_coverage_difference_lower"] > 0
    assert by["lost"]["call_count"] > by["lost"]["deal_count"] > 15


def test_reps_shy_away_from_dates_and_money(company: Any) -> None:
    rows = company.query(
        "select step, sum(skipped_count) / sum(call_count) as share, sum(call_count) as n "
        "from marts.framework_adherence_weekly where kit_name = 'methodology_spiced' "
        "group by 1 order by 2 desc"
    )
    assert [row["step"] for row in rows][:2] == ["budget_qual", "critical_event"]
    assert len(rows) == 6
    assert rows[0]["share"] > 0.5
    assert rows[0]["n"] > 300


def test_the_pricing_call_leaks_competitors_prices(company: Any) -> None:
    rows = company.query(
        "select * from marts.cadence_step_quality_audit order by violation_share desc nulls last"
    )
    assert len(rows) == 16
    worst = rows[0]
    assert (worst["cadence_name"], worst["step_name"]) == ("Enterprise Outbound v3", "Pricing Call")
    assert worst["recommendation"] == "rewrite_recommended"
    assert 0 < worst["violation_share_lower"] < worst["violation_share"] < 1
    for row in rows:
        assert (row["calls"] < 10) == (row["recommendation"] == "not_enough_data")


def test_events_give_stronger_buying_signals_than_cold_outbound(company: Any) -> None:
    rows = company.query(
        "select cadence, buying_signal, pain_specificity from marts.cadence_quality_comparison"
    )
    cadences = {row["cadence"]: row for row in rows}
    event, outbound = cadences["Event Follow-up"], cadences["Enterprise Outbound"]
    assert event["buying_signal"] > outbound["buying_signal"]
    assert event["pain_specificity"] < outbound["pain_specificity"]


def test_the_northeast_names_competitors_most_and_hesitates_most(company: Any) -> None:
    rows = company.query(
        "select territory, sum(calls_with_competitor) / sum(calls) as named, "
        "sum(calls_with_hesitation) / sum(calls) as hesitates, sum(calls) as n "
        "from marts.territory_intelligence group by 1"
    )
    territories = {row["territory"]: row for row in rows}
    assert len(territories) == 4
    assert min(row["n"] for row in rows) > 50
    for measure in ("named", "hesitates"):
        assert max(rows, key=lambda row: row[measure])["territory"] == "Northeast"
        assert territories["Northeast"][measure] > 1.5 * territories["West"][measure]


def test_every_alert_is_raised_once_and_goes_to_its_team(company: Any) -> None:
    rows = company.query("select * from marts.alert_queue")
    assert {(row["rule"], row["recipient"]) for row in rows} == {
        ("deal_risk", "#deal-alerts"), ("low_compliance", "#compliance-alerts"),
    }  # fmt: skip
    assert len({(row["conversation_key"], row["rule"]) for row in rows}) == len(rows) > 100
    for row in rows:
        assert row["message"].split(" on ")[1].startswith(row["conversation_key"] + ", score: ")
        if row["rule"] == "low_compliance":
            assert row["score_normalised"] < row["threshold_normalised"] == 0.7


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
    assert {row["vendor"] for row in rows if row["matched_conversation_count"]} >= {
        "gong",
        "chorus",
    }
    scored = company.query(
        "select count(distinct conversation_key) as n from marts.fct_brick_values "
        "where is_latest and kit_name = 'interaction_quality'"
    )
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


def test_the_explorer_has_every_kit_and_every_dimension(company: Any) -> None:
    versions = [f"{kit.name}_kit_version_id" for kit in kits().values()]
    dimensions = [
        "rep_team", "rep_manager", "rep_territory", "account_territory", "account_segment",
        "opportunity_stage", "is_opportunity_won", "cadence_name", "cadence_step_number",
        "cadence_version",
    ]  # fmt: skip
    counts = ", ".join(f"count({name}) as {name}" for name in (*versions, *dimensions))
    (filled,) = company.query(f"select {counts} from marts.conversation_explorer")
    assert len(versions) == 12
    assert all(filled.values()), filled
    (lost, won) = company.query(
        "select avg(deal_confidence_normalised) as score from marts.conversation_explorer "
        "where is_opportunity_closed group by is_opportunity_won order by is_opportunity_won"
    )
    assert won["score"] > lost["score"]


# Metrics of the semantic layer, each with the group it is asked by and the marts' own SQL for it.
ASKED = {
    "conversation__vendor": (
        "conversations, scored_share, resolution_rate",
        "select vendor, count(*), avg(is_scored::int), "
        "count(*) filter (resolution_achieved) / nullif(count(resolution_achieved), 0) "
        "from marts.conversation_explorer group by 1",
    ),
    "conversation__interaction_quality_version": (
        "compliance, empathy",
        "select interaction_quality_kit_version_id, avg(compliance_score_normalised), "
        "avg(empathy_score_normalised) from marts.conversation_explorer group by 1",
    ),
    "opportunity__segment": (
        "deals_closed, win_rate, deal_score",
        "select segment, count(*) filter (is_closed), "
        "count(*) filter (is_won) / nullif(count(*) filter (is_closed), 0), "
        "(select avg(deal_score) from marts.unified_deal_scores as scored "
        "where scored.segment = deals.segment) from marts.dim_opportunities as deals group by 1",
    ),
    "claim__kind": (
        "claims, claim_accuracy",
        "select brick_key, count(*), avg((outcome = 'accurate')::int) "
        "from marts.fct_claims group by 1",
    ),
}


@pytest.fixture(scope="module")
def metrics(company: Any, landing: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Asks MetricFlow, which looks for what dbt parsed in the project's own folder."""
    project: Path = tmp_path_factory.mktemp("metrics") / "dbt"
    (project / "target").mkdir(parents=True)
    for part in ("dbt_project.yml", "profiles.yml", "models", "macros"):
        (project / part).symlink_to(landing.project / part)
    shutil.copy(company.target / "semantic_manifest.json", project / "target")
    binary = Path(os.environ.get("DBT_BIN") or landing.project.parent / ".venv-dbt/bin/dbt")

    def ask(names: str, group: str) -> dict[str, list[float | None]]:
        answer = project / "answer.csv"
        asked = ("--metrics", names.replace(" ", ""), "--group-by", group, "--csv", str(answer))
        ended = subprocess.run(
            [str(binary.parent / "mf"), "query", *asked], cwd=project, check=False,
            capture_output=True, text=True, timeout=120,
            env={
                "PATH": os.environ["PATH"], "HOME": str(project), "DBT_PROFILES_DIR": str(project),
                "DBT_DUCKDB_PATH": str(company.warehouse), "DBT_LOG_PATH": str(project / "logs"),
            },
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout + ended.stderr
        with answer.open() as file:
            _, *rows = csv.reader(file)
        return {name: [float(n) if n else None for n in values] for name, *values in rows}

    return ask


@pytest.mark.parametrize("group", ASKED)
def test_metrics_say_what_the_marts_say(company: Any, metrics: Any, group: str) -> None:
    names, sql = ASKED[group]
    expected = {
        str(next(iter(row.values())) or ""): list(row.values())[1:] for row in company.query(sql)
    }
    found = metrics(names, group)
    assert expected
    assert found.keys() == expected.keys()
    for key, values in found.items():
        assert values == pytest.approx(expected[key]), key
