"""The environment of every local Airflow process, built in one place."""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from semarize_pipeline import vendors

ROOT = Path(__file__).resolve().parents[3]
USER = "admin"
LOCKED_SECONDS = 120
# What costs money or keeps what has landed: made-up calls must never reach the user's own.
PRECIOUS_CONNECTIONS = ("semarize_default", "warehouse_default", "state_default")


class Refused(Exception):
    """Why a local command ends at once; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where things listen, on this machine only; each can be moved by its variable."""

    airflow: int = 8080
    worker_logs: int = 8793
    trigger_logs: int = 8794
    sandbox: int = 8090
    dashboards: int = 8501

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Field → the variable that moves it."""
        return {
            "airflow": "UP_PORT",
            "worker_logs": "UP_WORKER_LOG_PORT",
            "trigger_logs": "UP_TRIGGER_LOG_PORT",
            "sandbox": "UP_SANDBOX_PORT",
            "dashboards": "UP_DASHBOARDS_PORT",
        }

    @classmethod
    def told(cls, variables: Mapping[str, str]) -> Ports:
        """The ports that the variables ask for. Raises Refused for what is not a port."""
        chosen: dict[str, int] = {}
        for field, variable in cls.variables().items():
            text = variables.get(variable, "")
            if not text:
                continue
            if not text.isascii() or not text.isdigit() or not 1024 <= int(text) <= 65535:
                raise Refused(f"{variable}={text} is not a port; give a number from 1024 to 65535")
            chosen[field] = int(text)
        ports = cls(**chosen)
        by_number: dict[int, str] = {}
        for field, variable in cls.variables().items():
            number = getattr(ports, field)
            if number in by_number:
                raise Refused(
                    f"{by_number[number]} and {variable} both come to port {number}; move one"
                )
            by_number[number] = variable
        return ports

    def named(self) -> dict[str, int]:
        """The variable that moves a port → the port."""
        return {self.variables()[f.name]: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class Runtime:
    """The folder of everything that local runs leave behind; git ignores it."""

    folder: Path

    @classmethod
    def told(cls, variables: Mapping[str, str]) -> Runtime:
        """``.runtime`` in the project, unless LOCAL_RUNTIME names another folder."""
        return cls(Path(variables.get("LOCAL_RUNTIME") or ROOT / ".runtime").expanduser().resolve())

    @property
    def airflow_home(self) -> Path:
        return self.folder / "airflow"

    @property
    def logs(self) -> Path:
        return self.airflow_home / "logs"

    @property
    def warehouse(self) -> Path:
        return self.airflow_home / "warehouse.duckdb"

    @property
    def processes(self) -> Path:
        return self.folder / "processes"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Made once for a runtime folder, and readable by its owner only."""

    fernet_key: str
    jwt_secret: str
    api_secret: str
    password: str

    @classmethod
    def of(cls, runtime: Runtime) -> Secrets:
        path = runtime.airflow_home / "secrets.json"
        if not path.exists():
            made = {
                "fernet_key": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                "jwt_secret": secrets.token_urlsafe(48),
                "api_secret": secrets.token_urlsafe(48),
                "password": secrets.token_urlsafe(9),
            }
            _write_private(path, json.dumps(made), replace=False)
        return cls(**json.loads(path.read_text()))


def _write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write a file that nobody else may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Its mode is 600 from the first moment.
    handle, draft_name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(draft_name)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    try:
        if replace:
            draft.replace(path)
        else:
            path.hardlink_to(draft)
    except FileExistsError:
        pass  # Another process was first, and its secrets count.
    finally:
        draft.unlink(missing_ok=True)


def own_connections(variables: Mapping[str, str]) -> tuple[str, ...]:
    """Those of the pipeline's connections that the user's environment gives."""
    known = (*(f"{vendor}_default" for vendor in vendors.names()), *PRECIOUS_CONNECTIONS)
    return tuple(name for name in known if variables.get(_variable(name)))


def _variable(connection: str) -> str:
    return f"AIRFLOW_CONN_{connection.upper()}"


def environment(
    runtime: Runtime,
    *,
    variables: Mapping[str, str],
    sandbox: Mapping[str, str],
    ports: Ports | None = None,
    isolated: bool = False,
    company: bool = True,
) -> dict[str, str]:
    """The environment of a local Airflow process.

    :param variables: the environment to start from, usually ``os.environ``.
    :param sandbox: connection id → JSON text, from the running sandbox.
    :param isolated: ignore the user's own connections and settings: for the demo, which must
        cost nothing and land nothing anywhere else.
    :param company: the sandbox serves its made-up company, so that dbt is to load the tables of
        that company too (its CRM and the like), unless the calls land in the user's warehouse.

    Otherwise the user's connections win. Where Semarize or the warehouse is the user's own, the
    sandbox's vendors stay away: nothing made up is paid for or lands there.
    """
    ports = ports or Ports()
    keys = Secrets.of(runtime)
    passwords = runtime.airflow_home / "passwords.json"
    _write_private(passwords, json.dumps({USER: keys.password}), replace=True)
    url = f"http://127.0.0.1:{ports.airflow}"
    made = dict(variables)
    if isolated:
        for name in own_connections(made):
            made.pop(_variable(name))
        made.pop("PIPELINE_SETTINGS", None)
    own = own_connections(made)
    given = dict(local_connections(runtime))
    made_up = not set(PRECIOUS_CONNECTIONS).intersection(own)
    if made_up:
        given |= sandbox
    made["SANDBOX_REFERENCE"] = "true" if made_up and company else "false"
    made["DASHBOARD_SANDBOX_DATA"] = "true" if made_up else "false"
    if not own and not made.get(_variable("dashboards_default")):
        # Nobody's: all its people are made up.
        made.setdefault("DASHBOARD_WORKFORCE", "true")
    for name, connection in given.items():
        if name not in own:
            made[_variable(name)] = connection
    made.setdefault(
        "PIPELINE_SETTINGS",
        str(
            ROOT / "include/pipeline.toml"
            if "semarize_default" in own
            else ROOT / "include/semarize_sandbox/pipeline.toml"
        ),
    )
    for name in ("NO_PROXY", "no_proxy"):
        # The parts talk to each other on this machine, whatever proxy leads elsewhere.
        made[name] = ",".join(filter(None, [made.get(name), "127.0.0.1", "localhost"]))
    made |= {
        # `airflow` and what it starts must be ours, whatever the shell has activated.
        "PATH": os.pathsep.join([str(Path(sys.prefix) / "bin"), made.get("PATH", os.defpath)]),
        "VIRTUAL_ENV": sys.prefix,
        # Never the root: the folder dbt/ would join the package dbt.
        "PYTHONPATH": os.pathsep.join([str(ROOT / "include"), str(ROOT / "plugins")]),
        "PYTHONSAFEPATH": "1",
        "DBT_BIN": str(ROOT / ".venv-dbt/bin/dbt"),
        "AIRFLOW_HOME": str(runtime.airflow_home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__FERNET_KEY": keys.fernet_key,
        "AIRFLOW__CORE__AUTH_MANAGER": (
            "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
        ),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(ports.airflow),
        "AIRFLOW__API__BASE_URL": f"http://localhost:{ports.airflow}",
        "AIRFLOW__API__SECRET_KEY": keys.api_secret,
        "AIRFLOW__API_AUTH__JWT_SECRET": keys.jwt_secret,
        # Who finds it locked waits: five seconds, as is usual, are not enough on a busy machine.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": (
            f"sqlite:///{runtime.airflow_home / 'airflow.db'}?timeout={LOCKED_SECONDS}"
        ),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(runtime.logs),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(ports.worker_logs),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(ports.trigger_logs),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "DASHBOARD_ADDRESS": "127.0.0.1",
        "DASHBOARD_PORT": str(ports.dashboards),
        "SEMARIZE_DASHBOARDS_URL": f"http://localhost:{ports.dashboards}",
    }
    return made


def local_connections(runtime: Runtime) -> dict[str, str]:
    """The warehouse file and the state file, as connections."""
    return {
        "warehouse_default": json.dumps({"conn_type": "duckdb", "host": str(runtime.warehouse)}),
        "state_default": json.dumps(
            {"conn_type": "sqlite", "host": str(runtime.airflow_home / "state.db")}
        ),
    }
