"""The whole program is two functions: ``extract`` and ``score``. Start reading here.

Both can be killed at any moment and run again. ``extract`` lands on a key, then writes the
ledger, and moves the watermark last. ``score`` (in ``scoring.py``) records a paid run before
it waits for it. Neither knows Airflow; a Python prompt will do.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from semarize_pipeline import landing, windows
from semarize_pipeline.errors import ListingTooLong, Unreadable
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
# A load lands when it has ``load_characters`` of words, so many conversations with or without, or
# when its first batch has waited so long: a kill costs no more than that to fetch again.
MOST_IN_A_LOAD = 2_000
LAND_AFTER_SECONDS = 30.0
COUNTED = ("landed", "pending", "absent", "expired", "private", "quarantined")


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
        with reading.landing_beside():
            for number, part in enumerate(cut, 1):
                told = f"slice {number} of {len(cut)}" if len(cut) > 1 else None
                reading.read(part, partial(_has_landed, vendor.name, state, part, told))
        # Forget what no look-back can list again; the warehouse keeps its mirror.
        state.ledger.prune(vendor.name, window.start - timing.expiry)
    landing.catch_up(warehouse, state, vendor.name, run)
    reading.report.requests = api.sent
    reached = state.watermarks.reached(vendor.name)
    reading.report.watermark = reached.isoformat() if reached else None
    return reading.report


def _has_landed(
    vendor: str, state: State, part: Window, told: str | None, listed: int, landed: int
) -> None:
    """Move the watermark past a part of the window, and mark it where there are several."""
    if told:
        state.watermarks.mark_slice(vendor, part, listed=listed, landed=landed)
        log.info("%s: %s, %s: %d listed, %d landed", vendor, told, part, listed, landed)
    state.watermarks.advance(vendor, part.end)


@dataclass(slots=True)
class _Outcome:
    """One conversation's fate in this batch: its ledger entry, and what lands of it."""

    entry: Entry
    conversation: Conversation | None = None
    quarantine: dict[str, Any] | None = None


@dataclass(slots=True)
class _Part:
    """A window that is being read, and what is to be done once all of it has landed."""

    then: Callable[[int, int], None]
    listed: int = 0
    landed: int = 0
    unlanded: int = 0
    """Batches of it that were fetched and have not landed."""
    is_read: bool = False


@dataclass(slots=True)
class _Batch:
    """Conversations that were fetched together: a row of ``landing.loads``."""

    outcomes: Sequence[_Outcome]
    """Empty once its rows are made: memory holds one or the other."""
    window: Window | None
    began: datetime
    known: Mapping[str, Entry]
    requests: int
    part: _Part | None


@dataclass(slots=True)
class _Load:
    """Batches that land together, in the order in which they were fetched."""

    batches: list[_Batch] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    characters: int = 0
    since: float = field(default_factory=time.monotonic)

    def add(self, batch: _Batch) -> None:
        self.batches.append(batch)
        for outcome in batch.outcomes:
            self.ids.add(outcome.entry.conversation_id)
            if said := outcome.conversation:
                self.characters += sum(len(each.text) for each in said.utterances)
                self.characters += len(said.full_text or "")


@dataclass(frozen=True, slots=True)
class _Landing:
    """A load under way to the warehouse, and soon how many of each status landed, by batch."""

    load: _Load
    counts: Future[list[dict[str, int]]]


class Reading:
    """One vendor's listing, batch by batch: memory holds the load that lands, and the next.

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
        self._beside: ThreadPoolExecutor | None = None
        self._gathered = _Load()
        self._landing: _Landing | None = None
        self._parts: deque[_Part] = deque()

    # ------------------------------------------------------------------ new ones

    def read(
        self, window: Window, then: Callable[[int, int], None] = lambda listed, landed: None
    ) -> None:
        """Everything that the vendor lists in one window.

        :param then: is told how many were listed and how many landed, once all of this window has
            landed, and all of those before it. That is when this returns, or later, within an
            outer ``landing_beside``.
        """
        with self.landing_beside():
            part = _Part(then)
            self._parts.append(part)
            for batch in _batches(self._listed(window), self._settings.batch_conversations):
                self._take(batch, window, part)
                if self.stopped:
                    break
            part.is_read = True
            self._end_parts()

    def _listed(self, window: Window) -> Iterator[Any]:
        """The records of a window; where paging does not reach its end, those of its halves.

        What was read of it by then comes again: records have keys, and orders are not promised.
        """
        try:
            for page in self._api.pages(self._vendor.listing, self._vendor.window(window)):
                yield from page
        except ListingTooLong:
            halves = windows.halves(window)
            if halves is None:
                raise
            log.info("%s: %s lists more than paging reaches; reading halves", self._run, window)
            for half in halves:
                yield from self._listed(half)

    def look(self, window: Window) -> tuple[int, int]:
        """How many conversations a window lists, and how many of them nobody knows; lands none."""
        listed = unknown = 0
        for batch in _batches(self._listed(window), self._settings.batch_conversations):
            headers, ended = self._headers(batch, self._state.clock())
            known = self._known(list(headers))
            listed += len(headers) + len(ended)
            unknown += sum(id_ not in known for id_ in headers)
        return listed, unknown

    def again(self, records: Sequence[Any]) -> None:
        """Read records once more that were read before, whatever became of them."""
        with self.landing_beside():
            for batch in _batches(records, self._settings.batch_conversations):
                self._take(batch, None, None, again=True)

    def _take(
        self,
        records: Sequence[Any],
        window: Window | None,
        part: _Part | None,
        again: bool = False,
    ) -> None:
        began = self._state.clock()
        headers, outcomes = self._headers(records, began)
        ids = [*headers, *(o.entry.conversation_id for o in outcomes)]
        if self._is_on_its_way(ids):
            self._land_all()  # rows shift between pages: what was fetched is soon known
        known = self._known(ids)
        self.report.listed += len(headers) + len(outcomes)
        if part is not None:
            part.listed += len(headers) + len(outcomes)
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
        self._gather(news, window, began, known, part)

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
        with self.landing_beside():
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
        self._gather([o for o in outcomes if o.entry.status != "pending"], None, began, {}, None)

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
    def landing_beside(self) -> Iterator[None]:
        """Within it a load lands while the next is fetched; at its end all have landed.

        One within another gathers for the outer one.
        """
        if self._beside is not None:
            yield
            return
        with ThreadPoolExecutor(1, thread_name_prefix="landing") as self._beside:
            try:
                yield
            finally:
                try:
                    self._land_all()
                finally:
                    self._beside = None

    def _is_on_its_way(self, ids: Sequence[str]) -> bool:
        loads = [self._gathered, *([self._landing.load] if self._landing else [])]
        return not all(load.ids.isdisjoint(ids) for load in loads)

    def _gather(
        self,
        outcomes: Sequence[_Outcome],
        window: Window | None,
        began: datetime,
        known: Mapping[str, Entry],
        part: _Part | None,
    ) -> None:
        """Let a batch land with those before it, as soon as there is enough of them."""
        if not outcomes:
            return
        sent = self._api.sent
        requests, self._requests_seen = sent - self._requests_seen, sent
        if not self._gathered.batches:
            self._gathered = _Load()
        self._gathered.add(_Batch(outcomes, window, began, known, requests, part))
        if part is not None:
            part.unlanded += 1
        if (
            self._gathered.characters >= self._settings.load_characters
            or len(self._gathered.ids) >= MOST_IN_A_LOAD
            or time.monotonic() - self._gathered.since >= LAND_AFTER_SECONDS
        ):
            self._land()

    def _land(self) -> None:
        """Let a load land. One at a time: memory holds this one and the one being gathered."""
        self._landed()
        load, self._gathered = self._gathered, _Load()
        if load.batches:
            assert self._beside is not None
            self._landing = _Landing(load, self._beside.submit(self._merge, load.batches))

    def _landed(self) -> None:
        """Wait for the load under way, and count it. Raises what went wrong with it."""
        landing_, self._landing = self._landing, None
        if landing_ is None:
            return
        try:
            counts = landing_.counts.result()
        except BaseException:
            # What came after it must not land without it: the next run reads both again.
            self._gathered = _Load()
            self._parts.clear()
            raise
        for batch, counted in zip(landing_.load.batches, counts, strict=True):
            for status, count in counted.items():
                setattr(self.report, status, getattr(self.report, status) + count)
            if batch.part is not None:
                batch.part.landed += counted["landed"]
                batch.part.unlanded -= 1
        self._end_parts()

    def _land_all(self) -> None:
        self._land()
        self._landed()

    def _end_parts(self) -> None:
        """Tell of the windows that have landed whole, the oldest first and none out of turn."""
        while self._parts and self._parts[0].is_read and not self._parts[0].unlanded:
            part = self._parts.popleft()
            part.then(part.listed, part.landed)

    def _merge(self, batches: Sequence[_Batch]) -> list[dict[str, int]]:
        """Warehouse first, ledger second: a kill in between repeats work and loses nothing."""
        now = self._state.clock()
        mark = landing.stamp(now, self._run)
        ids = [o.entry.conversation_id for batch in batches for o in batch.outcomes]
        erased = self._state.ledger.erased(self._vendor.name, ids)
        rows: list[dict[str, Any]] = []
        said: list[dict[str, Any]] = []
        bad: list[dict[str, Any]] = []
        loads: list[dict[str, Any]] = []
        entries: list[Entry] = []
        counted: list[dict[str, int]] = []
        for batch in batches:
            outcomes = [o for o in batch.outcomes if o.entry.conversation_id not in erased]
            settled = []
            for outcome in outcomes:
                entry = outcome.entry
                if outcome.conversation is not None:
                    row = landing.conversation_row(outcome.conversation, now)
                    rows.append({**row, **mark})
                    said += landing.utterance_rows(outcome.conversation, mark)
                    entry = replace(
                        entry,
                        content_hash=row["_content_hash"],
                        transcript_hash=row["transcript_hash"],
                    )
                settled.append(_as_bought(entry, batch.known.get(entry.conversation_id)))
                if outcome.quarantine:
                    bad.append({**self._redactor.quarantine(outcome.quarantine), **mark})
            entries += settled
            counts = {status: sum(e.status == status for e in settled) for status in COUNTED}
            counted.append(counts)
            if settled:
                loads.append({**self._load_row(batch, len(settled), counts, now), **mark})
            batch.outcomes = ()
            outcomes.clear()
        if not entries:
            return counted
        with self._warehouse.open(f"land {len(rows)} conversations") as session:
            session.land(
                [
                    Load(tables.conversations(self._vendor.name), rows),
                    Load(tables.utterances(self._vendor.name), said, whole="conversation_id"),
                    Load(tables.QUARANTINE, bad),
                    Load(tables.LOADS, loads),
                ]
            )
            self._state.ledger.record(self._vendor.name, entries)
            landing.mirror(session, self._state, self._vendor.name, mark)
        return counted

    def _load_row(
        self, batch: _Batch, listed: int, counts: Mapping[str, int], now: datetime
    ) -> dict[str, Any]:
        """What ``landing.loads`` tells of a batch."""
        return {
            "load_id": uuid.uuid4().hex,
            "vendor": self._vendor.name,
            "kind": self.kind,
            "window_start": batch.window.start if batch.window else None,
            "window_end": batch.window.end if batch.window else None,
            "listed": listed,
            "landed": counts["landed"],
            "pending": counts["pending"],
            "private": counts["private"],
            "quarantined": counts["quarantined"],
            "requests": batch.requests,
            "campaign": self._campaign,
            "started_at": batch.began,
            "finished_at": now,
            "duration_seconds": (now - batch.began).total_seconds(),
        }


def _as_bought(entry: Entry, before: Entry | None) -> Entry:
    """The entry; with the same words as before, nothing is to be bought for them again."""
    if (
        before is None
        or before.status != "landed"
        or entry.status != "landed"
        or before.transcript_hash != entry.transcript_hash
    ):
        return entry
    return replace(
        entry,
        landed_at=before.landed_at,
        score_status=before.score_status,
        score_after=before.score_after,
    )


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
