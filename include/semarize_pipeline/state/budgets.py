"""One budget per key: how soon the next request may leave, and how many are left today.

Turns are handed out by the database, evenly spaced, so that two workers with one key keep
the promise together. A process takes a few turns at once (at most a quarter of a second's
worth), which keeps the database out of each request's way; where a minute's, day's or week's
requests are counted it takes one, so that none is counted and then lost.

A minute slides: no 60 seconds, wherever they begin, hold more than the cap, whichever way the
vendor cuts its own minutes. Turns that find it full come later; nobody is sent away for that. Days
and weeks are the calendar's, since a cap of hours is worth a ``Wait``.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

import sqlalchemy as sa

from semarize_pipeline.errors import Misconfigured, Wait
from semarize_pipeline.state import tables as t

if TYPE_CHECKING:
    from semarize_pipeline.state.store import State

Period = Literal["day", "week"]
Counted = Literal["day", "week", "ever"]
# The row of a key that spaces its requests.
PACE: Literal["pace"] = "pace"
# A campaign's cap has no end at which it begins anew.
EVER = "ever"
# The key under which Semarize runs are bought, whoever buys them.
RUNS = "semarize runs"
AHEAD_SECONDS = 0.25
SAME_HOLD_SECONDS = 0.5
SLOWEST = 64.0
RECOVERY = 0.95
SLOW_START = 8.0
MINUTE_SECONDS = 60
# A full minute is waited for; what takes longer gives the worker back.
PATIENCE_SECONDS = MINUTE_SECONDS + 5.0
# How long a day's or week's count is kept after its end, for whoever looks back.
KEPT_DAYS = 60
# A turn that was not used by then is lost: made up for, it would come on top of another's.
LATE_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a vendor allows, as we promise to keep it.

    ``records_per_second`` is for a vendor that limits records rather than requests. Any 60
    seconds are a minute; a day begins at 00:00 UTC, a week on Sunday 00:00 UTC. ``cost_header``
    names the answer's header that says what a request cost, where some count for more than one
    of a minute's. ``adaptive`` slows down after a 429 and recovers slowly: for a vendor that
    documents nothing. ``reserved`` is the share of all of it that whoever has these limits
    leaves to others with the same key.
    """

    requests_per_second: float
    per_minute: int | None = None
    per_day: int | None = None
    per_week: int | None = None
    records_per_second: float | None = None
    cost_header: str | None = None
    adaptive: bool = False
    reserved: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.requests_per_second, self.per_minute, self.per_day, self.per_week)
        if any(number is not None and number <= 0 for number in numbers):
            raise Misconfigured("a limit is a number above zero")

    @property
    def minute_cap(self) -> int | None:
        """The most that any minute may hold when we send; one at least, or nothing ever went."""
        if self.per_minute is None:
            return None
        return max(1, math.floor(self.per_minute * (1 - self.reserved)))

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
    period: Counted
    cap: int | None = None

    def name(self, now: datetime) -> str:
        return EVER if self.period == "ever" else _name(self.period, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much of one of a key's limits is used, as an operator wants to see it.

    ``used`` is what the current second, the last 60 seconds, or the day or week so far hold.
    ``reserved`` is the part of ``cap`` that only live runs may take: others stop when ``left``
    comes down to it. ``ends_at`` is when a day or week begins anew. ``slowdown`` is 1 at full
    speed and 4 at a quarter of it. ``next_turn`` and ``held_until`` (a 429, or a Retry-After)
    are None where they lie in the past.
    """

    key: str
    period: Literal["second", "minute", "day", "week"]
    cap: float
    used: int
    left: float
    reserved: float
    ends_at: datetime | None = None
    next_turn: datetime | None = None
    held_until: datetime | None = None
    slowdown: float = 1.0


class _Recent:
    """What a key sent in each of the last seconds, and will in the next ones, as text."""

    def __init__(self, written: str | None) -> None:
        self._seconds: dict[int, int] = dict(json.loads(written)) if written else {}

    def add(self, moment: float, count: int = 1) -> None:
        second = math.floor(moment)
        self._seconds[second] = self._seconds.get(second, 0) + count

    def within(self, moment: float, seconds: int) -> int:
        """The second of ``moment`` and so many before it, all counted as a whole."""
        last = math.floor(moment)
        return sum(n for second, n in self._seconds.items() if last - seconds <= second <= last)

    def room(self, moment: float, cap: int | None) -> float:
        """The first moment from ``moment`` on at which one more keeps to a minute's ``cap``."""
        while cap is not None and self.within(moment, MINUTE_SECONDS) >= cap:
            last = math.floor(moment)
            oldest = min(s for s in self._seconds if s >= last - MINUTE_SECONDS)
            moment = float(oldest + MINUTE_SECONDS + 1)
        return moment

    def written(self, now: float) -> str:
        first = math.floor(now) - MINUTE_SECONDS
        kept = sorted((s, n) for s, n in self._seconds.items() if s >= first)
        return json.dumps(kept, separators=(",", ":"))


class _Later(Exception):
    """The minute's share of whoever leaves live runs theirs is used up until ``moment``."""

    def __init__(self, moment: float) -> None:
        super().__init__(moment)
        self.moment = moment


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
            rows = self._rows(connection, key, [PACE, *(period for period, _ in limits.caps())])
            granted = wanted
            for period, cap in limits.caps():
                left = cap - rows[period].used
                if left <= 0:
                    raise Wait(
                        f"{key}: the {period}'s {cap} requests are used up", period_end(period, now)
                    )
                granted = min(granted, left)
            pace = rows[PACE]
            slowdown = max(1.0, pace.slowdown * RECOVERY) if limits.adaptive else 1.0
            interval = slowdown / limits.requests_per_second
            recent = _Recent(pace.recent)
            turn = max(now.timestamp(), pace.next_turn)
            free = recent.room(turn, limits.minute_cap)
            if limits.reserved and free > turn:
                # A turn that far ahead would keep the live runs behind it.
                raise _Later(free)
            turns: list[float] = []
            while len(turns) < granted:
                turn = recent.room(turn, limits.minute_cap)
                recent.add(turn)
                turns.append(turn)
                turn += interval
            self._set_pace(
                connection,
                key,
                next_turn=turn,
                slowdown=slowdown,
                used=t.budgets.c.used + granted,
                recent=recent.written(now.timestamp()),
            )
            for period, _ in limits.caps():
                self._add(connection, key, _name(period, now), granted)
        return turns

    def cost(self, key: str, units: int) -> None:
        """Count ``units`` more against the minute: a request turned out to be that dear."""
        now = self._state.clock().timestamp()
        with self._state.write() as connection:
            recent = _Recent(self._rows(connection, key, [PACE])[PACE].recent)
            recent.add(now, units)
            self._set_pace(connection, key, recent=recent.written(now))

    def delay(self, key: str, seconds: float) -> None:
        """Push everybody's next turn back: records received count against the same second."""
        now = self._state.clock().timestamp()
        with self._state.write() as connection:
            pace = self._rows(connection, key, [PACE])[PACE]
            self._set_pace(connection, key, next_turn=max(pace.next_turn, now) + seconds)

    def hold(self, key: str, until: datetime, adaptive: bool) -> None:
        """No turn before ``until``; an adaptive key also halves its speed.

        Once a hold: requests that were under way together are refused together, and that is
        one reason to slow down, not many.
        """
        until_seconds = until.timestamp()
        with self._state.write() as connection:
            pace = self._rows(connection, key, [PACE])[PACE]
            slowdown = pace.slowdown
            if adaptive and pace.next_turn <= until_seconds - SAME_HOLD_SECONDS:
                slowdown = min(SLOWEST, slowdown * 2)
            self._set_pace(
                connection,
                key,
                next_turn=max(pace.next_turn, until_seconds),
                held_until=max(pace.held_until or 0.0, until_seconds),
                slowdown=slowdown,
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
                used = self._rows(connection, claim.key, [claim.period])[claim.period].used
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
        with self._state.write() as connection:
            for claim, count in used:
                counter = self._rows(connection, claim.key, [claim.period])[claim.period]
                if counter.used < count:
                    self._add(connection, claim.key, claim.name(now), count - counter.used)
            for key in slowed:
                pace = self._rows(connection, key, [PACE])[PACE]
                self._set_pace(connection, key, slowdown=max(pace.slowdown, SLOW_START))

    def used(self, key: str, period: Counted) -> int:
        with self._state.read() as connection:
            return self._used(connection, key, Claim(key, period).name(self._state.clock()))

    def usage(self, limits: Mapping[str, Limits]) -> list[Usage]:
        """Every limit of these keys and what is left of it, by key, the shortest period first.

        ``Limits.reserved`` is here the share that is kept for live runs. A key without a speed
        (``math.inf`` requests a second) has no second: it counts things that are bought.
        """
        now = self._state.clock()
        names = [PACE, _name("day", now), _name("week", now)]
        row = t.budgets.c
        query = sa.select(t.budgets).where(row.key.in_(list(limits)), row.period.in_(names))
        with self._state.read() as connection:
            found = {(each.key, each.period): each for each in connection.execute(query)}
        return [
            used for key, limit in sorted(limits.items()) for used in _usage(key, limit, found, now)
        ]

    def _rows(
        self,
        connection: sa.Connection,
        key: str,
        periods: Sequence[Counted | Literal["pace"]],
    ) -> dict[Counted | Literal["pace"], Any]:
        """The key's counters, made where they are not."""
        now = self._state.clock()
        names = {p: PACE if p == PACE else Claim(key, p).name(now) for p in periods}
        row = t.budgets.c
        query = sa.select(t.budgets).where(row.key == key, row.period.in_(names.values()))
        found = {each.period: each for each in connection.execute(query)}
        missing = [name for name in names.values() if name not in found]
        if missing:
            made = [{"key": key, "period": name} for name in missing]
            connection.execute(sa.insert(t.budgets), made)
            found = {each.period: each for each in connection.execute(query)}
            self._forget_old(connection, key, now)
        return {period: found[name] for period, name in names.items()}

    def _forget_old(self, connection: sa.Connection, key: str, now: datetime) -> None:
        """Days and weeks long past; they sort as text."""
        row, last = t.budgets.c, now - timedelta(days=KEPT_DAYS)
        old = [row.period.between(f"{period} ", _name(period, last)) for period in get_args(Period)]
        connection.execute(sa.delete(t.budgets).where(row.key == key, sa.or_(*old)))

    def _set_pace(self, connection: sa.Connection, key: str, **values: Any) -> None:
        row = t.budgets.c
        pace = sa.update(t.budgets).where(row.key == key, row.period == PACE)
        connection.execute(pace.values(**values))

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


def _usage(
    key: str, limits: Limits, found: Mapping[tuple[str, str], Any], now: datetime
) -> Iterator[Usage]:
    pace = found.get((key, PACE))
    moment = now.timestamp()
    recent = _Recent(pace.recent if pace else None)
    slowdown = pace.slowdown if pace and limits.adaptive else 1.0

    def usage(
        period: Literal["second", "minute", "day", "week"],
        cap: float,
        used: int,
        reserved: float,
        at_once: float,
        ends_at: datetime | None = None,
    ) -> Usage:
        return Usage(
            key=key,
            period=period,
            cap=cap,
            used=used,
            left=max(0, at_once - used),
            reserved=reserved,
            ends_at=ends_at,
            next_turn=_ahead(pace.next_turn if pace else None, moment),
            held_until=_ahead(pace.held_until if pace else None, moment),
            slowdown=slowdown,
        )

    speed = limits.requests_per_second
    if math.isfinite(speed):
        used = recent.within(moment, 0)
        yield usage("second", speed, used, speed * limits.reserved, speed / slowdown)
    if limits.per_minute is not None and limits.minute_cap is not None:
        minute, used = limits.per_minute, recent.within(moment, MINUTE_SECONDS - 1)
        yield usage("minute", minute, used, minute - limits.minute_cap, minute)
    wholes: dict[Period, int | None] = {"day": limits.per_day, "week": limits.per_week}
    for period, ours in limits.caps():
        whole = wholes[period] or 0
        counter = found.get((key, _name(period, now)))
        used = counter.used if counter else 0
        yield usage(period, whole, used, whole - ours, whole, period_end(period, now))


def _ahead(moment: float | None, now: float) -> datetime | None:
    return datetime.fromtimestamp(moment, UTC) if moment is not None and moment > now else None


class SharedPace:
    """A key's turns, for one process and all its threads (a ``rest.pace.Pace``)."""

    def __init__(
        self,
        budgets: Budgets,
        key: str,
        limits: Limits,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
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
        counted = limits.caps() or limits.per_minute is not None
        self._ahead = 1 if counted else max(1, most)
        self._turns: list[float] = []
        self._held_until = 0.0
        self._taken = 0

    @property
    def taken(self) -> int:
        return self._taken

    def take(self) -> None:
        while True:
            try:
                turn, ours = self._turn(), True
            except _Later as later:
                turn, ours = later.moment, False
            rest = turn - self._now()
            if rest > self._patience:
                raise Wait(f"{self._key}: every turn is taken", datetime.fromtimestamp(turn, UTC))
            if rest > 0:
                self._sleep(rest)
            with self._lock:
                # The vendor may have asked for silence while we slept: then the turn is void.
                if ours and turn >= self._held_until:
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

    def answered(self, headers: Mapping[str, str]) -> None:
        if self._limits.cost_header is None:
            return
        told = headers.get(self._limits.cost_header, "")
        # One was counted when it left.
        if told.isdecimal() and int(told) > 1:
            self._budgets.cost(self._key, int(told) - 1)

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

    def answered(self, headers: Mapping[str, str]) -> None:
        self._shared.answered(headers)

    def hold(self, until: datetime) -> None:
        self._shared.hold(until)
