"""docker-compose.yml and .env.example as Airflow and the hooks read them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from compose.composefile import ComposeFile, read_env

ROOT = Path(__file__).parents[2]


def test_warehouse_and_state_open_by_what_the_file_gives(
    airflow_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from semarize_airflow.hooks.state_hook import StateHook
    from semarize_airflow.hooks.warehouse_hook import WarehouseHook

    gaps = [name for name, value in read_env(ROOT / ".env.example", {}).items() if not value]
    (tmp_path / ".env").write_text("".join(f"{name}=value-of-{name}\n" for name in gaps))
    env_files = [tmp_path / ".env", ROOT / ".docker/sandbox.env"]
    worker = ComposeFile(ROOT / "docker-compose.yml", env_files).services()["worker"]
    for name, value in worker.environment.items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)
    assert str(WarehouseHook().get_conn().path) == "/opt/airflow/warehouse/warehouse.duckdb"
    assert "/opt/airflow/warehouse" in worker.mounts
    hook = StateHook()
    url = hook.url(hook.get_connection("state_default"))
    assert url == "postgresql+psycopg2://airflow:value-of-POSTGRES_PASSWORD@postgres:5432/state"
    assert "CREATE DATABASE state " in (ROOT / ".docker/state.sql").read_text()


def test_the_examples_can_be_read_when_their_signs_are_taken_away(
    airflow_home: Path, tmp_path: Path
) -> None:
    from airflow.sdk import Connection

    text = re.sub(
        r"^# ([A-Z][A-Z0-9_]+=)", r"\1", (ROOT / ".env.example").read_text(), flags=re.MULTILINE
    )
    (tmp_path / "all.env").write_text(text)
    told = read_env(tmp_path / "all.env", {})
    seen = 0
    for name, value in told.items():
        if name.startswith("AIRFLOW_CONN_"):
            assert Connection.from_json(value, conn_id="x").conn_type
            seen += 1
    assert seen == 9


def test_every_setting_is_one_that_airflow_knows(airflow_home: Path) -> None:
    """A misspelt one would be passed over in silence."""
    from airflow.providers_manager import ProvidersManager
    from airflow.sdk.configuration import conf

    ProvidersManager().initialize_providers_configuration()
    told = ComposeFile(ROOT / "docker-compose.yml").raw["x-airflow"]["environment"]
    names = [name.lower().split("__")[1:] for name in told if name.startswith("AIRFLOW__")]
    assert len(names) >= 20
    known = conf.configuration_description
    assert [n for n in names if n[1] not in known.get(n[0], {"options": ()})["options"]] == []
