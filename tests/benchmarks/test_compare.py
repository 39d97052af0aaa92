"""The benchmark runs, and checks what landed: at a tiny size, so that it cannot rot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    path = [ROOT / "include", ROOT / "plugins", BENCHMARKS]
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_the_limit_and_ours_land_the_same_facts() -> None:
    """A wrong fact ends the command, so its table is the proof that both are right."""
    done = python(
        *("-m", "compare", "gong-40", "salesloft-40-0ms", "--rounds", "1", "--no-ceiling"),
        *("--contenders", "limit,ours,ours-by-stage", "--stages"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| ")]
    told = [(row[0].strip(), row[1].strip()) for row in rows if row[0].strip() != "step"]
    steps = ["full", "nothing new", "100 new", "full"]
    assert told == [(step, who) for step in steps for who in ("limit", "ours", "ours-by-stage")]
    assert all(float(row[5]) > 0 for row in rows if row[0].strip() != "step"), "CPU was measured"
    by_stage = next(line for line in done.stdout.splitlines() if "full, ours-by-stage" in line)
    for stage in ("translation", "Arrow", "JSON", "DuckDB: land", "ledger", "rest"):
        assert stage in by_stage


CHECK = """
import json, sys, types
import duckdb
from pathlib import Path
import compare
folder = Path(sys.argv[1])
with duckdb.connect(str(folder / "limit.duckdb")) as file:
    file.execute("create table conversations (id varchar, started_at timestamptz)")
    file.execute("create table utterances (id varchar, seq int, start_ms int, text varchar)")
    file.execute("insert into conversations values ('1', '1970-01-01 00:00:07+00')")
    file.execute("insert into utterances values ('1', 0, 5, 'hello')")
held = json.loads(sys.argv[2])
server = types.SimpleNamespace(ask=lambda path: dict(held))
compare.check("limit", {"shape": "gong", "step": "full", "conversations": 1}, folder, server)
"""
HELD = {"conversations": 1, "started": 7, "utterances": 1, "text": 5, "start_ms": 5}


@pytest.mark.parametrize("wrong", [None, "conversations", "started", "text", "start_ms"])
def test_a_wrong_fact_ends_the_benchmark(tmp_path: Path, wrong: str | None) -> None:
    held = {name: value + (name == wrong) for name, value in HELD.items()}
    done = python("-c", CHECK, str(tmp_path), json.dumps(held))
    assert done.returncode == (0 if wrong is None else 1), done.stderr
    assert wrong is None or "landed" in done.stderr
