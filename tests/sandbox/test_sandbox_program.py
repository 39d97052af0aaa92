"""How the program ends: on a signal in the middle of work, and when it cannot begin."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import semarize_sandbox
from semarize_sandbox.__main__ import main
from semarize_sandbox.server import SandboxServer, running
from semarize_sandbox.world import World

INCLUDE = str(Path(semarize_sandbox.__file__).parent.parent)
# No such port: what should have ended before it listens can never serve and hang a test.
NOWHERE = ("serve", "--port", "99999")
LINE = {
    "call_id": "only",
    "duration_s": 60,
    "turns": [{"speaker": "0", "start": 0, "end": 60, "text": "Private words."}],
}


@pytest.fixture
def one_call(tmp_path: Path) -> str:
    path = tmp_path / "calls.jsonl"
    path.write_text(json.dumps(LINE) + "\n")
    return str(path)


@pytest.fixture
def served(one_call: str, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The program with one call, as another process, and its URL."""
    ready = tmp_path / "ready"
    words = [sys.executable, "-m", "semarize_sandbox", "serve", "--port", "0"]
    words += ["--calls", one_call, "--ready-file", str(ready)]
    with subprocess.Popen(
        words,
        env={**os.environ, "PYTHONPATH": INCLUDE},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            deadline = time.monotonic() + 20
            while not ready.exists():
                assert process.poll() is None, process.stdout and process.stdout.read()
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield ready.read_text(), process
        finally:
            process.kill()


def test_it_stops_within_three_seconds_even_in_the_middle_of_an_answer(
    served: tuple[str, subprocess.Popen[str]],
) -> None:
    url, process = served
    assert "This is a sandbox" in requests.get(url, timeout=5).text
    slow = {"vendor": "gong", "kind": "delay", "seconds": 60}
    assert requests.post(f"{url}/control/faults", json=slow, timeout=5).status_code == 200
    met: list[object] = []

    def ask() -> None:
        try:
            met.append(requests.post(f"{url}/gong/v2/calls/extensive", timeout=30).status_code)
        except requests.ConnectionError as problem:
            met.append(problem)

    asking = threading.Thread(target=ask)
    asking.start()
    while requests.get(f"{url}/control/stats", timeout=5).json()["faults_waiting"]:
        time.sleep(0.01)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert time.monotonic() - began < 3
    asking.join(5)
    assert len(met) == 1, "whoever asked is let go"


def test_the_first_line_printed_says_what_it_is(
    served: tuple[str, subprocess.Popen[str]],
) -> None:
    url, process = served
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=3) == 0
    assert process.stdout is not None
    assert process.stdout.read() == f"A sandbox, not the real vendors: {url}\n"


def test_a_port_that_is_taken_ends_it(one_call: str, capsys: pytest.CaptureFixture[str]) -> None:
    with running(World()) as sandbox:
        port = sandbox.url.rpartition(":")[2]
        assert main(["serve", "--port", port, "--calls", one_call]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert port in told
    assert "choose another port" in told


def test_a_port_is_held_from_the_beginning() -> None:
    first = SandboxServer(World(), "127.0.0.1", 0)
    port = int(first.sandbox.url.rpartition(":")[2])
    try:
        with pytest.raises(OSError, match="choose another port"):
            SandboxServer(World(), "127.0.0.1", port)
    finally:
        first.stop()
        first.serve()  # serves nothing, and gives the port back
    with running(World(), port) as sandbox:
        assert requests.get(sandbox.url, timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "choose another port"),
        (["--anchor", "someday"], "--anchor 'someday' is no moment"),
        (["--calls", "no-such-file.jsonl"], "no-such-file.jsonl"),
    ],
)
def test_what_is_wrong_is_named(
    one_call: str, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    assert main([*NOWHERE, "--calls", one_call, *arguments]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith("the sandbox did not start: ")
    assert reason in told


@pytest.mark.parametrize("broken", ["half", "spoilt", "plain"])
def test_a_packed_file_that_is_not_whole_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    packed = gzip.compress((json.dumps(LINE) + "\n").encode())
    path = tmp_path / "calls.jsonl.gz"
    path.write_bytes(
        {
            "half": packed[: len(packed) // 2],
            "spoilt": packed[:20] + bytes(20) + packed[40:],
            "plain": json.dumps(LINE).encode(),
        }[broken]
    )
    assert main([*NOWHERE, "--calls", str(path)]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(path) in told
    assert "Private words" not in told


def test_a_ready_file_that_was_left_behind_is_removed_first(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    ready.write_text("http://127.0.0.1:1")
    missing = str(tmp_path / "missing.jsonl")
    assert main([*NOWHERE, "--calls", missing, "--ready-file", str(ready)]) == 1
    assert not ready.exists(), "it would have named a sandbox that is gone"


def test_connections_take_a_url_with_a_slash(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["connections", "--url", "http://sandbox.example:1/"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 6
    for line in lines:
        name, _, value = line.partition("=")
        told = json.loads(value)
        vendor = name.removeprefix("AIRFLOW_CONN_").removesuffix("_DEFAULT").lower()
        assert told["host"] == f"http://sandbox.example:1/{vendor}"
        assert "//" not in told["host"].removeprefix("http://")
