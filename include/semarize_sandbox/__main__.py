"""The sandbox as a program: ``python -m semarize_sandbox serve --port 8090``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from semarize_sandbox import jsonl, reference, semarize
from semarize_sandbox.company import generate
from semarize_sandbox.model import Call
from semarize_sandbox.server import Sandbox, SandboxServer, furnish
from semarize_sandbox.wire import parse_moment
from semarize_sandbox.world import World


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m semarize_sandbox",
        description="Local stand-ins for the five vendors and Semarize. Nothing here is real.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve until a signal comes")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8090, help="0 takes any free port")
    serve.add_argument("--days", type=float, default=30, help="of history")
    serve.add_argument("--seed", type=int, default=7, help="of the made-up company")
    serve.add_argument("--behind-hours", type=float, default=0, help="how late the sandbox is")
    serve.add_argument("--calls", type=Path, help="a JSON-lines file (.gz too) instead of it")
    serve.add_argument("--anchor", help="when the file's last call was; now, unless told")
    serve.add_argument("--unlimited", action="store_true", help="without any rate limit")
    serve.add_argument("--ready-file", type=Path, help="gets the URL once it answers")
    connections = commands.add_parser("connections", help="print AIRFLOW_CONN_* lines")
    connections.add_argument("--url", default="http://127.0.0.1:8090")
    tables = commands.add_parser("reference", help="write the company's tables as CSV")
    tables.add_argument("--out", type=Path, required=True, help="the folder")
    tables.add_argument("--from", dest="since", type=_day, default=reference.FIRST)
    tables.add_argument("--to", dest="until", type=_day, default=reference.LAST)
    told = parser.parse_args(arguments)
    if told.command == "connections":
        for name, connection in _connections(told.url).items():
            print(f"AIRFLOW_CONN_{name.upper()}={connection}")
        return 0
    if told.command == "reference":
        try:
            written = reference.write(told.out, reference.tables(told.since, told.until))
        except (OSError, ValueError) as problem:
            print(f"nothing was written: {problem}", file=sys.stderr)
            return 1
        print(f"{len(written)} files in {told.out}, {sum(p.stat().st_size for p in written)} bytes")
        return 0
    try:
        return _serve(told)
    except (OSError, ValueError) as problem:
        print(f"the sandbox did not start: {problem}", file=sys.stderr)
        return 1


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it like 2026-03-10") from None


def _connections(url: str) -> dict[str, str]:
    return Sandbox(furnish(World()), url.rstrip("/")).connections()


def _serve(told: argparse.Namespace) -> int:
    if told.ready_file is not None:
        # One that was killed may have left its file, and nobody may take that for this one's.
        told.ready_file.unlink(missing_ok=True)
    behind = timedelta(hours=told.behind_hours)
    world = furnish(World(behind=behind, limited=not told.unlimited))
    world.add(_calls(told, world))
    server = SandboxServer(world, told.host, told.port)
    # The server hands a signal on once it has stopped; its work is done by then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    threading.Thread(target=_announce, args=(server, told.ready_file), daemon=True).start()
    server.serve()
    if told.ready_file is not None:
        told.ready_file.unlink(missing_ok=True)
    return 0


def _calls(told: argparse.Namespace, world: World) -> list[Call]:
    now = datetime.now(UTC)
    if told.calls is None:
        # Two weeks more than is shown: new calls appear while it runs.
        return generate(until=now + timedelta(days=14), days=int(told.days) + 14, seed=told.seed)
    anchor = _anchor(told.anchor) if told.anchor else now - timedelta(hours=3)
    lines = jsonl.read(told.calls)
    return [
        call
        for vendor in world.standins
        if vendor != semarize.NAME
        for call in jsonl.as_calls(lines, vendor, anchor=anchor, days=told.days)
    ]


def _anchor(text: str) -> datetime:
    try:
        return parse_moment(text)
    except ValueError:
        raise ValueError(
            f"--anchor {text!r} is no moment; write it like 2026-03-10T12:00:00Z"
        ) from None


def _announce(server: SandboxServer, ready_file: Path | None) -> None:
    """Say where the sandbox is, but not before it answers there."""
    while not server.started:
        time.sleep(0.005)
    url = server.sandbox.url
    print(f"A sandbox, not the real vendors: {url}", flush=True)
    if ready_file is not None:
        # Whoever waits for the file must never find it there and empty.
        partial = ready_file.with_name(f"{ready_file.name}.partial")
        partial.write_text(url)
        partial.replace(ready_file)


if __name__ == "__main__":
    sys.exit(main())
