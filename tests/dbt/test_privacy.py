"""What is erased leaves the marts with the next build; what is blanked leaves them as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semarize_pipeline.privacy import retention
from semarize_pipeline.privacy.erasure import Request, erase
from semarize_pipeline.privacy.policy import Retention
from semarize_pipeline.state import State
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse

pytestmark = pytest.mark.slow

MARTS = (
    "fct_conversations", "fct_brick_values", "fct_scoring_runs", "conversation_explorer",
    "pipeline_health",
)  # fmt: skip
SELECTED = ("--select", *(f"+{mart}" for mart in MARTS), "--indirect-selection", "cautious")
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
# What says when a row was made, and the words that retention is there to take.
ASIDE = ("built_at", "extracted_at", "loaded_at", "reason", "evidence")


def marts(ended: Any) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for mart in MARTS:
        rows = ended.query(f"select * from marts.{mart}")
        told = ({k: v for k, v in row.items() if k not in ASIDE} for row in rows)
        found[mart] = sorted(told, key=str)
    return found


def mentions(rows: list[dict[str, Any]], key: str) -> int:
    return sum(row.get("conversation_key") == key for row in rows)


def test_the_marts_follow(landing: Any, run_dbt: Any, tmp_path: Path) -> None:
    path, target = tmp_path / "warehouse.duckdb", tmp_path / "target"
    rows = landing.rows()
    gong = rows["gong__conversations"]
    gong[0] = {**gong[0], "participants": [{"name": "Cora", "email": "cora@globex.example"}]}
    landing.write(path, landing.tables(), rows)

    def build(*without: str) -> Any:
        ended = run_dbt(
            "build", *SELECTED, "--exclude-resource-type", "unit_test", *without,
            warehouse=path, target=target,
        )  # fmt: skip
        assert ended.code == 0, ended.output
        return ended

    first = build("test")
    before = marts(first)
    for mart in MARTS[:-1]:
        assert mentions(before[mart], "gong:g1"), mart
    quotes = "select count(*) as n from marts.fct_brick_values where evidence is not null"
    assert first.query(quotes) != [{"n": 0}]

    state = State(f"sqlite:///{tmp_path}/state.db", fernet_key=KEY)
    warehouse = DuckDBWarehouse(path)
    cora = Request(email="cora@globex.example")
    asked: dict[str, Any] = {"requested_by": "ticket 1", "run": "erase/1/erase"}
    assert erase(cora, warehouse, state, **asked, dry_run=False).conversations == 1
    everything = Retention(raw=1, transcripts=1, quarantine=1, evidence=1)
    blanked = retention.keep(everything, warehouse, state, run="retention/1/blank")
    state.close()
    assert blanked.keys() >= {
        "gong__conversations", "callminer__utterances", "semarize__signals", "quarantine",
    }  # fmt: skip

    second = build()
    after = marts(second)
    for mart in ("fct_conversations", "fct_brick_values", "conversation_explorer"):
        others = [row for row in before[mart] if row["conversation_key"] != "gong:g1"]
        assert after[mart] == others, mart
    # That a run was paid for stays, without what it was paid for.
    assert mentions(after["fct_scoring_runs"], "gong:g1") == 1
    deleted = [sum(r["deleted"] for r in each["pipeline_health"]) for each in (before, after)]
    assert deleted[1] == deleted[0] + 1
    assert second.query(quotes) == [{"n": 0}]
