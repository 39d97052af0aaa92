"""`make bench-cost`: what a day of hourly runs takes, computed from the vendors' declarations.

Requests, Semarize runs, logins and statements of the warehouse, writes of the state database and
bytes, for 2,500 and 250,000 conversations a day of one vendor key; and the same day by other
designs. The formulas are checked by running the pipeline (``--check 240``: 24 hourly runs of each
vendor against the sandbox, and every count must agree; ``tests/benchmarks/test_cost.py`` does so
at a tiny size). What is assumed and not computed:

- conversations come evenly over the day, and are listed, with their transcript, once the vendor's
  ``lag`` has passed. Each one that is not ready costs its transcript's requests once more a try;
- each has CHARACTERS of words, and the vendor answers as fast as its limit lets us ask;
- Gong's pages hold 100, as documented; the other vendors' as many as we ask for;
- a Semarize run takes RUN_SECONDS and each poll is advised to come back after ADVICE_SECONDS;
- a statement takes SECONDS_A_STATEMENT on Snowflake, whatever it does: never measured. A virtual
  warehouse stays awake for AWAKE_SECONDS after the last one.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import calls
import orjson

from semarize_pipeline import backfill, campaigns, landing, vendors
from semarize_pipeline.model import Conversation, Utterance
from semarize_pipeline.pipeline import LAND_AFTER_SECONDS, MOST_IN_A_LOAD
from semarize_pipeline.rest.paging import BodyCursor, PageNumber, TokenOrOffset
from semarize_pipeline.settings import Kit, ScoreSettings, Settings
from semarize_pipeline.state.budgets import AHEAD_SECONDS, Limits
from semarize_pipeline.vendors.base import Vendor
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Load
from semarize_pipeline.windows import live_window

HOURS = 24
RUN_SECONDS = 8.0
ADVICE_SECONDS = 5.0
SECONDS_A_STATEMENT = 0.4
AWAKE_SECONDS = 60.0
DAYS_OF_HISTORY = 30
GONGS_PAGE = 100
CHARACTERS = 10_000
NEWEST_FIRST = ("chorus", "clari_copilot")
# A load: its table made, its file put, copied in, merged, and the table dropped.
A_LOAD = 5
# Before the merges and after them: begin and commit.
A_TRANSACTION = 2
# Salesloft's own prices of a page beyond so many; one before them costs 1.
DEEP_PAGES = ((100, 3), (150, 8), (250, 10), (500, 30))
KIT = Kit(name="interaction_quality", code="A1B2C3D4")
USUAL = Settings(kits=(KIT,), score=ScoreSettings(max_runs_per_day=None))


@dataclass(frozen=True, slots=True)
class Counts:
    """What runs take, by what it is asked of."""

    listing_requests: int = 0
    transcript_requests: int = 0
    runs: int = 0
    semarize_requests: int = 0
    logins: int = 0
    statements: int = 0
    state_writes: int = 0
    """Transactions of the state database, but for the turns and caps of the budgets."""

    @property
    def requests(self) -> int:
        return self.listing_requests + self.transcript_requests

    def __add__(self, other: Counts) -> Counts:
        names = self.__dataclass_fields__
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in names})


def total(counts: Iterator[Counts] | Sequence[Counts]) -> Counts:
    return sum(counts, Counts())


# ---------------------------------------------------------------------- an hour


def page_size(vendor: Vendor) -> int:
    """How many conversations a page of the listing holds."""
    asked = vendor.listing.ask.params
    return int(asked.get("per_page", asked.get("limit", GONGS_PAGE)))


def listing_requests(vendor: Vendor, listed: int, page: int | None = None) -> int:
    """How many pages a listing takes; without an end marker one more, which is empty."""
    pages = math.ceil(listed / (page or page_size(vendor)))
    marked = isinstance(vendor.listing.paging, BodyCursor | PageNumber | TokenOrOffset)
    return max(1, pages) if marked else pages + 1


def listing_units(vendor: Vendor, listed: int) -> int:
    """What a listing counts against a minute: more than its requests where depth has a price."""
    pages = listing_requests(vendor, listed)
    if vendor.limits.cost_header is None:
        return pages
    units, last, price = 0, 0, 1
    for beyond, next_price in (*DEEP_PAGES, (pages, 0)):
        units += price * max(0, min(pages, beyond) - last)
        last, price = min(pages, beyond), next_price
    return units


def polls(run_seconds: float, advice_seconds: float | None) -> int:
    """How often a run is asked for until it has ended, by the pauses that ``score`` makes."""
    from semarize_pipeline.scoring import POLL_CEILING_SECONDS, POLL_FLOOR_SECONDS

    waited, pause, count = 0.0, POLL_FLOOR_SECONDS, 0
    while waited < run_seconds or not count:
        waited += pause if advice_seconds is None else max(advice_seconds, POLL_FLOOR_SECONDS)
        pause = min(pause * 1.5, POLL_CEILING_SECONDS)
        count += 1
    return count


def batches_of(listed: int, new: int, size: int, newest_first: bool) -> list[int]:
    """How many new ones each batch of a listing holds; they stand together at one end of it."""
    first = 0 if newest_first else listed - new
    return [max(0, min(at + size, first + new) - max(at, first)) for at in range(0, listed, size)]


def hour(
    vendor: Vendor,
    settings: Settings,
    listed: int,
    new: int,
    *,
    page: int | None = None,
    polls_a_run: int = 1,
) -> Counts:
    """What one hourly run takes whose window lists so many conversations, so many of them new."""
    return extract_hour(vendor, settings, listed, new, page) + score_hour(
        settings, new, len(settings.kits_for(vendor.name)), polls_a_run
    )


def extract_hour(
    vendor: Vendor, settings: Settings, listed: int, new: int, page: int | None = None
) -> Counts:
    size = settings.extract.batch_conversations
    batches = batches_of(listed, new, size, vendor.name in NEWEST_FIRST)
    landed = [count for count in batches if count]
    loads = math.ceil(len(landed) / batches_a_load(vendor, settings))
    # Conversations, utterances with the removal of surplus ones, the loads; then the mirror.
    a_load = 3 * A_LOAD + 1 + A_TRANSACTION + A_LOAD + A_TRANSACTION
    return Counts(
        listing_requests=listing_requests(vendor, listed, page),
        transcript_requests=sum(map(vendor.transcripts.requests_for, landed)),
        logins=loads,
        # The tables are looked for once a task.
        statements=loads * a_load + bool(loads),
        # Listed, and what waits; of what landed the entries and their mirror; watermark, pruning.
        state_writes=2 * len(batches) + 2 * loads + 2,
    )


def batches_a_load(vendor: Vendor, settings: Settings) -> int:
    """How many full batches land together: by their words, their number, and the vendor's pace."""
    size = settings.extract.batch_conversations
    pace = settings.limits_for(vendor.name, vendor.limits).requests_per_second
    # Where transcripts come with the listing, a batch takes its pages.
    requests = vendor.transcripts.requests_for(size) or math.ceil(size / page_size(vendor))
    return min(
        math.ceil(settings.extract.load_characters / (size * CHARACTERS)),
        math.ceil(MOST_IN_A_LOAD / size),
        max(1, math.ceil(LAND_AFTER_SECONDS * pace / requests)),
    )


def score_hour(settings: Settings, new: int, kits: int, polls_a_run: int) -> Counts:
    if not (new and kits):
        return Counts()
    reads = math.ceil(new / settings.score.batch_conversations)
    runs = new * kits
    landings = math.ceil(runs / settings.score.batch_conversations)
    # Runs, signals, the load, and a table a kit; then the mirror.
    a_landing = (3 + kits) * A_LOAD + A_TRANSACTION + A_LOAD + A_TRANSACTION
    # Room for all kits at once; what has been answered lands where the next transcripts are read.
    together = min(reads, landings) - 1
    return Counts(
        runs=runs,
        semarize_requests=kits + runs * (1 + polls_a_run),
        logins=1 + reads + landings - together,
        # The tables are looked for once a task, a kit's table once more.
        statements=1 + reads + kits + landings * a_landing,
        # Planned; each accepted by itself, at the most; finished, settled and mirrored together.
        state_writes=reads + runs + 3 * landings,
    )


def windows(vendor: Vendor, settings: Settings, first: datetime) -> Iterator[tuple[int, int]]:
    """Each hourly run's window from ``first`` on, as seconds since the epoch."""
    timing = settings.timing_for(vendor.name, vendor.timing)
    for number in range(HOURS):
        until = first + timedelta(hours=number + 1)
        window = live_window(
            reached=until - timedelta(hours=1) - timing.lag,
            began=first - timedelta(days=365),
            until=until,
            lag=timing.lag,
            lookback=timing.lookback,
        )
        assert window is not None
        yield int(window.start.timestamp()), int(window.end.timestamp())


def even_day(vendor: Vendor, settings: Settings, a_day: int) -> list[tuple[int, int]]:
    """How many each hourly run lists and how many of them are new, where they come evenly."""
    last, found = None, []
    for start, end in windows(vendor, settings, datetime(2026, 3, 10, tzinfo=UTC)):

        def before(moment: int) -> int:
            return math.floor(moment * a_day / 86_400)

        new = before(end) - before(end - 3600 if last is None else last)
        found.append((before(end) - before(start), new))
        last = end
    return found


def day(vendor: Vendor, settings: Settings, a_day: int) -> Counts:
    """What a day of hourly runs takes."""
    often = polls(RUN_SECONDS, ADVICE_SECONDS)
    return total(
        [
            hour(vendor, settings, n, new, polls_a_run=often)
            for n, new in even_day(vendor, settings, a_day)
        ]
    )


def records(vendor: Vendor, settings: Settings, a_day: int) -> int:
    """How many records a day's listings hold: some vendors limit those."""
    return sum(listed for listed, _ in even_day(vendor, settings, a_day))


def reconcile(vendor: Vendor, settings: Settings, a_day: int) -> tuple[int, int]:
    """Requests and records of the daily reconcile where nothing differs: its listings, by slice."""
    slices = math.ceil(settings.history.reconcile_days * 24 / settings.history.slice_hours)
    each = math.ceil(a_day * settings.history.slice_hours / 24)
    return slices * listing_requests(vendor, each), slices * each


def turn_writes(requests: int, limits: Limits) -> int:
    """Writes of the state database that hand out the turns of so many requests."""
    counted = limits.caps() or limits.per_minute is not None
    at_once = max(1, math.floor(limits.requests_per_second * AHEAD_SECONDS))
    return requests if counted else math.ceil(requests / at_once)


# ---------------------------------------------------------------------- limits


def shares(
    vendor: Vendor, settings: Settings, requests: int, listed: int, units: int = 0
) -> dict[str, float]:
    """What a day takes of each of the vendor's limits; above 1 it does not fit into the day.

    ``units`` are what a minute counts, where that is more than the requests.

    It is the backfill's own forecast of how many days requests last, with one limit at a time.
    """
    limits = settings.limits_for(vendor.name, vendor.limits)
    all_of_it = replace(settings, history=replace(settings.history, live_share=0.0))
    found = {}
    for name in ("requests_per_second", "records_per_second", "per_minute", "per_day", "per_week"):
        if getattr(limits, name) is None:
            continue
        only = Limits(**{"requests_per_second": math.inf, name: getattr(limits, name)})
        counted = max(requests, units) if name == "per_minute" else requests
        found[name] = backfill._days(replace(vendor, limits=only), counted, listed, all_of_it)
    return found


def binding(
    vendor: Vendor, settings: Settings, a_day: int, *, reconciled: bool = True
) -> tuple[str, float]:
    """The limit that a day comes nearest to, and the share of it that is taken."""
    took, plan = day(vendor, settings, a_day), even_day(vendor, settings, a_day)
    requests, listed = took.requests, sum(n for n, _ in plan)
    units = took.transcript_requests + sum(listing_units(vendor, n) for n, _ in plan)
    if reconciled:
        again = reconcile(vendor, settings, a_day)
        requests, listed, units = requests + again[0], listed + again[1], units + again[0]
    found = shares(vendor, settings, requests, listed, units)
    return max(found.items(), key=lambda each: each[1])


def most(vendor: Vendor, settings: Settings, *, reconciled: bool = True) -> int:
    """The most conversations a day that fit into one key's limits, to about a hundredth."""
    low, high = 1, 10_000_000
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        fits = binding(vendor, settings, middle, reconciled=reconciled)[1] <= 1
        low, high = (middle, high) if fits else (low, middle)
    return low


# ---------------------------------------------------------------------- other designs


def designs(vendor: Vendor, settings: Settings, a_day: int) -> dict[str, Counts]:
    """The same day by designs that one meets elsewhere: requests, runs and logins alone."""
    ours, kits = day(vendor, settings, a_day), len(settings.kits_for(vendor.name))
    plan = even_day(vendor, settings, a_day)
    fetch = vendor.transcripts.requests_for

    def made(listed: Sequence[int], fetched: Sequence[int], scored: Sequence[int]) -> Counts:
        return Counts(
            listing_requests=sum(listing_requests(vendor, n) for n in listed),
            transcript_requests=sum(map(fetch, fetched)),
            runs=sum(scored) * kits,
            logins=HOURS,
        )

    window, new = [n for n, _ in plan], [n for _, n in plan]
    everything = [DAYS_OF_HISTORY * a_day] * HOURS
    return {
        "ours": ours,
        "a cursor without look-back (late ones are lost)": made(new, new, new),
        "look-back, its transcripts again": made(window, window, new),
        "look-back, its transcripts and runs again": made(window, window, window),
        f"full refresh of {DAYS_OF_HISTORY} days, scored once": made(everything, everything, new),
    }


# ---------------------------------------------------------------------- bytes


@dataclass(frozen=True, slots=True)
class Bytes:
    """What a conversation of 39 utterances and 10 KB of words takes."""

    rows: float
    """The landing rows as JSON, uncompressed."""
    words: float
    parquet: float
    """The files that are put for Snowflake, in batches of 200."""
    zipped: float


def conversation(call: calls.Call) -> Conversation:
    """A made-up call as the pipeline's own kind, with a raw record of Gong's shape."""
    sentences = [{"start": s.start_ms, "end": s.end_ms, "text": s.text} for s in call.said]
    return Conversation(
        conversation_id=str(7782342274025930000 + call.number),
        started_at=call.started_at,
        channel="video",
        raw={
            "record": {"metaData": {"id": call.number, "title": call.company}},
            "transcript": {"transcript": [{"sentences": sentences}]},
        },
        title=f"{call.company}: call {call.number}",
        owner_name=call.rep,
        utterances=tuple(
            Utterance(
                call.rep if said.by_rep else call.buyer,
                "rep" if said.by_rep else "customer",
                said.start_ms / 1000,
                said.end_ms / 1000,
                said.text,
            )
            for said in call.said
        ),
    )


def landed_bytes(count: int = 200) -> Bytes:
    """Measured on rows that the pipeline makes, and on the files that it would put."""
    from semarize_pipeline.warehouse import snowflake

    mark = landing.stamp(calls.BEGAN, "cost")
    given = [conversation(call) for _, call in zip(range(count), calls.calls(count), strict=False)]
    rows = [{**landing.conversation_row(each, calls.BEGAN), **mark} for each in given]
    said = landing.stamped([row for each in given for row in landing.utterance_rows(each)], mark)
    loads = [Load(tables.conversations("gong"), rows), Load(tables.utterances("gong"), said)]
    with tempfile.TemporaryDirectory(prefix="cost-") as folder:
        put = sum(
            snowflake._write(load, Path(folder), f"load{n}").file.stat().st_size
            for n, load in enumerate(loads)
        )
    plain = b"".join(orjson.dumps(row) for load in loads for row in load.rows)
    words = sum(len(each.transcript or "") for each in given)
    return Bytes(len(plain) / count, words / count, put / count, len(zlib.compress(plain)) / count)


# ---------------------------------------------------------------------- tables


def awake_seconds(statements: Sequence[int]) -> float:
    """How long a warehouse is awake for runs of so many statements, an hour apart."""
    return sum(
        min(3600.0, count * SECONDS_A_STATEMENT + AWAKE_SECONDS) for count in statements if count
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def _limit(found: tuple[str, float]) -> str:
    return f"{found[0].replace('_', ' ')}: {100 * found[1]:,.1f} %"


def tell_days(settings: Settings, a_day: int) -> None:
    print(f"**{a_day:,} conversations a day, one kit, by vendor key: a day of 24 hourly runs**\n")
    rows = []
    for name in vendors.names():
        vendor = vendors.get(name)
        took = day(vendor, settings, a_day)
        statements = [
            hour(vendor, settings, n, new).statements
            for n, new in even_day(vendor, settings, a_day)
        ]
        awake = awake_seconds(statements)
        rows.append(
            (
                vendor.title,
                f"{took.listing_requests:,}",
                f"{took.transcript_requests:,}",
                f"{reconcile(vendor, settings, a_day)[0]:,}",
                _limit(binding(vendor, settings, a_day)),
                f"{took.runs:,}",
                f"{took.semarize_requests:,}",
                f"{took.logins:,}",
                f"{took.statements:,}",
                f"{awake:,.0f}",
                f"{took.state_writes:,}",
            )
        )
    head = (
        "vendor", "listing", "transcripts", "reconcile", "tightest limit, all of it",
        "paid runs", "Semarize requests", "logins", "statements", "awake s (assumed)",
        "state writes",
    )  # fmt: skip
    _table(head, rows)


def tell_designs(settings: Settings, a_day: int, name: str) -> None:
    vendor = vendors.get(name)
    print(f"**{vendor.title}, {a_day:,} a day: by other designs**\n")
    rows = []
    for title, took in designs(vendor, settings, a_day).items():
        listed = records(vendor, settings, a_day) if "look-back" in title else 0
        share = max(shares(vendor, settings, took.requests, listed).items(), key=lambda s: s[1])
        price = campaigns.cost(took.runs, settings)
        rows.append(
            (
                title,
                f"{took.listing_requests:,}",
                f"{took.transcript_requests:,}",
                _limit(share),
                f"{took.runs:,}",
                "" if price is None else f"{price:,.0f}",
            )
        )
    _table(("design", "listing", "transcripts", "tightest limit", "paid runs", "price"), rows)


def tell_idle(settings: Settings) -> None:
    nothing = hour(vendors.get("gong"), settings, 0, 0)
    print("**24 hours with nothing new**\n")
    once_an_hour = awake_seconds([3] * HOURS)
    _table(
        ("design", "requests", "logins", "awake s (assumed)"),
        [
            ("ours", HOURS * nothing.requests, HOURS * nothing.logins, 0),
            ("a login an hour to see", HOURS * nothing.requests, HOURS, f"{once_an_hour:,.0f}"),
        ],
    )


def tell_most(settings: Settings) -> None:
    print("**The most conversations a day that fit into one key's limits, hourly**\n")
    six = {name: {"lookback": timedelta(hours=6)} for name in vendors.names()}
    short = replace(settings, timing=six)
    shorter = replace(short, history=replace(settings.history, reconcile_days=3))
    rows = []
    for name in vendors.names():
        vendor = vendors.get(name)
        usual = most(vendor, settings)
        rows.append(
            (
                vendor.title,
                f"{usual:,}",
                binding(vendor, settings, usual)[0].replace("_", " "),
                f"{most(vendor, settings, reconciled=False):,}",
                f"{most(vendor, short, reconciled=False):,}",
                f"{most(vendor, shorter):,}",
            )
        )
    head = (
        "vendor", "as shipped", "bound by", "without reconcile",
        "and a look-back of 6 h", "6 h, reconcile of 3 days",
    )  # fmt: skip
    _table(head, rows)


def tell_bytes() -> None:
    took = landed_bytes()
    print(
        f"A conversation of {took.words:,.0f} letters: {took.rows:,.0f} bytes of rows in landing "
        f"(zlib: {took.zipped:,.0f}), {took.parquet:,.0f} put as Parquet. 2,500 a day: "
        f"{2_500 * took.parquet / 1e6:,.0f} MB a day put; 250,000: "
        f"{250_000 * took.parquet / 1e9:,.1f} GB.\n"
    )


# ---------------------------------------------------------------------- the check


def check(conversations: int) -> bool:
    """Run a day of each vendor against the sandbox and compare every count with the formula."""
    import costed_day

    right = True
    print(f"**Computed and run: {conversations} conversations in 24 hourly runs**\n")
    rows = []
    for name in vendors.names():
        took, expected = costed_day.compare(name, conversations)
        agree = all(a == b for a, b in zip(took, expected, strict=True))
        right = right and agree
        ran, computed = total(took), total(expected)
        for what in Counts.__dataclass_fields__:
            rows.append((name, what, getattr(computed, what), getattr(ran, what)))
    _table(("vendor", "count", "computed", "run"), rows)
    print("every hour agrees" if right else "THE FORMULA AND THE RUN DISAGREE")
    return right


def main() -> None:
    """Print the tables; with --check N also run a day of N conversations and compare."""
    parser = argparse.ArgumentParser(prog="make bench-cost", description=__doc__.split("\n")[0])
    parser.add_argument("--price", type=float, default=0.05, help="of a Semarize run (assumed)")
    parser.add_argument("--check", type=int, metavar="N", help="run a day of N conversations too")
    told = parser.parse_args()
    settings = replace(USUAL, score=replace(USUAL.score, price_per_run=told.price))
    for a_day in (2_500, 250_000):
        tell_days(settings, a_day)
    tell_designs(settings, 2_500, "salesloft")
    tell_designs(settings, 2_500, "gong")
    tell_idle(settings)
    tell_most(settings)
    tell_bytes()
    if told.check and not check(told.check):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
