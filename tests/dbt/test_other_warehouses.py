"""Other targets and other contents: Snowflake, nothing landed, a new vendor, a broken key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

# Who is to read the marts, and who those about people at work.
ROLES = {"SNOWFLAKE_REPORTER_ROLE": "reporter", "SNOWFLAKE_WORKFORCE_ROLE": "people"}


@pytest.fixture(scope="module")
def parsed(run_dbt: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The manifest of either target with both roles; whatever dbt warns of is an error."""
    found = {}
    for dbt_target in ("duckdb", "snowflake"):
        ended = run_dbt(
            "--warn-error-options", '{"error": "all"}', "parse",
            warehouse=tmp_path_factory.mktemp("none") / "none.duckdb", dbt_target=dbt_target,
            settings=ROLES,
        )  # fmt: skip
        assert ended.code == 0, ended.output
        found[dbt_target] = ended.artifact("manifest.json")
    return found


@pytest.fixture(scope="module")
def compiled(run_dbt: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The project compiled for Snowflake, which is not there; no role is named."""
    ended = run_dbt(
        "--no-populate-cache", "compile", "--no-introspect",
        warehouse=tmp_path_factory.mktemp("none") / "none.duckdb", dbt_target="snowflake",
    )  # fmt: skip
    assert ended.code == 0, ended.output
    return ended


def test_both_targets_parse_without_deprecations(parsed: dict[str, Any]) -> None:
    assert len(parsed) == 2
    for dbt_target, manifest in parsed.items():
        assert manifest["metadata"]["adapter_type"] == dbt_target


def test_snowflake_compiles_without_a_connection(compiled: Any) -> None:
    written = compiled.target / "compiled" / "semarize_conversations" / "models"
    files = list(written.rglob("*.sql"))
    assert len(files) > 30
    gong = next(file for file in files if file.name == "stg_gong__conversations.sql").read_text()
    assert "attributes:deal_stage::varchar as deal_stage" in gong
    for file in files:
        sql = file.read_text()
        for duckdb_only in ("->>", "epoch(", "to_seconds(", "at time zone", "as json)"):
            assert duckdb_only not in sql, f"{duckdb_only} in {file.name}"


def test_each_role_is_granted_its_schema_on_snowflake_only(
    parsed: dict[str, Any], compiled: Any
) -> None:
    """Who reads the marts is not given those about people at work, and the other way round."""
    both = {"marts": {"select": ["reporter"]}, "workforce": {"select": ["people"]}}
    for manifest, granted in (
        (parsed["snowflake"], both),
        (compiled.artifact("manifest.json"), {}),
        (parsed["duckdb"], {}),
    ):
        nodes = manifest["nodes"].values()
        models = [node for node in nodes if node["resource_type"] == "model"]
        for model in models:
            assert model["config"]["grants"] == granted.get(model["schema"], {}), model["name"]
        marts = [model for model in models if model["path"].startswith("marts/")]
        assert {mart["schema"] for mart in marts} == {"marts", "workforce"}
        assert all(mart["config"]["copy_grants"] for mart in marts)


def test_an_empty_landing_builds(run_dbt: Any, landing: Any, tmp_path: Path) -> None:
    """No row anywhere, one vendor not connected at all, and no kit ever run."""
    warehouse = tmp_path / "warehouse.duckdb"
    connected = [vendor for vendor in landing.vendors if vendor != "chorus"]
    landing.write(warehouse, landing.tables(connected, kits=()), {})
    ended = run_dbt("build", warehouse=warehouse)
    assert ended.code == 0, ended.output
    assert "warn" not in ended.statuses().values(), ended.output
    assert sum(name.startswith("unit_test.") for name in ended.statuses()) > 50
    for mart in ("agent_daily_scorecards", "conversation_explorer", "pipeline_health"):
        assert ended.query(f"select count(*) as n from marts.{mart}") == [{"n": 0}]
    for model, columns in (
        ("stg_chorus__conversations", {"started_at": "TIMESTAMP WITH TIME ZONE"}),
        ("stg_semarize__deal_signals_scores", {"overall_score": "DOUBLE", "risk_flag": "BOOLEAN"}),
    ):
        found = ended.query(
            f"select column_name, data_type from information_schema.columns "
            f"where table_schema = 'staging' and table_name = '{model}'"
        )
        types = {row["column_name"]: row["data_type"] for row in found}
        assert columns.items() <= types.items()


def test_a_kit_that_lost_a_brick_and_one_that_never_ran(
    run_dbt: Any, landing: Any, tmp_path: Path
) -> None:
    quality, _ = landing.kits
    shorter = type(quality)(
        quality.name,
        tuple(column for column in quality.columns if column.name != "empathy_score"),
        quality.key,
    )
    rows = landing.rows()
    for row in rows[quality.name]:
        del row["empathy_score"]
    warehouse = tmp_path / "warehouse.duckdb"
    landing.write(warehouse, landing.tables(kits=(shorter,)), rows)
    ended = run_dbt(
        "build", "--select", "+agent_daily_scorecards", "+conversation_explorer",
        "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious",
        warehouse=warehouse,
    )  # fmt: skip
    assert ended.code == 0, ended.output
    cards = ended.query("select compliance_score, empathy_score from marts.agent_daily_scorecards")
    assert len(cards) == 4
    assert all(card["empathy_score"] is None for card in cards)
    assert all(card["compliance_score"] is not None for card in cards)
    explored = ended.query("select overall_score from marts.conversation_explorer")
    assert [row["overall_score"] for row in explored] == [None] * 12


def test_a_broken_key_fails_the_build_and_names_the_node(
    run_dbt: Any, landing: Any, tmp_path: Path
) -> None:
    rows = landing.rows()
    rows["gong__conversations"].append(rows["gong__conversations"][0])
    warehouse = tmp_path / "warehouse.duckdb"
    landing.write(warehouse, landing.tables(), rows)
    ended = run_dbt(
        "build", "--select", "stg_gong__conversations+1", "--exclude-resource-type", "unit_test",
        warehouse=warehouse,
    )  # fmt: skip
    assert ended.code == 1
    assert "unique_stg_gong__conversations_conversation_key" in ended.output
    failed = [name.split(".")[2] for name, s in ended.statuses().items() if s == "fail"]
    assert failed == ["unique_stg_gong__conversations_conversation_key"]
    skipped = [name.split(".")[2] for name, s in ended.statuses().items() if s == "skipped"]
    assert "int_conversations__unioned" in skipped


def test_a_sixth_vendor_costs_one_pair_of_models(
    run_dbt: Any, landing: Any, tmp_path: Path
) -> None:
    """The pair, its YAML and its name in the list: the explorer has it, nothing else changed."""
    project = landing.models_alone(tmp_path / "project")
    folder = project / "models" / "staging" / "conversations"
    (folder / "stg_zoom__conversations.sql").write_text(
        "with source as ({{ landed_or_empty(source('landing', 'zoom__conversations'), "
        "landing_columns('conversations')) }})\n"
        "select {{ stage_conversations('zoom', ['team']) }} from source\n"
    )
    (folder / "stg_zoom__utterances.sql").write_text(
        "with source as ({{ landed_or_empty(source('landing', 'zoom__utterances'), "
        "landing_columns('utterances')) }})\n"
        "select {{ stage_utterances('zoom') }} from source\n"
    )
    with (folder / "_conversations__sources.yml").open("a") as sources:
        sources.write("  - name: zoom__conversations\n  - name: zoom__utterances\n")
    settings = project / "dbt_project.yml"
    settings.write_text(
        settings.read_text().replace("callminer, chorus]", "callminer, chorus, zoom]")
    )

    rows = landing.rows()
    rows["zoom__conversations"] = [
        landing.conversation("zoom", "z1", "2026-03-02T09:00:00Z", attributes={"team": "North"})
    ]
    warehouse = tmp_path / "warehouse.duckdb"
    landing.write(warehouse, landing.tables((*landing.vendors, "zoom")), rows)
    ended = run_dbt(
        "build",
        "--select",
        "+conversation_explorer",
        warehouse=warehouse,
        project=project,
    )
    assert ended.code == 0, ended.output
    found = ended.query("select team from marts.conversation_explorer where vendor = 'zoom'")
    assert found == [{"team": "North"}]
