"""One stage in a process of its own, so that its memory and its CPU time are its own."""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import scale_server as server

from semarize_pipeline import connect, landing, pipeline, vendors
from semarize_pipeline.dbt_build import DbtBuild
from semarize_pipeline.rest.auth import Credentials
from semarize_pipeline.settings import ExtractSettings, Kit, ScoreSettings, Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import Limits
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse

ROOT = Path(__file__).resolve().parents[1]
VENDOR = "gong"
SETTINGS = Settings(
    extract=ExtractSettings(),
    score=ScoreSettings(requests_per_second=50_000),
    kits=(Kit(name=server.KIT_NAME, code=server.KIT),),
    timing={VENDOR: {"lag": timedelta(0)}},
)


def extract(folder: Path, base: str, start: datetime, until: datetime) -> int:
    """Read what is listed since the watermark; how many conversations landed."""
    vendor = replace(vendors.get(VENDOR), limits=Limits(requests_per_second=50_000))
    state = State(f"sqlite:///{folder}/state.db")
    given = Credentials("gong_default", login="key", password="secret", host=base)
    settings = replace(SETTINGS, extract=replace(SETTINGS.extract, start=start))
    report = pipeline.extract(
        vendor,
        connect.vendor_client(vendor, given, state),
        DuckDBWarehouse(folder / "warehouse.duckdb"),
        state,
        until=until,
        settings=settings,
        run="scale",
    )
    return report.landed


def score(folder: Path, base: str) -> int:
    """Score what has landed; how many runs ended well."""
    state = State(f"sqlite:///{folder}/state.db")
    given = Credentials("semarize_default", password="key", host=base)
    report = pipeline.score(
        VENDOR,
        connect.semarize_client(given, state, SETTINGS.score),
        DuckDBWarehouse(folder / "warehouse.duckdb"),
        state,
        settings=SETTINGS,
        run="scale",
    )
    return report.scored


def dbt(folder: Path) -> int:
    """One dbt build, as the DAG does it; how many nodes ran. Its slowest are noted in a file."""
    warehouse = DuckDBWarehouse(folder / "warehouse.duckdb")
    with warehouse.open("scale") as session:
        session.ensure(
            [table for vendor in vendors.names() for table in landing.vendor_tables(vendor)]
        )
    built = DbtBuild(
        os.environ.get("DBT_BIN", str(ROOT / ".venv-dbt/bin/dbt")), ROOT / "dbt", folder / "dbt"
    )
    with warehouse.for_dbt("scale") as target:
        result = built.run(target.name, target.environment)
    slow = sorted(result.results, key=lambda row: -row["execution_seconds"])
    (folder / "slowest.json").write_text(
        json.dumps([[row["node_id"], row["execution_seconds"]] for row in slow[:40]], indent=1)
    )
    result.check()
    return len(result.results)


def main() -> None:
    """Run a stage and print what it took, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("extract", "score", "dbt"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--base", default="")
    parser.add_argument("--start", type=datetime.fromisoformat)
    parser.add_argument("--until", type=datetime.fromisoformat)
    told = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    began = time.monotonic()
    if told.stage == "extract":
        done = extract(told.folder, told.base, told.start, told.until)
    elif told.stage == "score":
        done = score(told.folder, told.base)
    else:
        done = dbt(told.folder)
    wall = time.monotonic() - began
    # dbt is a program of its own: what it took is its parent's children's.
    who = resource.RUSAGE_CHILDREN if told.stage == "dbt" else resource.RUSAGE_SELF
    used = resource.getrusage(who)
    cpu = used.ru_utime + used.ru_stime
    peak_mb = used.ru_maxrss / 1024 if told.stage == "dbt" else own_peak_mb()
    print(json.dumps({"done": done, "wall": wall, "cpu": cpu, "peak_mb": peak_mb}))


def own_peak_mb() -> float:
    """This program's peak memory; getrusage would also count the one that started it (Linux)."""
    told = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
    return int(told.split()[0]) / 1024


if __name__ == "__main__":
    main()
