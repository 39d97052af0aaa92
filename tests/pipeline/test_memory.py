"""Long histories stream: a batch is all that memory holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from bench import FERNET, NOW, bench, calls

ROOT = Path(__file__).parents[2]
FEW, MANY = 400, 4_000
# What the interpreter and the libraries take varies a little from process to process.
SLACK = 1.15

CHILD = """
import resource, sys
from dataclasses import replace
from datetime import datetime, timedelta
import orjson
from semarize_pipeline import connect, pipeline, vendors
from semarize_pipeline.rest.auth import Credentials
from semarize_pipeline.settings import ExtractSettings, Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import Limits
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
told = orjson.loads(sys.argv[1])
vendor = replace(vendors.get("gong"), limits=Limits(requests_per_second=5000))
now = datetime.fromisoformat(told["now"])
state = State(f"sqlite:///{told['folder']}/state.db", clock=lambda: now)
api = connect.vendor_client(vendor, Credentials(**told["api"]), state)
settings = Settings(extract=ExtractSettings(start=timedelta(days=300), batch_conversations=100))
report = pipeline.extract(
    vendor, api, DuckDBWarehouse(f"{told['folder']}/w.duckdb"), state,
    until=now, settings=settings, run="child",
)
print(report.landed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(folder: Path, count: int) -> int:
    """The peak memory, in KB, of a process that extracts so many calls of one day each."""
    folder.mkdir()
    with bench("gong", folder, calls("gong", count)) as made:
        given = made.credentials()
        api = {
            "connection": given.connection,
            "login": given.login,
            "password": given.password,
            "extra": dict(given.extra),
            "host": given.host,
        }
        told = {"folder": str(folder), "now": NOW.isoformat(), "api": api, "fernet": FERNET}
        done = subprocess.run(
            [sys.executable, "-c", CHILD, orjson.dumps(told).decode()],
            env={**os.environ, "PYTHONPATH": str(ROOT / "include")},
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
    landed, kilobytes = map(int, done.stdout.split())
    assert landed == count
    return kilobytes


@pytest.mark.slow
def test_ten_times_the_history_takes_the_same_memory(tmp_path: Path) -> None:
    few, many = peak(tmp_path / "few", FEW), peak(tmp_path / "many", MANY)
    assert many <= few * SLACK, f"{few} KB for {FEW} calls, {many} KB for {MANY}"
