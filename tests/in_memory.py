"""A folder in memory for the databases of a test that nothing but a process can fail.

A process that is killed loses nothing that it wrote to a file, synced or not: only a machine does.
So hundreds of synced commits need not wait for a disk.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

IN_MEMORY = Path("/dev/shm")
# A container often has 64 MB of it.
ENOUGH_BYTES = 1 << 30


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """In memory where there is enough of it, else on the disk."""
    if not os.access(IN_MEMORY, os.W_OK) or shutil.disk_usage(IN_MEMORY).free < ENOUGH_BYTES:
        yield tmp_path_factory.mktemp("folder")
        return
    with tempfile.TemporaryDirectory(dir=IN_MEMORY, prefix="test-") as made:
        yield Path(made)


@pytest.fixture
def tmp_path(folder: Path) -> Path:
    """For the folders of tests that import this too: pytest's own lies on the disk."""
    return folder
