"""The emulator of Snowflake in its own environment, and our warehouse on it."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semarize_pipeline.warehouse.snowflake import SnowflakeWarehouse

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv-emulator" / "bin" / "python"
PASSWORD = "an-emulated-password"


@contextmanager
def emulator_running() -> Iterator[int]:
    """The emulator's port, for as long as the block lasts."""
    if not PYTHON.exists():
        raise RuntimeError(f"there is no {PYTHON}; run make setup")
    program = subprocess.Popen(
        [str(PYTHON), "-m", "serve"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests" / "emulator")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        yield int(program.stdout.readline())
    finally:
        program.stdin.close()
        try:
            program.wait(timeout=10)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
        program.stdout.close()


def told(port: int, database: str) -> dict[str, list[dict[str, Any]]]:
    """The logins and statements that came over the wire for this database, oldest first."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/emulated/{database}", timeout=10) as got:
        return dict(json.load(got))


def expire(port: int, database: str) -> int:
    """Ends this database's sessions behind their users' backs; returns how many there were."""
    url = f"http://127.0.0.1:{port}/emulated/{database}/expire"
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=10) as got:
        return int(json.load(got)["expired"])


def emulated(port: int, database: str) -> SnowflakeWarehouse:
    # Not at the top: the connector is large, and most tests do without.
    from semarize_pipeline.warehouse.snowflake import SnowflakeConnection, SnowflakeWarehouse

    connection = SnowflakeConnection(
        account="emulated",
        user="tester",
        password=PASSWORD,
        database=database,
        host="127.0.0.1",
        port=port,
        protocol="http",
        login_timeout_seconds=10,
        network_timeout_seconds=5,
    )
    return SnowflakeWarehouse(connection)
