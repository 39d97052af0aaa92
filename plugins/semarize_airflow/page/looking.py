"""What each address shows, gathered: the state first, then the warehouse as far as it answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from semarize_airflow.page import airflow_side
from semarize_airflow.page.access import Visitor, dag_of
from semarize_airflow.page.sources import FRESH_SECONDS, Busy, Sources
from semarize_airflow.run import read_settings
from semarize_pipeline import connect, vendors
from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.overview import findings as finding
from semarize_pipeline.overview import from_state, story
from semarize_pipeline.overview.from_warehouse import UNACCOUNTED, Warehouse
from semarize_pipeline.reconcile import CATEGORIES, window_of
from semarize_pipeline.semarize.client import CONNECTION as SEMARIZE
from semarize_pipeline.settings import Settings
from semarize_pipeline.state.budgets import RUNS, Usage, period_start
from semarize_pipeline.state.ledger import Entry

RUN_DAYS = 14
# How many days the overview looks at for conversations that are missing.
LATELY = timedelta(days=14)
# The numbers of a day that have conversations behind them.
BEHIND = ("listed", *CATEGORIES, UNACCOUNTED)
LISTS = (
    *("transcript", "score", "failed", "refused", "quarantine", "quarantined"),
    *("absent", "expired", "private", "deleted"),
)

# One of each process: connections are kept open between pages.
sources = Sources()


def read_settings_or_say() -> tuple[Settings, str | None]:
    """The pipeline's settings; where they cannot be read, the defaults and why."""
    try:
        return read_settings(), None
    except Misconfigured as problem:
        return Settings(), str(problem)


def overview(who: Visitor, now: datetime) -> dict[str, Any]:
    """What is wrong, and how each vendor stands."""
    settings, settings_problem = read_settings_or_say()
    state = sources.state()
    named = who.vendors
    dags = airflow_side.dags(
        who.dags & {*map(dag_of, named), "scorecards", "reconcile", "replay", "backfill"}
    )
    marks = from_state.watermarks(state, named)
    counts = from_state.counts(state, named)
    waiting = from_state.waiting(state, named, now)
    wrong = from_state.wrong_runs(state, named)
    connections = [SEMARIZE, *(vendors.get(name).connection for name in named)]
    keys = {each: key for each in connections if (key := sources.key(each)) is not None}
    limits: dict[str, list[Usage]] = {}
    for used in state.budgets.usage(connect.all_limits(settings, keys)):
        limits.setdefault(used.key, []).append(used)
    seen = []
    for name in named:
        vendor = vendors.get(name)
        seen.append(
            finding.VendorSeen(
                name=name,
                title=vendor.title,
                dag=dags.get(dag_of(name)),
                is_connected=vendor.connection in keys,
                watermark=marks.get(name),
                counts=counts[name],
                waiting=[each for each in waiting if each.vendor == name],
                wrong=[each for each in wrong if each.vendor == name],
                limits=limits.get(keys.get(vendor.connection, vendor.connection), []),
            )
        )
    first = period_start("day", now - timedelta(days=RUN_DAYS - 1))
    whole = finding.Seen(
        now=now,
        vendors=seen,
        scorecards=dags.get("scorecards"),
        reconcile=dags.get("reconcile"),
        replay=dags.get("replay"),
        semarize=[*limits.get(keys.get(SEMARIZE, SEMARIZE), []), *limits.get(RUNS, [])],
        runs_by_day=_runs_by_day(named, first, int(now.timestamp()) // FRESH_SECONDS),
    )
    try:
        whole = _with_warehouse(whole, now)
    except Busy as busy:
        whole = replace(
            whole,
            warehouse_problem=str(busy),
            vendors=[
                replace(each, quarantine=_of_ledger(each.name, by_reason))
                for each in seen
                for by_reason in [from_state.quarantined(state, [each.name]).get(each.name, {})]
            ],
        )
    return {
        "seen": whole,
        "findings": finding.findings(whole),
        "settings": settings,
        "settings_problem": settings_problem,
        "now": now,
        "refresh": whole.warehouse_problem is not None,
    }


@lru_cache(maxsize=16)
def _runs_by_day(
    named: tuple[str, ...], first: datetime, _minute: int
) -> dict[str, dict[str, int]]:
    """Counted once a minute: it is the one question that looks at every run there ever was."""
    return from_state.runs_by_day(sources.state(), named, first)


def _of_ledger(vendor: str, by_reason: dict[str, int]) -> list[dict[str, Any]]:
    """What the quarantine holds as far as the ledger knows, in the form of its rows."""
    return [
        {
            "vendor": vendor,
            "stage": "",
            "reason": reason,
            "n": count,
            "oldest": None,
            "newest": None,
            "unreadable": 0,
        }
        for reason, count in sorted(by_reason.items(), key=lambda each: -each[1])
    ]


def _with_warehouse(seen: finding.Seen, now: datetime) -> finding.Seen:
    asking = sources.asking()
    warehouse = Warehouse(asking)
    named = [each.name for each in seen.vendors]
    loads = warehouse.loads(named)
    kept = warehouse.quarantine(named)
    health = warehouse.health(named)
    days = warehouse.days(named, period_start("day", now - LATELY), now + timedelta(days=1))
    accounted: dict[str, datetime] = {}
    for (vendor, _), row in warehouse.account(named, period_start("day", now - LATELY)).items():
        accounted[vendor] = max(row["reconciled_at"], accounted.get(vendor, row["reconciled_at"]))
    return replace(
        seen,
        vendors=[
            replace(
                each,
                loads=loads[each.name],
                quarantine=[row for row in kept if row["vendor"] == each.name],
                days=[day for day in days if day.vendor == each.name],
                accounted_at=accounted.get(each.name),
                in_marts_until=health.get(each.name, {}).get("last_load_at"),
            )
            for each in seen.vendors
        ],
        dbt=warehouse.dbt(),
        warehouse_as_of=asking.as_of,
    )


def days(who: Visitor, vendor: str | None, now: datetime, shown: int) -> dict[str, Any]:
    """Each day's conversations by what became of them."""
    named = [vendor] if vendor else list(who.vendors)
    start = period_start("day", now - timedelta(days=shown - 1))
    try:
        asking = sources.asking()
        found = Warehouse(asking).days(named, start, now + timedelta(days=1))
    except Busy as busy:
        return {"days": [], "problem": str(busy), "refresh": True, "as_of": None, "now": now}
    return {
        "days": found,
        "problem": None,
        "as_of": asking.as_of,
        "categories": CATEGORIES,
        "now": now,
    }


def conversation(who: Visitor, vendor: str | None, id_: str, now: datetime) -> dict[str, Any]:
    """The stories of an id: one, or several where vendors share it, or none."""
    named = [vendor] if vendor else list(who.vendors)
    state = sources.state()
    settings, _ = read_settings_or_say()
    known: dict[str, Entry] = from_state.find(state, named, id_)
    problem = None
    asking = None
    warehouse: Warehouse | None = None
    found = dict.fromkeys(known)
    try:
        asking = sources.asking()
        warehouse = Warehouse(asking)
        found |= dict.fromkeys(warehouse.where(named, id_))
    except Busy as busy:
        problem, warehouse = str(busy), None
    stories = []
    for name in sorted(found):
        facts = story.Facts(
            vendor=name,
            conversation_id=id_,
            entry=known.get(name),
            runs=state.runs.of(name, [id_]),
            has_warehouse=False,
        )
        if warehouse is not None:
            try:
                facts = _from_warehouse(facts, warehouse)
            except Busy as busy:
                problem = str(busy)
        timing = settings.timing_for(name, vendors.get(name).timing)
        stories.append(story.tell(facts, timing, now))
    windows = {name: window_of(vendors.get(name), state, settings, now) for name in named}
    return {
        "stories": stories,
        "problem": problem,
        "refresh": problem is not None and not stories,
        "as_of": asking.as_of if asking else None,
        "watermarks": from_state.watermarks(state, named),
        "windows": windows,
        "named": named,
    }


def _from_warehouse(facts: story.Facts, warehouse: Warehouse) -> story.Facts:
    vendor, id_ = facts.vendor, facts.conversation_id
    entry = facts.entry
    mirrored = None if entry else warehouse.mirrored(vendor, id_)
    if mirrored:
        names = Entry.__dataclass_fields__
        entry = Entry(**{name: mirrored[name] for name in names if name in mirrored})
    account = None
    if entry:
        day = period_start("day", entry.started_at or entry.listed_at)
        account = warehouse.account([vendor], day).get((vendor, day))
    return replace(
        facts,
        has_warehouse=True,
        entry=entry,
        is_remembered=mirrored is not None,
        landed=warehouse.landed(vendor, id_),
        landed_runs=warehouse.runs(vendor, id_),
        scores=warehouse.scores(vendor, id_),
        marts=warehouse.in_marts(vendor, id_),
        quarantine=warehouse.in_quarantine(vendor, id_),
        account=account,
    )
