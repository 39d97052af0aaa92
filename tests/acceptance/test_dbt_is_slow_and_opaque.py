"""Pain: a process for each model, one red task for all of them, and everything anew after a fix.

A small project of one's own in place of ours, so that a model can be broken and mended; dbt, the
operator, Airflow's second try and the warehouse are the real ones.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse

pytestmark = pytest.mark.slow

PROJECT = """
name: small
version: "1.0"
profile: small
models:
  +materialized: table
"""
PROFILE = """
small:
  outputs:
    duckdb: {type: duckdb, path: "{{ env_var('DBT_DUCKDB_PATH') }}", schema: marts, threads: 1}
"""
TESTS = """
version: 2
models:
  - name: fine
    columns: [{name: id, data_tests: [not_null]}]
  - name: behind_it
    columns: [{name: id, data_tests: [not_null]}]
"""
MODELS = {
    "fine": "select 1 as id",
    "broken": "select id, nonsense from {{ ref('fine') }}",
    "behind_it": "select id from {{ ref('broken') }}",
    "beside_it": "select id from {{ ref('fine') }}",
}
MENDED = "select id from {{ ref('fine') }}"
LEFT = {"model.small.broken", "model.small.behind_it", "test.small.not_null_behind_it_id"}


class Place:
    """The small project, and the warehouse that it is built on."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.warehouse = folder / "warehouse.duckdb"
        (self.project / "models").mkdir(parents=True)
        (self.project / "dbt_project.yml").write_text(PROJECT)
        (self.project / "profiles.yml").write_text(PROFILE)
        (self.project / "models/models.yml").write_text(TESTS)
        for name, sql in MODELS.items():
            self.write(name, sql)

    def write(self, name: str, sql: str) -> None:
        (self.project / "models" / f"{name}.sql").write_text(sql)

    def query(self, sql: str) -> list[dict[str, Any]]:
        with DuckDBWarehouse(self.warehouse).open("a test looks") as session:
            return session.query(sql)

    def builds(self) -> list[dict[str, str]]:
        """What each dbt invocation says of each node, oldest first; tests without their hash."""
        found: dict[str, dict[str, str]] = {}
        for row in self.query("select * from landing.dbt_results order by _loaded_at, node_id"):
            name = ".".join(row["node_id"].split(".")[:3])
            found.setdefault(row["invocation_id"], {})[name] = row["status"]
        return list(found.values())


@pytest.fixture
def place(
    airflow_home: Path, dbt_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Place:
    made = Place(tmp_path)
    monkeypatch.setenv("DBT_BIN", str(dbt_program))
    held = {"conn_type": "duckdb", "host": str(made.warehouse)}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE_DEFAULT", json.dumps(held))
    monkeypatch.setenv("DBT_PROJECT_DIR", str(made.project))
    return made


@pytest.fixture
def twice(dag_bag: Any, pools: None) -> Any:
    """Runs ``scorecards`` with one more try that comes at once, and ``mend`` before it."""
    dag = dag_bag.dags["scorecards"]
    task = dag.get_task("dbt_build")
    assert task.retries >= 1, "the guard: it is tried again in production too"
    kept = task.retries, task.retry_delay, task.on_retry_callback

    def run(mend: Any) -> Any:
        task.retries, task.retry_delay = 1, timedelta(0)
        task.on_retry_callback = [lambda context: mend()]
        return dag.test()

    yield run
    task.retries, task.retry_delay, task.on_retry_callback = kept


def test_one_invocation_every_status_and_a_second_try_of_what_is_left(
    place: Place, twice: Any, caplog: pytest.LogCaptureFixture
) -> None:
    mended: list[str] = []

    def mend() -> None:
        place.write("broken", MENDED)
        mended.append("by somebody")

    dag_run = twice(mend)
    assert mended, "the guard: the first try failed"
    assert dag_run.state == "success"
    first, second = place.builds()  # one invocation a try
    assert first == {
        "model.small.fine": "success",
        "test.small.not_null_fine_id": "pass",
        "model.small.broken": "error",
        "model.small.behind_it": "skipped",
        "test.small.not_null_behind_it_id": "skipped",
        "model.small.beside_it": "success",  # what does not depend on it is not held up by it
    }
    assert second.keys() == LEFT, "what failed and what was skipped, and nothing else"
    assert set(second.values()) <= {"success", "pass"}
    assert place.query("select id from marts.behind_it") == [{"id": 1}]
    (message,) = place.query("select message from landing.dbt_results where status = 'error'")
    assert "nonsense" in message["message"], "and why"
    # Another run builds everything.
    assert twice(mend).state == "success"
    assert len(place.builds()[2]) == len(first)


def test_a_test_that_fails_is_for_a_person_and_cleared_it_reads_its_rows_anew(
    place: Place, twice: Any
) -> None:
    """A failed test alone is not tried again: by itself it would fail the same way."""
    place.write("broken", "select cast(null as integer) as id from {{ ref('fine') }}")
    tries: list[str] = []
    dag_run = twice(lambda: tries.append("another"))
    assert dag_run.state == "failed"
    assert tries == []
    (first,) = place.builds()
    assert first["test.small.not_null_behind_it_id"] == "fail"
    place.write("broken", MENDED)
    assert cleared(dag_run) == {"success"}
    _, second = place.builds()
    assert second["model.small.broken"] == "success", "what the test is about is built before it"
    assert second["test.small.not_null_behind_it_id"] == "pass"
    assert "model.small.beside_it" not in second


def cleared(dag_run: Any) -> set[str]:
    """The run's task once more, as when a person clears it."""
    from semarize_airflow.operators.dbt_operator import DbtBuildOperator

    (ti,) = dag_run.get_task_instances()
    operator = DbtBuildOperator(task_id=ti.task_id)
    counts = operator.execute({"ti": ti})
    return {status for status in counts if status != "pass"}
