"""The rules of the project, read from the manifest: vendors, names, grain, keys, contracts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from company_landing import scores_table

from semarize_dashboards.filters import FILTERS
from semarize_dashboards.pages import PAGES
from semarize_sandbox.kits import kits

VENDOR_MODULES = Path(__file__).resolve().parents[2] / "include" / "semarize_pipeline" / "vendors"
LAYERS = {"staging": "stg_", "intermediate": "int_"}


@pytest.fixture(scope="session")
def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    found = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert found
    return found


@pytest.fixture(scope="session")
def vendors(landing: Any) -> list[str]:
    """The five vendors, and every other that the pipeline has a module for."""
    modules = [path.stem for path in VENDOR_MODULES.glob("*.py")]
    registered = {name for name in modules if name not in ("__init__", "base")}
    return sorted(registered | set(landing.vendors))


def data_tests_of(manifest: dict[str, Any], unique_id: str) -> list[dict[str, Any]]:
    children = manifest["child_map"][unique_id]
    return [manifest["nodes"][child] for child in children if child.startswith("test.")]


def test_every_vendor_has_sources_and_staging(
    manifest: dict[str, Any], models: list[dict[str, Any]], vendors: list[str]
) -> None:
    names = {model["name"] for model in models}
    sources = {source["name"] for source in manifest["sources"].values()}
    assert len(vendors) >= 5
    for vendor in vendors:
        for entity in ("conversations", "utterances"):
            assert f"{vendor}__{entity}" in sources, (
                f"declare {vendor}__{entity} in _conversations__sources.yml"
            )
            assert f"stg_{vendor}__{entity}" in names, (
                f"add dbt/models/staging/conversations/stg_{vendor}__{entity}.sql"
            )


def test_the_unions_read_every_vendor(manifest: dict[str, Any], vendors: list[str]) -> None:
    for entity in ("conversations", "utterances"):
        union = manifest["nodes"][f"model.semarize_conversations.int_{entity}__unioned"]
        read = {name.split(".")[2] for name in union["depends_on"]["nodes"]}
        read.discard("int_landing__batches_read")
        assert read == {f"stg_{vendor}__{entity}" for vendor in vendors}, (
            "the list `vendors` in dbt_project.yml and the pipeline's vendors differ"
        )


def test_every_landing_table_is_a_source_of_the_same_columns(
    manifest: dict[str, Any], landing: Any
) -> None:
    landed = [s for s in manifest["sources"].values() if s["source_name"] == "landing"]
    declared = landing.tables(kits=[scores_table(kit) for kit in kits().values()])
    assert {source["name"] for source in landed} == {table.name for table in declared}
    assert {source["schema"] for source in landed} == {"landing"}


def test_every_kit_of_the_sandbox_is_wide_with_all_its_bricks(
    manifest: dict[str, Any], landing: Any
) -> None:
    """As staging, as the latest score, and in the explorer, a number also from 0 to 1."""
    settings = yaml.safe_load((landing.project / "dbt_project.yml").read_text())
    wide = settings["vars"]["kits"]
    own = set(landing.kits[0].column_names) - set(wide["interaction_quality"])
    lands = {
        kit.name: {
            column.name: column.type.value
            for column in scores_table(kit).columns
            if column.name not in own
        }
        for kit in kits().values()
    }
    assert len(lands) == 12
    assert wide == lands
    nodes = manifest["nodes"]
    explorer = nodes["model.semarize_conversations.conversation_explorer"]["columns"]
    for kit, bricks in lands.items():
        normalised = {f"{brick}_normalised" for brick, type_ in bricks.items() if type_ == "float"}
        assert bricks.keys() | normalised <= explorer.keys(), kit
        assert {f"{kit}_kit_version_id", f"{kit}_scored_at"} <= explorer.keys()
        for model in (f"stg_semarize__{kit}_scores", f"int_{kit}_scores__latest"):
            assert bricks.keys() <= nodes[f"model.semarize_conversations.{model}"]["columns"].keys()


def test_what_a_company_brings_is_a_contract_and_has_staging(
    manifest: dict[str, Any], landing: Any
) -> None:
    """The sandbox's own tables fit it; each column is typed and described, once."""
    seeds = yaml.safe_load(
        (landing.project / "seeds" / "sandbox" / "_sandbox__seeds.yml").read_text()
    )["seeds"]
    types = {"integer": "bigint"}
    expected = {
        seed["name"]: {
            name: types.get(kind, kind) for name, kind in seed["config"]["column_types"].items()
        }
        for seed in seeds
    }
    assert len(expected) > 20
    brought = {
        s["unique_id"]: s for s in manifest["sources"].values() if s["source_name"] == "reference"
    }
    declared = {
        source["name"]: {name: c["data_type"] for name, c in source["columns"].items()}
        for source in brought.values()
    }
    # A model's scores are for data science to write back; the sandbox has no such model.
    scores = declared.pop("attrition_scores")
    assert list(scores) == ["rep_key", "month_start", "risk_score", "model_name", "scored_on"]
    assert declared == expected
    for unique_id, source in brought.items():
        assert source["description"].startswith("One row for each "), source["name"]
        assert all(column["description"] for column in source["columns"].values())
        readers = [child.split(".")[2] for child in manifest["child_map"][unique_id]]
        assert [name.split("__")[0] for name in readers] in (["stg_crm"], ["stg_reference"])


def test_the_columns_declared_for_empty_tables_are_the_pipelines_own(landing: Any) -> None:
    """They exist twice, here and in tables.py; a difference would give silent nulls."""
    text = (landing.project / "macros" / "landing" / "landing_columns.sql").read_text()
    declared: dict[str, dict[str, str]] = {}
    for kind, body in re.findall(r"'(\w+)': \{([^{}]*)\}", text):
        declared[kind] = dict(re.findall(r"'(\w+)': '(\w+)'", body))
    tables = {table.name: table for table in landing.tables()}
    expected = {
        "conversations": tables["gong__conversations"],
        "utterances": tables["gong__utterances"],
    }
    assert declared.keys() == {*expected, "scores"}
    for kind, table in expected.items():
        columns = {column.name: column.type.value for column in table.columns}
        # For whoever asks landing what was redacted; no model reads it.
        columns.pop("_redaction", None)
        assert declared[kind] == columns
    for kit in landing.kits:
        names = kit.column_names
        assert list(declared["scores"])[:7] == names[:7]
        assert set(declared["scores"]) <= set(names)


def test_only_staging_reads_sources_and_everything_else_refs(
    models: list[dict[str, Any]],
) -> None:
    readers = {
        model["path"].split("/")[0]
        for model in models
        if any(name.startswith("source.") for name in model["depends_on"]["nodes"])
    }
    assert readers == {"staging"}
    for model in models:
        read = [name for name in model["depends_on"]["nodes"] if name.startswith("source.")]
        if model["path"].startswith("staging"):
            assert len(read) == 1, f"{model['name']} is not one-to-one with a landing table"
        folders = {
            name.split(".")[2].split("_")[0]
            for name in model["depends_on"]["nodes"]
            if name.startswith("model.")
        }
        if model["path"].startswith(("staging", "intermediate")):
            assert folders <= {"stg", "int"}, f"{model['name']} reads a mart"


def test_names_follow_the_folders(models: list[dict[str, Any]]) -> None:
    pattern = re.compile(r"^(stg|int)_[a-z_]+__[a-z_]+$")
    for model in models:
        layer = model["path"].split("/")[0]
        if layer in LAYERS:
            assert model["name"].startswith(LAYERS[layer])
            assert pattern.match(model["name"]), model["name"]
        else:
            assert layer == "marts"
            assert not model["name"].startswith(tuple(LAYERS.values()))


def test_yaml_files_are_named_after_their_folder(landing: Any) -> None:
    files = sorted((landing.project / "models").glob("*/**/*.yml"))
    assert len(files) > 8
    for file in files:
        folder = file.parent.name
        kinds = {f"_{folder}__{kind}.yml" for kind in ("models", "sources", "unit_tests")}
        assert file.name in kinds, file


def test_every_model_says_its_grain_first(models: list[dict[str, Any]]) -> None:
    for model in models:
        assert model["description"].startswith("One row per "), model["name"]


def test_every_model_proves_its_key(manifest: dict[str, Any], models: list[dict[str, Any]]) -> None:
    for model in models:
        proofs: dict[str, set[str]] = {}
        for test in data_tests_of(manifest, model["unique_id"]):
            if test.get("attached_node") == model["unique_id"] and test["column_name"]:
                proofs.setdefault(test["column_name"], set()).add(test["test_metadata"]["name"])
        keys = [name for name, kinds in proofs.items() if {"unique", "not_null"} <= kinds]
        assert keys, f"{model['name']} has no column that is tested unique and not null"


def test_key_tests_fail_the_build(manifest: dict[str, Any]) -> None:
    keys = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and node.get("test_metadata", {}).get("name")
        in ("unique", "not_null", "unique_combination")
    ]
    assert len(keys) > 60
    assert {node["config"]["severity"].lower() for node in keys} == {"error"}


def test_marts_are_public_contracts_with_every_column_described(
    models: list[dict[str, Any]],
) -> None:
    marts = {model["name"]: model for model in models if model["path"].startswith("marts")}
    assert set(marts) == {
        "dim_reps", "dim_kits", "dim_bricks", "dim_dates",
        "dim_accounts", "dim_opportunities", "dim_territories", "dim_documents",
        "dim_cadence_steps",
        "fct_conversations", "fct_brick_values", "fct_scoring_runs", "fct_claims",
        "bridge_conversation_opportunities",
        "unified_deal_scores", "deal_signal_coverage", "deal_readiness",
        "conversation_weighted_forecast", "crm_writeback_opportunities",
        "compliance_trends", "compliance_framework_coverage", "compliance_evidence_register",
        "omnichannel_consistency", "coaching_alerts",
        "methodology_ab_test", "methodology_adherence", "methodology_coverage_by_outcome",
        "framework_adherence_calls", "framework_adherence_weekly",
        "qualification_signal_win_rates", "win_loss_analysis",
        "cadence_step_quality_audit", "cadence_quality_comparison", "territory_intelligence",
        "alert_queue",
        "product_claim_accuracy", "product_claim_accuracy_weekly", "pricing_accuracy",
        "pricing_risk_exposure_weekly", "battlecard_accuracy", "battlecard_claims_checked",
        "messaging_drift", "messaging_drift_elements", "messaging_drift_by_age",
        "messaging_decay", "messaging_adoption_lag", "deal_risk_evidence",
        "agent_daily_scorecards", "conversation_explorer", "pipeline_health",
        "pipeline_conversations",
        "csat_prediction_features", "crm_writeback_contacts", "crm_writeback_contacts_matching",
        "rep_ramp_tracker", "rep_certification_tracker", "rep_certification_skills",
        "agent_attrition_features", "agent_attrition_risk_history", "agent_attrition_risk",
        "agent_attrition_backtest",
    }  # fmt: skip
    for name, mart in marts.items():
        assert mart["config"]["contract"]["enforced"] is True, name
        assert mart["access"] == "public", name
        # Those about people at work lie apart, since who reads the marts reads their schema.
        apart = mart["path"].startswith("marts/workforce/")
        assert mart["schema"] == ("workforce" if apart else "marts"), name
        assert ("sensitive (HR)" in mart["description"]) == apart, name
        for column in mart["columns"].values():
            assert column["description"], f"{name}.{column['name']}"
            assert column["data_type"], f"{name}.{column['name']}"


def test_columns_of_time_say_their_unit(models: list[dict[str, Any]]) -> None:
    said = 0
    for model in models:
        for column in model["columns"].values():
            description = column["description"].lower()
            if "seconds" in column["name"]:
                assert "second" in description, f"{model['name']}.{column['name']}"
                said += 1
            if column["name"].endswith(("_at", "_on")):
                assert "utc" in description, f"{model['name']}.{column['name']}"
                said += 1
    assert said > 80


def test_every_model_has_an_owner_and_every_group_a_name(
    manifest: dict[str, Any], models: list[dict[str, Any]]
) -> None:
    owners = {group["name"]: group["owner"]["name"] for group in manifest["groups"].values()}
    assert len(owners) == 2
    for model in models:
        assert model["config"]["group"] in owners, model["name"]


def test_every_formula_has_a_unit_test(
    manifest: dict[str, Any], models: list[dict[str, Any]]
) -> None:
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    # No formula there: the union stacks, the list of conversations shows what was judged before,
    # the calendar is counted and checked after the build, and what the batches are for is shown by
    # building in steps (test_incremental.py). The latest scores of all kits are one macro, which is
    # tested with two of them.
    latest = {f"int_{kit.name}_scores__latest" for kit in kits().values()}
    plain = latest - {"int_interaction_quality_scores__latest", "int_deal_signals_scores__latest"}
    plain |= {
        "int_conversations__unioned", "int_utterances__unioned", "int_utterances__texts",
        "int_landing__batches_read", "int_conversations__participants", "dim_dates",
        "pipeline_conversations",
    }  # fmt: skip
    beyond_staging = {m["name"] for m in models if not m["path"].startswith("staging")}
    assert beyond_staging - plain == {name for name in tested if not name.startswith("stg_")}


def test_unit_tests_read_no_table_that_may_be_missing(manifest: dict[str, Any]) -> None:
    """dbt looks their columns up, so a vendor that is not connected would fail the build."""
    inputs = {given["input"] for test in manifest["unit_tests"].values() for given in test["given"]}
    read = {name for given in inputs for name in re.findall(r"source\('landing', '(\w+)'\)", given)}
    assert read
    assert read <= {"semarize__runs", "semarize__signals", "ledger", "loads", "quarantine"}


def test_freshness_is_watched_where_silence_is_a_fault(manifest: dict[str, Any]) -> None:
    watched = {
        source["name"]: source["config"]["loaded_at_field"]
        for source in manifest["sources"].values()
        if (source["config"].get("freshness") or {}).get("error_after", {}).get("count")
    }
    assert set(watched.values()) == {"_loaded_at"}
    assert {"ledger", "loads", "gong__conversations", "chorus__utterances"} <= set(watched)
    assert not {"quarantine", "scores__deal_signals"} & set(watched)


def test_nothing_here_hides_the_package_dbt(landing: Any) -> None:
    assert not list(landing.project.rglob("__init__.py"))


def test_what_grows_says_what_it_is_made_anew_for(models: list[dict[str, Any]]) -> None:
    growing = {m["name"]: m for m in models if m["config"]["materialized"] == "incremental"}
    facts = {"fct_conversations", "fct_brick_values", "fct_scoring_runs"}
    assert facts | {"agent_daily_scorecards", "conversation_explorer"} <= set(growing)
    for name, model in growing.items():
        assert "built_at" in model["columns"], name
        assert model["config"]["on_schema_change"] == "append_new_columns", name
        assert "Incremental" in model["description"], f"{name} does not say its strategy"
        if name != "int_landing__batches_read":
            assert model["config"]["incremental_strategy"] == "replace_changed", name
            assert {"reads", "groups"} & set(model["config"]["meta"]), name


def test_every_model_that_grows_on_snowflake_is_clustered_by_day_and_vendor(
    models: list[dict[str, Any]],
) -> None:
    clustered = {
        m["name"]: m["config"]["cluster_by"] for m in models if m["config"].get("cluster_by")
    }
    assert set(clustered) == {
        "fct_conversations", "fct_brick_values", "fct_scoring_runs", "conversation_explorer",
    }  # fmt: skip
    for name, (day, vendor) in clustered.items():
        assert vendor == "vendor", name
        assert day.endswith("_on"), name


def test_headline_metrics_stand_on_public_marts_and_one_calendar(
    manifest: dict[str, Any], models: list[dict[str, Any]]
) -> None:
    names = {metric["name"] for metric in manifest["metrics"].values()}
    assert {
        "conversations", "scored_share", "compliance", "empathy", "resolution_rate",
        "deal_score", "win_rate", "claim_accuracy", "conversations_pending", "runs_paid",
    } <= names  # fmt: skip
    read = {
        name
        for each in manifest["semantic_models"].values()
        for name in each["depends_on"]["nodes"]
    }
    public = {model["unique_id"] for model in models if model["access"] == "public"}
    assert len(read) > 4
    assert read <= public
    spines = [model["name"] for model in models if model["time_spine"]]
    assert spines == ["dim_dates"]


def test_each_page_of_the_dashboards_is_an_exposure_of_what_it_reads(
    manifest: dict[str, Any],
) -> None:
    declared = {
        exposure["name"]: {node.split(".")[2] for node in exposure["depends_on"]["nodes"]}
        for exposure in manifest["exposures"].values()
    }
    assert len(PAGES) > 10
    for page in PAGES:
        chosen = [FILTERS[name].options for name in page.filters if name in FILTERS]
        asked = [*page.queries.values(), *chosen]
        read = {
            name
            for query in asked
            for name in re.findall(r"\b(?:marts|workforce)\.(\w+)", query.sql)
        }
        assert declared[f"dashboard_{page.slug}"] == read, page.slug


def test_every_mart_is_read_by_somebody(manifest: dict[str, Any]) -> None:
    exposed = {
        node
        for exposure in manifest["exposures"].values()
        for node in exposure["depends_on"]["nodes"]
    }
    marts = {
        id_
        for id_, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["access"] == "public"
    }
    assert len(marts) > 40
    assert marts - exposed == set()
