"""The whole program is two functions: ``extract`` and ``score``. Start reading here.

Both can be killed at any moment and run again. ``extract`` lands on a key, then writes the
ledger, and moves the watermark last. ``score`` (in ``scoring.py``) records a paid run before
it waits for it. Neither knows Airflow; a Python prompt will do.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from semarize_pipeline import landing
from semarize_pipeline.errors import Unreadable
from semarize_pipeline.model import Conversation, Record, Window, digest
from semarize_pipeline.privacy.redaction import Redactor
from semarize_pipeline.rebuild import refuse_lost_state
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.scoring import ScoreReport, score
from semarize_pipeline.settings import Kit, Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.ledger import SETTLED, Entry, ScoreStatus, Status
from semarize_pipeline.vendors.base import Fetched, Vendor, Wanted
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Load, Warehouse
from semarize_pipeline.windows import live_window, parts

__all__ = ["ExtractReport", "ScoreReport", "extract", "score"]

log = logging.getLogger(__name__)

# How the reason of what a vendor no longer lists begins; such a one may come back.
GONE = "no longer listed"
# Asked so often, an answer that nobody understands is the record's own fault.
ODD_ANSWERS = 3


@dataclass(slots=True)
class ExtractReport:
    """What one extraction did. Small, and without content: it travels through XCom."""

    vendor: str
    window_start: str | None = None
    window_end: str | None = None
    listed: int = 0
    known: int = 0
    landed: int = 0
    pending: int = 0
    absent: int = 0
    expired: int = 0
    private: int = 0
    quarantined: int = 0
    changed: int = 0
    requests: int = 0
    watermark: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def extract(
    vendor: Vendor,
    api: RestClient,
    warehouse: Warehouse,
    state: State,
    *,
    until: datetime,
    settings: Settings,
    run: str,
) -> ExtractReport:
    """Land what a vendor has had since the watermark, and what was not ready before.

    :param until: the run's own time (aware): a retry reads the same window again.
    :param run: who writes the rows, such as ``conversations__gong/<run id>``.

    Raises ``Wait`` where a limit is used up, ``TryAgain`` for passing faults and ``Stop`` for
    what only a person can mend (a state database that is lost, too); what landed before stays,
    and the next run goes on from there.
    """
    refuse_lost_state(vendor.name, warehouse, state, run)
    reading = Reading(vendor, api, warehouse, state, settings, run)
    reading.retry_pending()
    reached = state.watermarks.reached(vendor.name)
    if reached is None:
        reached = state.watermarks.begin(vendor.name, settings.extract.begin(until))
    timing = settings.timing_for(vendor.name, vendor.timing)
    window = live_window(
        reached=reached,
        began=state.watermarks.began(vendor.name) or reached,
        until=until,
        lag=timing.lag,
        lookback=timing.lookback,
    )
    if window is not None:
        reading.report.window_start = window.start.isoformat()
        reading.report.window_end = window.end.isoformat()
        cut = parts(window, timedelta(hours=settings.extract.slice_hours), timing.lookback)
        for number, part in enumerate(cut, 1):
            before = replace(reading.report)
            reading.read(part)
            if len(cut) > 1:
                state.watermarks.mark_slice(
                    vendor.name,
                    part,
                    listed=reading.report.listed - before.listed,
                    landed=reading.report.landed - before.landed,
                )
                log.info(
                    "%s: slice %d of %d, %s: %d listed, %d landed",
                    vendor.name,
                    number,
                    len(cut),
                    part,
                    reading.report.listed,
                    reading.report.landed,
                )
            state.watermarks.advance(vendor.name, part.end)
        # Forget what no look-back can list again; the warehouse keeps its mirror.
        state.ledger.prune(vendor.name, window.start - timing.expiry)
    landing.catch_up(warehouse, state, vendor.name, run)
    reading.report.requests = api.sent
    reached = state.watermarks.reached(vendor.name)
    reading.report.watermark = reached.isoformat() if reached else None
    return reading.report


@dataclass(slots=True)
class _Outcome:
    """One conversation's fate in this batch: its ledger entry, and what lands of it."""

    entry: Entry
    conversation: Conversation | None = None
    quarantine: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Landing:
    """A batch under way to the warehouse: whose it is, and soon how many of each status landed."""

    ids: frozenset[str]
    counts: Future[dict[str, int]]


class Reading:
    """One vendor's listing, batch by batch: memory holds the one that lands, and the next.

    :param kind: ``extract`` for the hourly runs; anything else reads the past, and so looks in
        the warehouse for what the ledger has forgotten.
    :param kits: who scores what lands, as far as the ledger is concerned; None: the live kits.
    :param rechecks: whether one that is settled is read again when its listing has changed.
    :param lost: which ones had landed and are in the warehouse no more; with ``rechecks`` they are
        fetched again.
    :param allow: how many new ones may be asked for, of so many; beyond them ``stopped`` is set.
    :param campaign: under whose name they are counted.
    """

    def __init__(
        self,
        vendor: Vendor,
        api: RestClient,
        warehouse: Warehouse,
        state: State,
        settings: Settings,
        run: str,
        *,
        kind: str = "extract",
        kits: Sequence[Kit] | None = None,
        rechecks: bool = False,
        lost: Collection[str] = (),
        allow: Callable[[int], int] = lambda wanted: wanted,
        campaign: str | None = None,
    ) -> None:
        self.kind = kind
        self.stopped = False
        self.added = 0
        """Conversations that nobody had known of."""
        self.restored = 0
        self.seen: dict[str, datetime] | None = {} if rechecks else None
        """What was listed and when it started, where that is asked for."""
        self._rechecks = rechecks
        self._lost = lost
        self._allow = allow
        self._campaign = campaign
        self.report = ExtractReport(vendor.name)
        self._vendor = vendor
        self._api = api
        self._warehouse = landing.VendorWarehouse(warehouse, vendor.name, run)
        self._state = state
        self._settings = settings.extract
        self._timing = settings.timing_for(vendor.name, vendor.timing)
        self._kits = settings.kits_for(vendor.name) if kits is None else kits
        self._asks_no_kit = kits is not None and not kits
        self._redactor = Redactor(settings.policy_for(vendor.name), state.tokens)
        self._run = run
        self._requests_seen = 0
        self._landing: _Landing | None = None

    # ------------------------------------------------------------------ new ones

    def read(self, window: Window) -> None:
        """Everything that the vendor lists in one window."""
        ask = self._vendor.window(window)
        records = (r for page in self._api.pages(self._vendor.listing, ask) for r in page)
        with self._landing_beside():
            for batch in _batches(records, self._settings.batch_conversations):
                self._take(batch, window)
                if self.stopped:
                    return

    def look(self, window: Window) -> tuple[int, int]:
        """How many conversations a window lists, and how many of them nobody knows; lands none."""
        ask = self._vendor.window(window)
        records = (r for page in self._api.pages(self._vendor.listing, ask) for r in page)
        listed = unknown = 0
        for batch in _batches(records, self._settings.batch_conversations):
            headers, ended = self._headers(batch, self._state.clock())
            known = self._known(list(headers))
            listed += len(headers) + len(ended)
            unknown += sum(id_ not in known for id_ in headers)
        return listed, unknown

    def again(self, records: Sequence[Any]) -> None:
        """Read records once more that were read before, whatever became of them."""
        with self._landing_beside():
            for batch in _batches(records, self._settings.batch_conversations):
                self._take(batch, None, again=True)

    def _take(self, records: Sequence[Any], window: Window | None, again: bool = False) -> None:
        began = self._state.clock()
        headers, outcomes = self._headers(records, began)
        ids = [*headers, *(o.entry.conversation_id for o in outcomes)]
        if self._landing is not None and not self._landing.ids.isdisjoint(ids):
            self._landed()  # rows shift between pages: what lands now is soon known
        known = self._known(ids)
        self.report.listed += len(headers) + len(outcomes)
        if self.seen is not None:
            self.seen |= {id_: header.started_at for id_, (_, header) in headers.items()}
            self.seen |= {
                o.entry.conversation_id: o.entry.started_at or o.entry.listed_at for o in outcomes
            }
        outcomes = [
            o
            for o in outcomes
            if again or _is_news(o.entry, known.get(o.entry.conversation_id), self._rechecks)
        ]
        wanted: dict[str, Entry] = {}
        adopted: list[Entry] = []
        for id_, (record, header) in headers.items():
            entry = known.get(id_)
            if entry is None:
                wanted[id_] = replace(
                    _entry(header, "listed", began, record),
                    score_status="unasked" if self._asks_no_kit else None,
                )
            elif again:
                wanted[id_] = replace(entry, listing_hash=digest(record))
            elif entry.status not in SETTLED:
                if entry.status != "pending" or self._is_due(entry, began):
                    wanted[id_] = entry
            elif self._rechecks:
                listing = digest(record)
                is_back = (entry.reason or "").startswith(GONE)
                if entry.status == "deleted" and not is_back:
                    continue  # deleted by somebody's will: listed or not, it stays so
                if entry.listing_hash is None and not is_back and id_ not in self._lost:
                    adopted.append(replace(entry, listing_hash=listing))
                elif entry.listing_hash != listing or is_back:
                    wanted[id_] = replace(entry, listing_hash=listing)
                    self.report.changed += 1
                elif id_ in self._lost:
                    wanted[id_] = entry
                    self.restored += 1
        if adopted:
            self._state.ledger.record(self._vendor.name, adopted)
        self._keep_to_the_cap(wanted, known)
        self.report.known += len(headers) - len(wanted)
        # Counted before anything is asked about them: a killed task leaves a trace.
        self._state.ledger.record_listed(self._vendor.name, wanted.values())
        asked = [Wanted(id_, headers[id_][0]) for id_ in wanted]
        for id_, fetched in self._vendor.transcripts.fetch(self._api, asked) if asked else ():
            record, header = headers[id_]
            outcomes.append(self._outcome(wanted[id_], fetched, record, header))
        waiting: list[Entry] = []
        news: list[_Outcome] = []
        for outcome in outcomes:
            before = known.get(outcome.entry.conversation_id)
            if before is not None and before.status == "landed" and _loses_words(outcome):
                # Words that we have are not given up for an answer without any.
                log.info("%s: a conversation that has landed has no new transcript", self._run)
                continue
            if self._is_unchanged(outcome, known):
                waiting.append(outcome.entry)
            else:
                news.append(outcome)
        self._state.ledger.record(self._vendor.name, waiting)
        self.report.pending += len(waiting)
        self._land(news, window, began, known)

    def _known(self, ids: Sequence[str]) -> dict[str, Entry]:
        """What the ledger says of them; reading the past, also what it has forgotten."""
        known = self._state.ledger.find(self._vendor.name, ids)
        unknown = [id_ for id_ in ids if id_ not in known]
        if self.kind != "extract" and unknown:
            marks = ", ".join("?" * len(unknown))
            with self._warehouse.open("look for what is known") as session:
                known |= landing.remembered(
                    session,
                    f"vendor = ? and conversation_id in ({marks})",
                    [self._vendor.name, *unknown],
                )
        return known

    def _keep_to_the_cap(self, wanted: dict[str, Entry], known: Mapping[str, Entry]) -> None:
        """Leave out what may not be fetched any more, before it is counted anywhere."""
        new = [id_ for id_ in wanted if id_ not in known]
        allowed = self._allow(len(new)) if new else 0
        for id_ in new[allowed:]:
            del wanted[id_]
        self.added += min(allowed, len(new))
        self.stopped = self.stopped or allowed < len(new)

    def _is_unchanged(self, outcome: _Outcome, known: Mapping[str, Entry]) -> bool:
        """A pending one, listed again as it landed: the ledger hears of it, the warehouse not."""
        before = known.get(outcome.entry.conversation_id)
        if before is None or outcome.conversation is None or outcome.entry.status != "pending":
            return False
        row = landing.conversation_row(outcome.conversation, self._state.clock())
        return before.status == "pending" and row["_content_hash"] == before.content_hash

    def _is_due(self, entry: Entry, now: datetime) -> bool:
        """A pending one waits for its own clock, unless its transcript is at hand anyway."""
        return self._vendor.transcripts.inline or (entry.next_try_at or now) <= now

    def _headers(
        self, records: Sequence[Any], now: datetime
    ) -> tuple[dict[str, tuple[Record, Conversation]], list[_Outcome]]:
        """The readable records by id, and the outcomes of those that end here."""
        headers: dict[str, tuple[Record, Conversation]] = {}
        ended: dict[str, _Outcome] = {}
        for record in records:
            excluded: str | None = None
            try:
                # Asked first: what is private must not land anywhere, readable or not.
                excluded = self._vendor.keeps_out(record)
                header = self._vendor.read(record)
            except Unreadable as error:
                outcome = self._unreadable(record, str(error), now, excluded)
                ended[outcome.entry.conversation_id] = outcome
                continue
            id_ = header.conversation_id
            if excluded:
                kept = _entry(header, _status_of(excluded), now)
                ended[id_] = _Outcome(replace(kept, reason=excluded))
            else:
                # Rows shift between pages: the last of equal ids is the freshest.
                headers[id_] = (record, header)
        return headers, list(ended.values())

    def _unreadable(
        self, record: Any, reason: str, now: datetime, excluded: str | None
    ) -> _Outcome:
        id_ = landing.record_name(record)
        if excluded:
            status = _status_of(excluded)
            return _Outcome(
                Entry(conversation_id=id_, status=status, listed_at=now, reason=excluded)
            )
        return _Outcome(
            Entry(conversation_id=id_, status="quarantined", listed_at=now, reason=reason),
            quarantine=landing.quarantine_row(
                self._vendor.name, "listing", reason, record, now, id_
            ),
        )

    # ------------------------------------------------------------------ pending ones

    def retry_pending(self) -> None:
        """Ask again for transcripts whose time has come, wherever the watermark is."""
        due = self._state.ledger.due(
            self._vendor.name, self._state.clock(), self._settings.pending_per_run
        )
        size = self._settings.batch_conversations
        with self._landing_beside():
            for start in range(0, len(due), size):
                self._retry({entry.conversation_id: entry for entry in due[start : start + size]})

    def _retry(self, due: dict[str, Entry]) -> None:
        began = self._state.clock()
        fetched = dict(self._vendor.transcripts.fetch(self._api, [Wanted(id_) for id_ in due]))
        waiting = {id_ for id_, f in fetched.items() if self._still_waits(due[id_], f, began)}
        self._state.ledger.record(
            self._vendor.name, [self._postponed(due[id_], began) for id_ in waiting]
        )
        self.report.pending += len(waiting)
        news = [id_ for id_ in fetched if id_ not in waiting]
        if not news:
            return  # nothing changed: the warehouse sleeps on
        records = self._landed_records([id_ for id_ in news if fetched[id_].record is None])
        outcomes = []
        for id_ in news:
            record = fetched[id_].record or records.get(id_)
            if record is None:
                reason = "its listing is not in the warehouse; read its day again"
                outcomes.append(self._quarantined(due[id_], "transcript", reason, None, began))
                continue
            try:
                header = self._vendor.read(record)
            except Unreadable as error:
                outcomes.append(
                    self._quarantined(due[id_], "transcript", str(error), record, began)
                )
                continue
            outcomes.append(self._outcome(due[id_], fetched[id_], record, header))
        # An answer without words is no news either.
        still = [o.entry for o in outcomes if o.entry.status == "pending"]
        self._state.ledger.record(self._vendor.name, still)
        self.report.pending += len(still)
        self._land([o for o in outcomes if o.entry.status != "pending"], None, began, {})

    def _still_waits(self, entry: Entry, fetched: Fetched, now: datetime) -> bool:
        if fetched.transcript is not None or fetched.gone or fetched.unreadable:
            return False
        return not self._is_expired(entry, now)

    def _landed_records(self, ids: Sequence[str]) -> dict[str, Record]:
        if not ids:
            return {}
        table = tables.conversations(self._vendor.name)
        with self._warehouse.open("read pending conversations") as session:
            rows = session.find(table, ["conversation_id", "raw"], "conversation_id", ids)
        return {row["conversation_id"]: self._redactor.listed_record(row["raw"]) for row in rows}

    # ------------------------------------------------------------------ outcomes

    def _outcome(
        self, entry: Entry, fetched: Fetched, record: Record, header: Conversation
    ) -> _Outcome:
        """What became of one, redacted as the settings say: nothing else lands."""
        outcome = self._judged(entry, fetched, record, header)
        if outcome.conversation is None:
            return outcome
        try:
            redacted = self._redactor.conversation(outcome.conversation)
        except Unreadable as error:
            now = self._state.clock()
            return self._quarantined(entry, "redaction", str(error), None, now)
        return replace(outcome, conversation=redacted)

    def _judged(
        self, entry: Entry, fetched: Fetched, record: Record, header: Conversation
    ) -> _Outcome:
        now = self._state.clock()
        if fetched.unreadable:
            if entry.tries + 1 < ODD_ANSWERS:
                # What stands in between may have answered: a gateway, a login page.
                return _Outcome(self._postponed(entry, now, fetched.unreadable), header)
            return self._quarantined(entry, "transcript", fetched.unreadable, record, now)
        if fetched.gone:
            return self._settled(
                entry, replace(header, transcript_status="absent"), now, fetched.gone
            )
        conversation = header
        if fetched.transcript is not None:
            try:
                conversation = self._vendor.read(fetched.record or record, fetched.transcript)
            except Unreadable as error:
                raw = {"record": fetched.record or record, "transcript": fetched.transcript}
                return self._quarantined(entry, "transcript", str(error), raw, now)
        if conversation.status == "ready":
            return self._settled(entry, conversation, now, None)
        if conversation.status == "absent":
            return self._settled(entry, conversation, now, "the vendor has no transcript of it")
        if self._is_expired(entry, now):
            reason = f"no transcript {self._timing.expiry.days} days after it began"
            return self._settled(
                entry, replace(conversation, transcript_status="expired"), now, reason
            )
        return _Outcome(self._postponed(entry, now), conversation)

    def _is_expired(self, entry: Entry, now: datetime) -> bool:
        # An old call is asked for twice at least, since its listing may be young.
        began = entry.started_at or entry.listed_at
        return entry.tries >= 1 and now - began >= self._timing.expiry

    def _postponed(
        self, entry: Entry, now: datetime, reason: str = "the transcript is not ready"
    ) -> Entry:
        tries = entry.tries + 1
        return replace(
            entry,
            status="pending",
            tries=tries,
            next_try_at=self._timing.next_try(now, tries, entry.channel),
            reason=reason,
        )

    def _settled(
        self, entry: Entry, conversation: Conversation, now: datetime, reason: str | None
    ) -> _Outcome:
        status: Status = "landed" if conversation.status == "ready" else conversation.status
        settled = replace(
            entry,
            status=status,
            tries=entry.tries + 1,
            next_try_at=None,
            reason=reason,
            landed_at=now if status == "landed" else None,
            score_status=self._score_of(entry) if status == "landed" else None,
            score_after=None,
        )
        return _Outcome(settled, conversation)

    def _score_of(self, landed: Entry) -> ScoreStatus | None:
        """What the ledger says of new words' scores; what a backfill began stays its own."""
        if self._asks_no_kit or landed.score_status == "unasked":
            return "unasked"
        return "due" if self._kits else None

    def _quarantined(
        self, entry: Entry, stage: str, reason: str, raw: Any, now: datetime
    ) -> _Outcome:
        row = landing.quarantine_row(
            self._vendor.name, stage, reason, raw, now, entry.conversation_id
        )
        settled = replace(
            entry, status="quarantined", tries=entry.tries + 1, next_try_at=None, reason=reason
        )
        return _Outcome(settled, quarantine=row)

    # ------------------------------------------------------------------ landing

    @contextmanager
    def _landing_beside(self) -> Iterator[None]:
        """Within it a batch lands while the next one is fetched; at its end all have landed."""
        with ThreadPoolExecutor(1, thread_name_prefix="landing") as self._beside:
            try:
                yield
            finally:
                self._landed()

    def _landed(self) -> None:
        """Wait for the batch under way, and count it. Raises what went wrong with it."""
        landing_, self._landing = self._landing, None
        if landing_ is not None:
            for status, count in landing_.counts.result().items():
                setattr(self.report, status, getattr(self.report, status) + count)

    def _land(
        self,
        outcomes: Sequence[_Outcome],
        window: Window | None,
        began: datetime,
        known: Mapping[str, Entry],
    ) -> None:
        """Let a batch land. One at a time: memory holds this one and the one being fetched."""
        self._landed()
        if not outcomes:
            return
        sent = self._api.sent
        requests, self._requests_seen = sent - self._requests_seen, sent
        work = self._beside.submit(self._merge, outcomes, window, began, known, requests)
        self._landing = _Landing(frozenset(o.entry.conversation_id for o in outcomes), work)

    def _merge(
        self,
        outcomes: Sequence[_Outcome],
        window: Window | None,
        began: datetime,
        known: Mapping[str, Entry],
        requests: int,
    ) -> dict[str, int]:
        """Warehouse first, ledger second: a kill in between repeats work and loses nothing."""
        ids = [outcome.entry.conversation_id for outcome in outcomes]
        erased = self._state.ledger.erased(self._vendor.name, ids)
        outcomes = [o for o in outcomes if o.entry.conversation_id not in erased]
        if not outcomes:
            return {}
        now = self._state.clock()
        mark = landing.stamp(now, self._run)
        rows: list[dict[str, Any]] = []
        said: list[dict[str, Any]] = []
        entries: list[Entry] = []
        for outcome in outcomes:
            entry = outcome.entry
            if outcome.conversation is not None:
                row = landing.conversation_row(outcome.conversation, now)
                rows.append({**row, **mark})
                said += landing.stamped(landing.utterance_rows(outcome.conversation), mark)
                entry = replace(
                    entry, content_hash=row["_content_hash"], transcript_hash=row["transcript_hash"]
                )
            before = known.get(entry.conversation_id)
            if (
                before is not None
                and before.status == entry.status == "landed"
                and before.transcript_hash == entry.transcript_hash
            ):
                # The same words: nothing is to be bought for them again.
                entry = replace(
                    entry,
                    landed_at=before.landed_at,
                    score_status=before.score_status,
                    score_after=before.score_after,
                )
            entries.append(entry)
        counts = {
            status: sum(e.status == status for e in entries)
            for status in ("landed", "pending", "absent", "expired", "private", "quarantined")
        }
        load = {
            "load_id": uuid.uuid4().hex,
            "vendor": self._vendor.name,
            "kind": self.kind,
            "window_start": window.start if window else None,
            "window_end": window.end if window else None,
            "listed": len(entries),
            "landed": counts["landed"],
            "pending": counts["pending"],
            "private": counts["private"],
            "quarantined": counts["quarantined"],
            "requests": requests,
            "campaign": self._campaign,
            "started_at": began,
            "finished_at": now,
            "duration_seconds": (now - began).total_seconds(),
        }
        bad = [self._redactor.quarantine(o.quarantine) for o in outcomes if o.quarantine]
        with self._warehouse.open(f"land {len(rows)} conversations") as session:
            session.land(
                [
                    Load(tables.conversations(self._vendor.name), rows),
                    Load(tables.utterances(self._vendor.name), said, whole="conversation_id"),
                    Load(tables.QUARANTINE, landing.stamped(bad, mark)),
                    Load(tables.LOADS, landing.stamped([load], mark)),
                ]
            )
            self._state.ledger.record(self._vendor.name, entries)
            landing.mirror(session, self._state, self._vendor.name, mark)
        return counts


def _entry(header: Conversation, status: Status, now: datetime, record: Any | None = None) -> Entry:
    return Entry(
        conversation_id=header.conversation_id,
        status=status,
        channel=header.channel,
        started_at=header.started_at,
        listed_at=now,
        listing_hash=None if record is None else digest(record),
    )


def _status_of(excluded: str) -> Status:
    return "private" if excluded == "private" else "absent"


def _is_news(entry: Entry, known: Entry | None, rechecks: bool) -> bool:
    """Whether an outcome that needs no transcript changes what the ledger says."""
    if known is None:
        return True
    if rechecks and entry.status == "private":
        return known.status != "private"
    return known.status != entry.status and known.status not in SETTLED


def _loses_words(outcome: _Outcome) -> bool:
    return outcome.entry.status not in ("landed", "private")


def _batches(records: Iterable[Any], size: int) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for record in records:
        batch.append(record)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch
