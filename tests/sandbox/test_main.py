"""The sandbox as a program of its own: it starts quickly, serves, and stops when told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from sandbox.test_jsonl import lines, written

import semarize_sandbox

Serve = Callable[..., tuple[str, "subprocess.Popen[str]"]]
INCLUDE = str(Path(semarize_sandbox.__file__).parent.parent)


def command(*arguments: str) -> tuple[list[str], dict[str, str]]:
    return (
        [sys.executable, "-m", "semarize_sandbox", *arguments],
        {**os.environ, "PYTHONPATH": INCLUDE},
    )


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def begin(*arguments: str) -> tuple[str, subprocess.Popen[str]]:
            ready = tmp_path / "ready"
            words, environment = command(
                "serve", "--port", "0", "--ready-file", str(ready), *arguments
            )
            process = stack.enter_context(
                subprocess.Popen(
                    words,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
            stack.callback(process.kill)
            deadline = time.monotonic() + 20
            while not ready.exists():
                assert process.poll() is None, process.stdout and process.stdout.read()
                assert time.monotonic() < deadline
                time.sleep(0.01)
            return ready.read_text().strip(), process

        yield begin


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_the_made_up_company_and_stops_cleanly(
    serve: Serve, tmp_path: Path, number: signal.Signals
) -> None:
    url, process = serve("--days", "5", "--behind-hours", "6")
    told = requests.get(f"{url}/control/stats", timeout=5).json()
    assert told["behind_hours"] == 6
    vendors = {name: numbers for name, numbers in told["standins"].items() if name != "semarize"}
    assert len(vendors) >= 5
    for numbers in vendors.values():
        assert 0 < numbers["listed"] < numbers["calls"], "more turn up while it runs"
    process.send_signal(number)
    assert process.wait(timeout=5) == 0
    assert process.stdout is not None
    printed = process.stdout.read()
    assert url in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "ready").exists(), "nobody may find a sandbox that has gone"
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_it_serves_a_file_to_every_vendor(serve: Serve, tmp_path: Path) -> None:
    path = written(tmp_path, lines(12), "calls.jsonl.gz")
    url, process = serve("--calls", str(path), "--anchor", "2026-03-10T12:00:00Z", "--unlimited")
    told = requests.get(f"{url}/control/stats", timeout=5).json()
    assert told["limited"] is False
    numbers = [each for name, each in told["standins"].items() if name != "semarize"]
    assert [each["listed"] for each in numbers] == [12] * len(numbers)
    assert len(numbers) >= 5
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0


def test_it_prints_the_connections() -> None:
    words, environment = command("connections", "--url", "http://sandbox.example:1234")
    printed = subprocess.run(
        words, env=environment, capture_output=True, text=True, check=True, timeout=20
    ).stdout
    found = {}
    for line in printed.splitlines():
        name, _, value = line.partition("=")
        found[name] = json.loads(value)
    assert {f"AIRFLOW_CONN_{name}_DEFAULT" for name in ("GONG", "CALLMINER", "SEMARIZE")} <= set(
        found
    )
    assert found["AIRFLOW_CONN_GONG_DEFAULT"]["host"] == "http://sandbox.example:1234/gong"


@pytest.mark.parametrize(
    "arguments", [("--calls", "no-such-file.jsonl"), ("--anchor", "someday", "--calls", "x")]
)
def test_what_it_cannot_serve_ends_it_with_one_line(arguments: tuple[str, ...]) -> None:
    words, environment = command("serve", "--port", "0", *arguments)
    ended = subprocess.run(
        words, env=environment, capture_output=True, text=True, check=False, timeout=20
    )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
