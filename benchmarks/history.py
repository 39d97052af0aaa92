"""A history that has landed and been scored long ago: made by SQL, not by the pipeline.

Keys, sizes and stamps are those of the pipeline: batches of 200 with a stamp each, every
conversation with its utterances, its paid run, a signal a brick, a row of scores, and a row in the
ledger and its mirror. Texts are as long as the server's, and no two conversations have the same.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import scale_server as server

from semarize_pipeline import landing
from semarize_pipeline.semarize.client import _schema
from semarize_pipeline.semarize.rows import scores_table
from semarize_pipeline.state import State
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse

BATCH = 200
KINDS = {"score": "number", "boolean": "boolean", "string": "text", "string_list": "list"}
WIDE = scores_table(server.KIT_NAME, _schema(server.schema(), server.KIT, "scale"))


def make(folder: Path, calls: server.Calls, first: int, end: datetime) -> None:
    """Landing tables and state for the calls from number ``first`` to the last on time."""
    _land(folder / "warehouse.duckdb", calls, first)
    _remember(folder, calls, first, end)


def _land(path: Path, calls: server.Calls, first: int) -> None:
    with DuckDBWarehouse(path).open("history") as session:
        session.ensure([*landing.vendor_tables("gong"), WIDE])
        run = session._connection.execute
        start, step = calls.started(0), calls.started(1) - calls.started(0)
        pick = " ".join(f"when {i} then '{text}'" for i, text in enumerate(server.WORDS))
        run(
            f"""create temp macro said(n, turn) as
            (case (n + turn * 3) % {len(server.WORDS)} {pick} end)
            || ', ' || (n * 31 + turn) || '.'"""
        )
        # A million at once would not fit into memory with all their texts.
        for at in range(first, calls.count, 50_000):
            until = min(at + 50_000, calls.count)
            run(
                f"""create or replace temp table calls as select
                n,
                cast({server.FIRST_ID} + n as varchar) as id,
                n % {server.REPS} as rep,
                n * 7 % {server.ACCOUNTS} as account,
                to_timestamp({start!r} + n * {step!r}) as started_at,
                to_timestamp(floor({start!r} + (n // {BATCH} + 1) * {BATCH} * {step!r}) + 1800)
                    as stamp,
                (select string_agg(
                    (case when turn % 2 = 0 then 'Rep ' || n % {server.REPS}
                    else 'Buyer ' || n * 7 % {server.ACCOUNTS} end) || ': ' || said(n, turn),
                    chr(10) order by turn) from range({calls.sentences}) as turns(turn)
                ) as transcript
                from range({at}, {until}) as numbers(n)"""
            )
            for statement in _statements(calls.sentences):
                run(statement)


def _statements(sentences: int) -> Iterator[str]:
    mark = {"_loaded_at": "stamp", "_loaded_by": "'scale'"}
    person = (
        "[{'name': 'Rep ' || rep, 'email': 'rep' || rep || '@vendor.example', 'role': 'rep', "
        "'id': 'u' || rep, 'title': 'Account Executive'}, {'name': 'Buyer ' || account, 'email': "
        "'buyer@account' || account || '.example', 'role': 'customer', 'id': null, 'title': null}]"
    )
    yield _insert(
        tables.conversations("gong"),
        {
            "conversation_id": "id",
            "title": "'Call ' || n || ' with Account ' || account",
            "channel": "'video'",
            "direction": "'conference'",
            "started_at": "started_at",
            "duration_seconds": "900 + n % 1800",
            "owner_id": "'u' || rep",
            "owner_name": "'Rep ' || rep",
            "owner_email": "'rep' || rep || '@vendor.example'",
            "account_name": "'Account ' || account",
            "opportunity_id": "'006' || lpad(cast(account as varchar), 12, '0')",
            "participants": f"to_json({person})",
            "url": "'https://app.gong.example/call?id=' || id",
            "transcript_status": "'ready'",
            "transcript": "transcript",
            "transcript_hash": "sha256(transcript)",
            "utterance_count": str(sentences),
            "attributes": "json_object('deal_stage', 'Negotiation', 'language', 'eng')",
            "raw": f"json_object('record', json_object('id', id, 'parties', {person}, 'title', "
            "'Call ' || n), 'transcript', transcript)",
            "_extracted_at": "stamp",
            "_content_hash": "md5(id) || md5(id)",
            **mark,
        },
    )
    yield _insert(
        tables.utterances("gong"),
        {
            "conversation_id": "id",
            "position": "turn",
            "speaker": "if(turn % 2 = 0, 'Rep ' || rep, 'Buyer ' || account)",
            "speaker_role": "if(turn % 2 = 0, 'rep', 'customer')",
            "start_seconds": "turn * 9",
            "end_seconds": "turn * 9 + 8",
            "text": "said(n, turn)",
            "_content_hash": "md5(id) || md5(id)",
            **mark,
        },
        f"calls, range({sentences}) as turns(turn)",
    )
    run = {
        "run_id": "'run_' || md5(id)",
        "vendor": "'gong'",
        "conversation_id": "id",
        "kit_version_id": f"'{server.KIT_VERSION}'",
    }
    kit = {"kit_code": f"'{server.KIT}'", "kit_name": f"'{server.KIT_NAME}'"}
    yield _insert(
        tables.RUNS,
        {
            "idempotency_key": "'conversations:gong:' || id",
            **run,
            **kit,
            "transcript_hash": "sha256(transcript)",
            "attempt": "1",
            "status": "'succeeded'",
            "submitted_at": "stamp",
            "finished_at": "stamp",
            "duration_ms": "900",
            "response": f"json_object('run_id', id, 'output', '{'x' * 1200}')",
            **mark,
        },
    )
    for key, kind, value in server.BRICKS:
        of = KINDS[kind]
        told = json.dumps(value).replace('"', "'")
        yield _insert(
            tables.SIGNALS,
            {
                **run,
                **kit,
                "brick_key": f"'{key}'",
                "value_type": f"'{of}'",
                "value_boolean": told if of == "boolean" else "null",
                "value_number": told if of == "number" else "null",
                "value_text": told if of == "text" else "null",
                "value_list": f"to_json({told})" if of == "list" else "null",
                "confidence": "0.9",
                "reason": "'Said in the second half of the call'",
                "evidence": "to_json([said(n, 3)])",
                "scored_at": "stamp",
                **mark,
            },
        )
    values = {key: json.dumps(value).replace('"', "'") for key, _, value in server.BRICKS}
    values["competitors_mentioned"] = "'[\"Somebody\"]'"
    yield _insert(
        WIDE,
        {
            **values,
            **run,
            "agent_id": "'u' || rep",
            "channel": "'video'",
            "scored_at": "stamp",
            **mark,
        },
    )
    yield _insert(
        tables.LEDGER,
        {
            "vendor": "'gong'",
            "conversation_id": "id",
            "status": "'landed'",
            "score_status": "'scored'",
            "channel": "'video'",
            "started_at": "started_at",
            "listed_at": "stamp",
            "landed_at": "stamp",
            "tries": "1",
            "content_hash": "md5(id) || md5(id)",
            "transcript_hash": "sha256(transcript)",
            "listing_hash": "sha256(id)",
            "updated_at": "stamp",
            **mark,
        },
    )
    yield _insert(
        tables.LOADS,
        {
            "load_id": "md5(cast(stamp as varchar))",
            "vendor": "'gong'",
            "kind": "'extract'",
            "listed": str(BATCH),
            "landed": str(BATCH),
            "started_at": "stamp",
            "finished_at": "stamp",
            "duration_seconds": "1",
            **mark,
        },
        "(select distinct stamp from calls)",
    )


def _insert(table: tables.Table, values: dict[str, str], source: str = "calls") -> str:
    names = ", ".join(f'"{name}"' for name in values)
    return (
        f"insert into {table.qualified} ({names}) select {', '.join(values.values())} from {source}"
    )


def _remember(folder: Path, calls: server.Calls, first: int, end: datetime) -> None:
    """The state: a watermark, and a ledger and a register that have forgotten nothing yet."""
    state = State(f"sqlite:///{folder}/state.db")
    began = datetime.fromtimestamp(calls.started(first), UTC)
    state.watermarks.begin("gong", began)
    state.watermarks.advance("gong", end)
    state.close()
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    with sqlite3.connect(folder / "state.db") as connection:
        connection.executemany(
            "insert into ledger (vendor, conversation_id, status, score_status, channel, "
            "started_at, listed_at, landed_at, tries, content_hash, transcript_hash, listing_hash, "
            "updated_at, dirty) values "
            "('gong', ?, 'landed', 'scored', 'video', ?, ?, ?, 1, ?, ?, ?, ?, 0)",
            _ledger(calls, first, now),
        )
        connection.executemany(
            "insert into semarize_runs (idempotency_key, run_id, vendor, conversation_id, "
            "kit_name, kit_code, kit_version_id, transcript_hash, attempt, status, planned_at, "
            "submitted_at, finished_at) values "
            f"(?, ?, 'gong', ?, '{server.KIT_NAME}', '{server.KIT}', "
            f"'{server.KIT_VERSION}', ?, 1, 'succeeded', ?, ?, ?)",
            _runs(calls, first, now),
        )


def _ledger(calls: server.Calls, first: int, now: str) -> Iterator[tuple[str, ...]]:
    for number in range(first, calls.count):
        at = datetime.fromtimestamp(calls.started(number), UTC).replace(tzinfo=None)
        started = at.isoformat(" ", "microseconds")
        digest = f"{number:064x}"
        yield (
            str(server.FIRST_ID + number), started, now, now, digest, digest, digest, now
        )  # fmt: skip


def _runs(calls: server.Calls, first: int, now: str) -> Iterator[tuple[str, ...]]:
    for number in range(first, calls.count):
        id_ = str(server.FIRST_ID + number)
        yield f"conversations:gong:{id_}", f"run_{number}", id_, f"{number:064x}", now, now, now
