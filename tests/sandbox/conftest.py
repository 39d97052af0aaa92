"""A running sandbox for each test that asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sandbox.clients import CLIENTS, NOON, Client

from semarize_sandbox.model import Call
from semarize_sandbox.server import running
from semarize_sandbox.world import World

Start = Callable[..., Client]


@pytest.fixture(scope="session")
def stop_later() -> Iterator[Callable[[ExitStack], None]]:
    """Stop sandboxes beside the next tests: each takes a fifth of a second, all of it waiting."""
    stopping: list[Future[None]] = []
    with ThreadPoolExecutor(max_workers=8) as pool:
        yield lambda stack: stopping.append(pool.submit(stack.close))
    for one in stopping:
        one.result()


@pytest.fixture
def start(stop_later: Callable[[ExitStack], None]) -> Iterator[Start]:
    """Serve calls at noon and give a client that has logged in at their vendor's stand-in."""
    stack = ExitStack()

    def begin(vendor: str, given: Sequence[Call] = (), *, limited: bool = False) -> Client:
        world = World(given, limited=limited)
        world.freeze(NOON)
        client = CLIENTS[vendor](stack.enter_context(running(world)))
        client.log_in()
        return client

    yield begin
    stop_later(stack)
