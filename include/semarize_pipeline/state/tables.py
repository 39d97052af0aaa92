"""The state database's tables.

Texts have no longest length: SQLite never keeps to one, and PostgreSQL would refuse a row.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime everywhere; SQLite itself keeps no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone; add tzinfo=UTC")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

watermarks = Table(
    "watermarks",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("reached", Moment, nullable=False),
    # Where the first run began: the look-back never reads before it.
    Column("began", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

slices = Table(
    "slices",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("slice_start", Moment, primary_key=True),
    Column("slice_end", Moment, primary_key=True),
    Column("listed", Integer, nullable=False),
    Column("landed", Integer, nullable=False),
    Column("done_at", Moment, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    Column("vendor", Text, primary_key=True),
    Column("conversation_id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("score_status", Text),
    Column("score_after", Moment),
    Column("channel", Text),
    Column("started_at", Moment),
    Column("listed_at", Moment, nullable=False),
    Column("landed_at", Moment),
    Column("tries", Integer, nullable=False, default=0),
    Column("next_try_at", Moment),
    Column("reason", Text),
    Column("content_hash", Text),
    Column("transcript_hash", Text),
    # Of the listing's record, by which a later listing shows that something changed.
    Column("listing_hash", Text),
    Column("updated_at", Moment, nullable=False),
    # Not yet copied to the warehouse's mirror.
    Column("dirty", Boolean, nullable=False, default=True),
    Index("ledger_due", "vendor", "status", "next_try_at"),
    # By id, as they are asked for: else a hundred that are due are looked for among all.
    Index("ledger_to_score_by_id", "vendor", "score_status", "conversation_id"),
    Index("ledger_dirty", "vendor", "dirty"),
)

semarize_runs = Table(
    "semarize_runs",
    metadata,
    Column("idempotency_key", Text, primary_key=True),
    Column("run_id", Text),
    Column("vendor", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("kit_name", Text, nullable=False),
    Column("kit_code", Text, nullable=False),
    Column("kit_version_id", Text),
    Column("transcript_hash", Text, nullable=False),
    Column("attempt", Integer, nullable=False, default=1),
    # planned, running, succeeded, failed, cancelled, refused
    Column("status", Text, nullable=False),
    Column("planned_at", Moment, nullable=False),
    Column("submitted_at", Moment),
    Column("finished_at", Moment),
    Column("next_poll_at", Moment),
    Column("error_code", Text),
    Index("runs_of_conversation", "vendor", "conversation_id"),
    Index("runs_open", "vendor", "status"),
)

budgets = Table(
    "budgets",
    metadata,
    Column("key", Text, primary_key=True),
    # "pace" for the row that spaces requests, else a day or week such as "day 2026-11-21".
    Column("period", Text, primary_key=True),
    Column("used", Integer, nullable=False, default=0),
    # Seconds since 1970, as floats: turns lie milliseconds apart.
    Column("next_turn", Float, nullable=False, default=0.0),
    Column("slowdown", Float, nullable=False, default=1.0),
    # Of the row "pace": until when a vendor asked for silence, and what each of the last 60
    # seconds held, as JSON pairs of a second since 1970 and a count.
    Column("held_until", Float),
    Column("recent", Text),
)

tokens = Table(
    "tokens",
    metadata,
    Column("key", Text, primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Moment, nullable=False),
)
