"""Services: found again, ended with all that they started, and never mixed up with others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from semarize_airflow.local.environment import Refused, Runtime
from semarize_airflow.local.processes import Notes, Service, one_at_a_time, services, start, stop

IMPATIENT = {signal.SIGINT: 0.5, signal.SIGTERM: 0.5, signal.SIGKILL: 5.0}
SLEEP = "import time; print('up', flush=True); time.sleep(60)"
# A program that ignores what it is asked, with a child that has left the session.
STUBBORN = """
import signal, subprocess, sys, time
for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print("up", flush=True)
time.sleep(60)
"""
# A leader that ends at once and leaves a child in its session.
FLEETING = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("up", flush=True)
"""
Starter = Callable[..., Service]


@pytest.fixture
def started(runtime: Runtime, tmp_path: Path) -> Iterator[Starter]:
    made: list[Service] = []

    def begin(code: str, name: str = "sandbox") -> Service:
        log = tmp_path / f"{name}.log"
        made.append(
            start(
                name,
                [sys.executable, "-c", code],
                environment=os.environ,
                log=log,
                ports=[1234],
                notes=Notes(runtime.processes),
            )
        )
        give_up = time.monotonic() + 10
        while "up" not in log.read_text():
            assert time.monotonic() < give_up
            time.sleep(0.02)
        return made[-1]

    yield begin
    for service in made:
        stop(service, patience={signal.SIGKILL: 5.0})


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_what_was_started_is_found_again_and_ended(runtime: Runtime, started: Starter) -> None:
    service = started(SLEEP)
    assert services(runtime) == [service]
    members = service.members()
    assert [process.pid for process in members] == [service.pid]
    assert stop(service, patience=IMPATIENT) == []
    assert alive(members) == []
    assert services(runtime) == []


def test_the_stubborn_and_their_runaways_are_ended_too(started: Starter) -> None:
    service = started(STUBBORN)
    members = service.members()
    assert len(members) == 2
    said: list[str] = []
    assert stop(service, patience=IMPATIENT, progress=said.append) == []
    assert alive(members) == []
    assert [line.split()[1] for line in said] == ["SIGINT", "SIGTERM", "SIGKILL"]


def test_what_cannot_be_ended_is_returned(started: Starter) -> None:
    service = started(STUBBORN)
    left = stop(service, patience={signal.SIGINT: 0.3})
    assert service.pid in [process.pid for process in left]


def test_a_session_without_its_leader_is_still_ours(runtime: Runtime, started: Starter) -> None:
    service = started(FLEETING)
    give_up = time.monotonic() + 10
    while service.leader is not None:
        assert time.monotonic() < give_up
        time.sleep(0.02)
    assert services(runtime) == [service]
    assert stop(service, patience=IMPATIENT) == []
    assert services(runtime) == []


def test_a_process_that_got_the_id_later_is_left_alone(runtime: Runtime) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True) as innocent:
        try:
            begun = psutil.Process(innocent.pid).create_time()
            stale = Service("sandbox", innocent.pid, begun - 3600, (1234,))
            Notes(runtime.processes).write(stale)
            assert services(runtime) == []
            assert stop(stale, patience=IMPATIENT) == []
            assert innocent.poll() is None
            # The same note with the right start would have hit it.
            assert Service("sandbox", innocent.pid, begun, ()).members()
        finally:
            innocent.kill()


def test_a_note_from_before_the_machine_started_is_history(started: Starter) -> None:
    service = started(FLEETING)
    give_up = time.monotonic() + 10
    while service.leader is not None:
        assert time.monotonic() < give_up
        time.sleep(0.02)
    # Collected, so that its id is free; the session has it all the same.
    os.waitpid(service.pid, 0)
    assert service.members()
    assert replace(service, started=psutil.boot_time() - 60).members() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "name": "airflow"}'])
def test_a_note_that_cannot_be_read_is_no_service(runtime: Runtime, text: str) -> None:
    runtime.processes.mkdir(parents=True)
    (runtime.processes / "airflow.json").write_text(text)
    assert services(runtime) == []


def test_one_command_at_a_time(runtime: Runtime) -> None:
    with one_at_a_time(runtime), pytest.raises(Refused, match="at work"), one_at_a_time(runtime):
        pass
    with one_at_a_time(runtime):
        pass
