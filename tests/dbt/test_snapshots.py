"""A CRM that keeps no past: builds record it, on DuckDB and on the emulator of Snowflake."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from unit.warehouse.emulator import emulated

pytestmark = pytest.mark.slow

CURRENT_ONLY = json.dumps({"reference": {"current_only": ["crm_opportunities"]}})
READ = ("stg_crm__opportunities", "stg_crm__accounts", "stg_reference__stage_probabilities")
COLUMNS = (
    "opportunity_id varchar, account_id varchar, owner_user_id varchar, owner_email varchar, "
    "name varchar, product varchar, deal_type varchar, segment varchar, stage varchar, "
    "amount_usd double, seats bigint, is_closed boolean, is_won boolean, created_on date, "
    "expected_close_on date, closed_on date"
)


@dataclass(frozen=True)
class Crm:
    """A CRM's table of opportunities as they are now, and the project over it."""

    run: Callable[..., Any]
    query: Callable[[str], list[dict[str, Any]]]

    def build(self, *more: str, fails: bool = False) -> str:
        ended = self.run(
            "build", "--select", "+dim_opportunities", "--exclude-resource-type", "unit_test",
            "--indirect-selection", "cautious", *more, "--vars", CURRENT_ONLY,
        )  # fmt: skip
        assert ended.code == (1 if fails else 0), ended.output
        return str(ended.output)

    def states(self) -> list[tuple[str, str, bool]]:
        """Every state recorded: deal, stage, whether it is current."""
        rows = self.query(
            "select opportunity_id as deal, stage, dbt_valid_to is null as is_current "
            "from snapshots.snap_crm_opportunities order by opportunity_id, dbt_valid_from"
        )
        return [(row["deal"], row["stage"], row["is_current"]) for row in rows]

    def shown(self) -> dict[str, str]:
        rows = self.query("select opportunity_id as deal, stage from marts.dim_opportunities")
        return {row["deal"]: row["stage"] for row in rows}


@pytest.fixture(scope="module")
def project(landing: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ours, but only what opportunities need: dbt reads the rest longer than it builds this."""
    folder = tmp_path_factory.mktemp("opportunities") / "project"
    return Path(landing.models_alone(folder, *READ, "dim_opportunities"))


def on_duckdb(run_dbt: Any, project: Path, folder: Path) -> Crm:
    warehouse = folder / "warehouse.duckdb"

    def run(*arguments: str) -> Any:
        return run_dbt(*arguments, warehouse=warehouse, project=project, target=folder / "target")

    def query(sql: str) -> list[dict[str, Any]]:
        with duckdb.connect(str(warehouse)) as connection:
            cursor = connection.execute(sql)
            names = [column[0].lower() for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return Crm(run, query)


def on_emulator(run_dbt: Any, project: Path, folder: Path, port: int) -> Crm:
    warehouse = emulated(port, f"SNAPSHOTS_{uuid.uuid4().hex}".upper())

    def run(*arguments: str) -> Any:
        with warehouse.for_dbt("a test of snapshots") as target:
            return run_dbt(
                *arguments, warehouse=folder / "none.duckdb", project=project,
                target=folder / "target",
                dbt_target="snowflake", settings={**target.environment, "DBT_THREADS": "1"},
            )  # fmt: skip

    def query(sql: str) -> list[dict[str, Any]]:
        with warehouse.open("a test of snapshots") as session:
            return [{k.lower(): v for k, v in row.items()} for row in session.query(sql)]

    return Crm(run, query)


@pytest.fixture(params=["duckdb", "emulator"])
def crm(request: pytest.FixtureRequest, run_dbt: Any, project: Path, tmp_path: Path) -> Crm:
    if request.param == "duckdb":
        made = on_duckdb(run_dbt, project, tmp_path)
    else:
        made = on_emulator(run_dbt, project, tmp_path, request.getfixturevalue("emulator"))
    made.query("create schema reference")
    made.query(f"create table reference.crm_opportunities ({COLUMNS})")
    insert(made, ("A", "Discovery"), ("B", "Proposal"))
    return made


def insert(crm: Crm, *deals: Sequence[str]) -> None:
    for deal, stage in deals:
        crm.query(
            "insert into reference.crm_opportunities (opportunity_id, stage, is_closed, created_on)"
            f" values ('{deal}', '{stage}', false, '2026-01-05')"
        )


def test_a_stage_that_changes_between_builds_leaves_two_states(crm: Crm) -> None:
    crm.build()
    crm.build()
    first = [("A", "Discovery", True), ("B", "Proposal", True)]
    assert crm.states() == first, "a build run twice records nothing twice"
    assert crm.shown() == {"A": "Discovery", "B": "Proposal"}

    crm.query(
        "update reference.crm_opportunities set stage = 'Proposal' where opportunity_id = 'A'"
    )
    # A build that reads no rows must not take them for gone.
    crm.build("--empty")
    assert crm.states() == first
    crm.build()
    assert crm.states() == [
        ("A", "Discovery", False), ("A", "Proposal", True), ("B", "Proposal", True),
    ]  # fmt: skip
    assert crm.shown() == {"A": "Proposal", "B": "Proposal"}

    # Deleted in the CRM: its states stay, and it is known no more.
    crm.query("delete from reference.crm_opportunities where opportunity_id = 'B'")
    crm.build()
    assert crm.states()[-1] == ("B", "Proposal", False)
    assert crm.shown() == {"A": "Proposal"}

    # Emptied, as by a load that stopped halfway: nothing is closed for that.
    crm.query("delete from reference.crm_opportunities")
    assert "Load it again" in crm.build(fails=True)
    assert crm.states()[1] == ("A", "Proposal", True)


def test_what_was_known_on_an_earlier_day(run_dbt: Any, project: Path, tmp_path: Path) -> None:
    """What builds recorded answers `as_of`, as a table with known_from and known_until does."""
    crm = on_duckdb(run_dbt, project, tmp_path)
    crm.query("create schema reference")
    crm.query(f"create table reference.crm_opportunities ({COLUMNS})")
    insert(crm, ("A", "Discovery"))
    crm.build()
    crm.query("update snapshots.snap_crm_opportunities set dbt_valid_from = '2026-03-01 09:00:00Z'")
    crm.query("update reference.crm_opportunities set stage = 'Closed Won', is_closed = true")
    crm.build()
    for day, known in (("2026-02-28", {}), ("2026-03-01", {"A": "Discovery"})):
        variables = {**json.loads(CURRENT_ONLY), "as_of": day}
        ended = crm.run("run", "--select", "stg_crm__opportunities", "dim_opportunities",
                        "--vars", json.dumps(variables))  # fmt: skip
        assert ended.code == 0, ended.output
        assert crm.shown() == known


def test_a_table_without_known_from_says_what_to_do(
    run_dbt: Any, project: Path, tmp_path: Path
) -> None:
    crm = on_duckdb(run_dbt, project, tmp_path)
    crm.query("create schema reference")
    crm.query(f"create table reference.crm_opportunities ({COLUMNS})")
    ended = crm.run("run", "--select", "stg_crm__opportunities")
    assert ended.code == 1
    assert "`current_only` of the variable `reference`" in " ".join(ended.output.split())
