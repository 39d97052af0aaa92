"""A real Airflow for these tests: its own home, its own metadata database, the real DAG files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = """
[extract]
start = "3 days"
slice_hours = 240
[score]
at_once = 8
patience_seconds = 20
requests_per_second = 500
[kits.interaction_quality]
code = "C5A1E07B"
[kits.deal_signals]
code = "D3A15160"
vendors = ["gong"]
"""


def airflow_environment(home: Path) -> dict[str, str]:
    """What Airflow needs to run from ``home``. Set before the first import of airflow."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__FERNET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW_CONN_STATE_DEFAULT": json.dumps(
            {"conn_type": "sqlite", "host": str(home / "state.db")}
        ),
        "AIRFLOW_CONN_WAREHOUSE_DEFAULT": json.dumps(
            {"conn_type": "duckdb", "host": str(home / "warehouse.duckdb")}
        ),
        "DBT_BIN": str(ROOT / ".venv-dbt/bin/dbt"),
    }


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A migrated Airflow home, in this process's environment."""
    if "airflow" in sys.modules:
        raise RuntimeError("airflow was imported before its home was set; import it in the test")
    home = tmp_path_factory.mktemp("airflow")
    before = dict(os.environ)
    os.environ.update(airflow_environment(home))
    try:
        path = os.pathsep.join([str(ROOT / "include"), str(ROOT / "plugins")])
        subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env={**os.environ, "PYTHONPATH": path},
            check=True,
            capture_output=True,
            timeout=120,
        )
        yield home
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def stores(airflow_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state and a warehouse of this test's own: those of the home keep what others landed."""
    for name, kind, file in (
        ("STATE", "sqlite", "state.db"),
        ("WAREHOUSE", "duckdb", "warehouse.duckdb"),
    ):
        held = json.dumps({"conn_type": kind, "host": str(tmp_path / file)})
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}_DEFAULT", held)
    return tmp_path


@pytest.fixture(scope="session")
def dag_bag(airflow_home: Path) -> object:
    # Since 3.3 the class lives here and takes no include_examples.
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags"))


@pytest.fixture(scope="session")
def pools(airflow_home: Path) -> None:
    from semarize_airflow.pools import make_pools

    make_pools()


@pytest.fixture(scope="session")
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pipeline's settings of whole DAGs against a sandbox."""
    file = tmp_path_factory.mktemp("settings") / "pipeline.toml"
    file.write_text(SETTINGS)
    return file


@pytest.fixture(scope="session")
def run_dag(dag_bag: Any, pools: None) -> Callable[..., Any]:
    """Runs a whole DAG here and now, with a form's values; gives its run."""

    def run(dag_id: str, form: dict[str, Any] | None = None) -> Any:
        dag = dag_bag.dags[dag_id]
        kept = {task: task.retries for task in dag.tasks}
        for task in dag.tasks:
            task.retries = 0  # dag.test() would wait out every pause of a failing task
        try:
            return dag.test(run_conf=form)
        finally:
            for task, retries in kept.items():
                task.retries = retries

    return run
