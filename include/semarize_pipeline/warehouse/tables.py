"""The landing tables: columns, types and keys, declared once for every warehouse.

Types come from here, never from inference. Every table also carries ``_loaded_at`` (UTC)
and ``_loaded_by`` (the run that wrote the row).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

SCHEMA = "landing"
LONG_TEXTS = frozenset({"transcript", "text"})


class Type(Enum):
    """Our types; each warehouse says what they are called there."""

    TEXT = "text"
    FLOAT = "float"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: Type

    @property
    def is_long(self) -> bool:
        """Whether its texts are long: words, and JSON."""
        return self.type is Type.JSON or self.name in LONG_TEXTS


@dataclass(frozen=True, slots=True)
class Table:
    """A landing table. ``guard`` names the column whose change means that the row changed."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    guard: str | None = None

    @property
    def qualified(self) -> str:
        return f"{SCHEMA}.{self.name}"

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]


def _table(
    name: str, key: tuple[str, ...], columns: Iterable[tuple[str, Type]], guard: str | None = None
) -> Table:
    listed = [Column(*pair) for pair in columns]
    listed += [Column("_loaded_at", Type.TIMESTAMP), Column("_loaded_by", Type.TEXT)]
    return Table(name, tuple(listed), key, guard)


def conversations(vendor: str) -> Table:
    return _table(
        f"{vendor}__conversations",
        ("conversation_id",),
        [
            ("conversation_id", Type.TEXT),
            ("title", Type.TEXT),
            ("channel", Type.TEXT),
            ("direction", Type.TEXT),
            ("started_at", Type.TIMESTAMP),
            ("duration_seconds", Type.FLOAT),
            ("owner_id", Type.TEXT),
            ("owner_name", Type.TEXT),
            ("owner_email", Type.TEXT),
            ("account_name", Type.TEXT),
            ("opportunity_id", Type.TEXT),
            ("participants", Type.JSON),
            ("url", Type.TEXT),
            ("transcript_status", Type.TEXT),
            ("transcript", Type.TEXT),
            ("transcript_hash", Type.TEXT),
            ("utterance_count", Type.INTEGER),
            ("attributes", Type.JSON),
            ("raw", Type.JSON),
            ("_extracted_at", Type.TIMESTAMP),
            ("_content_hash", Type.TEXT),
            # By which policy it was redacted, and how often each kind; null where it was not.
            ("_redaction", Type.JSON),
        ],
        guard="_content_hash",
    )


def utterances(vendor: str) -> Table:
    return _table(
        f"{vendor}__utterances",
        ("conversation_id", "position"),
        [
            ("conversation_id", Type.TEXT),
            ("position", Type.INTEGER),
            ("speaker", Type.TEXT),
            ("speaker_role", Type.TEXT),
            ("start_seconds", Type.FLOAT),
            ("end_seconds", Type.FLOAT),
            ("text", Type.TEXT),
            ("_content_hash", Type.TEXT),
        ],
        guard="_content_hash",
    )


# What was bought, and for what.
BOUGHT = (
    ("idempotency_key", Type.TEXT),
    ("run_id", Type.TEXT),
    ("vendor", Type.TEXT),
    ("conversation_id", Type.TEXT),
    ("kit_code", Type.TEXT),
    ("kit_name", Type.TEXT),
    ("kit_version_id", Type.TEXT),
    ("transcript_hash", Type.TEXT),
    ("attempt", Type.INTEGER),
)

RUNS = _table(
    "semarize__runs",
    ("idempotency_key",),
    [
        *BOUGHT,
        ("status", Type.TEXT),
        ("submitted_at", Type.TIMESTAMP),
        ("finished_at", Type.TIMESTAMP),
        ("duration_ms", Type.INTEGER),
        ("error_code", Type.TEXT),
        ("error_message", Type.TEXT),
        ("response", Type.JSON),
        # How the text that was sent was redacted.
        ("_redaction", Type.JSON),
    ],
)

# Runs that were paid for and not finished when a round of scoring ended: should the state database
# be lost, they are polled. Those that have finished since stand in RUNS too.
OPEN_RUNS = _table(
    "semarize__open_runs",
    ("idempotency_key",),
    [
        *BOUGHT,
        ("campaign", Type.TEXT),
        ("planned_at", Type.TIMESTAMP),
        ("submitted_at", Type.TIMESTAMP),
    ],
)

SIGNALS = _table(
    "semarize__signals",
    ("run_id", "brick_key"),
    [
        ("run_id", Type.TEXT),
        ("brick_key", Type.TEXT),
        ("vendor", Type.TEXT),
        ("conversation_id", Type.TEXT),
        ("kit_code", Type.TEXT),
        ("kit_name", Type.TEXT),
        ("kit_version_id", Type.TEXT),
        ("value_type", Type.TEXT),
        ("value_boolean", Type.BOOLEAN),
        ("value_number", Type.FLOAT),
        ("value_text", Type.TEXT),
        ("value_list", Type.JSON),
        ("confidence", Type.FLOAT),
        ("reason", Type.TEXT),
        ("evidence", Type.JSON),
        ("scored_at", Type.TIMESTAMP),
    ],
)

QUARANTINE = _table(
    "quarantine",
    ("quarantine_id",),
    [
        ("quarantine_id", Type.TEXT),
        ("vendor", Type.TEXT),
        ("conversation_id", Type.TEXT),
        ("stage", Type.TEXT),
        ("reason", Type.TEXT),
        ("raw", Type.JSON),
        ("quarantined_at", Type.TIMESTAMP),
        ("resolved_at", Type.TIMESTAMP),
        ("_redaction", Type.JSON),
    ],
)

LOADS = _table(
    "loads",
    ("load_id",),
    [
        ("load_id", Type.TEXT),
        ("vendor", Type.TEXT),
        ("kind", Type.TEXT),
        ("window_start", Type.TIMESTAMP),
        ("window_end", Type.TIMESTAMP),
        ("listed", Type.INTEGER),
        ("landed", Type.INTEGER),
        ("pending", Type.INTEGER),
        ("private", Type.INTEGER),
        ("quarantined", Type.INTEGER),
        ("scored", Type.INTEGER),
        ("failed", Type.INTEGER),
        ("requests", Type.INTEGER),
        # Under whose name its calls or runs are counted; null for the hourly runs.
        ("campaign", Type.TEXT),
        ("started_at", Type.TIMESTAMP),
        ("finished_at", Type.TIMESTAMP),
        ("duration_seconds", Type.FLOAT),
    ],
)

LEDGER = _table(
    "ledger",
    ("vendor", "conversation_id"),
    [
        ("vendor", Type.TEXT),
        ("conversation_id", Type.TEXT),
        ("status", Type.TEXT),
        ("score_status", Type.TEXT),
        ("channel", Type.TEXT),
        ("started_at", Type.TIMESTAMP),
        ("listed_at", Type.TIMESTAMP),
        ("landed_at", Type.TIMESTAMP),
        ("tries", Type.INTEGER),
        ("next_try_at", Type.TIMESTAMP),
        ("reason", Type.TEXT),
        ("content_hash", Type.TEXT),
        ("transcript_hash", Type.TEXT),
        ("listing_hash", Type.TEXT),
        ("updated_at", Type.TIMESTAMP),
    ],
)

RECONCILIATION = _table(
    "reconciliation",
    ("vendor", "day"),
    [
        ("vendor", Type.TEXT),
        # The day's first moment, UTC.
        ("day", Type.TIMESTAMP),
        ("listed", Type.INTEGER),
        ("scored", Type.INTEGER),
        ("unscored", Type.INTEGER),
        ("pending", Type.INTEGER),
        ("absent", Type.INTEGER),
        ("quarantined", Type.INTEGER),
        ("private", Type.INTEGER),
        ("deleted", Type.INTEGER),
        ("unaccounted", Type.INTEGER),
        ("reconciled_at", Type.TIMESTAMP),
    ],
)

DBT_RESULTS = _table(
    "dbt_results",
    ("invocation_id", "node_id"),
    [
        ("invocation_id", Type.TEXT),
        ("node_id", Type.TEXT),
        ("resource_type", Type.TEXT),
        ("status", Type.TEXT),
        ("failures", Type.INTEGER),
        ("message", Type.TEXT),
        ("execution_seconds", Type.FLOAT),
        ("started_at", Type.TIMESTAMP),
        ("finished_at", Type.TIMESTAMP),
    ],
)

# What was erased on request: that, when and how much it was, and nothing of what it was.
ERASURES = _table(
    "erasures",
    ("erasure_id",),
    [
        ("erasure_id", Type.TEXT),
        # Whom or what it was about, as a keyed hash.
        ("subject_hash", Type.TEXT),
        ("requested_by", Type.TEXT),
        ("status", Type.TEXT),
        ("conversations", Type.INTEGER),
        ("removed", Type.JSON),
        ("started_at", Type.TIMESTAMP),
        ("finished_at", Type.TIMESTAMP),
    ],
)

SHARED = (RUNS, SIGNALS, QUARANTINE, LOADS, LEDGER, RECONCILIATION, DBT_RESULTS, ERASURES)


def scores(kit_name: str, bricks: Iterable[tuple[str, Type]]) -> Table:
    """``scores__<kit>``: one typed column per brick, from the kit's own schema."""
    return _table(
        f"scores__{kit_name}",
        ("vendor", "conversation_id", "kit_version_id"),
        [
            ("vendor", Type.TEXT),
            ("conversation_id", Type.TEXT),
            ("kit_version_id", Type.TEXT),
            ("run_id", Type.TEXT),
            ("agent_id", Type.TEXT),
            ("channel", Type.TEXT),
            ("scored_at", Type.TIMESTAMP),
            *bricks,
        ],
    )
