"""``reconcile``: list a wide window again, mend what differs, and account for every conversation.

What is missing is fetched, what changed is fetched again, what is gone is marked. A conversation
counts as deleted only when a complete listing did not show it, a second one around its day did
not either, and the vendor has no words for its id: rows that shift between pages, and a
credential that sees less, look like deletions too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from semarize_pipeline import landing
from semarize_pipeline.errors import Stop
from semarize_pipeline.model import Window
from semarize_pipeline.pipeline import GONE, Reading
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.settings import Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import period_start
from semarize_pipeline.state.ledger import Entry
from semarize_pipeline.vendors.base import Vendor, Wanted
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Load, Session, Warehouse
from semarize_pipeline.windows import slices

# Of fewer conversations a share says nothing.
FEW = 10
CATEGORIES = ("scored", "unscored", "pending", "absent", "quarantined", "private", "deleted")


@dataclass(slots=True)
class ReconcileReport:
    """What one reconciliation of a vendor did."""

    vendor: str
    window_start: str | None = None
    window_end: str | None = None
    listed: int = 0
    found: int = 0
    """Conversations that the hourly runs had missed."""
    changed: int = 0
    restored: int = 0
    """Conversations whose rows the warehouse had lost."""
    private: int = 0
    deleted: int = 0
    hidden: int = 0
    """No longer listed, though the vendor still has their words."""
    unaccounted: int = 0
    requests: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def window_of(vendor: Vendor, state: State, settings: Settings, until: datetime) -> Window | None:
    """What is listed again: whole days, never before the first run began nor beyond the watermark.

    None for a vendor that the hourly runs have not begun to read.
    """
    reached = state.watermarks.reached(vendor.name)
    began = state.watermarks.began(vendor.name)
    if reached is None or began is None:
        return None
    first = period_start("day", until - timedelta(days=settings.history.reconcile_days))
    return Window(max(began, first), reached) if max(began, first) < reached else None


def reconcile(
    vendor: Vendor,
    api: RestClient,
    warehouse: Warehouse,
    state: State,
    *,
    until: datetime,
    settings: Settings,
    run: str,
) -> ReconcileReport:
    """List the window again, mend, mark, and write the account to ``landing.reconciliation``.

    Killed or broken off, it begins again: what landed is known, and nothing is marked before the
    listing is complete.
    """
    report = ReconcileReport(vendor.name)
    window = window_of(vendor, state, settings, until)
    if window is None:
        return report
    report.window_start, report.window_end = window.start.isoformat(), window.end.isoformat()
    places = landing.VendorWarehouse(warehouse, vendor.name, run)
    with places.open("look for what is lost") as session:
        lost = _lost(session, vendor.name, window)
    reading = Reading(
        vendor, api, warehouse, state, settings, run, kind="reconcile", rechecks=True, lost=lost
    )
    for part in slices(window, timedelta(hours=settings.history.slice_hours)):
        reading.read(part)
    gone = _Deletions(vendor, api, places, state, settings, reading, window).marked(report)
    report.listed = reading.report.listed
    report.changed = reading.report.changed
    report.found = reading.added
    report.restored = reading.restored
    report.private = reading.report.private
    report.deleted = len(gone)
    report.requests = api.sent
    mark = landing.stamp(state.clock(), run)
    with places.open("reconcile") as session:
        landing.mirror(session, state, vendor.name, mark)
        days = account(session, vendor.name, window, reading.seen or {}, state.clock())
        session.land([Load(tables.RECONCILIATION, landing.stamped(days, mark))])
    report.unaccounted = sum(day["unaccounted"] for day in days)
    return report


def _lost(session: Session, vendor: str, window: Window) -> set[str]:
    """Which conversations have landed, as the mirror says, and are not there."""
    rows = session.query(standing(vendor), [vendor, vendor, window.start, window.end])
    return {
        row["conversation_id"] for row in rows if row["status"] == "landed" and not row["has_words"]
    }


class _Deletions:
    """Which conversations a vendor has no more, proven."""

    def __init__(
        self,
        vendor: Vendor,
        api: RestClient,
        warehouse: landing.VendorWarehouse,
        state: State,
        settings: Settings,
        reading: Reading,
        window: Window,
    ) -> None:
        self._vendor = vendor
        self._api = api
        self._warehouse = warehouse
        self._state = state
        self._settings = settings
        self._reading = reading
        self._window = window
        # Vendors filter by other moments than they show: at the edges nothing is proven.
        self._edge = settings.timing_for(vendor.name, vendor.timing).lookback

    def marked(self, report: ReconcileReport) -> list[Entry]:
        known = self._known()
        missing = self._missing(known)
        self._refuse_doubtful(len(known), len(missing))
        still = self._have_words(missing)
        report.hidden = len(still)
        missing = [entry for entry in missing if entry.conversation_id not in still]
        for part in _around(missing, self._edge):
            self._reading.read(part)
        now = self._state.clock()
        gone = [
            replace(
                entry,
                status="deleted",
                next_try_at=None,
                reason=f"{GONE} on {now:%Y-%m-%d}: deleted, or hidden from us",
                score_status=None if entry.score_status == "due" else entry.score_status,
                score_after=None,
            )
            for entry in self._missing({entry.conversation_id: entry for entry in missing})
        ]
        self._state.ledger.record(self._vendor.name, gone)
        return gone

    def _known(self) -> dict[str, Entry]:
        """What was listed before and should be listed still: the mirror's, then the ledger's."""
        start, end = self._window.start + self._edge, self._window.end - self._edge
        if start >= end:
            return {}
        inner = Window(start, end)
        with self._warehouse.open("look for what is known") as session:
            known = landing.remembered(
                session,
                "vendor = ? and started_at >= ? and started_at < ?",
                [self._vendor.name, inner.start, inner.end],
            )
        for entry in self._state.ledger.between(self._vendor.name, inner):
            known[entry.conversation_id] = entry
        ended = ("deleted", "private", "replayed")
        return {id_: entry for id_, entry in known.items() if entry.status not in ended}

    def _missing(self, known: dict[str, Entry]) -> list[Entry]:
        seen = self._reading.seen or {}
        return [entry for id_, entry in sorted(known.items()) if id_ not in seen]

    def _refuse_doubtful(self, known: int, missing: int) -> None:
        """An empty or much shorter listing is a reason to ask a person, not to mark anything."""
        most = self._settings.history.most_deleted_share
        if not missing or (self._reading.seen and (missing <= FEW or missing <= most * known)):
            return
        raise Stop(
            f"{self._vendor.connection}: of {known} conversations {missing} are no longer listed "
            f"({len(self._reading.seen or {})} are), and a credential that sees less looks the "
            "same; nothing was marked. Check the credential's scope; if they are really gone, "
            "raise history.most_deleted_share for one run"
        )

    def _have_words(self, missing: Sequence[Entry]) -> set[str]:
        """Those whose words the vendor still hands out when asked by id."""
        wanted = [Wanted(e.conversation_id) for e in missing if e.status == "landed"]
        if not wanted:
            return set()
        answers = self._vendor.transcripts.fetch(self._api, wanted)
        return {id_ for id_, fetched in answers if fetched.transcript is not None}


def _around(entries: Iterable[Entry], edge: timedelta) -> list[Window]:
    """Windows around when these started, joined where they overlap."""
    joined: list[Window] = []
    for started in sorted(e.started_at for e in entries if e.started_at is not None):
        start, end = started - edge, started + edge
        if joined and start <= joined[-1].end:
            joined[-1] = Window(joined[-1].start, end)
        else:
            joined.append(Window(start, end))
    return joined


# ---------------------------------------------------------------------- the account


def account(
    session: Session, vendor: str, window: Window, seen: dict[str, datetime], now: datetime
) -> list[dict[str, Any]]:
    """What became of each conversation listed, by day: rows of ``landing.reconciliation``.

    Counted from the warehouse alone, apart from what this listing showed: a conversation that
    the ledger calls landed counts only where its words are, and scored only with its run.
    """
    first = period_start("day", window.start)
    rows = session.query(standing(vendor), [vendor, vendor, first, window.end])
    days: dict[datetime, Counter[str]] = defaultdict(Counter)
    for row in rows:
        days[_day(row["happened_at"])][category(row) or "unaccounted"] += 1
    recorded = {row["conversation_id"] for row in rows}
    for id_, started_at in seen.items():
        if id_ not in recorded and first <= started_at < window.end:
            days[_day(started_at)]["unaccounted"] += 1
    return [
        {
            "vendor": vendor,
            "day": day,
            "listed": counted.total(),
            **{name: counted[name] for name in CATEGORIES},
            "unaccounted": counted["unaccounted"],
            "reconciled_at": now,
        }
        for day, counted in sorted(days.items())
    ]


def standing(vendor: str) -> str:
    """SQL of how each conversation that happened in a window stands, by the warehouse alone.

    Its parameters are the vendor, the vendor again, and the window's start and end.
    """
    when = "coalesce(ledger.started_at, ledger.listed_at)"
    return f"""
        select ledger.conversation_id, ledger.status, ledger.score_status, {when} as happened_at,
            words.conversation_id is not null as has_words,
            runs.conversation_id is not null as has_score,
            ledger.reason, ledger.tries, ledger.next_try_at
        from {tables.LEDGER.qualified} as ledger
        left join {tables.conversations(vendor).qualified} as words
            on words.conversation_id = ledger.conversation_id
            and words.transcript_status = 'ready'
        left join (
            select distinct conversation_id from {tables.RUNS.qualified}
            where vendor = ? and status = 'succeeded'
        ) as runs on runs.conversation_id = ledger.conversation_id
        where ledger.vendor = ? and ledger.status <> 'replayed'
            and {when} >= ? and {when} < ?
        """


def category(row: Mapping[str, Any]) -> str | None:
    """Where a conversation belongs; None where what should be there is not."""
    status, score = row["status"], row["score_status"]
    if status in ("listed", "pending"):
        return "pending"
    if status in ("absent", "expired"):
        return "absent"
    if status != "landed":
        return str(status)
    if not row["has_words"]:
        return None
    if score == "due":
        return "pending"
    if score == "scored" and not row["has_score"]:
        return None
    return "scored" if row["has_score"] else "unscored"


def _day(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def check(warehouse: Warehouse, since: datetime, run: str) -> int:
    """How many vendors' days add up since then. Raises Stop where one does not.

    listed = scored + unscored + pending + absent + quarantined + private + deleted
    """
    total = " + ".join(CATEGORIES)
    with warehouse.open(f"{run}: check the account") as session:
        session.ensure([tables.RECONCILIATION])
        rows = session.query(
            f"select vendor, day, listed, unaccounted, {total} as counted "
            f"from {tables.RECONCILIATION.qualified} where day >= ? order by vendor, day",
            [since],
        )
    wrong = [row for row in rows if row["listed"] != row["counted"]]
    if wrong:
        told = ", ".join(
            f"{row['vendor']} {row['day']:%Y-%m-%d} ({row['listed']} listed, {row['counted']} "
            "accounted for)"
            for row in wrong[:10]
        )
        raise Stop(
            f"the account does not add up on {len(wrong)} days: {told}. Words that landing lost "
            "were asked for again, so what is missing still is a row of landing.semarize__runs or "
            "of landing.ledger: the operator's page lists the conversations; restore these rows "
            "from a backup of the warehouse"
        )
    return len(rows)
