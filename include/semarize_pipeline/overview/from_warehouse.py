"""The operator's questions to the warehouse: the same selects on DuckDB and on Snowflake.

They name no column with words in it, so that a copy may leave those out (``COPIED``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Protocol

from semarize_pipeline.dbt_build import BAD
from semarize_pipeline.reconcile import CATEGORIES, category, standing
from semarize_pipeline.warehouse import tables

# What a list shows at most; its count says how many there are.
SHOWN = 200
LOADS_SHOWN = 5
UNACCOUNTED = "unaccounted"
Row = dict[str, Any]

# The columns of landing that these questions need: table → columns. Of a vendor's conversations
# and of each kit's scores they are under the names below.
COPIED: Mapping[str, tuple[str, ...]] = {
    tables.LEDGER.name: tuple(tables.LEDGER.column_names),
    tables.LOADS.name: tuple(tables.LOADS.column_names),
    tables.RECONCILIATION.name: tuple(tables.RECONCILIATION.column_names),
    tables.QUARANTINE.name: (
        *("quarantine_id", "vendor", "conversation_id", "stage", "reason", "raw"),
        *("quarantined_at", "resolved_at", "_redaction", "_loaded_by"),
    ),
    tables.RUNS.name: (
        *("idempotency_key", "run_id", "vendor", "conversation_id", "kit_code", "kit_name"),
        *("kit_version_id", "attempt", "status", "submitted_at", "finished_at", "error_code"),
    ),
    tables.DBT_RESULTS.name: (
        *("invocation_id", "node_id", "resource_type", "status", "failures"),
        *("started_at", "finished_at", "_loaded_at"),
    ),
}
COPIED_CONVERSATIONS = ("conversation_id", "transcript_status", "_extracted_at", "_loaded_by")
COPIED_SCORES = ("vendor", "conversation_id", "kit_version_id", "run_id", "scored_at")
# Only whether there is any of it, never what it is.
BLANKED = ("raw", "_redaction")
HEALTH = "pipeline_health"
KEY = "conversation_key"


class Reader(Protocol):
    """Whatever answers a select, such as an open session of a warehouse."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Rows of a select with ``?`` for each parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A vendor's day: how its conversations stand now, and what the last account said of it."""

    vendor: str
    day: datetime
    listed: int
    counts: Mapping[str, int]
    account: Row | None

    @property
    def unrecorded(self) -> int:
        """Listed by the vendor at the last account, and recorded nowhere."""
        told = int(self.account["unaccounted"]) if self.account else 0
        return max(0, told - self.counts.get(UNACCOUNTED, 0))

    @property
    def is_whole(self) -> bool:
        """Whether every conversation that may be scored is."""
        settled = ("scored", "private", "deleted", "absent")
        return not self.unrecorded and self.listed == sum(self.counts.get(s, 0) for s in settled)


class Warehouse:
    """The questions, over a reader. What has not landed yet counts as empty."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @cached_property
    def _there(self) -> dict[str, set[str]]:
        """By schema: the tables that exist, and under ``KEY`` the marts of conversations."""
        rows = self._reader.query(
            "select lower(table_schema) as s, lower(table_name) as t, "
            f"max(case when lower(column_name) = '{KEY}' then 1 else 0 end) as has_key "
            "from information_schema.columns "
            "where lower(table_schema) in ('landing', 'marts') group by 1, 2"
        )
        there: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            there[row["s"]].add(row["t"])
            if row["s"] == "marts" and row["has_key"]:
                there[KEY].add(row["t"])
        return there

    def _has(self, table: tables.Table) -> bool:
        return table.name in self._there[tables.SCHEMA]

    def _rows(self, table: tables.Table, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._reader.query(sql, parameters) if self._has(table) else []

    # ------------------------------------------------------------------ the overview

    def loads(self, vendors: Sequence[str]) -> dict[str, list[Row]]:
        """Each vendor's last loads, the newest first."""
        rows = self._rows(
            tables.LOADS,
            "select * from (select load_id, vendor, kind, window_start, window_end, listed, "
            "landed, pending, quarantined, scored, failed, requests, started_at, finished_at, "
            "duration_seconds, _loaded_by, row_number() over (partition by vendor "
            f"order by finished_at desc, load_id) as place from {tables.LOADS.qualified}) as r "
            f"where place <= {LOADS_SHOWN} and vendor in ({_marks(vendors)}) "
            "order by vendor, place",
            list(vendors),
        )
        made: dict[str, list[Row]] = {vendor: [] for vendor in vendors}
        for row in rows:
            made[row["vendor"]].append(row)
        return made

    def quarantine(self, vendors: Sequence[str]) -> list[Row]:
        """What is in the quarantine, by vendor, stage and reason, the most first.

        ``unreadable`` counts those that a replay cannot read, since it has no raw record of them.
        """
        return self._rows(
            tables.QUARANTINE,
            "select vendor, stage, coalesce(reason, 'no reason was recorded') as reason, "
            "count(*) as n, min(quarantined_at) as oldest, max(quarantined_at) as newest, "
            "sum(case when raw is null or _redaction is not null then 1 else 0 end) as unreadable "
            f"from {tables.QUARANTINE.qualified} "
            f"where resolved_at is null and vendor in ({_marks(vendors)}) "
            f"group by vendor, stage, reason order by n desc, vendor, reason limit {SHOWN}",
            list(vendors),
        )

    def quarantined(self, vendor: str, reason: str | None) -> list[Row]:
        """Records of the quarantine, the newest first."""
        condition = "" if reason is None else " and coalesce(reason, '') = ?"
        return self._rows(
            tables.QUARANTINE,
            "select conversation_id, stage, reason, quarantined_at, raw is not null as has_raw "
            f"from {tables.QUARANTINE.qualified} where resolved_at is null and vendor = ?"
            f"{condition} order by quarantined_at desc, quarantine_id limit {SHOWN}",
            [vendor, *([] if reason is None else [reason])],
        )

    def account(self, vendors: Sequence[str], since: datetime) -> dict[tuple[str, datetime], Row]:
        """The last account of each vendor's days: rows of ``landing.reconciliation``."""
        rows = self._rows(
            tables.RECONCILIATION,
            f"select vendor, day, listed, {', '.join(CATEGORIES)}, unaccounted, reconciled_at "
            f"from {tables.RECONCILIATION.qualified} "
            f"where day >= ? and vendor in ({_marks(vendors)}) order by vendor, day",
            [since, *vendors],
        )
        return {(row["vendor"], row["day"]): row for row in rows}

    def days(self, vendors: Sequence[str], start: datetime, end: datetime) -> list[Day]:
        """How the conversations of each day stand now, beside the last account; newest first."""
        account = self.account(vendors, start)
        counted: dict[tuple[str, datetime], Counter[str]] = defaultdict(Counter)
        for vendor in vendors:
            if not self._is_landed(vendor):
                continue
            rows = self._reader.query(
                "select status, score_status, has_words, has_score, "
                "date_trunc('day', happened_at) as day, count(*) as n "
                f"from ({standing(vendor)}) as standing group by 1, 2, 3, 4, 5",
                [vendor, vendor, start, end],
            )
            for row in rows:
                counted[vendor, row["day"].astimezone(UTC)][category(row) or UNACCOUNTED] += row[
                    "n"
                ]
        return [
            Day(
                vendor=vendor,
                day=day,
                listed=counted[vendor, day].total(),
                counts=counted[vendor, day],
                account=account.get((vendor, day)),
            )
            for vendor, day in sorted(
                {*counted, *account}, key=lambda k: (k[1], k[0]), reverse=True
            )
        ]

    def conversations_of(self, vendor: str, day: datetime, what: str) -> list[Row]:
        """The conversations behind one number of ``days``, by id."""
        if not self._is_landed(vendor):
            return []
        rows = self._reader.query(
            f"{standing(vendor)} order by conversation_id",
            [vendor, vendor, day, day + timedelta(days=1)],
        )
        return [row for row in rows if what == "listed" or (category(row) or UNACCOUNTED) == what]

    def dbt(self) -> Row | None:
        """The last build: when it ended, how many nodes it had, and which went wrong."""
        rows = self._rows(
            tables.DBT_RESULTS,
            "select node_id, resource_type, status, failures, finished_at, _loaded_at "
            f"from {tables.DBT_RESULTS.qualified} where invocation_id = ("
            f"select invocation_id from {tables.DBT_RESULTS.qualified} "
            "order by _loaded_at desc, invocation_id limit 1) order by node_id",
        )
        if not rows:
            return None
        wrong = [row for row in rows if row["status"] in BAD]
        return {
            "built_at": max(row["_loaded_at"] for row in rows),
            "nodes": len(rows),
            "models": sum(row["resource_type"] == "model" for row in rows),
            "wrong": wrong[:SHOWN],
        }

    def health(self, vendors: Sequence[str]) -> dict[str, Row]:
        """How far the marts follow: each vendor's last load that ``pipeline_health`` knows of."""
        if HEALTH not in self._there["marts"]:
            return {}
        rows = self._reader.query(
            "select vendor, max(last_load_at) as last_load_at "
            f"from marts.{HEALTH} where vendor in ({_marks(vendors)}) group by vendor",
            list(vendors),
        )
        return {row["vendor"]: row for row in rows}

    # ------------------------------------------------------------------ one conversation

    def where(self, vendors: Sequence[str], conversation_id: str) -> list[str]:
        """The vendors of whom the warehouse knows this id."""
        found: set[str] = set()
        for table in (tables.LEDGER, tables.QUARANTINE):
            rows = self._rows(
                table,
                f"select distinct vendor from {table.qualified} where conversation_id = ? "
                f"and vendor in ({_marks(vendors)})",
                [conversation_id, *vendors],
            )
            found |= {row["vendor"] for row in rows}
        return sorted(found)

    def mirrored(self, vendor: str, conversation_id: str) -> Row | None:
        """The ledger's mirror of one, where the state database has forgotten it."""
        return _first(
            self._rows(
                tables.LEDGER,
                f"select * from {tables.LEDGER.qualified} where vendor = ? and conversation_id = ?",
                [vendor, conversation_id],
            )
        )

    def landed(self, vendor: str, conversation_id: str) -> Row | None:
        """When and by what it landed, and whether with its words."""
        table = tables.conversations(vendor)
        return _first(
            self._rows(
                table,
                f"select {', '.join(COPIED_CONVERSATIONS)} from {table.qualified} "
                "where conversation_id = ?",
                [conversation_id],
            )
        )

    def runs(self, vendor: str, conversation_id: str) -> list[Row]:
        """The runs that landed, the oldest first."""
        return self._rows(
            tables.RUNS,
            f"select {', '.join(COPIED[tables.RUNS.name])} from {tables.RUNS.qualified} "
            "where vendor = ? and conversation_id = ? "
            f"order by submitted_at, idempotency_key limit {SHOWN}",
            [vendor, conversation_id],
        )

    def scores(self, vendor: str, conversation_id: str) -> dict[str, int]:
        """By kit: its rows of scores."""
        prefix = "scores__"
        kits = sorted(t for t in self._there[tables.SCHEMA] if t.startswith(prefix))
        return self._counted(
            {kit.removeprefix(prefix): f"{tables.SCHEMA}.{kit}" for kit in kits},
            "vendor = ? and conversation_id = ?",
            [vendor, conversation_id],
        )

    def in_marts(self, vendor: str, conversation_id: str) -> dict[str, int]:
        """By mart: its rows about this conversation; marts without any are left out."""
        marts = {name: f"marts.{name}" for name in sorted(self._there[KEY])}
        return self._counted(marts, f"{KEY} = ?", [f"{vendor}:{conversation_id}"])

    def in_quarantine(self, vendor: str, conversation_id: str) -> list[Row]:
        """Its records in the quarantine, resolved ones too."""
        return self._rows(
            tables.QUARANTINE,
            "select stage, reason, quarantined_at, resolved_at, raw is not null as has_raw "
            f"from {tables.QUARANTINE.qualified} where vendor = ? and conversation_id = ? "
            f"order by quarantined_at limit {SHOWN}",
            [vendor, conversation_id],
        )

    # ------------------------------------------------------------------

    def _is_landed(self, vendor: str) -> bool:
        needed = (tables.LEDGER, tables.RUNS, tables.conversations(vendor))
        return all(self._has(table) for table in needed)

    def _counted(self, of: Mapping[str, str], where: str, values: Sequence[Any]) -> dict[str, int]:
        """Rows by name, of several tables in one statement."""
        if not of:
            return {}
        parts = [
            f"select '{name}' as name, count(*) as n from {table} where {where}"
            for name, table in of.items()
        ]
        rows = self._reader.query(
            " union all ".join(parts) + " order by name", list(values) * len(parts)
        )
        return {row["name"]: int(row["n"]) for row in rows if row["n"]}


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values)) or "null"


def _first(rows: Sequence[Row]) -> Row | None:
    return rows[0] if rows else None
