"""The operator's questions to the state database: current to the second, and read only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from semarize_pipeline.state import State
from semarize_pipeline.state import tables as t
from semarize_pipeline.state.ledger import ERASED, Entry
from semarize_pipeline.state.runs import WRONG

# What a list shows at most; its count says how many there are.
SHOWN = 200
Kind = Literal["transcript", "score"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """How far a vendor was read."""

    reached: datetime
    began: datetime
    moved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Conversations of a vendor that wait for one thing for one reason."""

    vendor: str
    kind: Kind
    reason: str
    count: int
    oldest: datetime
    next_try_at: datetime | None
    overdue: int
    """Of these, whose time came more than ``OVERDUE`` ago and that nobody has tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """Runs of a kit that failed or were refused for one reason, with no later attempt."""

    vendor: str
    kit_name: str
    status: str
    reason: str
    count: int
    newest: datetime


# Two hourly runs have had the chance to try again.
OVERDUE = timedelta(hours=2)


def watermarks(state: State, vendors: Sequence[str]) -> dict[str, Watermark]:
    """How far each of these vendors was read; those never read are not in it."""
    row = t.watermarks.c
    with state.read() as connection:
        found = connection.execute(sa.select(t.watermarks).where(row.stream.in_(vendors)))
        return {
            each.stream: Watermark(reached=each.reached, began=each.began, moved_at=each.updated_at)
            for each in found
        }


def counts(state: State, vendors: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many conversations of each vendor the ledger holds in each status."""
    row = t.ledger.c
    query = (
        sa.select(row.vendor, row.status, sa.func.count().label("n"))
        .where(row.vendor.in_(vendors))
        .group_by(row.vendor, row.status)
    )
    made: dict[str, dict[str, int]] = {vendor: {} for vendor in vendors}
    with state.read() as connection:
        for each in connection.execute(query):
            made[each.vendor][each.status] = each.n
    return made


def waiting(state: State, vendors: Sequence[str], now: datetime) -> list[Waiting]:
    """What waits for a transcript or for a score, by reason, the most first."""
    row = t.ledger.c
    late = now - OVERDUE
    made = []
    parts: list[tuple[Kind, Any, Any, Any]] = [
        (
            "transcript",
            row.status.in_(("listed", "pending")),
            sa.func.coalesce(row.reason, "it was listed and nothing was asked yet"),
            sa.func.coalesce(row.next_try_at, row.listed_at),
        ),
        (
            "score",
            row.score_status == "due",
            sa.case(
                (row.score_after.is_not(None), "a run is to be tried again"),
                else_="the next hourly run scores it",
            ),
            sa.func.coalesce(row.score_after, row.updated_at),
        ),
    ]
    with state.read() as connection:
        for kind, condition, reason, due in parts:
            query = (
                sa.select(
                    row.vendor,
                    reason.label("reason"),
                    sa.func.count().label("n"),
                    _moment(sa.func.min(sa.func.coalesce(row.started_at, row.listed_at)), "oldest"),
                    _moment(sa.func.min(due), "next_try_at"),
                    sa.func.sum(sa.case((due < late, 1), else_=0)).label("overdue"),
                )
                .where(row.vendor.in_(vendors), condition)
                .group_by(row.vendor, reason)
                .limit(SHOWN)
            )
            made += [
                Waiting(
                    vendor=each.vendor,
                    kind=kind,
                    reason=each.reason,
                    count=each.n,
                    oldest=each.oldest,
                    next_try_at=each.next_try_at,
                    overdue=int(each.overdue),
                )
                for each in connection.execute(query)
            ]
    return sorted(made, key=lambda each: (-each.count, each.vendor, each.reason))


def quarantined(state: State, vendors: Sequence[str]) -> dict[str, dict[str, int]]:
    """By vendor: the reasons for which the ledger calls conversations quarantined."""
    row = t.ledger.c
    query = (
        sa.select(row.vendor, row.reason, sa.func.count().label("n"))
        .where(row.vendor.in_(vendors), row.status == "quarantined")
        .group_by(row.vendor, row.reason)
        .limit(SHOWN)
    )
    made: dict[str, dict[str, int]] = {}
    with state.read() as connection:
        for each in connection.execute(query):
            made.setdefault(each.vendor, {})[each.reason or "no reason was recorded"] = each.n
    return made


def wrong_runs(state: State, vendors: Sequence[str]) -> list[Wrong]:
    """Runs that ended badly, by vendor, kit and reason: what a replay would try again."""
    run = t.semarize_runs.c
    later = t.semarize_runs.alias("later")
    again = (
        sa.select(sa.literal(1))
        .where(
            later.c.vendor == run.vendor,
            later.c.conversation_id == run.conversation_id,
            later.c.kit_code == run.kit_code,
            later.c.kit_version_id.is_not_distinct_from(run.kit_version_id),
            later.c.transcript_hash == run.transcript_hash,
            later.c.attempt > run.attempt,
        )
        .exists()
    )
    reason = sa.func.coalesce(run.error_code, "no error code")
    query = (
        sa.select(
            run.vendor,
            run.kit_name,
            run.status,
            reason.label("reason"),
            sa.func.count().label("n"),
            _moment(sa.func.max(run.planned_at), "newest"),
        )
        .where(
            run.vendor.in_(vendors),
            run.status.in_(WRONG),
            sa.func.coalesce(run.error_code, "") != ERASED,
            ~again,
        )
        .group_by(run.vendor, run.kit_name, run.status, reason)
        .limit(SHOWN)
    )
    with state.read() as connection:
        found = [
            Wrong(
                vendor=each.vendor,
                kit_name=each.kit_name,
                status=each.status,
                reason=each.reason,
                count=each.n,
                newest=each.newest,
            )
            for each in connection.execute(query)
        ]
    return sorted(found, key=lambda each: (-each.count, each.vendor, each.kit_name))


def runs_by_day(state: State, vendors: Sequence[str], since: datetime) -> dict[str, dict[str, int]]:
    """By day (UTC): how many runs were sent, and what became of them."""
    run = t.semarize_runs.c
    with state.read() as connection:
        day: sa.ColumnElement[str]
        if connection.dialect.name == "sqlite":
            day = sa.func.substr(sa.type_coerce(run.submitted_at, sa.Text), 1, 10)
        else:
            day = sa.func.to_char(sa.func.timezone("UTC", run.submitted_at), "YYYY-MM-DD")
        query = (
            sa.select(day.label("day"), run.status, sa.func.count().label("n"))
            .where(run.vendor.in_(vendors), run.submitted_at >= since)
            .group_by(day, run.status)
        )
        made: dict[str, dict[str, int]] = {}
        for each in connection.execute(query):
            made.setdefault(each.day, {})[each.status] = each.n
    return dict(sorted(made.items(), reverse=True))


def find(state: State, vendors: Sequence[str], conversation_id: str) -> dict[str, Entry]:
    """The ledger's entries of an id, by vendor."""
    found = {vendor: state.ledger.find(vendor, [conversation_id]) for vendor in vendors}
    return {vendor: known[conversation_id] for vendor, known in found.items() if known}


def entries(
    state: State, vendor: str, what: str, reason: str | None = None
) -> tuple[int, list[Entry]]:
    """The conversations that wait or went wrong, the next try first; how many, and the first ones.

    :param what: ``transcript`` or ``score`` for those that wait, else a status of the ledger or of
        the scores (``failed``, ``refused``).
    """
    row = t.ledger.c
    condition: Any
    if what == "transcript":
        condition = row.status.in_(("listed", "pending"))
    elif what in ("score", "failed", "refused"):
        condition = row.score_status == ("due" if what == "score" else what)
    else:
        condition = row.status == what
    condition = sa.and_(row.vendor == vendor, condition)
    if reason is not None:
        condition = sa.and_(condition, row.reason == reason)
    due = sa.func.coalesce(row.next_try_at, row.score_after, row.listed_at)
    query = sa.select(t.ledger).where(condition).order_by(due, row.conversation_id).limit(SHOWN)
    with state.read() as connection:
        total = connection.execute(
            sa.select(sa.func.count()).select_from(t.ledger).where(condition)
        ).scalar_one()
        rows = connection.execute(query).mappings().all()
    return total, [
        Entry(**{name: row[name] for name in Entry.__dataclass_fields__}) for row in rows
    ]


def _moment(expression: Any, name: str) -> Any:
    """A computed moment as an aware one: functions lose the column's type on SQLite."""
    return sa.type_coerce(expression, t.Moment()).label(name)
