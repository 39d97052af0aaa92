"""``rebuild``: a new state database out of the warehouse, after the old one was lost.

============ =========================================================================
what         where it comes from
============ =========================================================================
ledger       its mirror, ``landing.ledger``; so also what was erased stays away
paid runs    ``landing.semarize__runs`` where they finished, ``semarize__open_runs`` where a
             round of scoring left them under way
watermarks   the start of the last slice in ``landing.loads``: all before it has landed, its own
             end is not proven. It may be read once more, which costs listings alone
budgets      ``landing.loads``: counted up, because a run that lands nothing leaves no trace
tokens       nowhere, on purpose: whoever holds the warehouse must not hold them. A person
             authorizes again where a token renewed itself
slice marks  nowhere: a campaign of the same name lists its slices again and finds all known
============ =========================================================================

A run that was sent in the very round that was cut off is in no table. It is found by its key,
which is made of the conversation, its words, the kit's version and the attempt alone: sent again
it is the same run, for as long as Semarize remembers keys. So rebuild within hours, and publish
no kit before the next ``score``.

Watermarks are written last, in one transaction, and tell a rebuilt database from an empty one: a
rebuild that was killed is simply run again, and until it is through nothing is read or bought.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from semarize_pipeline import landing, vendors
from semarize_pipeline.campaigns import calls_key, runs_key
from semarize_pipeline.errors import Misconfigured, Stop
from semarize_pipeline.semarize.client import CONNECTION
from semarize_pipeline.settings import Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import RUNS, Claim, period_end, period_start
from semarize_pipeline.state.ledger import ERASED, is_erased
from semarize_pipeline.state.runs import Run
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Session, Warehouse

log = logging.getLogger(__name__)

PAGE = 5000
# Requests of runs that landed nothing are in no load: so much is added for them.
UNSEEN_REQUESTS = 1.25
RUN_COLUMNS = ", ".join((*(name for name, _ in tables.BOUGHT), "submitted_at"))
# What the hourly runs read; transcripts that were pending have no window.
READ = "kind = 'extract' and window_start is not null"


@dataclass(slots=True)
class RebuildReport:
    """What was restored, or would be. Counts and names: it travels through XCom."""

    dry_run: bool
    conversations: dict[str, int] = field(default_factory=dict)
    """Entries of the ledger, by vendor."""
    erased: int = 0
    runs: int = 0
    open_runs: int = 0
    watermarks: dict[str, str] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    """Of each limit and cap, how much counts as used."""
    authorize: list[str] = field(default_factory=list)
    """Connections that a person has to authorize again."""
    unfinished_erasures: int = 0
    """Erasures that were begun and not finished: order them again."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def rebuild(
    warehouse: Warehouse,
    state: State,
    *,
    settings: Settings,
    run: str,
    keys: Mapping[str, str] | None = None,
    dry_run: bool = True,
    merge: bool = False,
) -> RebuildReport:
    """Restore what the warehouse knows, or say what that would be.

    :param keys: by connection the key of its budget, where that is not the connection's name.
    :param merge: also where the state database is not empty, such as an old backup: it moves
        forward only, and what is newer there stays.
    """
    if not (dry_run or merge or state.watermarks.is_empty()):
        raise Misconfigured(
            "the state database is not empty: it has watermarks. If it is the right one, nothing "
            "is to be done; if it is an old backup, run rebuild_state with merge"
        )
    report = RebuildReport(dry_run)
    with warehouse.open(f"{run}: rebuild the state database") as session:
        wanted = [table for v in vendors.names() for table in landing.vendor_tables(v)]
        session.ensure([*wanted, tables.OPEN_RUNS])
        for vendor in vendors.names():
            _ledger(vendor, session, state, report)
        _runs(session, state, report)
        _budgets(session, state, settings, report, keys or {})
        _watermarks(session, state, settings, report)
        (erasures,) = session.query(
            f"select count(*) as n from {tables.ERASURES.qualified} where status = 'begun'"
        )
    report.unfinished_erasures = erasures["n"]
    report.authorize = [
        vendors.get(vendor).connection
        for vendor in report.conversations
        if vendors.get(vendor).is_authorized_by_person
    ]
    if report.authorize:
        log.warning("authorize again, the tokens are lost: %s", ", ".join(report.authorize))
    if report.unfinished_erasures:
        log.warning("%d erasures were not finished: order them again", report.unfinished_erasures)
    return report


def refuse_lost_state(vendor: str, warehouse: Warehouse, state: State, run: str) -> None:
    """Raise Stop where this vendor was read into the warehouse, and the state knows nothing of it.

    It would all be read, and bought, once more. With a watermark this asks the state alone, and
    a warehouse that is not there yet is not made.
    """
    if state.watermarks.reached(vendor) is not None or not warehouse.may_hold_rows():
        return
    with warehouse.open(f"{run}: see whether {vendor} was read before") as session:
        was_read = _holds(session, tables.LOADS, f"vendor = ? and {READ}", vendor)
        bought = not state.runs.has_any(vendor) and _holds(
            session, tables.RUNS, "vendor = ?", vendor
        )
    if was_read or bought:
        raise Stop(
            f"the state database (state_default) knows nothing of {vendor}, and the warehouse has "
            "its conversations or scores: the database was lost, or state_default is another one. "
            "Nothing was read or bought. Correct the connection, or run the DAG rebuild_state "
            '("The state database is lost" in docs/operations.md)'
        )


# ---------------------------------------------------------------------- the parts


def _ledger(vendor: str, session: Session, state: State, report: RebuildReport) -> None:
    for rows in _pages(session, tables.LEDGER, "*", "conversation_id", vendor):
        report.conversations[vendor] = report.conversations.get(vendor, 0) + len(rows)
        report.erased += sum(map(is_erased, rows))
        if not report.dry_run:
            state.ledger.restore(vendor, rows)


def _runs(session: Session, state: State, report: RebuildReport) -> None:
    for rows in _pages(
        session,
        tables.RUNS,
        f"{RUN_COLUMNS}, status, finished_at, error_code",
        "idempotency_key",
    ):
        report.runs += len(rows)
        if not report.dry_run:
            state.runs.restore(
                [Run(**row, planned_at=row["submitted_at"] or row["finished_at"]) for row in rows]
            )
    # Few: what was under way when a round ended, and has not finished since.
    under_way = session.query(
        f"select {RUN_COLUMNS}, planned_at from {tables.OPEN_RUNS.qualified} as noted "
        f"where not exists (select 1 from {tables.RUNS.qualified} as ended "
        "where ended.idempotency_key = noted.idempotency_key) "
        # Nobody waits for the answers about what was erased.
        f"and not exists (select 1 from {tables.LEDGER.qualified} as stones "
        "where stones.vendor = noted.vendor and stones.conversation_id = noted.conversation_id "
        "and stones.status = 'deleted' and stones.reason = ?)",
        [ERASED],
    )
    report.open_runs = len(under_way)
    if not report.dry_run:
        state.runs.restore(
            [Run(**row, status="running", next_poll_at=row["submitted_at"]) for row in under_way]
        )


def _budgets(
    session: Session,
    state: State,
    settings: Settings,
    report: RebuildReport,
    keys: Mapping[str, str],
) -> None:
    now = state.clock()
    used: dict[Claim, int] = {}
    slowed = [keys.get(CONNECTION, CONNECTION)]
    for name in vendors.names():
        vendor = vendors.get(name)
        limits = settings.limits_for(name, vendor.limits)
        key = keys.get(vendor.connection, vendor.connection)
        if limits.adaptive:
            slowed.append(key)
        for period, cap in limits.caps():
            claim = Claim(key, period)
            start, end = period_start(period, now), period_end(period, now)
            told = _requests(session, name, start)
            # At least what an even pace would have used by now.
            even = cap * ((now - start) / (end - start))
            asked = max(math.ceil(even), math.ceil(told * UNSEEN_REQUESTS), used.get(claim, 0))
            used[claim] = min(cap, asked)
    day = period_start("day", now)
    (bought,) = session.query(
        f"select count(*) as n from (select idempotency_key from {tables.RUNS.qualified} "
        f"where submitted_at >= ? union select idempotency_key from {tables.OPEN_RUNS.qualified} "
        "where planned_at >= ?) as keys",
        [day, day],
    )
    used[Claim(RUNS, "day")] = bought["n"]
    used |= _campaigns(session)
    report.used = {f"{c.key} ({c.period})": count for c, count in used.items()}
    if not report.dry_run:
        state.budgets.restore(list(used.items()), slowed)


def _campaigns(session: Session) -> dict[Claim, int]:
    """What campaigns have used of their caps."""
    used: dict[Claim, int] = {}
    for row in session.query(
        "select campaign, coalesce(sum(listed), 0) as calls, "
        "coalesce(sum(scored), 0) + coalesce(sum(failed), 0) as runs "
        f"from {tables.LOADS.qualified} where campaign is not null group by campaign"
    ):
        used[Claim(calls_key(row["campaign"]), "ever")] = int(row["calls"])
        used[Claim(runs_key(row["campaign"]), "ever")] = int(row["runs"])
    for row in session.query(
        f"select campaign, count(*) as runs from {tables.OPEN_RUNS.qualified} as noted "
        "where campaign is not null and not exists "
        f"(select 1 from {tables.RUNS.qualified} as ended "
        "where ended.idempotency_key = noted.idempotency_key) group by campaign"
    ):
        claim = Claim(runs_key(row["campaign"]), "ever")
        used[claim] = used.get(claim, 0) + int(row["runs"])
    return used


def _watermarks(session: Session, state: State, settings: Settings, report: RebuildReport) -> None:
    """How far each vendor was provably read.

    Slices are read in their order, each from where the one before ended, and a load names its
    slice's window: so all before the window's start has landed, whatever has of the window. The
    last load counts rather than the furthest, in case somebody had set the watermark back.
    """
    proven: dict[str, tuple[datetime, datetime]] = {}
    loads = tables.LOADS.qualified
    for row in session.query(
        "select loads.vendor, newest.began, min(loads.window_start) as reached "
        f"from {loads} as loads join (select vendor, min(window_start) as began, "
        f"max(finished_at) as last_at from {loads} where {READ} group by vendor) as newest "
        "on newest.vendor = loads.vendor and newest.last_at = loads.finished_at "
        f"where {READ} group by loads.vendor, newest.began"
    ):
        began, start = row["began"], settings.extract.start
        # The first slices may have held nothing, and so left no load.
        began = min(began, start) if isinstance(start, datetime) else began
        proven[row["vendor"]] = (began, row["reached"])
    report.watermarks = {v: reached.isoformat() for v, (_, reached) in sorted(proven.items())}
    if not report.dry_run:
        state.watermarks.restore(proven)


# ---------------------------------------------------------------------- asking the warehouse


def _pages(
    session: Session, table: tables.Table, columns: str, key: str, vendor: str | None = None
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """A table's rows by key, page by page: a page is all that memory holds."""
    of_vendor, values = ("", []) if vendor is None else ("vendor = ? and ", [vendor])
    after = ""
    while rows := session.query(
        f"select {columns} from {table.qualified} where {of_vendor}{key} > ? "
        f"order by {key} limit {PAGE}",
        [*values, after],
    ):
        yield rows
        after = rows[-1][key]


def _requests(session: Session, vendor: str, since: datetime) -> int:
    """How many requests to a vendor the loads since then name."""
    (row,) = session.query(
        f"select coalesce(sum(requests), 0) as n from {tables.LOADS.qualified} "
        "where vendor = ? and listed is not null and finished_at >= ?",
        [vendor, since],
    )
    return int(row["n"])


def _holds(session: Session, table: tables.Table, condition: str, vendor: str) -> bool:
    """Whether a table is there and has such a row; makes none."""
    there = session.query(
        "select 1 as one from information_schema.tables "
        "where lower(table_schema) = ? and lower(table_name) = ?",
        [tables.SCHEMA, table.name],
    )
    rows = f"select 1 as one from {table.qualified} where {condition} limit 1"
    return bool(there) and bool(session.query(rows, [vendor]))
