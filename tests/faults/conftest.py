"""Fixtures of the faults of processes: the warm process that all others are forked from."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.site import Processes

IN_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def processes() -> Processes:
    return Processes()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where that is possible: a kill loses nothing that was written to a disk's cache
    either, and hundreds of synced commits would take minutes."""
    if not os.access(IN_MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=IN_MEMORY, prefix="faults-") as made:
        yield Path(made)
