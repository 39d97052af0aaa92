"""What must hold for every input, however it was spoilt. What does not is a ``Finding``."""

from __future__ import annotations

import io
import logging
import math
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, get_args

import orjson
import requests
import urllib3
from fuzz import mutate
from requests.adapters import BaseAdapter

from semarize_pipeline import landing
from semarize_pipeline.errors import PipelineError, Unreadable
from semarize_pipeline.model import (
    Channel,
    Conversation,
    Participant,
    Role,
    TranscriptStatus,
    Utterance,
)
from semarize_pipeline.privacy.policy import KINDS, Policy
from semarize_pipeline.privacy.redaction import Redactor
from semarize_pipeline.reading import LONGEST_SECONDS
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.rest.paging import Ask
from semarize_pipeline.semarize import rows as typing_of
from semarize_pipeline.semarize.client import SemarizeClient
from semarize_pipeline.vendors.base import Vendor, Wanted
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import Load

MOMENT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MARK = landing.stamp(MOMENT, "fuzz")
LONGEST_REASON = 400
LONGEST_ID = 500
# Generous for two busy cores; what grows with the square of its rows is far beyond.
SECONDS_A_RECORD, SECONDS_A_BYTE = 0.2, 4e-6
MOST_REQUESTS = 60
# Fields that land as the vendor sent them, with all that is in them.
AS_SENT = frozenset({"trackers", "tracker_matches", "deal_signals"})
POLICY = Policy(redact="landing", kinds=KINDS, patience_seconds=20.0)


class Finding(Exception):
    """Something that must not be. ``kind`` names it in a few words: equal kinds are one fault."""

    def __init__(self, kind: str, told: str = "") -> None:
        super().__init__(f"{kind}: {told[:500]}")
        self.kind = kind


def _must(holds: bool, kind: str, told: Any = "") -> None:
    if not holds:
        raise Finding(kind, str(told))


def _escaped(error: BaseException) -> Finding:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "semarize_pipeline" in f.filename] or frames
    last = ours[-1]
    told = "".join(traceback.format_exception_only(error)).strip()
    return Finding(
        f"{type(error).__name__} escapes from {Path(last.filename).name}:{last.name}",
        f"line {last.lineno}: {told}",
    )


@contextmanager
def only(*allowed: type[Exception], quiet: bool = True) -> Iterator[None]:
    """Nothing else may come out; nor may the reason tell what was read."""
    try:
        yield
    except allowed as error:
        _must(
            not quiet or mutate.CANARY not in str(error).lower(),
            "a reason tells what was read",
            error,
        )
        _must(len(str(error)) <= LONGEST_REASON, "a reason is long", error)
    except Finding:
        raise
    except Exception as error:
        raise _escaped(error) from error


class Log(logging.Handler):
    """Hears everything that is logged, and looks for what must not be there."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.leaks: list[str] = []
        self.heard = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.heard += 1
        if mutate.CANARY in record.getMessage().lower():
            self.leaks.append(record.getMessage())


# ---------------------------------------------------------------------- one record


@dataclass(frozen=True, slots=True)
class Read:
    """What a record became; None where it was refused."""

    conversation: Conversation | None
    redacted: Conversation | None = None


class Translation:
    """One vendor's translation of one record and its transcript."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self._redactor = Redactor(POLICY)

    def check(self, record: Any, transcript: Any, rng: Random) -> Read:
        """Read, and see that everything holds that must."""
        with only():
            # Whoever keeps a record writes it.
            before = orjson.dumps([record, transcript])
        began = time.thread_time()
        made: Conversation | None = None
        with only(Unreadable):
            self.vendor.keeps_out(record)
            self.vendor.read(record)
            made = self.vendor.read(record, transcript)
        took = time.thread_time() - began
        _must(
            took < SECONDS_A_RECORD + SECONDS_A_BYTE * len(before),
            "a record takes long",
            f"{took:.2f} s for {len(before)} bytes",
        )
        _must(orjson.dumps([record, transcript]) == before, "the input was changed")
        with only():
            # What extract does with any record, readable or not.
            landing.record_name(record)
            raw = {"record": record, "transcript": transcript}
            row = landing.quarantine_row("fuzz", "listing", "why", raw, MOMENT)
            orjson.dumps(row["raw"], option=orjson.OPT_NON_STR_KEYS, default=str)
        if made is None:
            return Read(None)
        is_sound(made)
        self._ignores_the_unknown(made, record, transcript, rng)
        redacted = None
        if rng.random() < 0.05 and len(before) < 100_000:
            with only(Unreadable):
                redacted = self._redactor.conversation(made)
                is_sound(redacted)
        return Read(made, redacted)

    def _ignores_the_unknown(
        self, made: Conversation, record: Any, transcript: Any, rng: Random
    ) -> None:
        if rng.random() > 0.3 or len(made.utterances) > 1000:
            return
        more = mutate.extended(record, rng, AS_SENT)
        said = mutate.extended(transcript, rng, AS_SENT)
        with only():
            again = self.vendor.read(more, said)
            _must(
                replace(again, raw={}) == replace(made, raw={}),
                "a field that nobody knows changes what is read",
            )


def is_sound(made: Conversation) -> None:
    """What every reader of a conversation relies on."""
    id_ = made.conversation_id
    _must(isinstance(id_, str) and bool(id_.strip()), "an id is empty or no text", repr(id_))
    _must(len(id_) <= LONGEST_ID, "an id is too long for an index", len(id_))
    _must(id_ not in (".", ".."), "an id is a step in a path", id_)
    _must(made.started_at.tzinfo is UTC, "a moment is not in UTC", made.started_at)
    _must(made.channel in get_args(Channel), "an unknown channel", made.channel)
    _must(made.status in get_args(TranscriptStatus), "an unknown status", made.status)
    _must(1970 <= made.started_at.year < 2200, "a moment of another age", made.started_at)
    length = made.duration_seconds
    _must(_is_offset(length) and (length or 0) >= 0, "a duration that is none", length)
    for name in ("title", "direction", "owner_id", "owner_name", "owner_email", "account_name",
                 "opportunity_id", "url", "full_text"):  # fmt: skip
        _is_text(getattr(made, name), name)
    for person in made.participants:
        _must(isinstance(person, Participant), "a participant of another kind")
        _must(person.role in get_args(Role), "an unknown role", person.role)
        for name in ("name", "email", "id", "title"):
            _is_text(getattr(person, name), f"a participant's {name}")
    for said in made.utterances:
        _must(isinstance(said, Utterance) and bool(said.text.strip()), "an utterance of nothing")
        _must(said.speaker_role in get_args(Role), "an unknown role", said.speaker_role)
        _is_text(said.text, "text")
        _is_text(said.speaker, "speaker")
        for offset in (said.start_seconds, said.end_seconds):
            # Below zero it may be: something was said before the recording began.
            _must(_is_offset(offset), "an offset that is none", offset)
    with only():
        orjson.dumps(dict(made.attributes))
        row = landing.conversation_row(made, MOMENT)
        landing.utterance_rows(made)
        _must(row["_content_hash"] is not None, "a row without a hash")


def _is_text(value: Any, what: str) -> None:
    if value is None:
        return
    _must(isinstance(value, str), "no text where text belongs", what)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Finding("text that is not UTF-8", what) from None
    _must("\x00" not in value, "a NUL, which PostgreSQL refuses", what)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isfinite(value))


def _is_offset(value: Any) -> bool:
    """A number that dbt's models can add to a moment, a thousand of them together."""
    return _is_number(value) and (value is None or abs(value) <= 2 * LONGEST_SECONDS)


# ---------------------------------------------------------------------- landing


class Landing:
    """Rows that were read land on DuckDB, and come back as they were."""

    def __init__(self, folder: Path, vendor: str) -> None:
        self._warehouse = DuckDBWarehouse(folder / "fuzz.duckdb")
        self._vendor = vendor
        self._tables = (tables.conversations(vendor), tables.utterances(vendor))

    def check(self, made: Sequence[Conversation]) -> None:
        """All at once; where they do not, each alone, so that the Finding is about one."""
        try:
            self._check(made)
        except Finding:
            if len(made) == 1:
                raise
            for each in made:
                self._check([each])
            raise

    def _check(self, made: Sequence[Conversation]) -> None:
        rows = [{**landing.conversation_row(each, MOMENT), **MARK} for each in made]
        said = [{**row, **MARK} for each in made for row in landing.utterance_rows(each)]
        by_id = {row["conversation_id"]: row for row in rows}
        spoken = {(r["conversation_id"], r["position"]): r for r in said}
        loads = [Load(self._tables[0], rows), Load(self._tables[1], said)]
        with only(), self._warehouse.open("fuzz") as session:
            session.ensure(self._tables)
            session.land(loads)
            landed = session.query(f"select * from {self._tables[0].qualified}")
            words = session.query(f"select * from {self._tables[1].qualified}")
            for table in self._tables:
                session.query(f"delete from {table.qualified}")
        _must(len(landed) == len(by_id), "a conversation did not land once")
        _must(len(words) == len(spoken), "an utterance did not land once")
        for row in landed:
            _same(by_id[row["conversation_id"]], row)
        for row in words:
            _same(spoken[row["conversation_id"], row["position"]], row)


def _same(sent: Mapping[str, Any], landed: Mapping[str, Any]) -> None:
    for name, value in landed.items():
        told = sent.get(name)
        if isinstance(told, str) and name == "raw":
            told = orjson.loads(str(told))
        elif isinstance(told, list | dict):
            told = orjson.loads(orjson.dumps(told, default=str))
        _must(value == told, "a value came back as another", f"{name}: {value!r:.80}, {told!r:.80}")


# ---------------------------------------------------------------------- the wire


class _NoPace:
    taken = 0

    def take(self) -> None:
        self.taken += 1

    def charge(self, records: int) -> None:
        """Nothing is limited here."""

    def hold(self, until: datetime) -> None:
        """Nothing is limited here."""


class Scripted(BaseAdapter):
    """The other side of the wire: these bodies in turn, the last one again and again."""

    def __init__(self, *bodies: bytes) -> None:
        super().__init__()
        self._bodies = list(bodies)
        self.sent = 0

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        self.sent += 1
        _must(self.sent <= MOST_REQUESTS, "a listing never ends", request.path_url)
        body = self._bodies.pop(0) if len(self._bodies) > 1 else self._bodies[0]
        answer = requests.Response()
        answer.status_code = 200
        answer.headers["Content-Type"] = "application/json"
        answer.raw = urllib3.HTTPResponse(io.BytesIO(body), preload_content=False)
        answer.request = request
        return answer

    def close(self) -> None:
        """Nothing is open."""


def client(*bodies: bytes) -> RestClient:
    """A real client of a server that says these bodies."""
    session = requests.Session()
    session.mount("http://", Scripted(*bodies))
    return RestClient(
        session,
        "http://sandbox.invalid",
        connection="fuzz_default",
        pace=_NoPace(),
        attempts=2,
        sleep=lambda seconds: None,
    )


def check_listing(vendor: Vendor, page: Any, last: Any) -> None:
    """A spoilt page, then a sound and empty one: an end, or an error that is named."""
    with only(PipelineError):
        api = client(mutate.wire(page), mutate.wire(last))
        for rows in api.pages(vendor.listing, Ask()):
            _must(isinstance(rows, list), "a page that is no list")


def check_transcripts(vendor: Vendor, answer: Any, ids: Sequence[str]) -> None:
    """A spoilt answer to the question for transcripts."""
    with only(PipelineError):
        api = client(mutate.wire(answer))
        got = list(vendor.transcripts.fetch(api, [Wanted(id_) for id_ in ids]))
        _must({id_ for id_, _ in got} == set(ids), "a transcript of one that was not asked for")


def check_semarize(
    schema: Any, answer: Any, land: Callable[[Sequence[Load]], None] | None = None
) -> None:
    """A spoilt schema and a spoilt answer, typed and landed."""
    told = answer.get("run_id") if isinstance(answer, dict) else None
    # A run's id is no content: a reason names it.
    with only(PipelineError, quiet=mutate.CANARY not in str(told)):
        kit = SemarizeClient(client(mutate.wire(schema))).schema(code="K")
        run = SemarizeClient(client(mutate.wire(answer))).status("r")
        made = typing_of.typed(run, kit, MOMENT)
        table = typing_of.scores_table("fuzz", kit)
        for key, reason, _ in made.odd:
            # A kit's own words are no conversation's: of the schema a reason may tell.
            quiet = mutate.CANARY in str(schema) or mutate.CANARY not in reason
            _must(quiet and len(reason) < LONGEST_REASON, "a reason tells what was read", reason)
            _must(isinstance(key, str), "a key that is no text")
        of = {"run_id": "r", "vendor": "fuzz", "conversation_id": "c", "kit_version_id": "v"}
        signals = [{**s, **of, "kit_code": "K", "kit_name": "fuzz", **MARK} for s in made.signals]
        wide = {**made.score, **of, "agent_id": None, "scored_at": MOMENT, **MARK}
        for each in signals:
            number, sure = each["value_number"], each["confidence"]
            _must(_is_number(number) and _is_number(sure), "a score that is no number")
        if land is not None:
            response = {**of, "idempotency_key": "i", "response": run.body, **MARK}
            response |= {"duration_ms": run.duration_ms, "error_message": run.error_message}
            land(
                [Load(tables.RUNS, [response]), Load(tables.SIGNALS, signals), Load(table, [wide])]
            )
