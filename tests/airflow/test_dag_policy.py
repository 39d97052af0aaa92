"""What every DAG owes to the person on call, and what a DAG file must never do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import ALL

ROOT = Path(__file__).parents[2]
BY_HAND = {"backfill", "rescore", "replay", "erase", "rebuild_state"}
DAILY = {"reconcile", "retention", "freshness"}
EXPECTED = {*(f"conversations__{vendor}" for vendor in ALL), "scorecards", *DAILY, *BY_HAND}


def test_every_dag_is_there_and_loads(dag_bag: Any) -> None:
    assert len(ALL) >= 5
    assert dag_bag.import_errors == {}
    assert set(dag_bag.dags) == EXPECTED


def test_every_dag_helps_the_person_on_call(dag_bag: Any) -> None:
    for dag in dag_bag.dags.values():
        assert dag.tags, f"{dag.dag_id}: add tags"
        assert dag.description, f"{dag.dag_id}: add a description"
        for heading in ("### What", "### Triage notes", "### Safe to run again?"):
            assert heading in (dag.doc_md or ""), f"{dag.dag_id}: its doc_md needs {heading!r}"
        assert dag.max_active_runs == 1, f"{dag.dag_id}: two runs would race for one watermark"
        assert not dag.catchup, f"{dag.dag_id}: windows come from the watermark, not from catch-up"
        assert dag.tasks
        for task in dag.tasks:
            assert task.owner not in ("", "airflow"), f"{task.task_id}: name an owner"
            assert task.retries >= 2, f"{task.task_id}: passing faults need retries"
            assert task.retry_exponential_backoff


def test_shared_resources_have_pools(dag_bag: Any) -> None:
    from semarize_airflow.pools import POOLS

    used = {task.pool for dag in dag_bag.dags.values() for task in dag.tasks} - {"default_pool"}
    assert used == {"semarize_api", "history", "warehouse"}
    assert used <= set(POOLS)


def test_parsing_touches_nothing(airflow_home: Path) -> None:
    """DAG files are read every few seconds, on every processor."""
    watch = """
import socket, sys
def refuse(*args, **kwargs):
    raise RuntimeError("a DAG file opened a socket while it was read")
socket.socket.connect = refuse
socket.create_connection = refuse
import sqlalchemy.engine
import semarize_pipeline.settings, semarize_pipeline.state.store
def no_state(*args, **kwargs):
    raise RuntimeError("a DAG file opened the state database while it was read")
semarize_pipeline.state.store._engine = no_state
semarize_pipeline.settings.load = no_state
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
assert len(bag.dags) >= 6, bag.dags
assert "duckdb" not in [m for m in sys.modules if m == "dbt"]
print(len(bag.dags))
"""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW_CONN_")},
        "PIPELINE_SETTINGS": "/nowhere.toml",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "include"), str(ROOT / "plugins")]),
    }
    done = subprocess.run(
        [sys.executable, "-c", watch, str(ROOT / "dags")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) == len(EXPECTED)


def test_files_in_plugins_have_names_of_their_own() -> None:
    """Airflow may register plugin files by bare name: two equal ones would replace each other."""
    dunder = ("__init__.py", "__main__.py")
    files = [path for path in (ROOT / "plugins").rglob("*.py") if path.name not in dunder]
    assert len(files) > 8
    names = [path.stem for path in files]
    assert len(set(names)) == len(names)
    assert not {name for name in names if name in sys.stdlib_module_names}
    assert "semarize_airflow" in (ROOT / "plugins/.airflowignore").read_text()


def test_nothing_shadows_dbt() -> None:
    assert (ROOT / "dbt/dbt_project.yml").exists()
    assert list((ROOT / "dbt").rglob("__init__.py")) == []
