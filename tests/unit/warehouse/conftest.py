"""One emulator for all tests of a run: each takes a database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from unit.warehouse.emulator import emulator_running


@pytest.fixture(scope="session")
def emulator() -> Iterator[int]:
    with emulator_running() as port:
        yield port
