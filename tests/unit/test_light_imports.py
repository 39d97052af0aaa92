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
LAND = """
import sys
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import Load
from semarize_pipeline.warehouse.tables import Column, Table, Type
folder, heavy = sys.argv[1], sys.argv[2].split(",")
table = Table("a", (Column("id", Type.TEXT), Column("n", Type.INTEGER)), key=("id",))
with DuckDBWarehouse(f"{folder}/warehouse.duckdb").open("look") as session:
    session.ensure([table])
    session.land([Load(table, [{"id": "1", "n": None}, {"id": "2", "n": 2}])])
    assert session.query("select sum(n) as n from landing.a") == [{"n": 2}]
print(sorted(set(sys.modules) & set(heavy)))
import pyarrow
print(sorted(pyarrow.table({"n": [1, 2]}).to_pandas()["n"]))
"""


def imported(program: str, folder: Path) -> list[str]:
    """What the program prints, line by line."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), ",".join(HEAVY)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "include")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_needs_no_warehouse_loads_none(tmp_path: Path) -> None:
    before, after = imported(LOOK, tmp_path)
    assert before == "[]"
    assert "duckdb" in after, "it sees what is loaded"


def test_what_lands_needs_no_data_frames(tmp_path: Path) -> None:
    """And whoever wants one from pyarrow afterwards still gets it."""
    landing, frame = imported(LAND, tmp_path)
    assert "'pyarrow'" in landing
    assert "'pandas'" not in landing
    assert frame == "[1, 2]"
