"""Rows for the landing tables: pure functions of what was read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson

from semarize_pipeline.model import Conversation, Participant, digest, text_digest
from semarize_pipeline.state import State
from semarize_pipeline.state.ledger import Entry
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Json, Load, Session, Warehouse

Stamp = Mapping[str, Any]
UNSTAMPED: Stamp = MappingProxyType({})


def stamp(now: datetime, run: str) -> Stamp:
    """What every landed row carries."""
    return {"_loaded_at": now, "_loaded_by": run}


def conversation_row(conversation: Conversation, extracted_at: datetime) -> dict[str, Any]:
    """A row of ``<vendor>__conversations``, without its stamp."""
    transcript, redaction = conversation.transcript, conversation.redaction
    spoken = text_digest(transcript) if transcript else None
    row: dict[str, Any] = {
        "conversation_id": conversation.conversation_id,
        "title": conversation.title,
        "channel": conversation.channel,
        "direction": conversation.direction,
        "started_at": conversation.started_at,
        "duration_seconds": conversation.duration_seconds,
        "owner_id": conversation.owner_id,
        "owner_name": conversation.owner_name,
        "owner_email": conversation.owner_email,
        "account_name": conversation.account_name,
        "opportunity_id": conversation.opportunity_id,
        "participants": [_person(each) for each in conversation.participants],
        "url": conversation.url,
        "transcript_status": conversation.status,
        "transcript": transcript,
        # Of the words as the vendor gave them: redaction makes no new transcript of an old one.
        "transcript_hash": redaction.transcript_hash if redaction else spoken,
        "utterance_count": len(conversation.utterances),
        "attributes": dict(conversation.attributes),
    }
    raw = orjson.dumps(conversation.raw, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    declared = digest({name: value for name, value in row.items() if name != "transcript"})
    row["_content_hash"] = hashlib.sha256(declared.encode() + raw).hexdigest()
    if redaction and redaction.sealed_record:
        # After the hash: what is sealed looks different each time.
        raw = orjson.dumps({**orjson.loads(raw), "sealed": redaction.sealed_record})
    row["raw"] = Json(raw.decode())
    row["_extracted_at"] = extracted_at
    row["_redaction"] = (
        {"policy": redaction.policy, "counts": dict(redaction.counts)} if redaction else None
    )
    return row


def _person(each: Participant) -> dict[str, Any]:
    # By hand: ``asdict`` copies everything deeply, which costs more than to land it.
    return {
        "name": each.name,
        "email": each.email,
        "role": each.role,
        "id": each.id,
        "title": each.title,
    }


def utterance_rows(conversation: Conversation, mark: Stamp = UNSTAMPED) -> list[dict[str, Any]]:
    """Rows of ``<vendor>__utterances``. One hash for all of them: they change together."""
    rows: list[dict[str, Any]] = [
        {
            "speaker": speaker,
            "speaker_role": role,
            "start_seconds": start,
            "end_seconds": end,
            "text": text,
        }
        for speaker, role, start, end, text in conversation.utterances
    ]
    said = digest(rows) if rows else None
    for position, row in enumerate(rows):
        row["conversation_id"] = conversation.conversation_id
        row["position"] = position
        row["_content_hash"] = said
        row.update(mark)
    return rows


def quarantine_row(
    vendor: str,
    stage: str,
    reason: str,
    raw: Any,
    now: datetime,
    conversation_id: str | None = None,
) -> dict[str, Any]:
    """A row of ``quarantine``; the same record for the same reason is the same row."""
    return {
        "quarantine_id": digest([vendor, stage, conversation_id or raw]),
        "vendor": vendor,
        "conversation_id": conversation_id,
        "stage": stage,
        "reason": reason,
        "raw": raw,
        "quarantined_at": now,
        "resolved_at": None,
        "_redaction": None,
    }


def record_name(record: Any) -> str:
    """A name for a record without a readable id, so that it can be accounted for."""
    return f"unreadable:{digest(record)[:32]}"


def vendor_tables(vendor: str) -> list[tables.Table]:
    return [tables.conversations(vendor), tables.utterances(vendor), *tables.SHARED]


class VendorWarehouse:
    """The warehouse as one task of one vendor uses it, with its tables in place.

    Whether a table is there is asked once a task, not once a batch: on a warehouse across a
    network the question costs more than a small load.
    """

    def __init__(self, warehouse: Warehouse, vendor: str, run: str) -> None:
        self._warehouse = warehouse
        self._vendor = vendor
        self._run = run
        self._in_place: set[tables.Table] = set()

    @contextmanager
    def open(self, purpose: str, more: Sequence[tables.Table] = ()) -> Iterator[Session]:
        """Open it for ``purpose``; ``more`` are tables beside the vendor's own."""
        with self._warehouse.open(f"{self._run}: {purpose}") as session:
            self.put_in_place(session, [*vendor_tables(self._vendor), *more])
            yield session

    def put_in_place(self, session: Session, wanted: Sequence[tables.Table]) -> None:
        """Make or extend what is not in place yet; not asked for again in this task."""
        new = [table for table in wanted if table not in self._in_place]
        if new:
            session.ensure(new)
            self._in_place.update(new)


def mirror(session: Session, state: State, vendor: str, mark: Stamp) -> None:
    """Copy what changed in the ledger to the warehouse, where dbt and BI see it."""
    rows = state.ledger.unmirrored(vendor)
    session.land([Load(tables.LEDGER, [{**row, **mark} for row in rows])])
    state.ledger.mirrored(vendor, rows)


def catch_up(warehouse: Warehouse, state: State, vendor: str, run: str) -> None:
    """Mirror what nobody did: a task that was killed before, or one that settled without landing.

    Opens no warehouse where there is nothing.
    """
    if state.ledger.lacks_mirror(vendor):
        with VendorWarehouse(warehouse, vendor, run).open("mirror the ledger") as session:
            mirror(session, state, vendor, stamp(state.clock(), run))


def remembered(session: Session, condition: str, values: Sequence[Any]) -> dict[str, Entry]:
    """Ledger entries from the mirror, where those live on that the ledger has forgotten."""
    rows = session.query(f"select * from {tables.LEDGER.qualified} where {condition}", values)
    return {row["conversation_id"]: _remembered(row) for row in rows}


def _remembered(row: Mapping[str, Any]) -> Entry:
    return Entry(**{name: row[name] for name in Entry.__dataclass_fields__ if name in row})


def stamped(rows: Sequence[Mapping[str, Any]], mark: Stamp) -> list[dict[str, Any]]:
    return [{**row, **mark} for row in rows]
