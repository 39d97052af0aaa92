"""Programs that go on after the command that started them: found again, and ended for sure.

Each is started as the leader of its own session, and a note names its process id together with
the moment it started: the system uses ids again, the pair it does not.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import filelock
import psutil

from semarize_airflow.local.environment import Refused, Runtime

# What the system says of a start differs from call to call by its clock's grain.
SAME_START_SECONDS = 2.0
# In the order in which they start; they stop in the other.
SERVICES = ("sandbox", "airflow", "dashboards")


@dataclass(frozen=True, slots=True)
class Service:
    """A program that was started, and the ports it is to listen on."""

    name: str
    pid: int
    started: float
    ports: tuple[int, ...]

    @property
    def leader(self) -> psutil.Process | None:
        """Its first process while that runs; never another that got its id later."""
        process = self._first()
        if process is None or _status(process) in (None, psutil.STATUS_ZOMBIE):
            return None
        return process

    def members(self) -> list[psutil.Process]:
        """Every process of its session, and every descendant that left the session."""
        if self._is_history():
            return []
        found: dict[int, psutil.Process] = {}
        for process in psutil.process_iter():
            with contextlib.suppress(OSError, psutil.Error):
                if os.getsid(process.pid) == self.pid and process.status() != psutil.STATUS_ZOMBIE:
                    found[process.pid] = process
        for process in list(found.values()):
            with contextlib.suppress(psutil.Error):
                found |= {child.pid: child for child in process.children(recursive=True)}
        return list(found.values())

    def _is_history(self) -> bool:
        """Whether the session is gone for certain: a session keeps its leader's id from reuse."""
        if self.started < psutil.boot_time() - SAME_START_SECONDS:
            return True
        return psutil.pid_exists(self.pid) and self._first() is None

    def _first(self) -> psutil.Process | None:
        """The process with our id and our start, be it only waiting to be collected."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) <= SAME_START_SECONDS
        except psutil.Error:
            return None
        return process if same else None


def _status(process: psutil.Process) -> str | None:
    try:
        return str(process.status())
    except psutil.Error:
        return None


class Notes:
    """The notes on what runs, one file a service."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, service: Service) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._path(service.name).with_suffix(".draft")
        draft.write_text(json.dumps(asdict(service)))
        draft.replace(self._path(service.name))

    def read(self, name: str) -> Service | None:
        """What was started under this name, whether or not it still runs."""
        try:
            told = json.loads(self._path(name).read_text())
            return Service(
                str(told["name"]), int(told["pid"]), float(told["started"]), tuple(told["ports"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def services(runtime: Runtime) -> list[Service]:
    """What `make up` has started in this folder and still has processes."""
    notes = Notes(runtime.processes)
    noted = [notes.read(name) for name in SERVICES]
    return [service for service in noted if service is not None and service.members()]


@contextlib.contextmanager
def one_at_a_time(runtime: Runtime) -> Iterator[None]:
    """Keep a second command out of the runtime folder while one starts, stops or runs things."""
    runtime.folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(runtime.folder / "command.lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise Refused(
            f"another demo, up or down is at work in {runtime.folder}; wait for it to end"
        ) from None
    try:
        yield
    finally:
        lock.release()


def start(
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    ports: Sequence[int],
    notes: Notes,
) -> Service:
    """Start a program in a session of its own, its output in ``log``, and note it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = psutil.Process(process.pid).create_time()
    service = Service(name, process.pid, started, tuple(ports))
    notes.write(service)
    return service


def stop(
    service: Service,
    *,
    patience: Mapping[signal.Signals, float],
    progress: Callable[[str], None] = lambda line: None,
) -> list[psutil.Process]:
    """Ask a service's processes to end, then make them; returns those that are still there.

    :param patience: the signals in the order to try, and how many seconds each has.
    """
    known: dict[int, psutil.Process] = {}
    for signal_, seconds in patience.items():
        known |= {process.pid: process for process in service.members()}
        known = _alive(known)
        if not known:
            return []
        progress(f"{service.name}: {signal_.name} to {len(known)} processes")
        for process in known.values():
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal_)
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            known |= {process.pid: process for process in service.members()}
            known = _alive(known)
            if not known:
                return []
            time.sleep(0.1)
    return list(known.values())


def _alive(processes: Mapping[int, psutil.Process]) -> dict[int, psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for pid, process in processes.items():
        with contextlib.suppress(psutil.Error):
            # Collects our own children; others are their new parent's to collect.
            with contextlib.suppress(psutil.TimeoutExpired, ChildProcessError):
                process.wait(timeout=0)
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found[pid] = process
    return found


@contextlib.contextmanager
def ending_children() -> Iterator[None]:
    """Whatever ends the block, a SIGTERM included, leaves no process that was started in it."""
    # To be told to end is to be interrupted: what was started must end too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        _end_children()


def _end_children() -> None:
    children = psutil.Process().children(recursive=True)
    for child in children:
        with contextlib.suppress(psutil.Error):
            child.terminate()
    _, left = psutil.wait_procs(children, timeout=5)
    for child in left:
        with contextlib.suppress(psutil.Error):
            child.kill()
