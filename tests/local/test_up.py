"""``make up`` and ``make down``: health as it is told, and the real thing once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest

from semarize_airflow.local.environment import ROOT, Ports, Runtime, Secrets
from semarize_airflow.local.ports import free_port, is_free
from semarize_airflow.local.processes import SERVICES, Notes, Service, services
from semarize_airflow.local.up import fetch, unhealthy
from semarize_airflow.pools import POOLS

SINCE = datetime(2026, 3, 2, 9, tzinfo=UTC)
Command = Callable[..., "subprocess.CompletedProcess[str]"]


def report(heartbeat: datetime, **statuses: str) -> dict[str, Any]:
    names = ("scheduler", "triggerer", "dag_processor")
    told: dict[str, Any] = {
        name: {
            "status": statuses.get(name, "healthy"),
            f"latest_{name}_heartbeat": heartbeat.isoformat(),
        }
        for name in names
    }
    return {"metadatabase": {"status": "healthy"}, **told}


def test_healthy_is_when_every_component_has_given_a_sign_since_the_start() -> None:
    assert unhealthy(report(SINCE + timedelta(seconds=1)), SINCE) == []
    dead = report(SINCE + timedelta(seconds=1), triggerer="unhealthy")
    assert unhealthy(dead, SINCE) == ["triggerer"]


def test_the_signs_of_an_earlier_airflow_do_not_count() -> None:
    stale = unhealthy(report(SINCE - timedelta(seconds=5)), SINCE)
    assert stale == ["scheduler", "triggerer", "dag processor"]


@pytest.mark.parametrize("told", [{}, {"scheduler": None}, {"metadatabase": {"status": None}}])
def test_what_the_report_leaves_out_is_not_well(told: Mapping[str, Any]) -> None:
    assert len(unhealthy(told, SINCE)) == 4


@pytest.fixture
def command(runtime: Runtime) -> Iterator[Command]:
    """The command as make runs it, on ports and in a folder of its own."""
    ports = [free_port() for _ in Ports.variables()]
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        **{name: str(port) for name, port in zip(Ports.variables().values(), ports, strict=True)},
        "LOCAL_RUNTIME": str(runtime.folder),
        "PYTHONPATH": f"{ROOT / 'include'}{os.pathsep}{ROOT / 'plugins'}",
        "PYTHONSAFEPATH": "1",
    }

    def run(name: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "semarize_airflow.local", name],
            env={**variables, **more},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    yield run
    run("down")


def test_down_and_status_where_nothing_runs(command: Command, runtime: Runtime) -> None:
    stale = Service("airflow", os.getpid(), psutil.Process().create_time() - 3600, (8080,))
    Notes(runtime.processes).write(stale)
    assert command("status").returncode == 3
    ended = command("down")
    assert (ended.returncode, ended.stdout) == (0, "Nothing is running.\n")
    assert Notes(runtime.processes).read("airflow") is None


def test_a_wrong_port_ends_up_before_anything_starts(command: Command, runtime: Runtime) -> None:
    ended = command("up", UP_PORT="eighty")
    assert ended.returncode == 1
    assert "UP_PORT=eighty" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not runtime.airflow_home.exists()


def ask(url: str, token: str | None = None, body: Mapping[str, str] | None = None) -> Any:
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, data, headers), timeout=20) as answer:
        return json.load(answer)


@pytest.mark.slow
def test_up_then_down(command: Command, runtime: Runtime) -> None:
    started = command("up")
    assert started.returncode == 0, started.stdout + started.stderr
    running = {service.name: service for service in services(runtime)}
    assert set(running) == {"sandbox", "airflow", "dashboards"}
    members = [process for service in running.values() for process in service.members()]
    assert len(members) > 5
    ports = [port for service in running.values() for port in service.ports]
    assert len(ports) == 5
    assert not [port for port in ports if is_free(port)]

    url = f"http://127.0.0.1:{running['airflow'].ports[0]}"
    password = Secrets.of(runtime).password
    assert f"user admin, password {password}" in started.stdout
    login = {"username": "admin", "password": password}
    token = ask(f"{url}/auth/token", body=login)["access_token"]
    pools = ask(f"{url}/api/v2/pools", token)["pools"]
    assert POOLS.keys() <= {pool["name"] for pool in pools}
    expected = {"scorecards", "conversations__gong"}
    give_up = time.monotonic() + 90
    found: dict[str, bool] = {}
    while not expected <= found.keys():
        assert time.monotonic() < give_up, (found, ask(f"{url}/api/v2/importErrors", token))
        time.sleep(1)
        listed = ask(f"{url}/api/v2/dags?limit=100", token)["dags"]
        found = {dag["dag_id"]: dag["is_paused"] for dag in listed}
    assert not [dag_id for dag_id in expected if found[dag_id]]
    sandbox = fetch(f"http://127.0.0.1:{running['sandbox'].ports[0]}/control/stats")
    assert sandbox is not None
    assert sandbox["sandbox"] is True

    shown = f"http://127.0.0.1:{running['dashboards'].ports[0]}"
    assert f"http://localhost:{running['dashboards'].ports[0]}" in started.stdout
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{shown}/_stcore/health", timeout=20) as answer:
        assert answer.read() == b"ok"
    views = [
        view
        for plugin in ask(f"{url}/api/v2/plugins", token)["plugins"]
        for view in plugin["external_views"]
    ]
    addresses = {view["href"] for view in views}
    assert addresses == {shown.replace("127.0.0.1", "localhost"), "/semarize/"}

    again = command("up")
    assert again.returncode == 0
    assert "already running" in again.stdout
    assert services(runtime) == [running[name] for name in SERVICES]

    ended = command("down")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert services(runtime) == []
    assert not [p for p in members if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert [port for port in ports if not is_free(port)] == []
    assert command("status").returncode == 3
