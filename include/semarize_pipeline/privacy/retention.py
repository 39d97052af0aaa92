"""Retention: content that is older than it may be is blanked; that it was there stays.

Rows, ids, hashes, counts and scores remain, so no mart changes but in the words it shows. The
ledger is never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from semarize_pipeline import landing, vendors
from semarize_pipeline.privacy.policy import Retention
from semarize_pipeline.state import State
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Removal, Session, Warehouse

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class _Aged:
    """Columns of a table, and the moment by which their content ages."""

    table: tables.Table
    key: str
    moment: str
    columns: tuple[str, ...]


def keep(retention: Retention, warehouse: Warehouse, state: State, *, run: str) -> dict[str, int]:
    """Blank what is too old by now; how many rows that changed, by table.

    Opens no warehouse where everything is kept. A row that is blank already is not changed, so
    a day's work is what aged on that day.
    """
    if retention == Retention():
        return {}
    now = state.clock()
    stamp = landing.stamp(now, run)
    changed: dict[str, int] = {}
    with warehouse.open(f"{run}: blank what is too old") as session:
        session.ensure([t for v in vendors.names() for t in landing.vendor_tables(v)])
        for days, aged in _aged(retention):
            if days is None:
                continue
            before = now - timedelta(days=days)
            keys = _too_old(session, aged, before)
            _blank(session, aged.table, aged.key, keys, aged.columns, stamp, changed)
        if retention.transcripts is not None:
            before = now - timedelta(days=retention.transcripts)
            for vendor in vendors.names():
                keys = _said_long_ago(session, vendor, before)
                said = tables.utterances(vendor)
                _blank(session, said, "conversation_id", keys, ("text",), stamp, changed)
    return changed


def _aged(retention: Retention) -> list[tuple[float | None, _Aged]]:
    # The vendor's record holds the words too, so it goes with them at the latest.
    told = [days for days in (retention.raw, retention.transcripts) if days is not None]
    raw = min(told) if told else None
    made: list[tuple[float | None, _Aged]] = []
    for vendor in vendors.names():
        table = tables.conversations(vendor)
        for days, column in ((raw, "raw"), (retention.transcripts, "transcript")):
            made.append((days, _Aged(table, "conversation_id", "started_at", (column,))))
    signals = _Aged(tables.SIGNALS, "run_id", "scored_at", ("reason", "evidence"))
    answers = _Aged(tables.RUNS, "idempotency_key", "finished_at", ("response", "error_message"))
    odd = _Aged(tables.QUARANTINE, "quarantine_id", "quarantined_at", ("raw",))
    return [
        *made,
        (retention.evidence, signals),
        (retention.evidence, answers),
        (retention.quarantine, odd),
    ]


def _too_old(session: Session, aged: _Aged, before: datetime) -> list[str]:
    filled = " or ".join(f"{column} is not null" for column in aged.columns)
    rows = session.query(
        f"select distinct {aged.key} as id from {aged.table.qualified} "
        f"where {aged.moment} < ? and ({filled})",
        [before],
    )
    return sorted(str(row["id"]) for row in rows)


def _said_long_ago(session: Session, vendor: str, before: datetime) -> list[str]:
    """Conversations whose utterances still have words, though they began long ago."""
    rows = session.query(
        f"select distinct said.conversation_id as id from {tables.utterances(vendor).qualified} "
        f"as said join {tables.conversations(vendor).qualified} as calls "
        "on calls.conversation_id = said.conversation_id "
        "where calls.started_at < ? and said.text is not null",
        [before],
    )
    return sorted(str(row["id"]) for row in rows)


def _blank(
    session: Session,
    table: tables.Table,
    key: str,
    keys: Sequence[str],
    columns: tuple[str, ...],
    stamp: landing.Stamp,
    changed: dict[str, int],
) -> None:
    for at in range(0, len(keys), CHUNK):
        removal = Removal(table, key, keys[at : at + CHUNK], blank=columns, stamp=stamp)
        count = sum(session.remove([removal]))
        changed[table.name] = changed.get(table.name, 0) + count
