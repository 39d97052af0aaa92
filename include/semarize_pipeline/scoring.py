"""``score``: every landed transcript is evaluated once by each of its vendor's kits.

A run is recorded under a unique key before it is sent, sent with that key, and polled from
then on; so a crash at any point resumes it. What is bought is decided by conversation,
transcript and kit: a changed transcript or an added kit is new work, a repetition is not.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Any, Protocol

from semarize_pipeline import landing
from semarize_pipeline.errors import Misconfigured, PipelineError, Stop, TryAgain, Wait
from semarize_pipeline.model import text_digest
from semarize_pipeline.privacy.redaction import Redactor
from semarize_pipeline.semarize import rows as typing_of
from semarize_pipeline.semarize.client import KitSchema, RunAnswer, SemarizeClient
from semarize_pipeline.settings import Kit, ScoreSettings, Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import RUNS
from semarize_pipeline.state.ledger import Entry, ScoreStatus
from semarize_pipeline.state.runs import OPEN, Run, RunStatus
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Load, Session, Warehouse

log = logging.getLogger(__name__)

POLL_FLOOR_SECONDS = 0.2
POLL_CEILING_SECONDS = 15.0


@dataclass(slots=True)
class ScoreReport:
    """What one round of scoring did. Small, and without content: it travels through XCom."""

    vendor: str
    scored: int = 0
    failed: int = 0
    refused: int = 0
    quarantined: int = 0
    paid: int = 0
    capped: int = 0
    """Runs that today's cap put off, as far as they were looked at."""
    over_cap: int = 0
    """Runs that a campaign's own cap refused, as far as they were looked at."""
    requests: int = 0
    waiting: list[str] = field(default_factory=list)
    """Runs that were still slow when everything else was done: their ids."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def score(
    vendor: str,
    semarize: SemarizeClient,
    warehouse: Warehouse,
    state: State,
    *,
    settings: Settings,
    run: str,
    sleep: Callable[[float], None] = time.sleep,
) -> ScoreReport:
    """Evaluate what has landed and land the answers.

    Returns when nothing is left but slow runs (``waiting``): call it again later, and it goes
    on with them. Raises ``Wait``, ``TryAgain`` or ``Stop`` after landing what was finished.
    """
    kits = settings.kits_for(vendor)
    report = ScoreReport(vendor)
    if kits and state.ledger.has_to_score(vendor, state.clock()):
        queue = LedgerQueue(vendor, state, settings.score)
        Scoring(vendor, semarize, warehouse, state, settings, kits, run, report, queue, sleep).go()
    landing.catch_up(warehouse, state, vendor, run)
    report.requests = semarize.requests
    return report


class Queue(Protocol):
    """Whose conversations a round evaluates, what it may buy, and who hears how they stand."""

    kind: str
    """What its loads are called in ``landing.loads``."""
    renewed_before: datetime | None
    """Runs planned before this that failed or were refused are bought once more."""

    @property
    def campaign(self) -> str | None:
        """Under whose name its runs are counted; None for the hourly runs."""

    def due(self, now: datetime, limit: int, after: str) -> list[Entry]:
        """Conversations with a kit still to run, by id, beyond ``after``."""

    def among(self, ids: Sequence[str]) -> list[Entry]:
        """Those of ``ids`` that belong to this queue and are due."""

    def buy(self, wanted: int) -> Granted:
        """Take up to ``wanted`` runs from the caps, before they are recorded."""

    def settle(self, outcomes: Mapping[str, tuple[ScoreStatus, datetime | None]]) -> None:
        """Hear how conversations stand."""


@dataclass(frozen=True, slots=True)
class Granted:
    """How many runs may be bought now, and how many today's cap or the own cap refused."""

    runs: int
    capped: int = 0
    over_cap: int = 0


class LedgerQueue:
    """The hourly runs' queue: what the ledger calls due."""

    kind = "score"
    campaign = None

    def __init__(
        self,
        vendor: str,
        state: State,
        settings: ScoreSettings,
        renewed_before: datetime | None = None,
    ) -> None:
        self._vendor = vendor
        self._state = state
        self._settings = settings
        self.renewed_before = renewed_before

    def due(self, now: datetime, limit: int, after: str) -> list[Entry]:
        return self._state.ledger.to_score(self._vendor, now, limit, after)

    def among(self, ids: Sequence[str]) -> list[Entry]:
        found = self._state.ledger.find(self._vendor, ids)
        return [entry for entry in found.values() if entry.score_status == "due"]

    def buy(self, wanted: int) -> Granted:
        granted = self._state.budgets.spend(RUNS, self._settings.max_runs_per_day, wanted)
        return Granted(granted, capped=wanted - granted)

    def settle(self, outcomes: Mapping[str, tuple[ScoreStatus, datetime | None]]) -> None:
        self._state.ledger.settle_scores(self._vendor, outcomes)


@dataclass(frozen=True, slots=True)
class _Job:
    """A run to carry to its end, with the text that it may still have to send."""

    run: Run
    entry: Entry
    agent_id: str | None
    text: str
    redaction: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Finished:
    job: _Job
    answer: RunAnswer
    submitted_at: datetime


# A run's key, how it ended, when, and the error's code.
Closed = tuple[str, RunStatus, datetime, str | None]


@dataclass(frozen=True, slots=True)
class _Ready:
    """Finished runs as they land: together, or not at all."""

    finished: Sequence[_Finished]
    closed: Sequence[Closed]
    loads: Sequence[Load]
    odd: int
    mark: landing.Stamp


class Scoring:
    """One round: reads, sends, polls and lands at the same time."""

    def __init__(
        self,
        vendor: str,
        semarize: SemarizeClient,
        warehouse: Warehouse,
        state: State,
        settings: Settings,
        kits: Sequence[Kit],
        run: str,
        report: ScoreReport,
        queue: Queue,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._vendor = vendor
        self._queue = queue
        self._semarize = semarize
        self._warehouse = landing.VendorWarehouse(warehouse, vendor, run)
        self._state = state
        self._settings = settings.score
        self._kits = kits
        self._redactor = Redactor(settings.policy_for(vendor))
        self._run = run
        self._report = report
        self._sleep = sleep
        self._schemas: dict[tuple[str, str | None], KitSchema] = {}
        self._finished: list[_Finished] = []
        self._open_jobs: dict[str, int] = defaultdict(int)
        self._entries: dict[str, Entry] = {}
        self._slow: set[str] = set()
        self._carried: set[str] = set()
        self._trouble: PipelineError | None = None
        self._room: dict[tuple[str, str | None], Misconfigured | None] = {}
        self._requests_seen = 0

    def go(self) -> None:
        jobs = self._jobs()
        flying = 0
        done: SimpleQueue[Future[_Finished | None]] = SimpleQueue()
        with ThreadPoolExecutor(self._settings.at_once, thread_name_prefix="semarize") as pool:
            while True:
                # Twice as many as can run: a free thread never waits for the next batch.
                while self._trouble is None and flying < 2 * self._settings.at_once:
                    job = next(jobs, None)
                    if job is None:
                        break
                    pool.submit(self._carry, job).add_done_callback(done.put)
                    flying += 1
                # After the jobs: with the next transcripts, what was finished has landed.
                if len(self._finished) > self._settings.batch_conversations:
                    self._land()
                if not flying:
                    break
                # Whatever has ended, and one at least.
                for number in range(flying):
                    if number and done.empty():
                        break
                    self._take(done.get())
                    flying -= 1
        self._land()
        waiting = self._state.runs.waiting(self._vendor)
        self._note_open_runs(waiting)
        # Of this round's only: another queue's slow runs are waited for by their own task.
        self._report.waiting = [
            run.run_id for run in waiting if run.run_id and run.idempotency_key in self._slow
        ]
        trouble = self._trouble or next(filter(None, self._room.values()), None)
        if trouble is not None:
            raise trouble

    def _take(self, future: Future[_Finished | None]) -> None:
        """Keep a finished run; trouble stops new runs, and is raised once the rest has landed."""
        try:
            finished = future.result()
        except (Stop, Wait) as error:
            self._trouble = error
        except TryAgain as error:
            self._trouble = self._trouble or error
        else:
            if finished is not None:
                self._finished.append(finished)

    # ------------------------------------------------------------------ what to do

    def _jobs(self) -> Iterator[_Job]:
        """Every run that is due, recorded before it leaves here."""
        after = ""
        size = self._settings.batch_conversations
        while not (self._report.capped or self._report.over_cap):
            now = self._state.clock()
            entries = self._queue.due(now, size, after)
            if not entries:
                return
            after = entries[-1].conversation_id
            yield from self._jobs_of(entries, now)
        # Nothing more may be bought now: of the rest, look only at what was bought before.
        bought = {run.conversation_id for run in self._state.runs.open(self._vendor)}
        ids = sorted(id_ for id_ in bought if id_ > after)
        for start in range(0, len(ids), size):
            due = self._queue.among(ids[start : start + size])
            yield from self._jobs_of(due, self._state.clock())

    def _jobs_of(self, entries: Sequence[Entry], now: datetime) -> list[_Job]:
        spoken = self._transcripts([entry.conversation_id for entry in entries])
        past: dict[str, list[Run]] = defaultdict(list)
        for run in self._state.runs.of(self._vendor, list(spoken)):
            past[run.conversation_id].append(run)
        jobs: list[_Job] = []
        fresh: list[Run] = []
        settled: dict[str, tuple[ScoreStatus, datetime | None]] = {}
        odd: list[dict[str, Any]] = []
        for entry in entries:
            id_ = entry.conversation_id
            row = spoken.get(id_)
            problem = self._problem(row)
            if row is None or problem:
                settled[id_] = ("refused", None)
                about = {
                    "conversation_id": id_,
                    "characters": len(row["transcript"] or "") if row else 0,
                }
                odd.append(
                    landing.quarantine_row(self._vendor, "score", problem or "", about, now, id_)
                )
                continue
            words = row["transcript_hash"]
            runs = [self._next_run(kit, id_, words, past[id_], now) for kit in self._kits]
            todo = [run for run in runs if run is not None]
            if not todo:
                settled[id_] = self._standing(past[id_], words, now)
                continue
            fresh += [run for run in todo if run.status == "planned" and run not in past[id_]]
            agent = row["owner_id"] or row["owner_email"]
            jobs += [
                # How an earlier task redacted what it sent is not known here.
                _Job(run, entry, agent, row["text"], None if run.run_id else row["redaction"])
                for run in todo
            ]
        self._queue.settle(settled)
        self._report.refused += len(odd)
        if odd:
            self._land_odd(odd)
        allowed = self._afford(fresh)
        refused = {run.idempotency_key for run in fresh} - allowed
        jobs = [job for job in jobs if job.run.idempotency_key not in refused]
        for job in jobs:
            self._entries[job.entry.conversation_id] = job.entry
            self._open_jobs[job.entry.conversation_id] += 1
        return jobs

    def _problem(self, row: Mapping[str, Any] | None) -> str | None:
        if row is None or not row["transcript"]:
            return "there is no transcript in the warehouse; read its day again"
        if row["problem"]:
            return str(row["problem"])
        length, limit = len(row["transcript"]), self._settings.max_transcript_characters
        if length > limit:
            return (
                f"the transcript has {length} characters, and score.max_transcript_characters is "
                f"{limit}; raise it if Semarize takes such a length, or leave it out"
            )
        return None

    def _afford(self, fresh: Sequence[Run]) -> set[str]:
        """Record the new runs that the caps allow and that can land; the others stay due."""
        self._make_room(fresh)
        fresh = [run for run in fresh if self._room[run.kit_code, run.kit_version_id] is None]
        if not fresh:
            return set()
        granted = self._queue.buy(len(fresh))
        self._report.capped += granted.capped
        self._report.over_cap += granted.over_cap
        if granted.capped:
            log.warning(
                "%s: %d runs wait until tomorrow: score.max_runs_per_day (%s) is used up",
                self._vendor,
                granted.capped,
                self._settings.max_runs_per_day,
            )
        self._state.runs.plan(fresh[: granted.runs])
        return {run.idempotency_key for run in fresh[: granted.runs]}

    def _make_room(self, fresh: Sequence[Run]) -> None:
        """See whether the answers would fit into the kits' tables: asked before they are paid.

        Once a version, and of all new ones at once: on a warehouse across a network each opening
        is a login. A version whose bricks do not fit is for a person, once everything else has
        landed.
        """
        unseen = {(run.kit_code, run.kit_version_id): run.kit_name for run in fresh}
        wanted: dict[tuple[str, str | None], tables.Table] = {}
        for version in unseen:
            if version in self._room:
                continue
            kit = next(kit for kit in self._kits if kit.name == unseen[version])
            try:
                wanted[version] = typing_of.scores_table(kit.name, self._schema(kit, version[1]))
            except Misconfigured as error:
                self._room[version] = error
        if not wanted:
            return
        with self._warehouse.open("make room for scores") as session:
            for version, table in wanted.items():
                try:
                    self._warehouse.put_in_place(session, [table])
                    self._room[version] = None
                except Misconfigured as error:
                    self._room[version] = error

    def _next_run(
        self, kit: Kit, id_: str, transcript_hash: str, past: Sequence[Run], now: datetime
    ) -> Run | None:
        """This kit's run that is open, or the next one to buy; None where nothing is to be done."""
        tries = of_kit(past, kit, transcript_hash)
        last = tries[-1] if tries else None
        if last is not None:
            if not is_due(last, self._settings, now, self._queue.renewed_before):
                return None
            if last.status in OPEN:
                return last
        schema = self._schema(kit)
        attempt = last.attempt + 1 if last else 1
        version = kit.version_id or schema.version_id
        return Run(
            idempotency_key=_key(self._vendor, id_, version or kit.code, transcript_hash, attempt),
            vendor=self._vendor,
            conversation_id=id_,
            kit_name=kit.name,
            kit_code=kit.code,
            kit_version_id=version,
            transcript_hash=transcript_hash,
            attempt=attempt,
            planned_at=now,
        )

    def _standing(
        self, past: Sequence[Run], transcript_hash: str, now: datetime
    ) -> tuple[ScoreStatus, datetime | None]:
        """How scoring of a conversation stands, when none of its runs is under way."""
        last = [tries[-1] for kit in self._kits if (tries := of_kit(past, kit, transcript_hash))]
        again = [
            again_at(run, self._settings)
            for run in last
            if run.status in ("failed", "cancelled") and run.attempt < self._settings.attempts
        ]
        if again:
            return "due", min(again)
        if len(last) < len(self._kits) or any(run.status in OPEN for run in last):
            return "due", None
        states = {run.status for run in last}
        if states & {"failed", "cancelled"}:
            return "failed", None
        return ("refused" if "refused" in states else "scored"), None

    def _schema(self, kit: Kit, version_id: str | None = None) -> KitSchema:
        key = (kit.code, version_id or kit.version_id)
        if key not in self._schemas:
            schema = self._semarize.schema(code=kit.code, version_id=key[1])
            # Also under its version: landing must not need a request when a limit is used up.
            self._schemas[key] = self._schemas[kit.code, schema.version_id] = schema
        return self._schemas[key]

    def _transcripts(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        table = tables.conversations(self._vendor)
        columns = (
            "conversation_id",
            "owner_id",
            "owner_name",
            "owner_email",
            "participants",
            "transcript",
            "transcript_hash",
        )
        # An opening is a login to Snowflake, and DuckDB reads its log: one for both, where
        # enough has been finished meanwhile to be worth a load.
        is_enough = 2 * len(self._finished) >= self._settings.batch_conversations
        ready = self._typed() if is_enough else None
        purpose = "read transcripts" + (f", land {len(ready.closed)} scores" if ready else "")
        with self._warehouse.open(purpose) as session:
            found = session.find(table, columns, "conversation_id", ids)
            speakers = self._redactor.speakers(session, self._vendor, ids)
            if ready:
                self._land_in(session, ready)
        return {
            row["conversation_id"]: self._redactor.outgoing(row, speakers[row["conversation_id"]])
            for row in found
        }

    # ------------------------------------------------------------------ one run, in a thread

    def _carry(self, job: _Job) -> _Finished | None:
        """Send a run and poll it; None when it is slower than our patience."""
        run, started = job.run, time.monotonic()
        self._carried.add(run.idempotency_key)
        submitted_at = run.submitted_at or self._state.clock()
        if self._trouble is not None and run.run_id is None:
            return None  # not sent yet, and now is not the time
        if run.run_id is None:
            kit = (
                {"kit_version_id": run.kit_version_id}
                if run.kit_version_id
                else {"kit_code": run.kit_code}
            )
            answer = self._semarize.submit(run.idempotency_key, kit, job.text, self._settings.mode)
            if answer.refused is None:
                self._state.runs.accepted(run.idempotency_key, str(answer.run_id), submitted_at)
        else:
            answer = self._semarize.status(run.run_id)
        pause = POLL_FLOOR_SECONDS
        while not answer.is_terminal:
            advised = answer.retry_after_seconds
            delay = max(advised, POLL_FLOOR_SECONDS) if advised is not None else pause
            if time.monotonic() - started + delay > self._settings.patience_seconds:
                later = self._state.clock() + timedelta(seconds=delay)
                self._state.runs.polled(run.idempotency_key, later)
                self._slow.add(run.idempotency_key)
                return None
            self._sleep(delay)
            pause = min(pause * 1.5, POLL_CEILING_SECONDS)
            answer = self._semarize.status(str(answer.run_id))
        return _Finished(job, answer, submitted_at)

    # ------------------------------------------------------------------ landing

    def _land(self) -> None:
        ready = self._typed()
        if ready:
            with self._warehouse.open(f"land {len(ready.closed)} scores") as session:
                self._land_in(session, ready)

    def _land_in(self, session: Session, ready: _Ready) -> None:
        """Land answers, close their runs, then say how each conversation stands."""
        self._warehouse.put_in_place(session, [load.table for load in ready.loads])
        session.land(ready.loads)
        self._close(ready)
        landing.mirror(session, self._state, self._vendor, ready.mark)
        for _, status, _, _ in ready.closed:
            self._report.scored += status == "succeeded"
            self._report.failed += status in ("failed", "cancelled")
            self._report.refused += status == "refused"
            self._report.paid += status != "refused"
        self._report.quarantined += ready.odd

    def _typed(self) -> _Ready | None:
        """What was finished since the last time, as rows; None where that is nothing."""
        finished, self._finished = self._finished, []
        if not finished:
            return None
        erased = self._state.ledger.erased(
            self._vendor, [each.job.entry.conversation_id for each in finished]
        )
        finished = [f for f in finished if f.job.entry.conversation_id not in erased]
        if not finished:
            return None
        now = self._state.clock()
        mark = landing.stamp(now, self._run)
        runs: list[dict[str, Any]] = []
        signals: list[dict[str, Any]] = []
        odd: list[dict[str, Any]] = []
        wide: dict[tables.Table, list[dict[str, Any]]] = {}
        closed: list[Closed] = []
        for each in finished:
            status: RunStatus = "refused" if each.answer.refused else each.answer.status  # type: ignore[assignment]
            code = each.answer.refused or each.answer.error_code
            closed.append((each.job.run.idempotency_key, status, now, code))
            runs.append({**_run_row(each, status, now), **mark})
            if status != "succeeded":
                log.warning(
                    "%s: run %s of conversation %s ended %s (%s)",
                    self._vendor,
                    each.answer.run_id,
                    each.job.run.conversation_id,
                    status,
                    code,
                )
                continue
            self._type(each, now, mark, signals, wide, odd)
        loads = [
            Load(tables.RUNS, runs),
            Load(tables.SIGNALS, signals),
            *(Load(table, rows) for table, rows in wide.items()),
            Load(tables.QUARANTINE, landing.stamped(odd, mark)),
            Load(tables.LOADS, [{**self._load_row(finished, closed, len(odd), now), **mark}]),
        ]
        return _Ready(finished, closed, loads, len(odd), mark)

    def _note_open_runs(self, waiting: Sequence[Run]) -> None:
        """Show the warehouse what is paid for and not finished, should the register be lost.

        Within a round nothing is noted: those runs are minutes old, and their keys find them.
        """
        now = self._state.clock()
        mark = {**landing.stamp(now, self._run), "campaign": self._queue.campaign}
        rows = [{**asdict(run), **mark} for run in waiting if run.idempotency_key in self._carried]
        if rows:
            with self._warehouse.open("note open runs", [tables.OPEN_RUNS]) as session:
                session.land([Load(tables.OPEN_RUNS, rows)])

    def _close(self, ready: _Ready) -> None:
        now = ready.mark["_loaded_at"]
        self._state.runs.finish(ready.closed)
        for each in ready.finished:
            self._open_jobs[each.job.run.conversation_id] -= 1
        through = [id_ for id_, left in self._open_jobs.items() if left == 0]
        past: dict[str, list[Run]] = defaultdict(list)
        for run in self._state.runs.of(self._vendor, through):
            past[run.conversation_id].append(run)
        self._queue.settle(
            {
                id_: self._standing(past[id_], self._entries[id_].transcript_hash or "", now)
                for id_ in through
            }
        )
        for id_ in through:
            del self._open_jobs[id_], self._entries[id_]

    def _type(
        self,
        each: _Finished,
        now: datetime,
        mark: landing.Stamp,
        signals: list[dict[str, Any]],
        wide: dict[tables.Table, list[dict[str, Any]]],
        odd: list[dict[str, Any]],
    ) -> None:
        run, answer = each.job.run, each.answer
        kit = next(kit for kit in self._kits if kit.name == run.kit_name)
        version = answer.kit_version_id or run.kit_version_id
        schema = self._schema(kit, version)
        made = typing_of.typed(answer, schema, now)
        of = {
            "run_id": answer.run_id,
            "vendor": run.vendor,
            "conversation_id": run.conversation_id,
            "kit_version_id": version or "unversioned",
        }
        kit_of = {"kit_code": run.kit_code, "kit_name": run.kit_name}
        signals += [{**signal, **of, **kit_of, **mark} for signal in made.signals]
        table = typing_of.scores_table(kit.name, schema)
        wide.setdefault(table, []).append(
            {
                **made.score,
                **of,
                "agent_id": each.job.agent_id,
                "channel": each.job.entry.channel,
                "scored_at": now,
                **mark,
            }
        )
        for key, reason, value in made.odd:
            row = landing.quarantine_row(
                run.vendor,
                "score",
                f"brick {key}: {reason}",
                {"brick_key": key, "value": value, **of},
                now,
                run.conversation_id,
            )
            odd.append({**row, "quarantine_id": f"{answer.run_id}:{key}"})

    def _load_row(
        self,
        finished: Sequence[_Finished],
        closed: Sequence[Closed],
        odd: int,
        now: datetime,
    ) -> dict[str, Any]:
        began = min(each.job.run.planned_at for each in finished)
        good = sum(status == "succeeded" for _, status, _, _ in closed)
        requests = self._semarize.requests - self._requests_seen
        self._requests_seen = self._semarize.requests
        return {
            "load_id": uuid.uuid4().hex,
            "vendor": self._vendor,
            "kind": self._queue.kind,
            "scored": good,
            "failed": len(closed) - good,
            "quarantined": odd,
            "requests": requests,
            "campaign": self._queue.campaign,
            "started_at": began,
            "finished_at": now,
            "duration_seconds": (now - began).total_seconds(),
        }

    def _land_odd(self, odd: Sequence[dict[str, Any]]) -> None:
        mark = landing.stamp(self._state.clock(), self._run)
        with self._warehouse.open("quarantine transcripts") as session:
            session.land([Load(tables.QUARANTINE, landing.stamped(odd, mark))])
            landing.mirror(session, self._state, self._vendor, mark)


def is_due(
    last: Run | None, settings: ScoreSettings, now: datetime, renewed_before: datetime | None = None
) -> bool:
    """Whether a kit has something to do for a transcript, after its last run of it."""
    if last is None or last.status in OPEN:
        return True
    if last.status == "succeeded":
        return False
    if renewed_before is not None and last.planned_at < renewed_before:
        return True
    if last.status == "refused" or last.attempt >= settings.attempts:
        return False
    return now >= again_at(last, settings)


def again_at(failed: Run, settings: ScoreSettings) -> datetime:
    """When a failed run may be bought again."""
    pause = timedelta(minutes=settings.retry_failed_after_minutes)
    return (failed.finished_at or failed.planned_at) + pause * failed.attempt


def of_kit(past: Sequence[Run], kit: Kit, transcript_hash: str) -> list[Run]:
    """A kit's runs of this transcript, oldest attempt first.

    A pinned version counts for itself; unpinned, any version that was bought counts, so a
    newly published one does not buy history again.
    """
    found = [
        run
        for run in past
        if run.kit_code == kit.code
        and run.transcript_hash == transcript_hash
        and (kit.version_id is None or run.kit_version_id == kit.version_id)
    ]
    return sorted(found, key=lambda run: (run.attempt, run.planned_at))


def _key(vendor: str, id_: str, kit: str, transcript_hash: str, attempt: int) -> str:
    """The idempotency key: what is bought, in at most 254 ASCII characters."""
    named = id_ if id_.isascii() and len(id_) <= 100 else f"sha256-{text_digest(id_)}"
    key = f"conversations:{vendor}:{named}:kit_{kit}:{transcript_hash[:40]}"
    return key if attempt == 1 else f"{key}:attempt_{attempt}"


def _run_row(each: _Finished, status: RunStatus, now: datetime) -> dict[str, Any]:
    run, answer = each.job.run, each.answer
    return {
        "idempotency_key": run.idempotency_key,
        "run_id": answer.run_id,
        "vendor": run.vendor,
        "conversation_id": run.conversation_id,
        "kit_code": run.kit_code,
        "kit_name": run.kit_name,
        "kit_version_id": answer.kit_version_id or run.kit_version_id,
        "transcript_hash": run.transcript_hash,
        "attempt": run.attempt,
        "status": status,
        "submitted_at": each.submitted_at,
        "finished_at": now,
        "duration_ms": answer.duration_ms,
        "error_code": answer.refused or answer.error_code,
        "error_message": answer.error_message,
        "response": answer.body,
        "_redaction": each.job.redaction,
    }
