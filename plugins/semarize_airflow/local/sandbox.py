"""The sandbox with its made-up company, as the demo and ``make up`` serve it."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime, timedelta
from types import FrameType

from semarize_airflow.local.environment import Refused
from semarize_sandbox.company import generate
from semarize_sandbox.model import Call
from semarize_sandbox.server import Sandbox, SandboxServer, furnish
from semarize_sandbox.world import World

HISTORY = timedelta(days=183)
# So long can a sandbox run on before it has no new calls.
FUTURE = timedelta(days=14)
# How far behind the first demo may stay: well inside the look-back of every vendor.
BEHIND = tuple(timedelta(hours=hours) for hours in (6, 12, 18, 24, 30, 36))
WORTH_SHOWING = 12
# Chorus takes two requests a second and wants one for each call: more would be all waiting.
CALLS_PER_DAY = {
    "gong": 2.5,
    "salesloft": 2.5,
    "clari_copilot": 2.5,
    "callminer": 2.5,
    "chorus": 1.0,
}


def world(now: datetime, *, behind: timedelta = timedelta(0)) -> World:
    """Half a year of the company's calls, and those of the days to come."""
    until = now + FUTURE
    return World(_calls(until, FUTURE + HISTORY), behind=behind)


def _calls(until: datetime, span: timedelta) -> list[Call]:
    return generate(until=until, days=span.days, calls_per_day=CALLS_PER_DAY)


def worth_hiding(now: datetime) -> timedelta:
    """How far behind the first demo's sandbox is, so that the second has something new to show.

    Six hours of a working day; more in the night and at the week-end.
    """
    listed = [call.listed_at for call in _calls(now, timedelta(days=3))]
    for behind in BEHIND:
        if sum(now - behind < moment <= now for moment in listed) >= WORTH_SHOWING:
            return behind
    return BEHIND[-1]


def connections(port: int) -> dict[str, str]:
    """The connections to a sandbox that another process serves on this port."""
    return Sandbox(furnish(World()), f"http://127.0.0.1:{port}").connections()


def serve(port: int) -> None:
    """Serve until a signal comes."""
    try:
        server = SandboxServer(world(datetime.now(UTC)), "127.0.0.1", port)
    except OSError as problem:
        raise Refused(f"the sandbox {problem}") from None

    def end(_signal: int, _frame: FrameType | None) -> None:
        server.stop()

    # uvicorn takes both signals over while it serves; these are for the moments before.
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    print(f"sandbox at {server.sandbox.url} since {time.strftime('%F %T')}", flush=True)
    server.serve()
