"""What an hour with nothing new may load: it asks once, and is most of what ever runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("airflow", "dbt", "duckdb", "numpy", "pandas", "phonenumbers", "pyarrow", "snowflake")

LOOK = """
import sys
from datetime import UTC, datetime
from semarize_pipeline import connect, pipeline, settings, vendors
from semarize_pipeline.rest.auth import Credentials
from semarize_pipeline.state import State
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
folder, heavy = sys.argv[1], sys.argv[2].split(",")
state = State(f"sqlite:///{folder}/state.db")
given = Credentials("gong_default", login="a", password="b", host="http://127.0.0.1:9")
connect.vendor_client(vendors.get("gong"), given, state)
state.watermarks.begin("gong", datetime.now(UTC))
warehouse = DuckDBWarehouse(f"{folder}/warehouse.duckdb")
print(sorted(set(sys.modules) & set(heavy)))
with warehouse.open("look"):
    print(sorted(set(sys.modules) & set(heavy)))
"""


def test_what_needs_no_warehouse_loads_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(tmp_path), ",".join(HEAVY)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "include")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.splitlines()
    assert before == "[]"
    assert "duckdb" in after, "it sees what is loaded"
