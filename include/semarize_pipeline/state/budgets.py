"""One budget per key: how soon the next request may leave, and how many are left today.

Turns are handed out by the database, evenly spaced, so that two workers with one key keep
the promise together. A process takes a few turns at once (at most a quarter of a second's
worth), which keeps the database out of each request's way; where a day's or week's requests
are counted it takes one, so that none is counted and then lost.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from semarize_pipeline.errors import Wait
from semarize_pipeline.state import tables as t

if TYPE_CHECKING:
    from semarize_pipeline.state.store import State

Period = Literal["day", "week"]
# A campaign's cap has no end at which it begins anew.
EVER = "ever"
AHEAD_SECONDS = 0.25
SAME_HOLD_SECONDS = 0.5
SLOWEST = 64.0
RECOVERY = 0.95
SLOW_START = 8.0
# A turn that was not used by then is lost: made up for, it would come on top of another's.
LATE_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a vendor allows, as we promise to keep it.

    ``records_per_second`` is for a vendor that limits records rather than requests. A day
    begins at 00:00 UTC, a week on Sunday 00:00 UTC. ``adaptive`` slows down after a 429 and
    recovers slowly: for a vendor that documents nothing. ``reserved`` is the share of all of it
    that whoever has these limits leaves to others with the same key.
    """

    requests_per_second: float
    per_day: int | None = None
    per_week: int | None = None
    records_per_second: float | None = None
    adaptive: bool = False
    reserved: float = 0.0

    def caps(self) -> list[tuple[Period, int]]:
        both: list[tuple[Period, int | None]] = [("day", self.per_day), ("week", self.per_week)]
        return [
            (period, math.floor(cap * (1 - self.reserved)))
            for period, cap in both
            if cap is not None
        ]

    def of_speed(self) -> Limits:
        """What is left of the speed alone, for whoever leaves others their share."""
        share, records = 1 - self.reserved, self.records_per_second
        return Limits(
            requests_per_second=self.requests_per_second * share,
            records_per_second=None if records is None else records * share,
        )


def period_start(period: Period, moment: datetime) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return day
    return day - timedelta(days=(day.weekday() + 1) % 7)


def period_end(period: Period, moment: datetime) -> datetime:
    return period_start(period, moment) + timedelta(days=1 if period == "day" else 7)


def _name(period: Period, moment: datetime) -> str:
    return f"{period} {period_start(period, moment):%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A counter to take from, and what it may reach."""

    key: str
    period: Period | Literal["ever"]
    cap: int | None = None

    def name(self, now: datetime) -> str:
        return EVER if self.period == "ever" else _name(self.period, now)


class Budgets:
    """The shared counters."""

    def __init__(self, state: State) -> None:
        self._state = state

    def turns(self, key: str, limits: Limits, wanted: int) -> list[float]:
        """Reserve up to ``wanted`` turns: the moments (seconds since 1970) to send at.

        Raises Wait when a day's or week's cap is used up.
        """
        with self._state.write() as connection:
            now = self._state.clock()
            self._ensure(connection, key, ["pace", *(_name(p, now) for p, _ in limits.caps())])
            granted = wanted
            for period, cap in limits.caps():
                left = cap - self._used(connection, key, _name(period, now))
                if left <= 0:
                    raise Wait(
                        f"{key}: the {period}'s {cap} requests are used up", period_end(period, now)
                    )
                granted = min(granted, left)
            pace = connection.execute(
                sa.select(t.budgets).where(t.budgets.c.key == key, t.budgets.c.period == "pace")
            ).one()
            slowdown = max(1.0, pace.slowdown * RECOVERY) if limits.adaptive else 1.0
            interval = slowdown / limits.requests_per_second
            first = max(now.timestamp(), pace.next_turn)
            connection.execute(
                sa.update(t.budgets)
                .where(t.budgets.c.key == key, t.budgets.c.period == "pace")
                .values(
                    next_turn=first + granted * interval,
                    slowdown=slowdown,
                    used=t.budgets.c.used + granted,
                )
            )
            for period, _ in limits.caps():
                self._add(connection, key, _name(period, now), granted)
        return [first + turn * interval for turn in range(granted)]

    def delay(self, key: str, seconds: float) -> None:
        """Push everybody's next turn back: records received count against the same second."""
        now = self._state.clock().timestamp()
        with self._state.write() as connection:
            self._ensure(connection, key, ["pace"])
            connection.execute(
                sa.update(t.budgets)
                .where(t.budgets.c.key == key, t.budgets.c.period == "pace")
                .values(
                    next_turn=sa.case(
                        (t.budgets.c.next_turn > now, t.budgets.c.next_turn), else_=now
                    )
                    + seconds
                )
            )

    def hold(self, key: str, until: datetime, adaptive: bool) -> None:
        """No turn before ``until``; an adaptive key also halves its speed.

        Once a hold: requests that were under way together are refused together, and that is
        one reason to slow down, not many.
        """
        with self._state.write() as connection:
            self._ensure(connection, key, ["pace"])
            row = t.budgets.c
            values: dict[str, object] = {
                "next_turn": sa.case(
                    (row.next_turn > until.timestamp(), row.next_turn), else_=until.timestamp()
                )
            }
            if adaptive:
                values["slowdown"] = sa.case(
                    (row.next_turn > until.timestamp() - SAME_HOLD_SECONDS, row.slowdown),
                    (row.slowdown * 2 > SLOWEST, SLOWEST),
                    else_=row.slowdown * 2,
                )
            connection.execute(
                sa.update(t.budgets).where(row.key == key, row.period == "pace").values(**values)
            )

    def spend(self, key: str, cap: int | None, wanted: int = 1) -> int:
        """Take up to ``wanted`` of today's ``cap`` of paid things; how many were granted."""
        return self.spend_all([Claim(key, "day", cap)], wanted)[0]

    def spend_all(self, claims: Sequence[Claim], wanted: int) -> tuple[int, list[int | None]]:
        """Take up to ``wanted`` from every claim at once, as many as all of them have left.

        Gives how many were granted, and what was left of each claim before (None: no cap).
        """
        now = self._state.clock()
        left: list[int | None] = []
        with self._state.write() as connection:
            for claim in claims:
                self._ensure(connection, claim.key, [claim.name(now)])
                used = self._used(connection, claim.key, claim.name(now))
                left.append(None if claim.cap is None else max(0, claim.cap - used))
            granted = max(0, min([wanted, *(each for each in left if each is not None)]))
            if granted:
                for claim in claims:
                    self._add(connection, claim.key, claim.name(now), granted)
        return granted, left

    def restore(self, used: Sequence[tuple[Claim, int]], slowed: Sequence[str]) -> None:
        """Count at least so many as used, after the counters were lost.

        ``slowed`` are adaptive keys, whose speed is not known any more: they begin slowly.
        """
        now = self._state.clock()
        row = t.budgets.c
        with self._state.write() as connection:
            for claim, count in used:
                self._ensure(connection, claim.key, [claim.name(now)])
                connection.execute(
                    sa.update(t.budgets)
                    .where(row.key == claim.key, row.period == claim.name(now), row.used < count)
                    .values(used=count)
                )
            for key in slowed:
                self._ensure(connection, key, ["pace"])
                connection.execute(
                    sa.update(t.budgets)
                    .where(row.key == key, row.period == "pace", row.slowdown < SLOW_START)
                    .values(slowdown=SLOW_START)
                )

    def used(self, key: str, period: Period | Literal["ever"]) -> int:
        with self._state.read() as connection:
            return self._used(connection, key, Claim(key, period).name(self._state.clock()))

    def _ensure(self, connection: sa.Connection, key: str, periods: Sequence[str]) -> None:
        rows = [
            {"key": key, "period": p, "used": 0, "next_turn": 0.0, "slowdown": 1.0} for p in periods
        ]
        self._state.upsert(connection, t.budgets, rows, None)

    def _used(self, connection: sa.Connection, key: str, period: str) -> int:
        row = t.budgets.c
        query = sa.select(row.used).where(row.key == key, row.period == period)
        return int(connection.execute(query).scalar_one_or_none() or 0)

    def _add(self, connection: sa.Connection, key: str, period: str, count: int) -> None:
        row = t.budgets.c
        connection.execute(
            sa.update(t.budgets)
            .where(row.key == key, row.period == period)
            .values(used=row.used + count)
        )


class SharedPace:
    """A key's turns, for one process and all its threads (a ``rest.pace.Pace``)."""

    def __init__(
        self,
        budgets: Budgets,
        key: str,
        limits: Limits,
        *,
        patience_seconds: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._budgets = budgets
        self._key = key
        self._limits = limits
        self._patience = patience_seconds
        self._sleep = sleep
        self._now = now
        self._lock = threading.Lock()
        most = math.floor(limits.requests_per_second * AHEAD_SECONDS)
        self._ahead = 1 if limits.caps() else max(1, most)
        self._turns: list[float] = []
        self._held_until = 0.0
        self._taken = 0

    @property
    def taken(self) -> int:
        return self._taken

    def take(self) -> None:
        while True:
            turn = self._turn()
            rest = turn - self._now()
            if rest > self._patience:
                raise Wait(f"{self._key}: every turn is taken", datetime.fromtimestamp(turn, UTC))
            if rest > 0:
                self._sleep(rest)
            with self._lock:
                # The vendor may have asked for silence while we slept: then the turn is void.
                if turn >= self._held_until:
                    self._taken += 1
                    return

    def _turn(self) -> float:
        with self._lock:
            while self._turns and self._turns[0] < self._now() - LATE_SECONDS:
                self._turns.pop(0)
            if not self._turns:
                self._turns = self._budgets.turns(self._key, self._limits, self._ahead)
            return self._turns.pop(0)

    def charge(self, records: int) -> None:
        if self._limits.records_per_second is None or records == 0:
            return
        # The request itself already took its turn's worth of time.
        owed = records / self._limits.records_per_second - 1 / self._limits.requests_per_second
        if owed > 0:
            with self._lock:
                self._turns.clear()
                self._budgets.delay(self._key, owed)

    def hold(self, until: datetime) -> None:
        with self._lock:
            self._turns.clear()
            self._held_until = max(self._held_until, until.timestamp())
            self._budgets.hold(self._key, until, self._limits.adaptive)


class PaceBesideLive:
    """A key's turns for work that can wait: its own, slower pace first, then the shared one.

    So the hourly runs find the rest of the speed free whenever they come, and with
    ``Limits.reserved`` the rest of a day or week too.
    """

    def __init__(self, own: SharedPace, shared: SharedPace) -> None:
        self._own = own
        self._shared = shared

    @property
    def taken(self) -> int:
        return self._shared.taken

    def take(self) -> None:
        self._own.take()
        self._shared.take()

    def charge(self, records: int) -> None:
        self._own.charge(records)
        self._shared.charge(records)

    def hold(self, until: datetime) -> None:
        self._shared.hold(until)
