"""A file of calls, served as each vendor would and reconciled with what landed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from semarize_airflow.local.calls import Account, calls
from semarize_airflow.local.environment import Refused, Runtime
from semarize_pipeline import vendors


def write(path: Path, count: int) -> Path:
    """Calls with overlapping and backward times, as real diarization has them."""
    lines = [
        {
            "call_id": f"2026-Q{number}-call",
            "company": "ACME",
            "country": "Ghana",
            "duration_s": 90.0,
            "speakers": 3,
            "turns": [
                {
                    "speaker": str(turn % 3),
                    "start": 10.0 * turn,
                    "end": 10.0 * turn - 3,
                    "text": f"Turn {turn} of call {number}, and our budget is approved.",
                }
                for turn in range(4 + number)
            ],
        }
        for number in range(count)
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


@pytest.mark.slow
def test_everything_in_the_file_lands_and_is_scored(runtime: Runtime, tmp_path: Path) -> None:
    file = write(tmp_path / "calls.jsonl", 3)
    ended = subprocess.run(
        [sys.executable, "-m", "semarize_airflow.local", "calls", str(file)],
        env={
            **os.environ,
            "LOCAL_RUNTIME": str(runtime.folder),
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            # Tests of rows have nothing to say here: what landed is reconciled with the file.
            "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test test",
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    assert "Everything adds up." in ended.stdout
    assert "The account adds up: 15 listed = 15 scored" in ended.stdout
    for vendor in vendors.names():
        (row,) = [line.split() for line in ended.stdout.splitlines() if line.startswith(vendor)]
        assert row[1:6] == ["3", "3", "3", "15", "15"]


def test_what_does_not_add_up_is_seen() -> None:
    good = Account("gong", 3, 3, 3, 15, 15, 700, 700)
    assert good.adds_up
    for wrong in (
        Account("gong", 3, 2, 3, 15, 15, 700, 700),
        Account("gong", 3, 3, 2, 15, 15, 700, 700),
        Account("gong", 3, 3, 3, 15, 14, 700, 700),
        Account("gong", 3, 3, 3, 15, 15, 700, 699),
    ):
        assert not wrong.adds_up


def test_a_missing_file_is_named(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nowhere"):
        calls(runtime, {}, tmp_path / "nowhere.jsonl")
