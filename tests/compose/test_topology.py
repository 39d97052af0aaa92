"""What stands in for containers: other addresses and folders, and nothing else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from compose.composefile import ComposeFile, read_env
from compose.topology import ROOT, Topology, end_leftovers

COMPOSED = """
services:
  patient:
    image: x
    build: .
    command: [{python}, -c, "import time; print('up', flush=True); time.sleep(600)"]
    restart: unless-stopped
"""


def is_there(pid: int) -> bool:
    """Whether it runs; one that only waits to be collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    gaps = [name for name, value in read_env(ROOT / ".env.example", {}).items() if not value]
    (tmp_path / ".env").write_text("".join(f"{name}=value-of-{name}\n" for name in gaps))
    env_files = [tmp_path / ".env", ROOT / ".docker/sandbox.env"]
    file = ComposeFile(ROOT / "docker-compose.yml", env_files)
    return Topology(file, tmp_path, tmp_path / "dags", lambda line: None)


def test_addresses_become_ports_of_this_machine(topology: Topology) -> None:
    ports = {name: topology.port(name) for name in ("postgres", "redis", "sandbox", "api-server")}
    assert len({container.port for container in topology.containers.values()}) == 11
    worker = topology.containers["worker-2"]
    topology._prepare(worker)
    told = worker.environment
    assert told["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == (
        "postgresql+psycopg2://airflow:value-of-POSTGRES_PASSWORD@"
        f"127.0.0.1:{ports['postgres']}/airflow"
    )
    assert f"@127.0.0.1:{ports['redis']}/0" in told["AIRFLOW__CELERY__BROKER_URL"]
    url = f"http://127.0.0.1:{ports['api-server']}/execution/"
    assert told["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == url
    assert f'"http://127.0.0.1:{ports["sandbox"]}/gong"' in told["AIRFLOW_CONN_GONG_DEFAULT"]
    containers = re.compile(rf"\b({'|'.join(ports)}):\d")
    assert [name for name, value in told.items() if containers.search(value)] == []


def test_folders_become_those_of_the_project_and_the_run(
    topology: Topology, tmp_path: Path
) -> None:
    one, two = topology.containers["worker-1"], topology.containers["worker-2"]
    for container in (one, two):
        topology._prepare(container)
    assert one.environment["PYTHONPATH"] == f"{ROOT}/include:{ROOT}/plugins"
    assert one.environment["DBT_BIN"] == f"{ROOT}/.venv-dbt/bin/dbt"
    assert one.environment["AIRFLOW__CORE__DAGS_FOLDER"] == str(tmp_path / "dags")
    assert one.environment["PIPELINE_SETTINGS"] == f"{ROOT}/include/semarize_sandbox/pipeline.toml"
    # A container's own folder is its own; a volume is everybody's.
    assert one.environment["AIRFLOW_HOME"] != two.environment["AIRFLOW_HOME"]
    shared = f'"{topology.volume("warehouse")}/warehouse.duckdb"'
    for container in (one, two):
        assert shared in container.environment["AIRFLOW_CONN_WAREHOUSE_DEFAULT"]
    logs = {c.environment["AIRFLOW__LOGGING__BASE_LOG_FOLDER"] for c in (one, two)}
    assert logs == {str(topology.volume("logs"))}


def test_nothing_of_this_machine_gets_in_and_nothing_of_the_file_is_left_out(
    topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SEMARIZE_DEFAULT", "my own")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    scheduler = topology.containers["scheduler"]
    topology._prepare(scheduler)
    added = set(scheduler.environment) - set(scheduler.service.environment)
    moved = "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT"
    assert added == {*topology._image, "HOME", "HOSTNAME", "LANG", moved}
    assert scheduler.command == scheduler.service.command
    assert set(scheduler.service.environment) <= set(scheduler.environment)
    assert "my own" not in scheduler.environment.values()


def test_a_killed_container_is_gone_with_all_its_processes(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text(COMPOSED.format(python=sys.executable))
    topology = Topology(ComposeFile(tmp_path / "x.yml"), tmp_path, tmp_path, lambda line: None)
    patient = topology.containers["patient"]
    with topology.running():
        (first,) = patient.members()
        assert topology.kill(patient) == 1
        assert not is_there(first)
        topology.restart(patient)
        (second,) = patient.members()
        assert second != first
    assert not is_there(second)
    assert end_leftovers(tmp_path) == 0


STARTER = """
import os, sys
from pathlib import Path
from compose.composefile import ComposeFile
from compose.topology import Topology

folder = Path(sys.argv[1])
topology = Topology(ComposeFile(folder / "x.yml"), folder, folder, lambda line: None)
with topology.running():
    print(*topology.containers["patient"].members(), flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGKILL])
def test_what_is_left_of_a_run_is_ended(signal_: signal.Signals, tmp_path: Path) -> None:
    """By itself when it is interrupted; by the next run when it was killed."""
    (tmp_path / "x.yml").write_text(COMPOSED.format(python=sys.executable))
    path = os.pathsep.join(str(ROOT / name) for name in ("include", "plugins", "tests"))
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, tmp_path],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        run.send_signal(signal_)
        run.wait(30)
    assert is_there(pid) == (signal_ == signal.SIGKILL)
    assert end_leftovers(tmp_path) == (1 if signal_ == signal.SIGKILL else 0)
    assert not is_there(pid)
