"""``make up``, ``make down``, ``make status``: Airflow, sandbox, dashboards, until told to stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any

from semarize_airflow.local import ports as port_checks
from semarize_airflow.local import sandbox
from semarize_airflow.local.console import tail
from semarize_airflow.local.environment import (
    PRECIOUS_CONNECTIONS,
    USER,
    Ports,
    Refused,
    Runtime,
    Secrets,
    environment,
    own_connections,
)
from semarize_airflow.local.processes import (
    SERVICES,
    Notes,
    Service,
    one_at_a_time,
    services,
    start,
    stop,
)

SANDBOX_SECONDS = 20.0
AIRFLOW_SECONDS = 180.0
DASHBOARDS_SECONDS = 60.0
# Airflow's components rarely end on INT alone, and a task needs a moment to let go.
PATIENCE = {signal.SIGINT: 4.0, signal.SIGTERM: 6.0, signal.SIGKILL: 5.0}
COMPONENTS = {
    # as /api/v2/monitor/health names them: the moment of their last sign of life
    "metadatabase": None,
    "scheduler": "latest_scheduler_heartbeat",
    "triggerer": "latest_triggerer_heartbeat",
    "dag_processor": "latest_dag_processor_heartbeat",
}


def up(runtime: Runtime, variables: Mapping[str, str]) -> int:
    """Start all and wait until they are healthy; returns the exit code."""
    ports = Ports.told(variables)
    with one_at_a_time(runtime):
        if services(runtime):
            print("It is already running.")
            return status(runtime)
        check_ports(ports)
        try:
            return _start(runtime, variables, ports)
        except BaseException:
            print("Stopping what was started", file=sys.stderr)
            _stop_all(runtime)
            raise


def check_ports(ports: Ports) -> None:
    """Raise Refused for ports that are taken, with who has them and the way out."""
    taken = [
        f"  port {port} is taken by {port_checks.holder(port)}; end it, or choose another: "
        f"{variable}={port + 100} make up"
        for variable, port in ports.named().items()
        if not port_checks.is_free(port)
    ]
    if taken:
        raise Refused("\n".join(["cannot start:", *taken]))


def _start(runtime: Runtime, variables: Mapping[str, str], ports: Ports) -> int:
    notes = Notes(runtime.processes)
    made = environment(
        runtime, variables=variables, sandbox=sandbox.connections(ports.sandbox), ports=ports
    )
    begun = datetime.now(UTC)
    started = start(
        "sandbox",
        [sys.executable, "-m", "semarize_airflow.local", "sandbox", str(ports.sandbox)],
        environment=made,
        log=runtime.logs / "sandbox.log",
        ports=[ports.sandbox],
        notes=notes,
    )
    _await(
        started,
        runtime.logs / "sandbox.log",
        SANDBOX_SECONDS,
        lambda: _missing_sandbox(ports.sandbox),
    )
    _prepare(made, runtime.logs / "prepare.log")
    started = start(
        "airflow",
        ["airflow", "standalone"],
        environment=made,
        log=runtime.logs / "standalone.log",
        ports=[ports.airflow, ports.worker_logs, ports.trigger_logs],
        notes=notes,
    )
    _await(
        started,
        runtime.logs / "standalone.log",
        AIRFLOW_SECONDS,
        lambda: _unhealthy(ports.airflow, begun),
    )
    started = start(
        "dashboards",
        [sys.executable, "-m", "semarize_dashboards"],
        environment=made,
        log=runtime.logs / "dashboards.log",
        ports=[ports.dashboards],
        notes=notes,
    )
    _await(
        started,
        runtime.logs / "dashboards.log",
        DASHBOARDS_SECONDS,
        lambda: _missing_dashboards(ports.dashboards),
    )
    _tell_own(variables)
    return status(runtime)


def _prepare(made: Mapping[str, str], log: Path) -> None:
    """Prepare the metadata database in a process that ends before Airflow starts."""
    print("Airflow: preparing its database")
    with log.open("wb") as output:
        ended = subprocess.run(
            [sys.executable, "-m", "semarize_airflow.local", "prepare"],
            env=dict(made),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode != 0:
        raise Refused(f"the database could not be prepared; see {log}\n{tail(log)}")


def _await(
    service: Service, log: Path, seconds: float, missing: Callable[[], Sequence[str]]
) -> None:
    """Wait until nothing is missing. Raises Refused when it ended or took too long."""
    begun = time.monotonic()
    shown: Sequence[str] | None = None
    while True:
        lacking = missing()
        if not lacking:
            print(f"{service.name}: ready after {time.monotonic() - begun:.0f} s")
            return
        if service.leader is None:
            raise Refused(f"{service.name} ended as it started; see {log}\n{tail(log)}")
        if time.monotonic() - begun > seconds:
            raise Refused(
                f"{service.name} was not ready after {seconds:.0f} s, without "
                f"{', '.join(lacking)}; see {log}\n{tail(log)}"
            )
        if lacking != shown:
            print(f"{service.name}: waiting for {', '.join(lacking)}", flush=True)
            shown = lacking
        time.sleep(0.5)


def _missing_sandbox(port: int) -> list[str]:
    told = fetch(f"http://127.0.0.1:{port}/control/stats")
    return [] if told is not None and told.get("sandbox") is True else ["its answer"]


def _missing_dashboards(port: int) -> list[str]:
    """Streamlit's own page of health answers with the word ok."""
    return [] if _get(f"http://127.0.0.1:{port}/_stcore/health") == b"ok" else ["its answer"]


def _unhealthy(port: int, since: datetime) -> list[str]:
    """The components that have given no sign of life since ``since``."""
    told = fetch(f"http://127.0.0.1:{port}/api/v2/monitor/health")
    if told is None:
        return ["api-server"]
    return unhealthy(told, since)


def unhealthy(told: Mapping[str, Any], since: datetime) -> list[str]:
    """The components of a health report that are not well, or were only before ``since``."""
    lacking = []
    for name, heartbeat in COMPONENTS.items():
        part = told.get(name) or {}
        fresh = True
        if heartbeat is not None:
            last = part.get(heartbeat)
            fresh = last is not None and datetime.fromisoformat(last) >= since
        if part.get("status") != "healthy" or not fresh:
            lacking.append(name.replace("_", " "))
    return lacking


def fetch(url: str) -> dict[str, Any] | None:
    """The JSON object at a local address; None while there is none."""
    try:
        told = json.loads(_get(url) or b"")
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _get(url: str) -> bytes | None:
    # A proxy of the environment has no business between two programs of one machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as response:
            return bytes(response.read())
    except (OSError, HTTPException):
        return None


def _tell_own(variables: Mapping[str, str]) -> None:
    own = own_connections(variables)
    if not own:
        return
    print(f"\nFrom your environment: {', '.join(own)}")
    precious = [name for name in own if name in PRECIOUS_CONNECTIONS]
    if precious:
        print(
            f"As {precious[0]} is your own, the sandbox's connections are left out: its made-up "
            "calls are neither paid for nor landed there. DAGs of vendors without a connection "
            "of yours fail; pause them."
        )


def status(runtime: Runtime) -> int:
    """Print what runs and where; 0 when all run, 3 when not."""
    running = {service.name: service for service in services(runtime)}
    if not running:
        print("Nothing is running; start with `make up`.")
        return 3
    if "airflow" in running:
        secrets = Secrets.of(runtime)
        print(f"\n  Airflow     http://localhost:{running['airflow'].ports[0]}")
        print(f"              user {USER}, password {secrets.password}")
        print("              what is wrong, where a conversation is: Browse, Conversations, or")
        print(f"              http://localhost:{running['airflow'].ports[0]}/plugin/conversations")
    if "dashboards" in running:
        print(f"  Dashboards  http://localhost:{running['dashboards'].ports[0]}")
    if "sandbox" in running:
        print(f"  Sandbox     http://localhost:{running['sandbox'].ports[0]}   (made-up vendors)")
    print(f"  Logs        {runtime.logs}")
    missing = [name for name in SERVICES if name not in running]
    if missing:
        print(f"  {' and '.join(missing)} ended; `make down`, then `make up`")
        return 3
    print("  End it with `make down`.")
    return 0


def down(runtime: Runtime) -> int:
    """Stop all; 0 only when no process and no port is left."""
    with one_at_a_time(runtime):
        if not services(runtime):
            for name in SERVICES:
                Notes(runtime.processes).forget(name)
            print("Nothing is running.")
            return 0
        return _stop_all(runtime)


def _stop_all(runtime: Runtime) -> int:
    notes = Notes(runtime.processes)
    code = 0
    for name in reversed(SERVICES):
        service = notes.read(name)
        if service is None:
            continue
        left = stop(service, patience=PATIENCE, progress=print)
        for process in left:
            print(f"{name}: process {process.pid} cannot be ended", file=sys.stderr)
        taken = [] if left else [port for port in service.ports if not port_checks.is_free(port)]
        for port in taken:
            holder = port_checks.holder(port)
            print(f"{name}: port {port} is still taken, by {holder}", file=sys.stderr)
        if left or taken:
            code = 1
        else:
            print(f"{name}: stopped")
            notes.forget(name)
    return code
