"""What the wire can do to an answer, and the tables that must not show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import hurried
import pytest
from bench import NOW, Bench, Clock, calls

from semarize_pipeline.errors import (
    BadCredentials,
    ContractBroken,
    PipelineError,
    TryAgain,
    Wait,
)
from semarize_pipeline.rest import client as rest
from semarize_sandbox.faults import Fault
from semarize_sandbox.server import running
from semarize_sandbox.world import World

LISTING = {
    "gong": "/calls/extensive$",
    "salesloft": "/conversations$",
    "clari_copilot": "/call-details$",
    "callminer": "/interactions$",
    "chorus": "/calls$",
}
TRANSCRIPT = {
    "gong": "transcript",
    "salesloft": "transcription",
    "callminer": "transcript",
    "chorus": "transcript",
}
MOMENTS = ("_at", "_until", "_loaded_by", "duration_seconds", "tries")
# It counts its runs in the order in which they came, and a poll that comes late makes them longer.
OF_THE_SANDBOX = ("run_id", "response", "duration_ms")
# Not of what landed, but of how: loads, and the vendor's own ids of runs.
HOW = ("loads", "reconciliation", "dbt_results", "erasures", "semarize__open_runs")


@dataclass(frozen=True)
class Case:
    """A fault that stays, and the error that says so; the remedy is in ``says``."""

    name: str
    fault: Mapping[str, Any]
    raises: type[PipelineError] | None
    says: str

    def met_at(self, match: str) -> Fault:
        return Fault(**{"count": None, "match": match, **self.fault})


def _status(status: int, body: Any = None, **headers: str) -> dict[str, Any]:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"kind": "status", "status": status, "body": {} if body is None else body} | (
        {"headers": {"Content-Type": "application/json", **headers}}
    )


PASSING = "check the connection's host"
# Of several requests at once, the others find the turns taken that the first one was refused.
LIMIT = "429|every turn is taken"
HOURS = format_datetime(NOW + timedelta(days=1), usegmt=True)
CASES = [
    Case("no answer", {"kind": "drop"}, TryAgain, PASSING),
    Case("half an answer", {"kind": "drop_mid_body"}, TryAgain, PASSING),
    Case("half a JSON", {"kind": "truncated_json"}, TryAgain, PASSING),
    Case("not UTF-8", {"kind": "not_utf8"}, TryAgain, PASSING),
    Case("not gzip", _status(200, "no gzip", Content_Encoding="gzip"), TryAgain, PASSING),
    Case("drips", {"kind": "drip", "seconds": 0.2}, TryAgain, PASSING),
    Case("500", _status(500), TryAgain, PASSING),
    Case("503 for a while", _status(503, Retry_After="5"), TryAgain, PASSING),
    Case("429 without advice", _status(429), Wait, LIMIT),
    Case("429 of nonsense", _status(429, Retry_After="soon"), Wait, LIMIT),
    Case("429 of seconds, again and again", _status(429, Retry_After="2"), Wait, LIMIT),
    Case("429 of hours", _status(429, Retry_After="7200"), Wait, LIMIT),
    Case("429 until a date", _status(429, Retry_After=HOURS), Wait, LIMIT),
    Case("401", _status(401), BadCredentials, "renew it in the connection|authorize again"),
    Case("403", _status(403), BadCredentials, "give this connection's user the missing scope"),
    Case("endless", {"kind": "endless", "seconds": 5.0}, ContractBroken, "ask for less"),
    Case("a page", {"kind": "html"}, ContractBroken, "a proxy or a login page"),
    Case("a page, 404", {"kind": "html", "status": 404}, ContractBroken, "404"),
    Case("another 404", _status(404, {"whatever": 1}), ContractBroken, "404"),
    Case("no cursor", _status(400, {"e": "cursor has expired"}), ContractBroken, "400|expired"),
    Case("nothing", _status(200, ""), ContractBroken, "nothing at all"),
    Case("null", _status(200, "null"), ContractBroken, "nothing at all"),
    Case("another shape", _status(200, {"unheard": []}), ContractBroken, "unknown shape"),
]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small limits: the same code, and nobody waits ten minutes for it."""
    monkeypatch.setattr(rest, "LONGEST_READ_SECONDS", 0.04)
    monkeypatch.setattr(rest, "MAX_RESPONSE_BYTES", 1 << 20)


class Served:
    """One sandbox for many benches: each has a state and a warehouse of its own."""

    def __init__(self, name: str, folder: Path, count: int = 7) -> None:
        self.name = name
        self._folder = folder
        self._count = count
        self._benches: list[Bench] = []

    @contextmanager
    def open(self) -> Iterator[Served]:
        world = World(calls(self.name, self._count), limited=False)
        clock = Clock(world)
        world.page_size[self.name] = 3
        with running(world) as self.sandbox:
            world.switch("semarize", run_seconds=0.0, retry_after_seconds=None)
            if self.name == "salesloft":
                world.switch("salesloft", rotate_refresh_tokens=False)
            self.clock = clock
            try:
                yield self
            finally:
                for each in self._benches:
                    each.state.close()

    def bench(self) -> Bench:
        self.sandbox.world.faults.clear()
        self.clock.now = NOW
        self.clock.advance(seconds=0)
        folder = self._folder / str(len(self._benches))
        folder.mkdir(parents=True)
        made = Bench(self.sandbox, self.name, folder, self.clock)
        self._benches.append(made)
        return made

    def undisturbed(self) -> dict[str, Any]:
        """The tables of a run that met nothing."""
        bench = self.bench()
        assert hurried.extract(bench).landed == self._count
        return picture(bench)


def picture(bench: Bench) -> dict[str, Any]:
    """Every landing table, without moments and how it came there."""
    found: dict[str, Any] = {}
    for name, rows in bench.landed().items():
        if name in HOW:
            continue
        kept = [
            {
                column: value
                for column, value in row.items()
                if not column.endswith(MOMENTS) and column not in OF_THE_SANDBOX
            }
            for row in rows
        ]
        found[name] = sorted(kept, key=str)
        # What began is of interest after all.
        if "started_at" in (rows[0] if rows else {}):
            found[f"{name} began"] = sorted(str(row["started_at"]) for row in rows)
    assert len(found[f"{bench.vendor.name}__conversations"]) > 0
    return found
