"""A quarter of the sandbox company through the real dbt: each mart has rows and its story."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from company_landing import landed, write

from semarize_sandbox.kits import kits

pytestmark = pytest.mark.slow

UNTIL = datetime(2026, 6, 30, 15, 30, tzinfo=UTC)
MARTS = (
    "dim_accounts", "dim_opportunities", "dim_territories", "dim_documents", "dim_cadence_steps",
    "fct_claims", "bridge_conversation_opportunities",
    "unified_deal_scores", "deal_signal_coverage", "deal_readiness",
    "conversation_weighted_forecast", "crm_writeback_opportunities",
    "compliance_trends", "compliance_framework_coverage", "compliance_evidence_register",
    "omnichannel_consistency", "coaching_alerts",
    "conversation_explorer",
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
