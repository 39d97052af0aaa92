"""The emulator of Snowflake in its own environment, and our warehouse on it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

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
        [str(PYTHON), str(ROOT / "tests" / "emulator" / "serve.py")],
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
    return SnowflakeWarehouse(connection, transactional=False)
