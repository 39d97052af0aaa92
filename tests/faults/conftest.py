"""Fixtures of the faults of processes: the warm process that all others are forked from."""

from __future__ import annotations

import pytest
from faults.site import Processes
from in_memory import folder  # noqa: F401


@pytest.fixture(scope="session")
def processes() -> Processes:
    return Processes()
