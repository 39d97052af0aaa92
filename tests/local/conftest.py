"""What the tests of the local commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from semarize_airflow.local.environment import Runtime


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(tmp_path / "runtime")
