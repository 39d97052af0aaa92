"""What tests of all folders share: an order, servers, Airflow, the company that dbt has built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import company_warehouse
import pytest
from browser import headless
from dag_runs import airflow_home, dag_bag, pools, run_dag, settings_file, stores  # noqa: F401
from forked_dbt import program
from longest_first import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_configure_node,
    pytest_runtest_logreport,
    pytest_sessionfinish,
)
from playwright.sync_api import Browser, sync_playwright
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


@pytest.fixture(scope="session")
def dbt_program() -> Iterator[Path]:
    """dbt, for tests that run many commands: it is not imported anew for each."""
    with program.forking(program.plain()) as forking:
        yield forking


@pytest.fixture(scope="session")
def company_file() -> Path:
    """The built company, to read: one for all files and processes, and for the next run."""
    return company_warehouse.built()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for a file: while it is there, its loop runs, and no other can in this process."""
    with sync_playwright() as started, headless(started) as browser:
        yield browser
