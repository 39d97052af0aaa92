"""A folder in memory for the databases of a test that nothing but a process can fail.

A process that is killed loses nothing that it wrote to a file, synced or not: only a machine does.
So hundreds of synced commits need not wait for a disk.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

IN_MEMORY = Path("/dev/shm")
# A container often has 64 MB of it.
ENOUGH_BYTES = 1 << 30


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A folder for the length of a block: in memory where there is enough of it."""
    usable = os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ENOUGH_BYTES
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if usable else None, prefix="test-") as made:
        yield Path(made)


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_in_memory() as made:
        yield made


@pytest.fixture
def tmp_path(folder: Path) -> Path:
    """For the folders of tests that import this too: pytest's own lies on the disk."""
    return folder
