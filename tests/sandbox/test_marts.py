"""Everything that a mart is built from is there: a brick of a kit, or a table beside the calls."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

from sandbox.marts import MARTS, TABLES

import semarize_sandbox
from semarize_pipeline.settings import load
from semarize_sandbox import reference
from semarize_sandbox.kits import kits
from semarize_sandbox.model import VENDORS

SANDBOX = Path(semarize_sandbox.__file__).parent
SCALES = SANDBOX.parents[1] / "dbt" / "seeds" / "brick_scales.csv"


def test_there_is_a_brick_for_everything_that_a_mart_needs() -> None:
    assert len(MARTS) == 34
    there = {f"{kit.name}.{b.key}" for kit in kits().values() for b in kit.current.bricks}
    needed = {brick for bricks in MARTS.values() for brick in bricks}
    assert len(needed) > 60
    assert needed <= there


def test_what_one_mart_needs_of_several_kits_is_asked_of_the_same_calls() -> None:
    settings = load(SANDBOX / "pipeline.toml")
    covering: defaultdict[str, set[str]] = defaultdict(set)
    for kit in settings.kits:
        covering[kit.name] = {v for v in VENDORS if kit.covers(v)}
    for mart, bricks in MARTS.items():
        vendors = [covering[brick.split(".")[0]] for brick in bricks]
        if mart != "alert_queue" and vendors:
            assert set.intersection(*vendors), mart


def test_there_is_a_table_for_everything_that_a_mart_joins() -> None:
    assert set(TABLES) <= set(MARTS)
    there = {table.name for table in reference.tables(reference.FIRST, reference.FIRST)}
    assert {table for needed in TABLES.values() for table in needed} == there


def test_the_warehouse_is_told_every_scale() -> None:
    with SCALES.open() as file:
        told = {
            (row["kit_name"], row["brick_key"]): (
                float(row["scale_minimum"]), float(row["scale_maximum"])
            )
            for row in csv.DictReader(file)
        }  # fmt: skip
    declared = {
        (kit.name, brick.key): brick.scale
        for kit in kits().values()
        for brick in kit.current.bricks
        if brick.type == "score"
    }
    assert len(declared) > 25
    assert told == declared
