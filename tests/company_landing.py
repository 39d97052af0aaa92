"""The sandbox company's landing tables, made directly: its calls, and what its kits say of them.

No vendor is asked and nothing is awaited, so a quarter takes seconds. Rows are what the pipeline
lands, by the tables that it declares; transcripts come on request, since no mart holds them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

import semarize_sandbox
from semarize_pipeline.settings import load
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.tables import Table, Type
from semarize_sandbox import company
from semarize_sandbox.kits import Kit, kits
from semarize_sandbox.kits.reading import Reading
from semarize_sandbox.model import VENDORS, Call
from semarize_sandbox.reference import vendor_user_id

TYPES = {
    "boolean": Type.BOOLEAN,
    "score": Type.FLOAT,
    "category": Type.TEXT,
    "string": Type.TEXT,
    "string_list": Type.TEXT,
}
KINDS = {
    "boolean": "boolean",
    "score": "number",
    "category": "text",
    "string": "text",
    "string_list": "list",
}
ATTRIBUTES = {"cadence": "cadence_name", "cadence_step": "step_number"}
SQL_TYPES = {
    Type.TEXT: "varchar",
    Type.FLOAT: "double",
    Type.INTEGER: "bigint",
    Type.BOOLEAN: "boolean",
    Type.TIMESTAMP: "timestamptz",
    Type.JSON: "json",
}


def landed(
    until: datetime, days: int, calls_per_day: float, *, transcripts: bool = False
) -> dict[Table, list[dict[str, Any]]]:
    """Every landing table with its rows."""
    made = kits()
    rows: dict[str, list[dict[str, Any]]] = {}
    declared = [
        *(make(v) for v in VENDORS for make in (tables.conversations, tables.utterances)),
        *tables.SHARED,
        *(scores_table(kit) for kit in made.values()),
    ]
    settings = load(Path(semarize_sandbox.__file__).parent / "pipeline.toml")
    asked = {
        vendor: [made[kit.code] for kit in settings.kits if kit.covers(vendor)]
        for vendor in VENDORS
    }
    for call in company.generate(until=until, days=days, calls_per_day=calls_per_day):
        for name, row in _rows_of(call, asked[call.vendor]):
            if not transcripts:
                row.pop("text", None)
            stamp = (call.ended_at + timedelta(hours=1)).isoformat()
            rows.setdefault(name, []).append({"_loaded_at": stamp, "_loaded_by": "test", **row})
    return {table: rows.get(table.name, []) for table in declared}


def scores_table(kit: Kit) -> Table:
    """The wide table that lands once the kit has run."""
    return tables.scores(kit.name, [(b.key, TYPES[b.type]) for b in kit.current.bricks])


def _rows_of(call: Call, asked: Iterable[Kit]) -> Iterable[tuple[str, dict[str, Any]]]:
    names = {person.id: person for person in call.people}
    moment = call.started_at.isoformat()
    known = {"vendor": call.vendor, "conversation_id": call.id}
    extras = {ATTRIBUTES.get(key, key): value for key, value in call.extras.items()}
    yield (
        f"{call.vendor}__conversations",
        {
            "conversation_id": call.id,
            "title": call.title,
            "channel": call.channel,
            "direction": call.direction,
            "started_at": moment,
            "duration_seconds": call.duration_seconds,
            "owner_id": vendor_user_id(call.vendor, call.owner.name),
            "owner_name": call.owner.name,
            "owner_email": None if call.vendor == "callminer" else call.owner.email,
            "account_name": call.account_name,
            "opportunity_id": call.opportunity_id,
            "participants": [
                {"name": p.name, "email": p.email, "role": p.role, "id": p.id, "title": p.title}
                for p in call.people
            ],
            "transcript_status": "ready",
            "attributes": extras,
            "_extracted_at": moment,
            "_content_hash": call.id,
        },
    )
    for position, turn in enumerate(call.turns):
        who = names.get(turn.person_id or "")
        yield (
            f"{call.vendor}__utterances",
            {
                "conversation_id": call.id,
                "position": position,
                "speaker": who.name if who else None,
                "speaker_role": who.role if who else "unknown",
                "start_seconds": turn.start_seconds,
                "end_seconds": turn.end_seconds,
                "text": turn.text,
                "_content_hash": call.id,
            },
        )
    yield (
        "ledger",
        {
            **known,
            "status": "landed",
            "channel": call.channel,
            "started_at": moment,
            "listed_at": call.ended_at.isoformat(),
            "landed_at": call.ended_at.isoformat(),
            "tries": 1,
            "updated_at": call.ended_at.isoformat(),
        },
    )
    reading = Reading.of(
        [
            {"speaker": names[t.person_id].name if t.person_id in names else "", "text": t.text}
            for t in call.turns
        ]
    )
    scored_at = (call.ended_at + timedelta(minutes=9)).isoformat()
    for kit in asked:
        yield from _scored(call, kit, reading, scored_at)


def _scored(
    call: Call, kit: Kit, reading: Reading, scored_at: str
) -> Iterable[tuple[str, dict[str, Any]]]:
    version = kit.current.id
    ids = {
        "vendor": call.vendor,
        "conversation_id": call.id,
        "kit_version_id": version,
        "run_id": f"{kit.code}-{call.vendor}-{call.id}",
    }
    named = {**ids, "kit_code": kit.code, "kit_name": kit.name}
    yield (
        "semarize__runs",
        {
            **named,
            "idempotency_key": f"{kit.code}:{call.vendor}:{call.id}",
            "attempt": 1,
            "status": "succeeded",
            "submitted_at": scored_at,
            "finished_at": scored_at,
            "duration_ms": 900,
        },
    )
    wide: dict[str, Any] = {}
    for brick in kit.current.bricks:
        answer = brick.answer(reading)
        value = answer["value"]
        wide[brick.key] = json.dumps(value) if isinstance(value, list) else value
        column = f"value_{KINDS[brick.type]}"
        yield (
            "semarize__signals",
            {
                **named,
                "brick_key": brick.key,
                "value_type": KINDS[brick.type],
                column: value,
                "confidence": answer["confidence"],
                "reason": answer["reason"],
                "evidence": answer["evidence"],
                "scored_at": scored_at,
            },
        )
    yield f"scores__{kit.name}", {**ids, "channel": call.channel, "scored_at": scored_at, **wide}


def create(connection: duckdb.DuckDBPyConnection, listed: Iterable[Table]) -> None:
    """The landing tables, empty."""
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"create schema if not exists {tables.SCHEMA}")
    for table in listed:
        columns = ", ".join(f"{c.name} {SQL_TYPES[c.type]}" for c in table.columns)
        connection.execute(f"create table {table.qualified} ({columns})")


def write(warehouse: Path, landing: dict[Table, list[dict[str, Any]]]) -> None:
    """Create the landing tables in a DuckDB file, each filled from one file of JSON lines."""
    lines = warehouse.with_suffix(".jsonl")
    with duckdb.connect(str(warehouse)) as connection:
        create(connection, landing)
        for table, rows in landing.items():
            if rows:
                types = {column.name: SQL_TYPES[column.type] for column in table.columns}
                lines.write_text("\n".join(json.dumps(row) for row in rows))
                connection.execute(
                    f"insert into {table.qualified} by name select * from read_json("
                    f"'{lines}', format = 'newline_delimited', columns = {types})"
                )
