"""The services of docker-compose.yml as plain processes of this machine, without Docker.

Commands, variables, order, health checks and restarts are the file's. What a container would have
of its own is stood in for, and nothing else is changed:

- names of services, and ``localhost`` within one, become 127.0.0.1 with a free port each;
- folders of the image and volumes become folders of the project and of the run;
- PostgreSQL and Redis are Debian's, not the images', made ready as the images do it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from compose.composefile import ComposeFile, Service, image_environment
from unit.postgres import Cluster, binaries

from semarize_airflow.local import processes
from semarize_airflow.local.ports import free_port

ROOT = Path(__file__).parents[2]
# What a program listens on in its container.
PORTS = {
    "postgres": 5432,
    "redis": 6379,
    "sandbox": 8090,
    "api-server": 8080,
    "scheduler": 8974,
    "triggerer": 8794,
    "worker": 8793,
    "flower": 5555,
    "dashboards": 8501,
}
# How Airflow's programs are told of another port than in their containers.
PORT_VARIABLES = {
    "api-server": "AIRFLOW__API__PORT",
    "scheduler": "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT",
    "triggerer": "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT",
    "worker": "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT",
    "flower": "AIRFLOW__CELERY__FLOWER_PORT",
    "dashboards": "DASHBOARD_PORT",
}
# PostgreSQL as its image starts it, but that nothing has to survive a power cut.
POSTGRES = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
}
PATIENCE = {signal.SIGTERM: 8.0, signal.SIGKILL: 10.0}


class Trouble(Exception):
    """Why the services did not start or stay; the message names the log."""


@dataclass(slots=True)
class Container:
    """A service, or one of its replicas, as a process."""

    name: str
    service: Service
    port: int
    process: processes.Service | None = None
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    log: Path = Path()

    def members(self) -> set[int]:
        """The ids of all of its processes."""
        return set() if self.process is None else {p.pid for p in self.process.members()}


class Topology:
    """Everything that `docker compose up` would start.

    :param folder: for volumes, logs and notes of what runs; must be the run's own.
    :param dags: a folder in the place of the image's, such as one with more DAGs in it.
    """

    def __init__(
        self, file: ComposeFile, folder: Path, dags: Path, say: Callable[[str], None]
    ) -> None:
        self.file = file
        self.folder = folder
        self.logs = folder / "logs"
        self.containers: dict[str, Container] = {}
        self._dags = dags
        self._say = say
        self._notes = processes.Notes(folder / "processes")
        self._image = image_environment(ROOT / "Dockerfile")
        self._healthy: set[str] = set()
        for service in file.in_order():
            for number in range(1, service.replicas + 1):
                name = service.name if service.replicas == 1 else f"{service.name}-{number}"
                self.containers[name] = Container(name, service, free_port())

    def port(self, service: str) -> int:
        return next(c.port for c in self.containers.values() if c.service.name == service)

    def volume(self, name: str) -> Path:
        """Where a named volume lies."""
        return self.folder / "volumes" / name

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """All services, healthy; none of their processes is left afterwards."""
        with contextlib.ExitStack() as databases:
            try:
                for container in self.containers.values():
                    self._await_needs(container)
                    if container.service.name == "postgres":
                        databases.enter_context(self._postgres(container))
                    elif container.name == "init":
                        self._run_to_its_end(container)
                    else:
                        self.start(container)
                for container in self.containers.values():
                    self.await_health(container)
                yield
            finally:
                self._say("stopping the services")
                self._end()

    # One container

    def start(self, container: Container) -> None:
        self._prepare(container)
        self._healthy.discard(container.name)
        container.process = processes.start(
            container.name,
            container.command,
            environment=container.environment,
            log=container.log,
            ports=[container.port],
            notes=self._notes,
        )
        self._say(f"{container.name} started")

    def kill(self, container: Container) -> int:
        """SIGKILL to every process at once, as when its machine is gone; how many there were."""
        assert container.process is not None
        members = container.process.members()
        for process in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        left = processes.stop(container.process, patience={signal.SIGKILL: 10.0})
        if left:
            raise Trouble(f"{container.name} cannot be killed: {left}")
        # The next one begins a log of its own.
        container.log.rename(container.log.with_suffix(".killed.log"))
        return len(members)

    def restart(self, container: Container) -> None:
        """What Docker does to one that ended by itself, if the file says so."""
        if container.service.restart not in ("always", "unless-stopped"):
            raise Trouble(f"Docker would not restart {container.name}")
        self.start(container)

    def is_healthy(self, container: Container) -> bool:
        health = container.service.health
        if health is None:
            return True
        command = [self._here(word, container) for word in health.command]
        try:
            ended = subprocess.run(
                command,
                env=container.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=health.timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return ended.returncode == 0

    def await_health(self, container: Container) -> None:
        """As Docker does it: often while it starts, then as often as it may fail."""
        health = container.service.health
        if health is None or container.name in self._healthy:
            return
        begun = time.monotonic()
        patience = health.start_period + health.retries * health.interval
        while not self.is_healthy(container):
            self.check_alive(container)
            if time.monotonic() - begun > patience:
                raise Trouble(f"{container.name} is not healthy; see {container.log}")
            time.sleep(min(health.start_interval, 2.0))
        self._healthy.add(container.name)
        self._say(f"{container.name} is healthy")

    def check_alive(self, container: Container) -> None:
        if container.process is not None and container.process.leader is None:
            tail = container.log.read_text(errors="replace").splitlines()[-15:]
            raise Trouble("\n".join([f"{container.name} ended; see {container.log}", *tail]))

    # What containers have of their own

    def _await_needs(self, container: Container) -> None:
        for need in container.service.needs:
            # `init` has run to its end before anything else is looked at.
            if need.condition == "service_healthy":
                for other in self.containers.values():
                    if other.service.name == need.service:
                        self.await_health(other)

    def _prepare(self, container: Container) -> None:
        service, name = container.service, container.name
        home = self.folder / "containers" / name
        home.mkdir(parents=True, exist_ok=True)
        for source in service.mounts.values():
            if not source.startswith("."):
                self.volume(source).mkdir(parents=True, exist_ok=True)
        container.log = self.logs / f"{name}.log"
        variables = {**(self._image if service.is_built else {}), **service.environment}
        made = {key: self._here(value, container) for key, value in variables.items()}
        programs = [made.get("PATH", ""), str(binaries()), os.environ.get("PATH", os.defpath)]
        made |= {
            "PATH": os.pathsep.join(filter(None, programs)),
            "HOME": str(home),
            # Docker gives each container a name of its own, and this variable.
            "HOSTNAME": name,
            "LANG": "C.UTF-8",
        }
        command = [self._here(word, container) for word in service.command]
        if service.name in PORT_VARIABLES:
            made[PORT_VARIABLES[service.name]] = str(container.port)
        if service.name == "redis":
            data = str(self.volume(service.mounts["/data"]))
            command += ["--port", str(container.port), "--bind", "127.0.0.1", "--dir", data]
        # In a container 0.0.0.0 is its own network's; here it would be everybody's.
        if service.name == "api-server":
            made["AIRFLOW__API__HOST"] = "127.0.0.1"
        if service.name == "sandbox":
            moved = {"8090": str(container.port), "0.0.0.0": "127.0.0.1"}
            command = [moved.get(word, word) for word in command]
        container.environment, container.command = made, command

    def _here(self, text: str, container: Container) -> str:
        """A text of the file with this machine's addresses and folders in it."""
        for other in self.containers.values():
            name = other.service.name
            # As a URL has it: after // or @.
            pattern = rf"(?<=[/@]){re.escape(name)}:{PORTS.get(name, 0)}\b"
            text = re.sub(pattern, f"127.0.0.1:{self.port(name)}", text)
        own = PORTS.get(container.service.name, 0)
        text = re.sub(rf"\blocalhost:{own}\b", f"127.0.0.1:{container.port}", text)
        folders = {
            "/opt/pipeline/dags": self._dags,
            "/opt/pipeline": ROOT,
            "/opt/airflow": self.folder / "containers" / container.name,
        }
        for target, source in container.service.mounts.items():
            is_path = source.startswith(".")
            folders[target] = (ROOT / source).resolve() if is_path else self.volume(source)
        # The longest first; none within another's replacement, so in one go.
        ordered = sorted(folders, key=len, reverse=True)
        pattern = "|".join(rf"{re.escape(folder)}(?![\w.-])" for folder in ordered)
        return re.sub(pattern, lambda found: str(folders[found.group()]), text)

    def _run_to_its_end(self, container: Container) -> None:
        self._prepare(container)
        container.log.parent.mkdir(parents=True, exist_ok=True)
        with container.log.open("wb") as log:
            ended = subprocess.run(
                container.command,
                env=container.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=180,
                check=False,
            )
        if ended.returncode != 0:
            raise Trouble(f"{container.name} ended with {ended.returncode}; see {container.log}")
        self._say(f"{container.name} has completed")

    @contextlib.contextmanager
    def _postgres(self, container: Container) -> Iterator[None]:
        """A cluster with the user, the database and the first script that the image would make."""
        with Cluster.running(POSTGRES) as cluster:
            container.port = cluster.port
            self._prepare(container)
            told = container.service.environment
            user, database = told["POSTGRES_USER"], told["POSTGRES_DB"]
            cluster.execute(
                f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{told['POSTGRES_PASSWORD']}'",
                f"CREATE DATABASE {database} OWNER {user}",
            )
            for target, source in container.service.mounts.items():
                if target.startswith("/docker-entrypoint-initdb.d/"):
                    cluster.execute((ROOT / source).read_text())
            self._say(f"{container.name} started")
            yield

    def _end(self) -> None:
        """All at once: whoever interrupts this waits for it."""
        with ThreadPoolExecutor(len(self.containers)) as pool:
            list(pool.map(self._stop, self.containers.values()))

    def _stop(self, container: Container) -> None:
        if container.process is None:
            return
        left = processes.stop(container.process, patience=PATIENCE)
        if left:
            self._say(f"{container.name}: {len(left)} processes cannot be ended")
        else:
            self._notes.forget(container.name)


def end_leftovers(folder: Path) -> int:
    """End what a run in this folder left behind when it was killed; how many containers."""
    notes = processes.Notes(folder / "processes")
    ended = 0
    for note in sorted((folder / "processes").glob("*.json")):
        service = notes.read(note.stem)
        if service is not None and service.members():
            processes.stop(service, patience=PATIENCE)
            ended += 1
        notes.forget(note.stem)
    return ended


def environment_lines(values: Mapping[str, str]) -> str:
    """An env file, each value in single quotes."""
    return "".join(f"{name}='{value}'\n" for name, value in values.items())
