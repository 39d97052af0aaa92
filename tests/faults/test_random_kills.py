"""Killed at random moments, several times in a row, and then allowed to finish."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.at_random import killed_at_random
from faults.site import Processes

pytestmark = pytest.mark.long


def test_a_task_after_the_other(processes: Processes, folder: Path) -> None:
    ended = killed_at_random(processes, folder, ("gong", "chorus", "clari_copilot"), ("both",), 60)
    assert ended["killed"] >= 60
