"""What tests of more than one folder share: a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from unit.postgres import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of this run's own. Where there is none to run, its tests fail."""
    with Cluster.running() as running:
        yield running
