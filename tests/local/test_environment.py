"""The environment of local processes: what is ours, what is the user's, what stays secret."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.fernet import Fernet

from semarize_airflow.local import sandbox
from semarize_airflow.local.environment import (
    ROOT,
    Ports,
    Refused,
    Runtime,
    Secrets,
    environment,
    own_connections,
)
from semarize_sandbox.server import running
from semarize_sandbox.world import World

SANDBOX = {"gong_default": '{"host": "sandbox"}', "semarize_default": '{"host": "sandbox"}'}
OWN_GONG = "http://:key@api.gong.example"


def test_the_paths_leave_the_root_out(runtime: Runtime) -> None:
    made = environment(runtime, variables={"PYTHONPATH": "/elsewhere"}, sandbox=SANDBOX)
    paths = made["PYTHONPATH"].split(os.pathsep)
    assert paths == [str(ROOT / "include"), str(ROOT / "plugins")]
    assert made["PYTHONSAFEPATH"] == "1"
    assert made["AIRFLOW__CORE__PLUGINS_FOLDER"] == str(ROOT / "plugins")


def test_everything_is_kept_in_the_runtime_folder(runtime: Runtime) -> None:
    made = environment(
        runtime,
        variables={"AIRFLOW_HOME": "/home/me/airflow", "HOME": "/home/me"},
        sandbox=SANDBOX,
    )
    home = str(runtime.folder)
    assert made["AIRFLOW_HOME"].startswith(home)
    database = made["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert database.startswith(f"sqlite:///{home}")
    assert database.endswith("?timeout=120"), "runs that start together wait for each other"
    for connection in ("WAREHOUSE", "STATE"):
        assert json.loads(made[f"AIRFLOW_CONN_{connection}_DEFAULT"])["host"].startswith(home)
    assert made["HOME"] == "/home/me"


def test_a_connection_of_the_user_wins_over_the_sandbox(runtime: Runtime) -> None:
    variables = {"AIRFLOW_CONN_GONG_DEFAULT": OWN_GONG, "AIRFLOW_CONN_CHORUS_DEFAULT": ""}
    made = environment(runtime, variables=variables, sandbox=SANDBOX)
    assert made["AIRFLOW_CONN_GONG_DEFAULT"] == OWN_GONG
    assert made["AIRFLOW_CONN_SEMARIZE_DEFAULT"] == SANDBOX["semarize_default"]
    assert own_connections(variables) == ("gong_default",)


@pytest.mark.parametrize("precious", ["semarize_default", "warehouse_default", "state_default"])
def test_made_up_calls_never_reach_what_is_precious(runtime: Runtime, precious: str) -> None:
    variable = f"AIRFLOW_CONN_{precious.upper()}"
    made = environment(runtime, variables={variable: "mine"}, sandbox=SANDBOX)
    assert made[variable] == "mine"
    assert "AIRFLOW_CONN_GONG_DEFAULT" not in made


def test_the_users_semarize_is_not_asked_for_the_sandbox_kits(runtime: Runtime) -> None:
    made = environment(
        runtime, variables={"AIRFLOW_CONN_SEMARIZE_DEFAULT": "mine"}, sandbox=SANDBOX
    )
    assert made["PIPELINE_SETTINGS"] == str(ROOT / "include/pipeline.toml")
    without = environment(runtime, variables={}, sandbox=SANDBOX)
    assert without["PIPELINE_SETTINGS"] == str(ROOT / "include/semarize_sandbox/pipeline.toml")


def test_the_demo_ignores_all_that_is_the_users(runtime: Runtime) -> None:
    variables = {
        "AIRFLOW_CONN_GONG_DEFAULT": OWN_GONG,
        "AIRFLOW_CONN_SEMARIZE_DEFAULT": "mine",
        "AIRFLOW_CONN_WAREHOUSE_DEFAULT": "snowflake://production",
        "PIPELINE_SETTINGS": "/mine.toml",
        "AIRFLOW_CONN_SOMETHING_ELSE": "kept",
    }
    made = environment(runtime, variables=variables, sandbox=SANDBOX, isolated=True)
    assert made["AIRFLOW_CONN_GONG_DEFAULT"] == SANDBOX["gong_default"]
    assert made["AIRFLOW_CONN_SEMARIZE_DEFAULT"] == SANDBOX["semarize_default"]
    assert json.loads(made["AIRFLOW_CONN_WAREHOUSE_DEFAULT"])["conn_type"] == "duckdb"
    assert made["PIPELINE_SETTINGS"].endswith("semarize_sandbox/pipeline.toml")
    assert made["AIRFLOW_CONN_SOMETHING_ELSE"] == "kept"


def test_dbt_gets_the_tables_of_the_company_where_the_sandbox_serves_it(runtime: Runtime) -> None:
    def reference(variables: dict[str, str], **options: bool) -> str:
        made = environment(runtime, variables=variables, sandbox=SANDBOX, **options)
        return made["SANDBOX_REFERENCE"]

    warehouse = {"AIRFLOW_CONN_WAREHOUSE_DEFAULT": "snowflake://production"}
    assert reference({}) == "true"
    assert reference(warehouse) == "false", "nothing made up reaches the user's warehouse"
    assert reference({**warehouse, "SANDBOX_REFERENCE": "true"}) == "false"
    assert reference(warehouse, isolated=True) == "true"
    assert reference({}, isolated=True, company=False) == "false"


def test_people_at_work_are_shown_where_all_of_them_are_made_up(runtime: Runtime) -> None:
    def switch(variables: dict[str, str], **options: bool) -> str | None:
        made = environment(runtime, variables=variables, sandbox=SANDBOX, **options)
        return made.get("DASHBOARD_WORKFORCE")

    own = {
        "AIRFLOW_CONN_GONG_DEFAULT": OWN_GONG,
        "AIRFLOW_CONN_WAREHOUSE_DEFAULT": "snowflake://production",
        "AIRFLOW_CONN_DASHBOARDS_DEFAULT": "snowflake://production",
    }
    assert switch({}) == "true"
    assert switch({"DASHBOARD_WORKFORCE": "false"}) == "false", "who runs it decides"
    for name, connection in own.items():
        assert switch({name: connection}) is None, name
        assert switch({name: connection, "DASHBOARD_WORKFORCE": "true"}) == "true"
    assert switch({"AIRFLOW_CONN_GONG_DEFAULT": OWN_GONG}, isolated=True) == "true"


def test_secrets_are_made_once_and_are_nobody_elses(runtime: Runtime) -> None:
    keys = Secrets.of(runtime)
    assert Secrets.of(runtime) == keys
    assert len({keys.fernet_key, keys.jwt_secret, keys.api_secret, keys.password}) == 4
    Fernet(keys.fernet_key)
    environment(runtime, variables={}, sandbox=SANDBOX)
    kept = [runtime.airflow_home / name for name in ("secrets.json", "passwords.json")]
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600, 0o600]
    assert sorted(kept) == sorted(runtime.airflow_home.iterdir())


def test_those_who_start_together_share_their_secrets(tmp_path: Path) -> None:
    together = Barrier(8)

    def made(runtime: Runtime) -> Secrets:
        together.wait(10)
        return Secrets.of(runtime)

    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            assert len(set(pool.map(made, [Runtime(tmp_path / str(number))] * 8))) == 1


def test_no_proxy_stands_between_the_parts(runtime: Runtime) -> None:
    variables = {"https_proxy": "http://proxy:3128", "no_proxy": ".example"}
    made = environment(runtime, variables=variables, sandbox=SANDBOX)
    assert made["no_proxy"] == ".example,127.0.0.1,localhost"
    assert made["NO_PROXY"] == "127.0.0.1,localhost"
    assert made["https_proxy"] == "http://proxy:3128"


def test_the_ports_reach_every_setting_that_has_them(runtime: Runtime) -> None:
    ports = Ports.told(
        {
            "UP_PORT": "18080",
            "UP_WORKER_LOG_PORT": "18793",
            "UP_TRIGGER_LOG_PORT": "18794",
            "UP_SANDBOX_PORT": "18090",
            "UP_DASHBOARDS_PORT": "18501",
        }
    )
    made = environment(runtime, variables={}, sandbox=SANDBOX, ports=ports)
    assert made["AIRFLOW__API__PORT"] == "18080"
    assert made["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:18080/execution/"
    assert made["AIRFLOW__API__BASE_URL"] == "http://localhost:18080"
    assert made["AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT"] == "18793"
    assert made["AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT"] == "18794"
    defaults = [str(number) for number in Ports().named().values()]
    assert not [value for value in made.values() if value in defaults]


@pytest.mark.parametrize("wrong", ["http", "0", "80", "65536", "-1", "8080.5", "٨٠٨٠"])
def test_what_is_not_a_port_is_refused_by_the_variables_name(wrong: str) -> None:
    with pytest.raises(Refused, match="UP_SANDBOX_PORT"):
        Ports.told({"UP_SANDBOX_PORT": wrong})


def test_two_things_on_one_port_are_refused() -> None:
    with pytest.raises(Refused, match=r"UP_PORT and UP_SANDBOX_PORT.*8090"):
        Ports.told({"UP_PORT": "8090"})


def test_the_connections_to_a_sandbox_elsewhere_are_those_it_gives_itself() -> None:
    with running(World()) as served:
        port = int(served.url.rpartition(":")[2])
        assert sandbox.connections(port) == served.connections()
        assert len(served.connections()) > 1
