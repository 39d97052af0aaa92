"""What tests of all folders share: an order, a PostgreSQL server, an emulator of Snowflake."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from longest_first import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_configure_node,
    pytest_runtest_logreport,
    pytest_sessionfinish,
)
from unit.postgres import Cluster
from unit.warehouse.emulator import emulator_running


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of this run's own. Where there is none to run, its tests fail."""
    with Cluster.running() as running:
        yield running


@pytest.fixture(scope="session")
def emulator() -> Iterator[int]:
    """The port of one emulator for all tests of a run; each takes a database of its own."""
    with emulator_running() as port:
        yield port
