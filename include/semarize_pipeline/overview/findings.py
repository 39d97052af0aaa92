"""What is wrong, worst first, each with what to do: for somebody who was just woken up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote, urlencode

from semarize_pipeline.overview.from_state import Waiting, Watermark, Wrong
from semarize_pipeline.overview.from_warehouse import UNACCOUNTED, Day, Row
from semarize_pipeline.state.budgets import RUNS, Usage

Level = Literal["bad", "warn"]
# The hourly DAG has had the chance to read twice.
LATE = timedelta(hours=3)
# Account and scorecards come daily; an hour or two late is no reason to wake anybody.
STALE = timedelta(hours=28)
NEARLY = 0.9


@dataclass(frozen=True, slots=True)
class Link:
    """A way on: ``to`` is relative to the page, or with ``in_airflow`` to Airflow itself."""

    label: str
    to: str
    in_airflow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, in plain words, and what to do about it."""

    level: Level
    about: str
    what: str
    do: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DagRunSeen:
    """A run of a DAG, as Airflow's database has it."""

    run_id: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    failed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    """Tasks that are deferred: they wait for a limit or for slow runs, and go on by themselves."""
    retrying: tuple[str, ...] = ()
    """Tasks that failed and that Airflow tries again."""

    @property
    def seconds(self) -> float | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class DagSeen:
    """A DAG and its last runs, the newest first."""

    dag_id: str
    is_paused: bool
    runs: tuple[DagRunSeen, ...] = ()

    @property
    def last_ended(self) -> DagRunSeen | None:
        return next((run for run in self.runs if run.state in ("success", "failed")), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSeen:
    """All that is known of a vendor just now."""

    name: str
    title: str
    dag: DagSeen | None = None
    is_connected: bool = True
    watermark: Watermark | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    waiting: Sequence[Waiting] = ()
    wrong: Sequence[Wrong] = ()
    quarantine: Sequence[Row] = ()
    limits: Sequence[Usage] = ()
    loads: Sequence[Row] = ()
    days: Sequence[Day] = ()
    accounted_at: datetime | None = None
    in_marts_until: datetime | None = None
    """The last load that the marts know of."""

    @property
    def quarantined(self) -> int:
        return sum(int(row["n"]) for row in self.quarantine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that the overview shows."""

    now: datetime
    vendors: Sequence[VendorSeen]
    scorecards: DagSeen | None = None
    reconcile: DagSeen | None = None
    replay: DagSeen | None = None
    semarize: Sequence[Usage] = ()
    runs_by_day: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    dbt: Row | None = None
    warehouse_problem: str | None = None
    warehouse_as_of: datetime | None = None


def findings(seen: Seen) -> list[Finding]:
    """What is wrong, the worst first."""
    found = [*_of_all(seen)]
    for vendor in seen.vendors:
        found += _of_vendor(vendor, seen.now)
    return sorted(found, key=lambda each: each.level != "bad")


def _of_vendor(vendor: VendorSeen, now: datetime) -> Iterator[Finding]:
    yield from _of_runs(vendor, now)
    yield from _of_account(vendor)
    yield from _of_conversations(vendor)
    yield from _of_limits(vendor.title, vendor.limits)


def _of_runs(vendor: VendorSeen, now: datetime) -> Iterator[Finding]:
    dag, mark = vendor.dag, vendor.watermark
    last = dag.last_ended if dag else None
    if dag and last and last.state == "failed":
        yield _failed(vendor.title, dag, last)
    if dag and dag.is_paused and mark:
        yield Finding(
            level="warn",
            about=vendor.title,
            what=f"Its DAG is paused; nothing after {_at(mark.reached)} is read.",
            do="Switch it on when that was not meant. It then reads everything since.",
            links=(_dag(dag.dag_id, "The DAG"),),
        )
    elif mark and now - mark.reached > LATE:
        level, do = _catching_up(dag, mark, now)
        yield Finding(
            level=level,
            about=vendor.title,
            what=f"It was read up to {_at(mark.reached)}, {_lag(now - mark.reached)} ago.",
            do=do,
            links=(_dag(dag.dag_id, "Its runs"),) if dag else (),
        )


def _catching_up(dag: DagSeen | None, mark: Watermark, now: datetime) -> tuple[Level, str]:
    """Whether what is late comes by itself, and what to do where it does not."""
    newest = dag.runs[0] if dag and dag.runs else None
    if newest and newest.waiting:
        return "warn", f"The task {newest.waiting[0]} waits for a limit and goes on by itself."
    # A first run reads months; as long as it gets somewhere, there is nothing to do.
    if newest and newest.state == "running" and now - mark.moved_at <= LATE:
        return "warn", f"A run is reading on, last at {_at(mark.moved_at)}; nothing is to be done."
    return "bad", "Look at its last run: the first red task's log says why and what to do."


def _failed(about: str, dag: DagSeen, run: DagRunSeen) -> Finding:
    tasks = f" in {', '.join(run.failed)}" if run.failed else ""
    return Finding(
        level="bad",
        about=about,
        what=f"The last run failed at {_at(run.ended_at)}{tasks}.",
        do=(
            "Open the log: its last line names the connection or the setting, and what to do. "
            "Running it again is always safe."
        ),
        links=(_log(dag.dag_id, run), _dag(dag.dag_id, "The DAG")),
    )


def _of_account(vendor: VendorSeen) -> Iterator[Finding]:
    lost = [day for day in vendor.days if day.counts.get(UNACCOUNTED)]
    if lost:
        number = sum(day.counts[UNACCOUNTED] for day in lost)
        yield Finding(
            level="bad",
            about=vendor.title,
            what=(
                f"{_many(number, 'conversation')} {_is(number)} recorded as landed or scored, and "
                "the warehouse has no words or no run of it."
            ),
            do=(
                "Rows were removed from landing. The daily reconcile fetches words again that the "
                "vendor still has; the rest comes from a backup of the warehouse."
            ),
            links=tuple(_list(vendor, UNACCOUNTED, day) for day in lost[:3]),
        )
    unknown = [day for day in vendor.days if day.unrecorded]
    if unknown:
        number = sum(day.unrecorded for day in unknown)
        yield Finding(
            level="bad",
            about=vendor.title,
            what=f"The vendor listed {_many(number, 'conversation')} that we have not recorded.",
            do=f"Start a backfill of {', '.join(f'{day.day:%d %b}' for day in unknown[:5])}.",
            links=(_dag("backfill", "The backfill's form"),),
        )


def _of_conversations(vendor: VendorSeen) -> Iterator[Finding]:
    if vendor.quarantine:
        top = vendor.quarantine[0]
        yield Finding(
            level="warn",
            about=vendor.title,
            what=(
                f"{_many(vendor.quarantined, 'record')} could not be read and "
                f"{_is(vendor.quarantined)} in the quarantine, most for: {top['reason']}."
            ),
            do="Mend the cause (the setting, or our reading of the record), then replay.",
            links=(
                _list(vendor, "quarantine"),
                _replay(vendor, "quarantined", str(top["reason"])),
            ),
        )
    for wrong in vendor.wrong[:3]:
        yield Finding(
            level="warn",
            about=vendor.title,
            what=(
                f"{_many(wrong.count, 'Semarize run')} of the kit {wrong.kit_name} ended as "
                f"{wrong.status}: {wrong.reason}."
            ),
            do="Mend the cause, then replay: it buys these runs once more.",
            links=(
                _list(vendor, _score_of(wrong)),
                _replay(vendor, "failed", wrong.reason),
            ),
        )
    overdue = [each for each in vendor.waiting if each.overdue]
    for each in overdue:
        yield Finding(
            level="warn",
            about=vendor.title,
            what=(
                f"{_many(each.overdue, 'conversation')} should have been tried again for a "
                f"{each.kind} and {_is(each.overdue)} overdue since {_at(each.next_try_at)}."
            ),
            do="The hourly run tries them: see whether it runs, and how many it may take at once.",
            links=(_list(vendor, each.kind),),
        )


def _of_limits(about: str, limits: Sequence[Usage]) -> Iterator[Finding]:
    held = max((limit.held_until for limit in limits if limit.held_until), default=None)
    if held is not None:
        yield Finding(
            level="warn",
            about=about,
            what=f"It told us to wait: no request leaves before {_at(held)}.",
            do="Nothing. The purple tasks go on by themselves.",
        )
    for limit in limits:
        # A second or a minute that is full is what a limit is for.
        if limit.ends_at is not None and limit.used >= NEARLY * limit.cap:
            things = "runs" if limit.key == RUNS else "requests"
            yield Finding(
                level="warn",
                about=about,
                what=(
                    f"{limit.used:,} of the {limit.period}'s {limit.cap:,.0f} {things} are used"
                    + (": nothing more leaves." if not limit.left else ".")
                ),
                do=f"It goes on by itself at {_at(limit.ends_at)}.",
            )


def _of_all(seen: Seen) -> Iterator[Finding]:
    for dag, about in ((seen.scorecards, "Scorecards"), (seen.reconcile, "Account")):
        last = dag.last_ended if dag else None
        if dag and last and last.state == "failed":
            yield _failed(about, dag, last)
    if seen.dbt and seen.dbt["wrong"]:
        wrong = seen.dbt["wrong"]
        yield Finding(
            level="bad",
            about="Scorecards",
            what=(
                f"{_many(len(wrong), 'model or test', 'models or tests')} failed in the last "
                f"build: {', '.join(_node(row) for row in wrong[:4])}."
            ),
            do="The task dbt_build's log has dbt's own message. The other marts are fresh.",
            links=(_dag("scorecards", "The DAG"),),
        )
    elif seen.dbt and seen.now - seen.dbt["built_at"] > STALE:
        yield Finding(
            level="warn",
            about="Scorecards",
            what=f"The marts were last built at {_at(seen.dbt['built_at'])}.",
            do="See whether the DAG scorecards is switched on, and what its last run says.",
            links=(_dag("scorecards", "The DAG"),),
        )
    read = [v for v in seen.vendors if v.watermark and seen.now - v.watermark.began > STALE]
    old = [v for v in read if v.accounted_at is None or seen.now - v.accounted_at > STALE]
    if old and seen.warehouse_problem is None:
        yield Finding(
            level="warn",
            about="Account",
            what=f"No account of {', '.join(v.title for v in old)} within {_lag(STALE)}.",
            do=(
                "The DAG reconcile makes one a day, of what has been read by then. See whether it "
                "is switched on, and what its last run says."
            ),
            links=(_dag("reconcile", "The DAG"),),
        )
    yield from _of_limits("Semarize", seen.semarize)


def _score_of(wrong: Wrong) -> str:
    return "refused" if wrong.status == "refused" else "failed"


def _replay(vendor: VendorSeen, what: str, reason: str) -> Link:
    asked = {"vendor": vendor.name, "what": what, "reason": reason}
    return Link("Replay them", f"replay?{urlencode(asked)}")


def _list(vendor: VendorSeen, what: str, day: Day | None = None) -> Link:
    asked = {"vendor": vendor.name, "what": what}
    if day is None:
        return Link("Which ones", f"list?{urlencode(asked)}")
    asked["day"] = f"{day.day:%Y-%m-%d}"
    return Link(f"Those of {day.day:%d %b}", f"list?{urlencode(asked)}")


def _dag(dag_id: str, label: str) -> Link:
    return Link(label, f"dags/{quote(dag_id, safe='')}", in_airflow=True)


def run_link(dag_id: str, run_id: str, task: str | None = None, label: str = "The run") -> Link:
    """A run's page in Airflow, or that of one of its tasks, which shows the log."""
    to = f"dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"
    return Link(label, f"{to}/tasks/{quote(task, safe='')}" if task else to, in_airflow=True)


def _log(dag_id: str, run: DagRunSeen) -> Link:
    # A mapped task has a page of its own for each of its parts.
    return run_link(dag_id, run.run_id, run.failed[0] if run.failed else None, "Its log")


def _node(row: Mapping[str, Any]) -> str:
    return ".".join(str(row["node_id"]).split(".")[2:3])


def _many(count: int, one: str, several: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _at(moment: datetime | None) -> str:
    return "an unknown moment" if moment is None else f"{moment:%d %b %H:%M} UTC"


def _lag(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
