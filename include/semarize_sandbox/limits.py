"""The ways in which vendors count requests, and how long they make one wait."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

Clock = Callable[[], float]


class SlidingWindow:
    """At most so many requests in any stretch of ``seconds``."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._taken: deque[float] = deque()

    def wait(self, limit: int) -> float:
        """Take one request: 0 when it may pass, otherwise the seconds until one may."""
        now = self._clock()
        while self._taken and self._taken[0] <= now - self._seconds:
            self._taken.popleft()
        if len(self._taken) < limit:
            self._taken.append(now)
            return 0.0
        # With a limit of 0 nothing was ever taken.
        return (self._taken[0] if self._taken else now) + self._seconds - now


class FixedWindow:
    """At most so much cost in each window; a window opens with its first request."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._opened: float | None = None
        self._spent = 0

    def wait(self, limit: int, cost: int = 1) -> float:
        """Spend ``cost``: 0 when it may pass, otherwise the seconds until the window closes."""
        now = self._clock()
        if self._opened is None or now >= self._opened + self._seconds:
            self._opened = now
            self._spent = 0
        if self._spent + cost > limit:
            return self._opened + self._seconds - now
        self._spent += cost
        return 0.0


class Quota:
    """At most so many requests in each period of the calendar."""

    def __init__(self, period_start: Callable[[datetime], datetime]) -> None:
        self._period_start = period_start
        self._period: datetime | None = None
        self._used = 0

    def take(self, limit: int, now: datetime) -> bool:
        """Take one request, if any is left in the period of ``now``."""
        period = self._period_start(now)
        if period != self._period:
            self._period = period
            self._used = 0
        if self._used >= limit:
            return False
        self._used += 1
        return True


class RecordBucket:
    """So many records a second: a page passes at once, its debt is paid before the next."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._level: float | None = None
        self._seen = 0.0

    def may_pass(self, records_per_second: float) -> bool:
        now = self._clock()
        if self._level is None:
            self._level = records_per_second
        else:
            gained = (now - self._seen) * records_per_second
            self._level = min(records_per_second, self._level + gained)
        self._seen = now
        return self._level >= 0

    def charge(self, records: int) -> None:
        """Count the records of an answer; even an empty answer counts as one."""
        self._level = (self._level or 0.0) - max(1, records)


def day_start(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def week_start(moment: datetime) -> datetime:
    """The Sunday 00:00 that the moment's week began with."""
    return day_start(moment) - timedelta(days=(moment.weekday() + 1) % 7)
