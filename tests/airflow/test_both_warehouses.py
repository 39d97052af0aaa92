"""The same DAGs over both warehouses: DuckDB, and the emulator of Snowflake over HTTP.

Each has a sandbox, a state database and a warehouse of its own; the sandboxes hold the same
calls. What lands and what dbt builds must be the same rows, in value and in type.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import ALL, call
from unit.warehouse.emulator import PASSWORD, emulated, told

from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import Warehouse
from semarize_sandbox.kits import kits
from semarize_sandbox.model import Turn
from semarize_sandbox.server import running
from semarize_sandbox.world import World

pytestmark = [pytest.mark.slow, pytest.mark.long]

WAREHOUSE = "AIRFLOW_CONN_WAREHOUSE_DEFAULT"
DBT = "semarize_conversations_dbt"
# Moments, ids and durations of a run: their types are compared, not their values.
CHANGING = frozenset(
    re.findall(
        r"\w+",
        """
    _extracted_at _loaded_at _loaded_by extracted_at loaded_at listed_at landed_at updated_at
    built_at next_try_at submitted_at finished_at scored_at first_scored_at last_scored_at
    first_raised_at interaction_quality_scored_at deal_signals_scored_at window_start window_end
    window_started_at window_ended_at last_load_at watermark_at watermark_reached_at
    watermark_lag_seconds oldest_pending_seconds seconds_to_landed seconds_to_scored
    seconds_to_finish seconds_to_landed_median seconds_to_landed_p95 seconds_to_scored_median
    seconds_to_scored_p95 load_id run_id signal_key item_key quote_key claim_key response
    invocation_id
    """,
    )
)
CHANGING_IN = {
    "loads": frozenset({"started_at", "duration_seconds"}),
    # The sandbox scores at the pace of its requests.
    "semarize__runs": frozenset({"duration_ms"}),
    "stg_semarize__runs": frozenset({"duration_seconds"}),
    "fct_scoring_runs": frozenset({"duration_seconds"}),
    "int_landing__batches_read": frozenset({"batch_row_key"}),  # ends in a moment
    "stg_pipeline__loads": frozenset({"started_at", "duration_seconds"}),
    # dbt words the results of the two warehouses differently: "OK", "SUCCESS 1".
    "dbt_results": frozenset({"started_at", "message", "execution_seconds"}),
}
# Two kits score these calls, and no deal is theirs: what other kits and linked calls give is empty.
# No model of the sandbox's writes scores back, and nothing was reconciled here.
NOT_FILLED = {
    "fct_claims", "compliance_trends", "compliance_evidence_register", "omnichannel_consistency",
    "coaching_alerts", "unified_deal_scores", "crm_writeback_opportunities", "reconciliation",
    "methodology_ab_test", "methodology_adherence", "methodology_coverage_by_outcome",
    "framework_adherence_calls", "framework_adherence_weekly",
    "qualification_signal_win_rates", "win_loss_analysis",
    "cadence_step_quality_audit", "cadence_quality_comparison", "territory_intelligence",
    "product_claim_accuracy", "product_claim_accuracy_weekly", "pricing_accuracy",
    "pricing_risk_exposure_weekly", "battlecard_accuracy", "battlecard_claims_checked",
    "messaging_drift", "messaging_drift_elements", "messaging_drift_by_age", "messaging_decay",
    "messaging_adoption_lag", "deal_risk_evidence",
    "crm_writeback_contacts", "rep_ramp_tracker", "rep_certification_skills",
    "rep_certification_tracker", "agent_attrition_features", "agent_attrition_risk_history",
    "agent_attrition_risk", "agent_attrition_backtest", "stg_reference__attrition_scores",
}  # fmt: skip
NOT_FILLED |= {
    model.format(kit.name)
    for kit in kits().values()
    if kit.name not in ("interaction_quality", "deal_signals")
    for model in ("stg_semarize__{}_scores", "int_{}_scores__latest")
}
# Odd, and long: what a transfer by file, by JSON or by SQL could spoil.
ODD = "Grüß Gott 👩🏽‍💻 'q' \"Q\" \\ back\\slash; -- drop\ttable {} ❤ NUL:\0. "


@dataclass(frozen=True)
class Place:
    """One of the warehouses, and the environment that makes Airflow use it."""

    warehouse: Warehouse
    environment: Mapping[str, str]
    home: Path

    def query(self, sql: str) -> list[dict[str, Any]]:
        with self.warehouse.open("a test looks") as session:
            return session.query(sql)

    def relations(self, schema: str) -> list[str]:
        """The tables and views of a schema, by the columns they have."""
        found = self.query(
            "select distinct lower(table_name) as name from information_schema.columns "
            f"where lower(table_schema) = '{schema}' order by 1"
        )
        return [row["name"] for row in found]

    def rows(self, schema: str, relation: str) -> list[dict[str, Any]]:
        return self.query(f"select * from {schema}.{relation}")

    @property
    def wire(self) -> tuple[int, str]:
        """The emulator's port, and the name of the database there."""
        connection = json.loads(self.environment[WAREHOUSE])
        return connection["port"], connection["extra"]["database"]


def given(now: datetime) -> list[Any]:
    """Three calls a vendor, a pending one, an odd one; one of Gong's is private."""
    calls = [call(v, n, now - timedelta(hours=6 + n)) for v in ALL for n in range(3)]
    calls += [call(v, 7, now - timedelta(hours=5), ready_after=timedelta(days=2)) for v in ALL]
    calls.append(call("gong", 8, now - timedelta(hours=5), private=True))
    turns = (Turn("u-1", 0.0, 4.5, ODD), Turn("c-1", 4.5, 9.0, ODD * 1700))
    calls += [call(v, 9, now - timedelta(hours=9), title=ODD, turns=turns) for v in ALL]
    return calls


@pytest.fixture(scope="module")
def places(
    airflow_home: Path,
    settings_file: Path,
    emulator: int,
    dbt_program: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Place]]:
    database = f"DAGS_{uuid.uuid4().hex}".upper()
    now = datetime.now(UTC)
    folder = tmp_path_factory.mktemp("places")
    file = folder / "warehouse.duckdb"
    on_snowflake = {
        "conn_type": "snowflake",
        "login": "tester",
        "password": PASSWORD,
        "host": "127.0.0.1",
        "port": emulator,
        "extra": {"account": "emulated", "database": database, "protocol": "http"},
    }
    on_duckdb = {"conn_type": "duckdb", "host": str(file)}
    with ExitStack() as stack:

        def place(name: str, warehouse: Warehouse, connection: dict[str, Any]) -> Place:
            sandbox = stack.enter_context(running(World(given(now))))
            state = {"conn_type": "sqlite", "host": str(folder / f"{name}.db")}
            connections = {
                **sandbox.connections(),
                "warehouse_default": json.dumps(connection),
                "state_default": json.dumps(state),
            }
            environment = {f"AIRFLOW_CONN_{k.upper()}": v for k, v in connections.items()}
            environment["PIPELINE_SETTINGS"] = str(settings_file)
            # The emulator takes one dbt thread at a time.
            environment["DBT_THREADS"] = "1" if name == "snowflake" else "2"
            environment["SANDBOX_REFERENCE"] = "true"
            environment["DBT_BIN"] = str(dbt_program)
            return Place(warehouse, environment, airflow_home)

        yield {
            "duckdb": place("duckdb", DuckDBWarehouse(file), on_duckdb),
            "snowflake": place("snowflake", emulated(emulator, database), on_snowflake),
        }


@contextmanager
def within(place: Place) -> Iterator[None]:
    """Airflow uses this place for as long as the block lasts."""
    before = dict(os.environ)
    os.environ.update(place.environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="module")
def runs(places: dict[str, Place], run_dag: Any) -> dict[str, list[Any]]:
    """Every DAG once on each warehouse, all on one day: some rows are a day's."""
    while datetime.now(UTC).strftime("%H:%M") >= "23:54":
        time.sleep(1)
    done: dict[str, list[Any]] = {}
    for name, place in places.items():
        with within(place):
            done[name] = [run_dag(f"conversations__{vendor}") for vendor in ALL]
            done[name].append(run_dag("scorecards"))
    return done


def normal(row: Mapping[str, Any], changing: frozenset[str]) -> str:
    """A row as text: names in lower case, types named, what each run does anew left out."""

    def one(name: str, value: Any) -> str:
        if name in changing:
            return "" if value is None else type(value).__name__
        shown = value.isoformat() if isinstance(value, date) else json.dumps(value, sort_keys=True)
        return f"{type(value).__name__} {shown}"

    return json.dumps({name.lower(): one(name.lower(), value) for name, value in row.items()})


def test_every_task_succeeds(runs: dict[str, list[Any]]) -> None:
    for name, done in runs.items():
        found = {
            f"{ti.dag_id}.{ti.task_id}": ti.state for r in done for ti in r.get_task_instances()
        }
        assert len(found) == 2 * len(ALL) + 1
        assert set(found.values()) == {"success"}, f"{name}: {found}"


@pytest.mark.parametrize("schema", ["landing", "staging", "intermediate", "marts", "workforce"])
def test_the_rows_are_the_same(
    places: dict[str, Place], runs: dict[str, list[Any]], schema: str
) -> None:
    names = places["duckdb"].relations(schema)
    assert names == places["snowflake"].relations(schema), "nothing else is there either"
    empty = set()
    for name in names:
        changing = CHANGING | CHANGING_IN.get(name, frozenset())
        rows = {
            which: Counter(normal(row, changing) for row in place.rows(schema, name))
            for which, place in places.items()
        }
        assert rows["duckdb"] - rows["snowflake"] == Counter(), name
        assert rows["snowflake"] - rows["duckdb"] == Counter(), name
        if not rows["duckdb"]:
            empty.add(name)
    assert len(empty - NOT_FILLED) <= 2, f"quarantine is empty, and nothing else: {empty}"


def test_odd_texts_arrive_whole(places: dict[str, Place], runs: dict[str, list[Any]]) -> None:
    for place in places.values():
        for vendor in ALL:
            (row,) = place.query(
                f"select transcript from landing.{vendor}__conversations "
                "where length(transcript) > 100000"
            )
            assert ODD.replace("\0", "\ufffd").strip() in row["transcript"]
            assert "\0" not in row["transcript"]


def test_every_node_of_dbt_ran(places: dict[str, Place], runs: dict[str, list[Any]]) -> None:
    """Models and data tests; none is left out on the emulator."""
    statuses = {
        name: {row["node_id"]: row["status"] for row in place.rows("landing", "dbt_results")}
        for name, place in places.items()
    }
    assert statuses["duckdb"] == statuses["snowflake"]
    kinds = Counter(node.split(".")[0] for node in statuses["duckdb"])
    assert min(kinds["model"], kinds["test"]) > 10
    assert set(statuses["duckdb"].values()) <= {"success", "pass", "no-op", "warn"}


def test_the_history_names_dag_run_and_task(
    places: dict[str, Place], runs: dict[str, list[Any]]
) -> None:
    history = told(*places["snowflake"].wire)
    by_tag = Counter(each["query_tag"].split(": ")[0] for each in history["statements"])
    by_dbt = [each for each in history["statements"] if "\n/* {" in each["sql"]]
    named = {
        f"{ti.dag_id}/{ti.run_id}/{ti.task_id}"
        for dag_run in runs["snowflake"]
        for ti in dag_run.get_task_instances()
    }
    assert len(named) == 2 * len(ALL) + 1
    assert named <= set(by_tag)
    assert set(by_tag) <= {*named, "a test looks", DBT, '{"project"'}
    (build,) = [name for name in named if name.endswith("/dbt_build")]
    assert len(by_dbt) > 200
    asked = [json.loads(each["sql"].rpartition("/* ")[2].partition(" */")[0]) for each in by_dbt]
    assert {each["run"] for each in asked} == {build}
    tags = {each["query_tag"] for each in history["statements"] if each["query_tag"][0] == "{"}
    assert {json.loads(tag)["run"] for tag in tags} == {build}
    models = {json.loads(tag)["node"].split(".")[-1] for tag in tags}
    assert {"fct_conversations", "agent_daily_scorecards", "brick_scales"} <= models
    logins = [each for each in history["logins"] if each["query_tag"] == DBT]
    assert 1 <= len(logins) <= 5, "a login a thread, not one a model"


def test_no_password_is_written_anywhere(
    places: dict[str, Place], runs: dict[str, list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """Logs, XCom, rendered fields, dbt's artifacts."""
    home = places["snowflake"].home
    files = [file for file in home.rglob("*") if file.is_file()]
    assert {"manifest.json", "airflow.db"} <= {file.name for file in files}
    database = places["snowflake"].wire[1].encode()
    assert any(database in file.read_bytes() for file in files), "the guard: dbt says much else"
    assert [file for file in files if PASSWORD.encode() in file.read_bytes()] == []


def test_an_hour_with_nothing_new_opens_no_warehouse(
    places: dict[str, Place], runs: dict[str, list[Any]], run_dag: Any
) -> None:
    port, database = places["snowflake"].wire
    before = len(told(port, database)["logins"])
    assert before, "the guard: logins are counted"
    file = Path(json.loads(places["duckdb"].environment[WAREHOUSE])["host"])
    away = file.rename(file.with_suffix(".away"))
    for leftover in file.parent.glob("warehouse.duckdb*"):
        leftover.unlink()
    try:
        for place in places.values():
            with within(place):
                for vendor in ALL:
                    assert run_dag(f"conversations__{vendor}").state == "success"
        assert list(file.parent.glob("warehouse.duckdb*")) == []
        assert len(told(port, database)["logins"]) == before
    finally:
        away.rename(file)
