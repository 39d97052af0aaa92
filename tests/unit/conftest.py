"""Fixtures of the unit tests: a state database, a clock, a server, and other processes."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, settings
from in_memory import folder, tmp_path  # noqa: F401
from unit.postgres import Cluster
from unit.support import Clock, Server, serving

from semarize_pipeline.state import State

settings.register_profile(
    "unit",
    deadline=None,
    max_examples=60,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("unit")

PROCESSES = 3
FERNET_KEY = Fernet.generate_key().decode()

Together = Callable[..., list[Any]]
FreshUrl = Callable[[], str]


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local servers are reached directly, whatever this machine's proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fernet_key() -> str:
    return FERNET_KEY


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """What the state database runs on; the tests of the state itself run on PostgreSQL too."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def fresh_url(
    database: str,
    folder: Path,  # noqa: F811
    request: pytest.FixtureRequest,
) -> Iterator[FreshUrl]:
    """Each call names another database with nothing in it."""
    if database == "sqlite":
        numbers = count()
        yield lambda: f"sqlite:///{folder / str(next(numbers)) / 'state.db'}"
        return
    running: Cluster = request.getfixturevalue("cluster")
    with running.schemas() as fresh:
        yield fresh


@pytest.fixture
def url(fresh_url: FreshUrl) -> str:
    return fresh_url()


@pytest.fixture
def state(url: str, clock: Clock, fernet_key: str) -> Iterator[State]:
    opened = State(url, fernet_key=fernet_key, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(scope="session")
def _pool() -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        yield pool


@pytest.fixture
def together(_pool: ProcessPoolExecutor) -> Together:
    """Run a function of ``workers.py`` in as many processes as there are argument tuples.

    All of them wait for one moment, so that they meet, and so that no process runs two.
    """

    def run(work: Callable[..., Any], *arguments: tuple[Any, ...]) -> list[Any]:
        from unit import workers

        assert 1 < len(arguments) <= PROCESSES
        # Imports are done before the moment is set; each warm-up keeps its process for a while.
        warm = [_pool.submit(workers.warm, 0.1) for _ in range(PROCESSES)]
        assert len({w.result(60) for w in warm}) == PROCESSES
        at = time.time() + 0.1
        jobs = [_pool.submit(workers.at, at, work, *given) for given in arguments]
        return [job.result(60) for job in jobs]

    return run
