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
# How far behind the first demo may stay: well inside the look-back that the sandbox's settings
# give every vendor, and far enough to reach Friday from any hour of the week-end.
BEHIND = tuple(timedelta(hours=hours) for hours in (6, 12, 18, 24, 36, 48, 60, 72))
WORTH_SHOWING = 5
# Half a year at the vendors' own pace: two requests a second at Chorus and five at CallMiner,
# both of which want one for each call. Each of these is read in about a minute.
CALLS_PER_DAY = {
    "gong": 2.5,
    "salesloft": 2.0,
    "clari_copilot": 2.0,
    "callminer": 2.0,
    "chorus": 0.8,
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
    listed = [call.listed_at for call in _calls(now, BEHIND[-1] + timedelta(days=1))]
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
