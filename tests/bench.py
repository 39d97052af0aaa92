"""What the larger tests share: a small sandbox, a state database, a warehouse file, the clients.

Everything is real except the other side of the wire, which is the sandbox.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from semarize_pipeline import connect, orders, pipeline, replay, vendors
from semarize_pipeline.rest.auth import Credentials
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.semarize.client import SemarizeClient
from semarize_pipeline.settings import ExtractSettings, Kit, ScoreSettings, Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import Limits
from semarize_pipeline.vendors.base import Vendor
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_sandbox.model import Call, Person, Turn
from semarize_sandbox.server import Sandbox, running
from semarize_sandbox.world import World

FERNET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
QUALITY = Kit(name="interaction_quality", code="C5A1E07B")
DEALS = Kit(name="deal_signals", code="D3A15160")
ALL = vendors.names()

_IDS = {
    "gong": lambda n: str(7782342274025930000 + n),
    "salesloft": lambda n: str(120000 + n),
    "clari_copilot": lambda n: f"cc-{9840000 + n}",
    "callminer": lambda n: f"INT-20260301-{n:05d}",
    "chorus": lambda n: f"{n:032x}",
}

REP = Person(id="u-1", name="Dana Reyes", email="dana@northwind.example.com", role="rep")
BUYER = Person(id="c-1", name="Kim Osei", email="kim@acme.example.com", role="customer")


def call(vendor: str, number: int, started_at: datetime, **changes: Any) -> Call:
    """A short call; ``changes`` are fields of ``Call``."""
    facts: dict[str, Any] = {
        "id": _IDS.get(vendor, str)(number),
        "vendor": vendor,
        "started_at": started_at,
        "duration_seconds": 60.0,
        "title": f"Call {number}",
        "owner": REP,
        "people": (REP, BUYER),
        "turns": (
            Turn("u-1", 0.0, 4.0, f"Hello, this call is recorded. Call number {number}."),
            Turn("c-1", 4.5, 9.0, "Thanks. Our budget is approved and I sign the contract."),
            Turn("u-1", 9.5, 12.0, "I understand. I will send the summary on Monday."),
        ),
        "account_name": "Acme",
        "opportunity_id": "006000000000001",
    }
    return Call(**{**facts, **changes})


def calls(vendor: str, count: int, *, before: datetime = NOW, **changes: Any) -> list[Call]:
    """Calls at every half hour, the last one three hours ago."""
    return [
        call(vendor, n, before - timedelta(hours=3, minutes=30 * (count - 1 - n)), **changes)
        for n in range(count)
    ]


class Clock:
    """A clock that a test moves; the sandbox's world is moved with it."""

    def __init__(self, world: World, at: datetime = NOW) -> None:
        self.now = at
        self._world = world
        world.freeze(at)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)
        self._world.freeze(self.now)


class Bench:
    """One vendor end to end, in a folder of its own."""

    def __init__(self, sandbox: Sandbox, name: str, folder: Path, clock: Clock) -> None:
        self.sandbox = sandbox
        self.world = sandbox.world
        self.clock = clock
        self.folder = folder
        self.vendor: Vendor = fast(vendors.get(name))
        self.settings = Settings(
            extract=ExtractSettings(start=timedelta(days=7), slice_hours=240),
            score=ScoreSettings(at_once=4, requests_per_second=200, patience_seconds=10),
            kits=(QUALITY,),
            timing={name: {"lag": timedelta(0), "first_retry": timedelta(minutes=10)}},
        )
        # Budgets space real requests, so this clock stands still for them in nothing that
        # these tests look at: the pace is fast, and the ledger's moments are the test's.
        self.state = State(f"sqlite:///{folder}/state.db", fernet_key=FERNET, clock=clock)
        self.warehouse = DuckDBWarehouse(folder / "warehouse.duckdb", wait_seconds=20)
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Sleep by moving the clock, which the sandbox's runs follow."""
        self.slept.append(seconds)
        self.clock.advance(seconds=seconds)
        time.sleep(0.001)

    def credentials(self, name: str | None = None, **changes: Any) -> Credentials:
        name = name or self.vendor.name
        held = self.sandbox.credentials(name)
        return Credentials(
            connection=f"{name}_default",
            host=self.sandbox.base_url(name),
            **{**held, **changes},
        )

    def api(self, given: Credentials | None = None) -> RestClient:
        return connect.vendor_client(self.vendor, given or self.credentials(), self.state)

    def semarize(self) -> SemarizeClient:
        return connect.semarize_client(
            self.credentials("semarize"), self.state, self.settings.score
        )

    def extract(self, **changes: Any) -> pipeline.ExtractReport:
        arguments: dict[str, Any] = {
            "until": self.clock(),
            "settings": self.settings,
            "run": "test",
        }
        return pipeline.extract(
            self.vendor,
            changes.pop("api", None) or self.api(),
            self.warehouse,
            self.state,
            **{**arguments, **changes},
        )

    def score(self, **changes: Any) -> pipeline.ScoreReport:
        return pipeline.score(
            self.vendor.name,
            self.semarize(),
            self.warehouse,
            self.state,
            **{"settings": self.settings, "run": "test", "sleep": self.sleep, **changes},
        )

    def replay(self, **form: Any) -> replay.ReplayReport:
        """The form's replay; ``began`` is when it was ordered, which is now unless it goes on."""
        began = form.pop("began", self.clock())
        order = orders.replay(
            {"vendor": self.vendor.name, **form},
            self.settings,
            run="manual__1",
            now=self.clock(),
        )
        return replay.replay(
            self.vendor,
            self.api(),
            self.semarize(),
            self.warehouse,
            self.state,
            order=order,
            began=began,
            settings=self.settings,
            run="a replay",
            sleep=self.sleep,
        )

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        with self.warehouse.open("test") as session:
            return session.query(sql, parameters)

    def landed(self) -> dict[str, list[dict[str, Any]]]:
        """Every landing table's rows."""
        with self.warehouse.open("test") as session:
            found = session.query(
                "select table_name as name from information_schema.tables "
                "where table_schema = 'landing' order by 1"
            )
            assert len(found) > 8, "the guard: the tables are looked for where they are"
            names = [row["name"] for row in found]
            return {name: session.query(f"select * from landing.{name}") for name in names}

    def conversations(self) -> dict[str, dict[str, Any]]:
        rows = self.query(f"select * from landing.{self.vendor.name}__conversations")
        assert len({row["conversation_id"] for row in rows}) == len(rows), "a doubled conversation"
        return {row["conversation_id"]: row for row in rows}

    def utterances(self) -> list[dict[str, Any]]:
        return self.query(
            f"select * from landing.{self.vendor.name}__utterances "
            "order by conversation_id, position"
        )

    def statuses(self) -> dict[str, int]:
        return self.state.ledger.counts(self.vendor.name)

    def set(self, **changes: Any) -> None:
        self.settings = replace(self.settings, **changes)


def fast(vendor: Vendor) -> Vendor:
    """The vendor without its politeness, for tests of everything else."""
    return replace(vendor, limits=Limits(requests_per_second=200))


@contextmanager
def bench(
    name: str, folder: Path, given: Sequence[Call] = (), *, limited: bool = False
) -> Iterator[Bench]:
    world = World(given, limited=limited)
    clock = Clock(world)
    with running(world) as sandbox:
        # The clock is frozen, so a run that takes time would never end by itself.
        world.switch("semarize", run_seconds=0.0, retry_after_seconds=None)
        made = Bench(sandbox, name, folder, clock)
        try:
            yield made
        finally:
            made.state.close()
