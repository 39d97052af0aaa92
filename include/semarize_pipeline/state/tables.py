"""The state database's tables."""

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
    String,
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
    Column("stream", String(100), primary_key=True),
    Column("reached", Moment, nullable=False),
    # Where the first run began: the look-back never reads before it.
    Column("began", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

slices = Table(
    "slices",
    metadata,
    Column("stream", String(100), primary_key=True),
    Column("slice_start", Moment, primary_key=True),
    Column("slice_end", Moment, primary_key=True),
    Column("listed", Integer, nullable=False),
    Column("landed", Integer, nullable=False),
    Column("done_at", Moment, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    Column("vendor", String(50), primary_key=True),
    Column("conversation_id", String(200), primary_key=True),
    Column("status", String(20), nullable=False),
    Column("score_status", String(20)),
    Column("score_after", Moment),
    Column("channel", String(20)),
    Column("started_at", Moment),
    Column("listed_at", Moment, nullable=False),
    Column("landed_at", Moment),
    Column("tries", Integer, nullable=False, default=0),
    Column("next_try_at", Moment),
    Column("reason", Text),
    Column("content_hash", String(64)),
    Column("transcript_hash", String(64)),
    Column("updated_at", Moment, nullable=False),
    # Not yet copied to the warehouse's mirror.
    Column("dirty", Boolean, nullable=False, default=True),
    Index("ledger_due", "vendor", "status", "next_try_at"),
    Index("ledger_to_score", "vendor", "score_status"),
    Index("ledger_dirty", "vendor", "dirty"),
)

semarize_runs = Table(
    "semarize_runs",
    metadata,
    Column("idempotency_key", String(254), primary_key=True),
    Column("run_id", String(200)),
    Column("vendor", String(50), nullable=False),
    Column("conversation_id", String(200), nullable=False),
    Column("kit_name", String(100), nullable=False),
    Column("kit_code", String(50), nullable=False),
    Column("kit_version_id", String(100)),
    Column("transcript_hash", String(64), nullable=False),
    Column("attempt", Integer, nullable=False, default=1),
    # planned, running, succeeded, failed, cancelled, refused
    Column("status", String(20), nullable=False),
    Column("planned_at", Moment, nullable=False),
    Column("submitted_at", Moment),
    Column("finished_at", Moment),
    Column("next_poll_at", Moment),
    Column("error_code", String(100)),
    Index("runs_of_conversation", "vendor", "conversation_id"),
    Index("runs_open", "vendor", "status"),
)

budgets = Table(
    "budgets",
    metadata,
    Column("key", String(200), primary_key=True),
    # "pace" for the row that spaces requests, else a day or week such as "day 2026-11-21".
    Column("period", String(40), primary_key=True),
    Column("used", Integer, nullable=False, default=0),
    # Seconds since 1970, as floats: turns lie milliseconds apart.
    Column("next_turn", Float, nullable=False, default=0.0),
    Column("slowdown", Float, nullable=False, default=1.0),
)

tokens = Table(
    "tokens",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("until", Moment, nullable=False),
)
