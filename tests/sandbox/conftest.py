"""A running sandbox for each test that asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest
from sandbox.clients import CLIENTS, NOON, Client

from semarize_sandbox.model import Call
from semarize_sandbox.server import running
from semarize_sandbox.world import World

Start = Callable[..., Client]


@pytest.fixture
def start() -> Iterator[Start]:
    """Serve calls at noon and give a client that has logged in at their vendor's stand-in."""
    with ExitStack() as stack:

        def begin(vendor: str, given: Sequence[Call] = (), *, limited: bool = False) -> Client:
            world = World(given, limited=limited)
            world.freeze(NOON)
            client = CLIENTS[vendor](stack.enter_context(running(world)))
            client.log_in()
            return client

        yield begin
