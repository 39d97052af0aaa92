"""`make bench-simulate`: a tenant of 10 million conversations a day, 500 keys and three regions.

A discrete simulation of two days, seeded: hourly runs of every key queue for worker slots, for
their key's limits, for the line of one writer in their state database, for the warehouse's slots
and the locks of the tables that vendors share, for Semarize, and for dbt. Counts of requests,
transactions and statements are those of cost.py, which a real run is held against; limits are those
of the vendors' files. **Every duration below is assumed**: no vendor, Semarize or Snowflake account
could be measured. Change them on the command line; the configurations stand in ``CONFIGURATIONS``.

What is assumed:

- runs begin together at the full hour, as the DAGs are scheduled, unless spread over it;
- 100 keys a vendor; volumes log-normal (sigma 1, so the largest key has some fifteen times the
  mean); arrivals follow the working day of the key's region, of which there are three, eight hours
  apart, with 45, 35 and 20 % of the volume; transcripts are there when listed;
- a request takes 0.3 s, a write of the state database 2 ms, a statement of the warehouse 0.4 s and
  1 s more for each thousand conversations at size XS (half of that with each size above it);
- a warehouse runs eight statements at once a cluster. A load holds its table from its merge until
  the commit, as MERGE does; so does the mirror. Nothing is lost to retries;
- a Semarize run takes 8 s and three requests; its price is 0.05;
- a dbt build takes 300 s and 0.1 s for each thousand new conversations, and the next one follows;
- the tables that vendors share are one lock a deployment. Limits of a week count as a seventh a
  day, and the daily reconcile takes its part of the day first;
- a deployment with many keys of one vendor cannot be had today: connections, watermarks, ledger
  and landing tables are named by the vendor alone. Configurations that need it say so.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import time
from collections import Counter, defaultdict, deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import cost

from semarize_pipeline import vendors
from semarize_pipeline.settings import Settings
from semarize_pipeline.vendors.base import Inline, PerConversation, Vendor

HOUR, DAY = 3600.0, 86_400.0
DAYS = 2
KEYS = 500
A_DAY = 10_000_000
SHARES = (0.45, 0.35, 0.20)
# How busy each hour of a region's own day is.
CURVE = (1, 1, 1, 1, 1, 1, 2, 5, 10, 14, 15, 14, 11, 13, 15, 14, 12, 8, 4, 2, 1, 1, 1, 1)
UNIT = 1000
"""Conversations that are simulated as one; what they cost is still counted by the batch."""
# Of a batch's statements, those that hold a table which all vendors share.
LOCKED_EXTRACT, LOCKED_SCORE = 4, 7
STATEMENTS_AT_ONCE = 8
FULL = 0.9
CREDITS = {"XS": 1, "S": 2, "M": 4, "L": 8}

Step = Generator[Any, Any, None]


@dataclass(frozen=True, kw_only=True)
class Assumed:
    """Durations that nobody could measure here, in seconds."""

    request: float = 0.3
    state_write: float = 0.002
    statement: float = cost.SECONDS_A_STATEMENT
    a_thousand: float = 1.0
    semarize_run: float = cost.RUN_SECONDS
    dbt_build: float = 300.0
    dbt_a_thousand: float = 0.1
    price: float = 0.05


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What one decides. ``workers``, Semarize's figures and clusters are of each deployment."""

    name: str
    deployments: int = 1
    workers: int = 8
    lookback_hours: float = 48
    reconcile_days: int = 30
    batch: int = 200
    score_batch: int = 100
    semarize_tasks: int = 3
    at_once: int = 16
    semarize_per_second: float = 20
    clusters: int = 1
    size: str = "XS"
    spread: bool = False
    """Keys' runs begin all over the hour, not together at the full one."""
    raised: bool = False
    """Each key's limits are raised by contract to what its volume needs, with a fifth to spare."""
    needs: str = ""


_ONE = Configuration(name="1 one deployment, defaults", needs="keys")
_WIDE = replace(
    _ONE,
    name="2 + 400 slots, Semarize 2,000/s",
    workers=400,
    semarize_tasks=100,
    at_once=32,
    semarize_per_second=2000,
    clusters=10,
)
_BATCHES = replace(_WIDE, name="3 + batches of 5,000", batch=5000, score_batch=5000, size="M")
_REGIONS = replace(
    _BATCHES,
    name="4 + three regions",
    deployments=3,
    workers=134,
    semarize_tasks=34,
    semarize_per_second=667,
    clusters=4,
)
_SHORT = replace(_REGIONS, name="5 + look-back 6 h", lookback_hours=6, reconcile_days=3)
_RAISED = replace(_SHORT, name="6 + limits by contract", raised=True)
_SPREAD = replace(_RAISED, name="7 + runs spread over the hour", spread=True)
_TODAY = Configuration(
    name="8 100 deployments of 5 keys",
    deployments=100,
    workers=8,
    semarize_per_second=20,
    lookback_hours=6,
    reconcile_days=3,
    batch=1000,
    score_batch=1000,
    spread=True,
    raised=True,
)
CONFIGURATIONS = (_ONE, _WIDE, _BATCHES, _REGIONS, _SHORT, _RAISED, _SPREAD, _TODAY)


# ---------------------------------------------------------------------- the machinery


class Simulation:
    """Moments in order. A process yields seconds to wait, or slots to wait for."""

    def __init__(self) -> None:
        self.now = 0.0
        self._next: list[tuple[float, int, Step]] = []
        self._number = 0

    def start(self, process: Step, at: float | None = None) -> None:
        self._number += 1
        heapq.heappush(self._next, (self.now if at is None else at, self._number, process))

    def run(self, until: float) -> None:
        while self._next and self._next[0][0] <= until:
            self.now, _, process = heapq.heappop(self._next)
            for wish in process:
                if isinstance(wish, Slots):
                    if wish.take(process):
                        continue
                    break
                self.start(process, self.now + wish)
                break
        self.now = until


class Slots:
    """So many at once; the others wait in line."""

    def __init__(self, simulation: Simulation, count: int) -> None:
        self._simulation, self._free = simulation, count
        self.count = count
        self._line: deque[Step] = deque()
        self._since, self.busy = 0.0, 0.0

    def take(self, process: Step) -> bool:
        self._note()
        if self._free:
            self._free -= 1
            return True
        self._line.append(process)
        return False

    def give(self) -> None:
        self._note()
        if self._line:
            self._simulation.start(self._line.popleft())
        else:
            self._free += 1

    def _note(self) -> None:
        now = self._simulation.now
        self.busy += (self.count - self._free) * (now - self._since)
        self._since = now

    def use(self) -> float:
        self._note()
        return self.busy / (self.count * self._simulation.now)


class Line:
    """One at a time in order of arrival, each with a time that is known when it comes."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._ends: deque[float] = deque()
        self.busy, self.longest = 0.0, 0

    def through(self, seconds: float) -> tuple[float, float]:
        """How long one is there, and how much of it waiting."""
        now = self._simulation.now
        while self._ends and self._ends[0] <= now:
            self._ends.popleft()
        waits = self._ends[-1] - now if self._ends else 0.0
        self._ends.append(now + waits + seconds)
        self.longest = max(self.longest, len(self._ends) - 1)
        self.busy += seconds
        return waits + seconds, waits

    def use(self) -> float:
        return min(1.0, self.busy / self._simulation.now)


# ---------------------------------------------------------------------- the tenant


@dataclass(slots=True)
class Key:
    """One vendor key: its volume, its day, and how far its limits are used."""

    vendor: Vendor
    a_day: float
    shift_hours: int
    deployment: int
    limits: dict[str, float]
    cumulative: list[float] = field(default_factory=list)
    day: int = -1
    used: float = 0.0

    def arrived(self, moment: float) -> float:
        """Conversations up to a moment; the days before the first one count below zero."""
        days, within = divmod(moment, DAY)
        hour, part = divmod(within / HOUR, 1)
        before = self.cumulative[int(hour)]
        return self.a_day * (days + before + part * (self.cumulative[int(hour) + 1] - before))


def keys(configuration: Configuration, a_day: int, seed: int) -> list[Key]:
    """500 keys, the same for every configuration; the large ones spread over the deployments."""
    dice = random.Random(seed)
    drawn = [dice.lognormvariate(0, 1) for _ in range(KEYS)]
    names = vendors.names()
    regions = [0 if n < 0.45 * KEYS else 1 if n < 0.8 * KEYS else 2 for n in range(KEYS)]
    dice.shuffle(regions)
    weight = [sum(d for d, r in zip(drawn, regions, strict=True) if r == n) for n in range(3)]
    made = []
    for number, (volume, region) in enumerate(zip(drawn, regions, strict=True)):
        vendor = vendors.get(names[number % len(names)])
        share = SHARES[region] * volume / weight[region]
        curve = [CURVE[(hour + 8 * region) % 24] for hour in range(24)]
        sums = [sum(curve[:hour]) / sum(curve) for hour in range(25)]
        three = configuration.deployments == 3
        place = region if three else number // len(names) % configuration.deployments
        made.append(Key(vendor, a_day * share, 8 * region, place, {}, sums))
    for key in made:
        key.limits = _limits(key, configuration)
    return made


def _settings(configuration: Configuration) -> Settings:
    lookback = timedelta(hours=configuration.lookback_hours)
    usual = cost.USUAL
    return replace(
        usual,
        extract=replace(usual.extract, batch_conversations=configuration.batch),
        score=replace(usual.score, batch_conversations=configuration.score_batch),
        history=replace(usual.history, reconcile_days=configuration.reconcile_days),
        timing={name: {"lookback": lookback} for name in vendors.names()},
    )


def _limits(key: Key, configuration: Configuration) -> dict[str, float]:
    """The key's limits, each as so many a second or a day."""
    told = key.vendor.limits
    found: dict[str, float] = {"requests_per_second": told.requests_per_second}
    if told.records_per_second:
        found["records_per_second"] = told.records_per_second
    if told.per_minute:
        found["per_minute"] = told.per_minute
    if told.per_day or told.per_week:
        found["a day"] = told.per_day or (told.per_week or 0) / 7
    if configuration.raised:
        settings = _settings(configuration)
        share = cost.binding(key.vendor, settings, max(1, round(key.a_day)))[1]
        # The busiest hour of a region's day has 2.3 times the mean.
        found = {name: value * max(1.0, 1.2 * 2.3 * share) for name, value in found.items()}
    return found


class Tenant:
    """All of it, under one configuration."""

    def __init__(
        self, configuration: Configuration, assumed: Assumed, a_day: int, seed: int
    ) -> None:
        self.configuration, self.assumed = configuration, assumed
        self.settings = _settings(configuration)
        self.keys = keys(configuration, a_day, seed)
        self.simulation = simulation = Simulation()
        places = range(configuration.deployments)
        self.workers = [Slots(simulation, configuration.workers) for _ in places]
        slots = configuration.clusters * STATEMENTS_AT_ONCE
        self.warehouse = [Slots(simulation, slots) for _ in places]
        self.pool = [Slots(simulation, configuration.semarize_tasks) for _ in places]
        self.state = [Line(simulation) for _ in places]
        self.locks = [Line(simulation) for _ in places]
        self.semarize = [Line(simulation) for _ in places]
        self.awake: list[set[int]] = [set() for _ in places]
        self.unmodelled: list[list[tuple[float, float]]] = [[] for _ in places]
        self.lags: list[tuple[float, float]] = []
        self.waits: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.done: dict[int, float] = defaultdict(float)

    def run(self) -> None:
        for number, key in enumerate(self.keys):
            before = key.arrived(-key.vendor.timing.lag.total_seconds())
            self.done[number] = math.floor(before)
            self.simulation.start(self._key(number, key))
        for place in range(self.configuration.deployments):
            self.simulation.start(self._dbt(place))
        self.simulation.run(DAYS * DAY)

    # ------------------------------------------------------------------ a key

    def _key(self, number: int, key: Key) -> Step:
        lag = key.vendor.timing.lag.total_seconds()
        lookback = self.configuration.lookback_hours * HOUR
        reached = -lag
        past = float(3600 * number // len(self.keys)) if self.configuration.spread else 0.0
        yield HOUR + past

        def last_run() -> float:
            return math.floor((self.simulation.now - past) / HOUR) * HOUR + past

        while True:
            scheduled = last_run()
            end = scheduled - lag
            if end > reached:
                yield from self._run(number, key, reached, end, lookback)
                reached = end
            # The next full hour; one that has passed meanwhile is made up for at once.
            if last_run() == scheduled:
                yield scheduled + HOUR - self.simulation.now

    def _run(self, number: int, key: Key, start: float, end: float, lookback: float) -> Step:
        through = math.floor(key.arrived(end))
        listed = through - math.floor(key.arrived(start - lookback))
        new = through - math.floor(key.arrived(start))
        took = cost.extract_hour(key.vendor, self.settings, listed, new)
        self.counts["vendor requests"] += took.requests
        self.counts["logins"] += took.logins
        self.counts["statements"] += took.statements
        pages, units = took.listing_requests, cost.listing_units(key.vendor, listed)
        place = key.deployment
        asked = self.simulation.now
        yield self.workers[place]
        self.waits["workers"] += (self.simulation.now - asked) * new
        yield from self._counted(key, took.requests, new)
        yield self._listing_seconds(key, pages, units, listed, new)
        parts = max(1, math.ceil(new / max(UNIT, self.configuration.batch)))
        writes = took.state_writes + cost.turn_writes(took.requests, key.vendor.limits)
        self.counts["state writes"] += writes
        for _ in range(parts):
            some = new / parts
            yield self._fetch_seconds(key, took.transcript_requests / parts)
            yield from self._state(place, writes / parts, some)
            if new:
                share = took.statements / parts
                locked = LOCKED_EXTRACT * took.logins / parts
                yield from self._land(place, share, locked, some)
        self.workers[place].give()
        if new:
            self.simulation.start(self._score(number, key, start, end, new))

    def _counted(self, key: Key, requests: int, new: int) -> Step:
        """Wait for the next day where this one's requests are used up; the worker is free."""
        cap = key.limits.get("a day")
        if cap is None:
            return
        while requests > 0:
            day = int(self.simulation.now // DAY)
            if key.day != day:
                key.day = day
                key.used = min(
                    0.7 * cap, cost.reconcile(key.vendor, self.settings, round(key.a_day))[0]
                )
            taken = min(requests, max(0.0, cap - key.used))
            key.used, requests = key.used + taken, math.ceil(requests - taken)
            if requests > 0:
                asked, place = self.simulation.now, key.deployment
                self.workers[place].give()
                yield (day + 1) * DAY - self.simulation.now
                yield self.workers[place]
                self.waits["key limits"] += (self.simulation.now - asked) * new

    def _listing_seconds(self, key: Key, pages: int, units: int, listed: int, new: int) -> float:
        free = pages * self.assumed.request
        slow = max(
            free,
            pages / key.limits["requests_per_second"],
            listed / key.limits.get("records_per_second", math.inf),
            60 * units / key.limits.get("per_minute", math.inf),
        )
        self.waits["key limits"] += (slow - free) * new
        self.waits["look-back's pages"] += free * new
        return slow

    def _fetch_seconds(self, key: Key, requests: float) -> float:
        how = key.vendor.transcripts
        at_once = how.at_once if isinstance(how, PerConversation) else 1
        if isinstance(how, Inline) or not requests:
            return 0.0
        free = requests * self.assumed.request / at_once
        pace = min(key.limits["requests_per_second"], key.limits.get("per_minute", math.inf) / 60)
        slow = max(free, requests / pace)
        # The unit's own length counts half on average: those fetched first go on at once.
        self.waits["key limits"] += (slow - free) * requests / 2
        return slow

    # ------------------------------------------------------------------ shared

    def _state(self, place: int, writes: float, some: float) -> Step:
        there, waits = self.state[place].through(writes * self.assumed.state_write)
        self.waits["state"] += waits * some
        yield there

    def _land(self, place: int, statements: float, locked: float, some: float) -> Step:
        """Put and copied in any of the warehouse's slots; merged one after the other."""
        asked = self.simulation.now
        yield self.warehouse[place]
        self.waits["warehouse"] += (self.simulation.now - asked) * some
        by_size = self.assumed.a_thousand * some / 1000 / CREDITS[self.configuration.size]
        seconds = statements * self.assumed.statement + by_size
        held = locked * self.assumed.statement + by_size / 2
        began = self.simulation.now
        yield max(0.0, seconds - held)
        there, waits = self.locks[place].through(held)
        self.waits["table locks"] += waits * some
        yield there
        first, last = int(began // 60), int(self.simulation.now // 60)
        self.awake[place].update(range(first, last + 2))  # suspended a minute later
        self.warehouse[place].give()

    def _score(self, number: int, key: Key, start: float, end: float, new: int) -> Step:
        place, configuration = key.deployment, self.configuration
        asked = self.simulation.now
        yield self.pool[place]
        yield self.workers[place]
        self.waits["tasks to score"] += (self.simulation.now - asked) * new
        polls = cost.polls(self.assumed.semarize_run, cost.ADVICE_SECONDS)
        took = cost.score_hour(self.settings, new, 1, polls)
        writes = took.state_writes + took.semarize_requests / 5
        self.counts["state writes"] += round(writes)
        self.counts["logins"] += took.logins
        self.counts["statements"] += took.statements
        self.counts["paid runs"] += took.runs
        self.counts["Semarize requests"] += took.semarize_requests
        parts = max(1, math.ceil(new / max(UNIT, configuration.score_batch)))
        for part in range(parts):
            some = new / parts
            paced = took.semarize_requests / parts / configuration.semarize_per_second
            there, waits = self.semarize[place].through(paced)
            running = some * self.assumed.semarize_run / configuration.at_once
            self.waits["Semarize"] += (waits + max(0.0, running - paced)) * some
            yield max(there, running, self.assumed.semarize_run)
            yield from self._state(place, writes / parts, some)
            landings = took.logins / parts / 2
            yield from self._land(place, took.statements / parts, LOCKED_SCORE * landings, some)
            middle = start + (end - start) * (part + 0.5) / parts
            self.unmodelled[place].append((middle, some))
            self.done[number] += some
        self.workers[place].give()
        self.pool[place].give()

    def _dbt(self, place: int) -> Step:
        while True:
            taken, self.unmodelled[place] = self.unmodelled[place], []
            if not taken:
                yield 60.0
                continue
            count = sum(some for _, some in taken)
            began = self.simulation.now
            yield self.assumed.dbt_build + self.assumed.dbt_a_thousand * count / 1000
            self.waits["dbt"] += (self.simulation.now - began) * count
            self.counts["dbt builds"] += 1
            self.lags += [(self.simulation.now - middle, some) for middle, some in taken]

    # ------------------------------------------------------------------ what came of it

    def backlog(self) -> float:
        """Conversations that could have been scored by the end and were not."""
        end = self.simulation.now
        return sum(
            max(0.0, key.arrived(end - HOUR - key.vendor.timing.lag.total_seconds()) - done)
            for key, done in ((self.keys[n], self.done[n]) for n in range(len(self.keys)))
        )

    def stuck(self) -> int:
        """Keys that are more than half a day's volume behind."""
        end = self.simulation.now - HOUR
        return sum(
            key.arrived(end) - self.done[n] > 0.5 * key.a_day for n, key in enumerate(self.keys)
        )

    def lag(self, share: float) -> float | None:
        """Hours from a conversation to its mart; None where it had not come there by the end."""
        through = sum(some for _, some in self.lags)
        wanted = share * (through + self.backlog())
        for seconds, some in sorted(self.lags):
            wanted -= some
            if wanted <= 0:
                return seconds / HOUR
        return None

    def uses(self) -> dict[str, float]:
        """How busy the busiest of each is; whoever waits for one holds those that come after it."""
        groups: dict[str, Sequence[Line] | Sequence[Slots]] = {
            "table locks": self.locks,
            "state line": self.state,
            "Semarize's speed": self.semarize,
            "warehouse slots": self.warehouse,
            "workers": self.workers,
            "tasks to score": self.pool,
        }
        return {name: max(each.use() for each in group) for name, group in groups.items()}

    def binds(self) -> str:
        """The innermost that is full: those around it are held by whoever waits for it."""
        full = [name for name, use in self.uses().items() if use >= FULL]
        if full:
            return full[0]
        return "key limits" if self.stuck() else "nothing but the hour"

    def credits(self) -> float:
        minutes = sum(len(awake) for awake in self.awake)
        return minutes / 60 / DAYS * CREDITS[self.configuration.size] * self.configuration.clusters


# ---------------------------------------------------------------------- tables


def simulate(
    configuration: Configuration, assumed: Assumed, a_day: int = A_DAY, seed: int = 7
) -> Tenant:
    """Two days of one configuration."""
    tenant = Tenant(configuration, assumed, a_day, seed)
    tenant.run()
    return tenant


def _hours(found: float | None) -> str:
    return "not by the end" if found is None else f"{found:.1f} h"


def tell_configurations(tenants: Sequence[Tenant]) -> None:
    rows = []
    for each in tenants:
        rows.append(
            (
                each.configuration.name,
                _hours(each.lag(0.5)),
                _hours(each.lag(0.95)),
                f"{each.backlog() / 1e6:.2f}",
                each.stuck(),
                each.binds(),
            )
        )
    print("**What a configuration gives in two days, and what binds it**\n")
    head = ("configuration", "lag p50", "lag p95", "backlog, millions", "keys behind", "binds")
    cost._table(head, rows)


def tell_use(tenants: Sequence[Tenant]) -> None:
    rows = []
    for each in tenants:
        waited = ", ".join(
            f"{name} {100 * seconds / max(1e-9, each.waits.total()):.0f} %"
            for name, seconds in each.waits.most_common(3)
        )
        uses = (f"{100 * use:.0f} %" for use in each.uses().values())
        longest = max(lock.longest for lock in each.locks)
        rows.append((each.configuration.name, *uses, longest, waited))
    print("**How busy the busiest of each was, and where conversations waited**\n")
    head = ("configuration", *tenants[0].uses(), "longest line at a lock", "waiting time")
    cost._table(head, rows)


def tell_costs(tenants: Sequence[Tenant], assumed: Assumed) -> None:
    rows = []
    for each in tenants:
        counts = {name: count / DAYS for name, count in each.counts.items()}
        rows.append(
            (
                each.configuration.name,
                f"{counts['vendor requests'] / 1e6:.2f} M",
                f"{counts['paid runs'] / 1e6:.2f} M",
                f"{counts['paid runs'] * assumed.price:,.0f}",
                f"{counts['state writes'] / 86_400:,.0f}",
                f"{counts['statements'] / 1e6:.2f} M",
                f"{counts['logins']:,.0f}",
                f"{each.credits():,.0f}",
                f"{counts['dbt builds']:,.0f}",
            )
        )
    print("**What it took a day (less where it fell behind)**\n")
    head = (
        "configuration", "requests", "paid runs", "price", "state writes/s", "statements",
        "logins", "load credits", "dbt builds",
    )  # fmt: skip
    cost._table(head, rows)


def tell_keys(a_day: int, seed: int) -> None:
    """How many of the keys fit into their limits, by vendor, before anything else is looked at."""
    rows = []
    for name in vendors.names():
        cells: list[object] = []
        for configuration in (_REGIONS, _SHORT):
            settings = _settings(configuration)
            own = [key for key in keys(configuration, a_day, seed) if key.vendor.name == name]
            found = [cost.binding(key.vendor, settings, max(1, round(key.a_day))) for key in own]
            over = [limit for limit, share in found if share > 1]
            cells += [
                f"{len(over)} of {len(own)}",
                Counter(over).most_common(1)[0][0] if over else "",
            ]
        rows.append((vendors.get(name).title, *cells))
    print("**Keys that do not fit into their own limits, whatever else there is**\n")
    head = ("vendor", "look-back 48 h, reconcile 30 d", "by", "6 h, 3 d", "by")
    cost._table(head, [[str(cell).replace("_", " ") for cell in row] for row in rows])


def main() -> None:
    """Simulate every configuration and print the tables."""
    parser = argparse.ArgumentParser(prog="make bench-simulate", description=__doc__)
    parser.add_argument("--a-day", type=int, default=A_DAY)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", help="configurations whose name begins so, such as 3")
    for name, value in Assumed().__dict__.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=value)
    told = parser.parse_args()
    began = time.process_time()
    assumed = Assumed(**{name: getattr(told, name) for name in Assumed().__dict__})
    chosen = [c for c in CONFIGURATIONS if c.name.startswith(told.only or "")]
    tell_keys(told.a_day, told.seed)
    tenants = [simulate(each, assumed, told.a_day, told.seed) for each in chosen]
    tell_configurations(tenants)
    tell_use(tenants)
    tell_costs(tenants, assumed)
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
