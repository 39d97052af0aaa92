"""Tasks of one vendor that run at the same time, and are killed at random moments."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.at_random import killed_at_random
from faults.site import Processes

pytestmark = pytest.mark.long


def test_scoring_while_extracting(processes: Processes, folder: Path) -> None:
    ended = killed_at_random(processes, folder, ("callminer", "gong"), ("extract", "score"), 60)
    assert ended["killed"] >= 60


def test_everything_twice(processes: Processes, folder: Path) -> None:
    """As if the same DAG had been started twice: on two machines, by a person, by a bug."""
    works = ("extract", "score", "extract", "score")
    ended = killed_at_random(processes, folder, ("gong", "chorus"), works, 100)
    assert ended["killed"] >= 100
