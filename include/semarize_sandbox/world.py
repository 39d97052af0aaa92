"""What all stand-ins share: the calls, the clock, the request log, faults and switches.

Here is also the protocol of a stand-in. A module that plugs one in (any file in
``vendors/``, and ``semarize.py``) exposes one function::

    def standin(world: World) -> Standin: ...

The server calls it once per world, so what a stand-in has to remember (tokens, runs, rate
limits) lives in an object that this function makes. Every request to ``/<name>/...`` then
passes, in this order: the log, a waiting fault, ``refuse``, ``limit``, the route's handler.

Tests and handlers run in different threads: a stand-in that changes its own state
from a method tests call must guard it with a lock.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from semarize_sandbox.faults import Fault, FaultQueue
from semarize_sandbox.model import Call

Handler = Callable[[Request], Awaitable[Response]]
Gate = Callable[[Request], Response | None]
TranscriptState = Literal["ready", "pending", "never", "gone"]

LOG_ENTRIES = 20_000
LOG_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Route:
    """One path below the stand-in's prefix, in Starlette's syntax: ``/v1/runs/{run_id}``.

    ``public`` routes need no credential and are not counted against the limits: token
    endpoints, login pages.
    """

    method: str
    path: str
    handler: Handler
    public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What goes into the Airflow connection of a stand-in."""

    login: str | None = None
    password: str
    extra: Mapping[str, str] = field(default_factory=dict)


def _no_counts() -> Mapping[str, int]:
    return {}


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standin:
    """One stand-in: where it is, what it serves, what it asks for.

    - ``name``: its path prefix, and ``<name>_default`` is its connection id;
    - ``title``: its name on the sandbox's page;
    - ``routes``: what it serves;
    - ``credentials``: from its base URL to the fields of its connection;
    - ``refuse``: None lets a request in; otherwise the vendor's 401;
    - ``limit``: None lets a request pass; otherwise the vendor's 429;
    - ``error``: (status, message) in the vendor's error shape, for unknown paths and crashes;
    - ``switches``: a plain dataclass object whose fields are the ways in which it can behave
      otherwise (``World.switch`` sets them by name);
    - ``counts``: numbers to show on the page and in the statistics;
    - ``expire_tokens``: makes every token handed out so far worthless.
    """

    name: str
    title: str
    routes: tuple[Route, ...]
    credentials: Callable[[str], Credentials]
    refuse: Gate
    limit: Gate
    error: Callable[[int, str], Response]
    switches: Any
    counts: Callable[[], Mapping[str, int]] = _no_counts
    expire_tokens: Callable[[], None] = _nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request that arrived, with what it was answered.

    ``body`` is the JSON or form body, secrets blanked; ``status`` is None where the
    connection was dropped.
    """

    vendor: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int | None
    arrived: float
    seconds: float
    fault: str | None = None
    size: int = 0


class _Shelf:
    """One vendor's calls, in the order of their start, ready to be searched."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self.calls = sorted(calls, key=lambda call: (call.started_at, call.id))
        self.starts = [call.started_at for call in self.calls]
        self.listed_at = [call.listed_at for call in self.calls]
        self.by_id = {call.id: call for call in self.calls}


class World:
    """Everything the stand-ins serve and remember together.

    ``behind`` makes the sandbox's clock run behind the real one, so that calls which have
    already been made up become listed, and transcripts ready, while one watches.
    ``page_size[vendor]`` lowers the largest page that a vendor gives. ``limited`` False turns
    every rate limit off, for benchmarks of everything else.
    """

    def __init__(
        self, calls: Iterable[Call] = (), *, behind: timedelta = timedelta(0), limited: bool = True
    ) -> None:
        self.behind = behind
        self.limited = limited
        self.page_size: dict[str, int] = {}
        self.faults = FaultQueue()
        self.standins: dict[str, Standin] = {}
        self._frozen: datetime | None = None
        self._lock = threading.RLock()
        self._shelves: dict[str, _Shelf] = {}
        self._removed: dict[str, frozenset[str]] = {}
        self._log: deque[LoggedRequest] = deque()
        self._log_bytes = 0
        self._counts: dict[str, Counter[str]] = {}
        self._under_way: Counter[str] = Counter()
        self._peak: Counter[str] = Counter()
        self._last_second: dict[str, deque[float]] = {}
        self._most_in_a_second: Counter[str] = Counter()
        self.add(calls)

    # The clock

    def now(self) -> datetime:
        """The sandbox's moment, in UTC: it alone decides what is listed and what is ready."""
        return self._frozen if self._frozen is not None else datetime.now(UTC) - self.behind

    def freeze(self, at: datetime | None) -> None:
        """Stop the clock at ``at``; None lets it run again."""
        if at is not None and at.tzinfo is None:
            raise ValueError("freeze needs an aware moment; add tzinfo=UTC")
        self._frozen = None if at is None else at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move the clock forward, frozen or not."""
        if self._frozen is not None:
            self._frozen += by
        else:
            self.behind -= by

    @staticmethod
    def monotonic() -> float:
        """Real seconds, for rate limits and token lifetimes, which no clock change may bend."""
        return time.monotonic()

    # The calls

    def add(self, calls: Iterable[Call]) -> None:
        """Put calls on their vendors' shelves; a call with a known id replaces that call."""
        added: dict[str, dict[str, Call]] = {}
        for call in calls:
            if call.started_at.tzinfo is None:
                raise ValueError(f"call {call.id} starts at a naive moment; add tzinfo=UTC")
            added.setdefault(call.vendor, {})[call.id] = call
        with self._lock:
            for vendor, new in added.items():
                shelf = self._shelves.get(vendor)
                kept = shelf.by_id if shelf is not None else {}
                self._shelves[vendor] = _Shelf({**kept, **new}.values())

    def remove(self, vendor: str, call_id: str) -> None:
        """The vendor deletes or purges a call: no longer listed, its transcript gone."""
        with self._lock:
            self._removed[vendor] = self._removed.get(vendor, frozenset()) | {call_id}

    def all_calls(self, vendor: str) -> Sequence[Call]:
        """Every call of a vendor, listed yet or not, removed or not, oldest start first."""
        shelf = self._shelves.get(vendor)
        return () if shelf is None else shelf.calls

    def find(self, vendor: str, call_id: str) -> Call | None:
        """A call that the vendor would know by now: listed, and also if it has been removed."""
        shelf = self._shelves.get(vendor)
        call = None if shelf is None else shelf.by_id.get(call_id)
        return call if call is not None and call.listed_at <= self.now() else None

    def is_removed(self, call: Call) -> bool:
        return call.id in self._removed.get(call.vendor, ())

    def listed(
        self, vendor: str, start: datetime | None = None, end: datetime | None = None
    ) -> list[Call]:
        """The calls listed by now that start in [start, end), oldest start first."""
        shelf = self._shelves.get(vendor)
        if shelf is None:
            return []
        low = 0 if start is None else bisect_left(shelf.starts, start)
        high = len(shelf.calls) if end is None else bisect_left(shelf.starts, end)
        now = self.now()
        removed = self._removed.get(vendor, ())
        return [
            call
            for call, listed_at in zip(
                shelf.calls[low:high], shelf.listed_at[low:high], strict=True
            )
            if listed_at <= now and call.id not in removed
        ]

    def transcript_state(self, call: Call) -> TranscriptState:
        """Where a call's transcript stands at the sandbox's moment."""
        if self.is_removed(call):
            return "gone"
        ready_at = call.ready_at
        if ready_at is None:
            return "never"
        return "ready" if ready_at <= self.now() else "pending"

    def page_limit(self, vendor: str, documented: int) -> int:
        """The largest page that this vendor gives now."""
        return min(documented, self.page_size.get(vendor, documented))

    # Stand-ins and their switches

    def register(self, standin: Standin) -> None:
        if standin.name in self.standins:
            raise ValueError(f"two stand-ins are named {standin.name}; rename one")
        self.standins[standin.name] = standin

    def switch(self, vendor: str, **values: Any) -> None:
        """Make a stand-in behave otherwise: ``world.switch("gong", shape="flat")``."""
        switches = self.standin(vendor).switches
        known = [item.name for item in fields(switches)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError(
                f"{vendor} has no switch {', '.join(unknown)}; it has {', '.join(known)}"
            )
        for name, value in values.items():
            setattr(switches, name, value)

    def standin(self, vendor: str) -> Standin:
        try:
            return self.standins[vendor]
        except KeyError:
            known = ", ".join(sorted(self.standins)) or "none"
            raise ValueError(f"no stand-in is named {vendor!r}; there are: {known}") from None

    def expire_tokens(self, vendor: str | None = None) -> None:
        """Make the tokens handed out so far worthless, at one stand-in or at all."""
        chosen = [self.standin(vendor)] if vendor is not None else list(self.standins.values())
        for standin in chosen:
            standin.expire_tokens()

    # Faults

    def fault(self, vendor: str, fault: Fault) -> None:
        """Queue trouble for the next matching requests to a stand-in."""
        self.standin(vendor)
        self.faults.add(vendor, fault)

    # The log

    def arrive(self, vendor: str) -> None:
        with self._lock:
            self._under_way[vendor] += 1
            self._peak[vendor] = max(self._peak[vendor], self._under_way[vendor])
            now = self.monotonic()
            recent = self._last_second.setdefault(vendor, deque())
            recent.append(now)
            while recent[0] <= now - 1.0:
                recent.popleft()
            self._most_in_a_second[vendor] = max(self._most_in_a_second[vendor], len(recent))

    def leave(self, entry: LoggedRequest) -> None:
        """Log a finished request; the oldest entries make room."""
        with self._lock:
            self._under_way[entry.vendor] -= 1
            counts = self._counts.setdefault(entry.vendor, Counter())
            counts["requests"] += 1
            counts["dropped" if entry.status is None else f"status_{entry.status}"] += 1
            if entry.fault is not None:
                counts["faults"] += 1
            self._log.append(entry)
            self._log_bytes += entry.size
            while len(self._log) > LOG_ENTRIES or self._log_bytes > LOG_BYTES:
                self._log_bytes -= self._log.popleft().size

    def requests(self, vendor: str | None = None, path: str = "") -> list[LoggedRequest]:
        """The requests still in the log, oldest first, whose path contains ``path``."""
        with self._lock:
            return [
                entry
                for entry in self._log
                if (vendor is None or entry.vendor == vendor) and path in entry.path
            ]

    def clear_log(self) -> None:
        """Forget the requests and the counters, as before a measured part of a test."""
        with self._lock:
            self._log.clear()
            self._log_bytes = 0
            self._counts.clear()
            self._peak.clear()
            self._last_second.clear()
            self._most_in_a_second.clear()

    def statistics(self) -> dict[str, dict[str, int]]:
        """Numbers per stand-in: calls, requests by status, most at once and in any second."""
        with self._lock:
            counts = {name: dict(counter) for name, counter in self._counts.items()}
            peak = dict(self._peak)
            most_in_a_second = dict(self._most_in_a_second)
        now = self.now()
        statistics: dict[str, dict[str, int]] = {}
        for name, standin in self.standins.items():
            numbers: dict[str, int] = {}
            if self.all_calls(name):
                listed = self.listed(name)
                numbers["calls"] = len(self.all_calls(name))
                numbers["listed"] = len(listed)
                numbers["transcripts_ready"] = sum(
                    1 for call in listed if call.ready_at is not None and call.ready_at <= now
                )
            numbers.update(standin.counts())
            numbers["requests"] = 0
            numbers.update(counts.get(name, {}))
            numbers["most_at_once"] = peak.get(name, 0)
            numbers["most_in_a_second"] = most_in_a_second.get(name, 0)
            statistics[name] = numbers
        return statistics
