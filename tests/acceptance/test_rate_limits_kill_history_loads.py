"""Pain: a vendor's limits end a load of the past in the middle, and what was refused is lost.

The sandbox counts as the vendor does, on the test's clock: 3 requests a second, 10,000 a day,
100,000 a week, and 429 with Retry-After beyond. Days pass at once; every request is a real one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests
from bench import NOW, Bench, Clock, call
from starlette.requests import Request
from starlette.responses import Response

from semarize_pipeline import backfill, orders
from semarize_pipeline.errors import Wait
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.rest.pace import PacedAdapter
from semarize_pipeline.state.budgets import Limits, SharedPace
from semarize_sandbox.limits import Quota, SlidingWindow, day_start, week_start
from semarize_sandbox.server import furnish, running
from semarize_sandbox.world import World

A_SECOND, A_DAY, A_WEEK = 3, 10_000, 100_000


@dataclass
class Gate:
    """The three limits, less what others with the same key use of each."""

    world: World
    others_a_second: int = 0
    others_a_day: int = 0
    others_this_week: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[datetime, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._second = SlidingWindow(1.0, lambda: self.world.now().timestamp())
        self._day, self._week = Quota(day_start), Quota(week_start)
        self._first_week = week_start(self.world.now())

    def __call__(self, request: Request) -> Response | None:
        now = self.world.now()
        wait = self._second.wait(A_SECOND - self.others_a_second)
        others = self.others_this_week if week_start(now) == self._first_week else 0
        if not wait and not self._week.take(A_WEEK - others, now):
            wait = (week_start(now) + timedelta(days=7) - now).total_seconds()
        if not wait and not self._day.take(A_DAY - self.others_a_day, now):
            wait = (day_start(now) + timedelta(days=1) - now).total_seconds()
        if not wait:
            self.passed[f"{now:%Y-%m-%d}"] += 1
            return None
        seconds = max(1, math.ceil(wait))
        self.refused.append((now, seconds))
        return Response("{}", 429, {"Retry-After": str(seconds)}, "application/json")


@contextmanager
def limited(folder: Path, count: int, **others: int) -> Iterator[tuple[Bench, Gate]]:
    """Gong with ``count`` calls in January, one a page, behind the gate."""
    minutes = 28 * 24 * 60 / count
    first = NOW.replace(month=1, day=2)
    world = World(
        [call("gong", n, first + timedelta(minutes=minutes * n)) for n in range(count)],
        limited=True,
    )
    clock = Clock(world)
    furnish(world)
    gate = Gate(world, **others)
    world.standins["gong"] = replace(world.standins["gong"], limit=gate)
    world.page_size["gong"] = 1
    with running(world) as sandbox:
        made = Bench(sandbox, "gong", folder, clock)
        try:
            yield made, gate
        finally:
            made.state.close()


def client(made: Bench, limits: Limits) -> RestClient:
    """As ``connect.client`` makes it, with the test's clock in place of the wall's."""
    given = made.credentials()

    def sleep(seconds: float) -> None:
        made.clock.advance(seconds=seconds)

    pace = SharedPace(
        made.state.budgets,
        given.connection,
        limits,
        sleep=sleep,
        now=lambda: made.clock().timestamp(),
    )
    session = requests.Session()
    session.auth = made.vendor.auth(given, made.state.tokens)
    session.mount("http://", PacedAdapter(pace))
    return RestClient(
        session,
        str(given.host),
        connection=given.connection,
        pace=pace,
        clock=made.clock,
        sleep=sleep,
    )


def go(made: Bench, limits: Limits) -> list[datetime]:
    """A backfill of January, as Airflow would go on with it; until when it waited each time."""
    api, waited = client(made, limits), []
    order = orders.backfill(
        {"vendor": "gong", "from": "2026-01-01", "to": "2026-01-31"},
        made.settings,
        run="manual__1",
        now=NOW,
    )
    while True:
        try:
            report = backfill.backfill(
                made.vendor,
                api,
                None,
                made.warehouse,
                made.state,
                order=order,
                kits=(),
                settings=replace(
                    made.settings, history=replace(made.settings.history, slice_hours=24.0)
                ),
                run="test",
                until=NOW,
            )
        except Wait as wait:
            waited.append(wait.until)
            made.clock.advance(seconds=(wait.until - made.clock()).total_seconds())
        else:
            assert report.slices_done == report.slices
            return waited


def nothing_is_lost(made: Bench, count: int) -> None:
    served = {each.id for each in made.world.all_calls("gong")}
    assert len(served) == count
    assert set(made.conversations()) == served
    (said,) = made.query("select count(*) as n from landing.gong__utterances")
    assert said["n"] == 3 * count
    assert made.statuses() == {"landed": count}
    assert made.query("select * from landing.quarantine") == []


def test_a_backfill_finishes_across_days_and_a_week_with_no_call_lost(tmp_path: Path) -> None:
    """The real limits, of which others with the key leave little: that is not foreseen here."""
    others = {"others_a_second": 2, "others_a_day": A_DAY - 30, "others_this_week": A_WEEK - 70}
    with limited(tmp_path, 40, **others) as (made, gate):
        waited = go(made, Limits(requests_per_second=2, per_day=A_DAY))
        nothing_is_lost(made, 40)
    short = [seconds for _, seconds in gate.refused if seconds <= 60]
    long = [seconds for _, seconds in gate.refused if seconds > 60]
    assert short, "the guard: it met the limit of a second"
    assert len(long) == len(waited) >= 3, "and each day's or week's once: then it waited"
    assert max(gate.passed.values()) <= 30
    assert len(gate.passed) >= 4, "over days"
    sundays = [until for until in waited if until.weekday() == 6 and until.hour == 0]
    assert sundays, "and the week's limit ended on a Sunday"
    assert all(until.hour == until.minute == 0 for until in waited), "no day was wasted"


@pytest.mark.long
def test_more_requests_than_ten_thousand_a_day(tmp_path: Path) -> None:
    """A real limit: 5,100 calls, a request for each listing's page and each transcript."""
    count = 5_100
    with limited(tmp_path, count) as (made, gate):
        waited = go(made, replace(made.vendor.limits, requests_per_second=2, per_day=A_DAY))
        nothing_is_lost(made, count)
    assert sum(gate.passed.values()) >= 10_200
    assert max(gate.passed.values()) == A_DAY
    assert gate.refused == [], "our own count is the vendor's: not one request was refused"
    assert len(waited) == 1
