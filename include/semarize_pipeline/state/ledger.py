"""One row per conversation that a vendor ever listed: what became of it, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from semarize_pipeline.model import Window
from semarize_pipeline.state import tables as t

if TYPE_CHECKING:
    from semarize_pipeline.state.store import State

Status = Literal[
    "listed",
    "pending",
    "landed",
    "absent",
    "expired",
    "quarantined",
    "private",
    "deleted",
    # A record that had no readable id, and got one when it was read again.
    "replayed",
]
# Nothing more is asked of the vendor for these.
SETTLED = frozenset({"landed", "absent", "expired", "quarantined", "deleted", "replayed"})
# unasked: a backfill landed it, and the kits of the hourly runs leave it alone.
ScoreStatus = Literal["due", "scored", "failed", "refused", "unasked"]
# The reason of a conversation that was erased: it must not land again, however it is listed.
ERASED = "erased"
CHUNK = 500  # ids in one IN list: well below SQLite's limit of variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A conversation's place in the ledger. Moments are aware and UTC."""

    conversation_id: str
    status: Status
    channel: str | None = None
    started_at: datetime | None = None
    listed_at: datetime
    landed_at: datetime | None = None
    tries: int = 0
    next_try_at: datetime | None = None
    reason: str | None = None
    content_hash: str | None = None
    transcript_hash: str | None = None
    listing_hash: str | None = None
    score_status: ScoreStatus | None = None
    score_after: datetime | None = None


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


class Ledger:
    """The ledger of all vendors."""

    def __init__(self, state: State) -> None:
        self._state = state

    def find(self, vendor: str, ids: Sequence[str]) -> dict[str, Entry]:
        """The entries of those ids that are known."""
        row = t.ledger.c
        found: dict[str, Entry] = {}
        with self._state.read() as connection:
            for part in _chunks(ids):
                query = sa.select(t.ledger).where(
                    row.vendor == vendor, row.conversation_id.in_(part)
                )
                for entry in map(_entry, connection.execute(query).mappings()):
                    found[entry.conversation_id] = entry
        return found

    def record(self, vendor: str, entries: Iterable[Entry]) -> None:
        """Write entries whole, over what was there; each waits for the next mirror.

        What was erased meanwhile stays erased.
        """
        now = self._state.clock()
        rows = [_row(vendor, entry, now) for entry in entries]
        with self._state.write() as connection:
            gone = _erased(connection, vendor, [row["conversation_id"] for row in rows])
            rows = [row for row in rows if row["conversation_id"] not in gone]
            self._state.upsert(connection, t.ledger, rows, _COLUMNS)

    def erased(self, vendor: str, ids: Sequence[str] | None = None) -> set[str]:
        """Which of these conversations were erased; of all, where none are named."""
        with self._state.read() as connection:
            return _erased(connection, vendor, ids)

    def erase(self, vendor: str, started: Mapping[str, datetime | None]) -> None:
        """Leave of these conversations only that they were erased, and end their runs.

        :param started: when each began, for those that the ledger has forgotten.
        """
        now = self._state.clock()
        row, run = t.ledger.c, t.semarize_runs.c
        with self._state.write() as connection:
            for part in _chunks(list(started)):
                known = sa.select(t.ledger).where(
                    row.vendor == vendor, row.conversation_id.in_(part)
                )
                found = map(_entry, connection.execute(known).mappings())
                before = {entry.conversation_id: entry for entry in found}
                stones = [_tombstone(id_, before.get(id_), started[id_], now) for id_ in part]
                rows = [_row(vendor, stone, now) for stone in stones]
                self._state.upsert(connection, t.ledger, rows, _COLUMNS)
                connection.execute(
                    sa.update(t.semarize_runs)
                    .where(
                        run.vendor == vendor,
                        run.conversation_id.in_(part),
                        run.status.in_(["planned", "running"]),
                    )
                    .values(
                        status="cancelled", error_code=ERASED, finished_at=now, next_poll_at=None
                    )
                )

    def record_listed(self, vendor: str, entries: Iterable[Entry]) -> None:
        """Count conversations the moment they are listed; known ones keep their entry."""
        now = self._state.clock()
        rows = [_row(vendor, entry, now) for entry in entries]
        with self._state.write() as connection:
            self._state.upsert(connection, t.ledger, rows, None)

    def due(self, vendor: str, now: datetime, limit: int) -> list[Entry]:
        """Pending conversations whose next try has come, the longest overdue first."""
        row = t.ledger.c
        query = (
            sa.select(t.ledger)
            .where(row.vendor == vendor, row.status == "pending", row.next_try_at <= now)
            .order_by(row.next_try_at, row.conversation_id)
            .limit(limit)
        )
        with self._state.read() as connection:
            return [_entry(found) for found in connection.execute(query).mappings()]

    def to_score(self, vendor: str, now: datetime, limit: int, after: str = "") -> list[Entry]:
        """Landed conversations with a kit still to run, by id, beyond ``after``."""
        row = t.ledger.c
        query = (
            sa.select(t.ledger)
            .where(
                row.vendor == vendor,
                row.score_status == "due",
                sa.or_(row.score_after.is_(None), row.score_after <= now),
                row.conversation_id > after,
            )
            .order_by(row.conversation_id)
            .limit(limit)
        )
        with self._state.read() as connection:
            return [_entry(found) for found in connection.execute(query).mappings()]

    def settle_scores(
        self, vendor: str, outcomes: Mapping[str, tuple[ScoreStatus, datetime | None]]
    ) -> None:
        """Say how scoring stands: scored, failed, refused, or due again after a moment."""
        if not outcomes:
            return
        row = t.ledger.c
        statement = (
            sa.update(t.ledger)
            .where(
                row.vendor == sa.bindparam("of"),
                row.conversation_id == sa.bindparam("id"),
                row.status != "deleted",
            )
            .values(
                score_status=sa.bindparam("score"),
                score_after=sa.bindparam("later", type_=t.Moment),
                updated_at=self._state.clock(),
                dirty=True,
            )
        )
        with self._state.write() as connection:
            connection.execute(
                statement,
                [
                    {"of": vendor, "id": id_, "score": status, "later": later}
                    for id_, (status, later) in outcomes.items()
                ],
            )

    def has_to_score(self, vendor: str, now: datetime) -> bool:
        """Whether any conversation has a kit still to run: asked before anything is opened."""
        return bool(self.to_score(vendor, now, limit=1))

    def lacks_mirror(self, vendor: str) -> bool:
        """Whether something is not in the warehouse's mirror that a load should have put there.

        One that was asked for again, in vain, waits for the next load: an hour of waiting wakes
        no warehouse.
        """
        row = t.ledger.c
        query = (
            sa.select(row.conversation_id)
            .where(
                row.vendor == vendor,
                row.dirty.is_(True),
                row.status != "listed",
                sa.or_(row.status != "pending", row.tries <= 1),
            )
            .limit(1)
        )
        with self._state.read() as connection:
            return connection.execute(query).first() is not None

    def unmirrored(self, vendor: str) -> list[dict[str, Any]]:
        """Rows that the warehouse's mirror does not show yet, as rows of ``landing.ledger``."""
        row = t.ledger.c
        query = sa.select(t.ledger).where(row.vendor == vendor, row.dirty.is_(True))
        with self._state.read() as connection:
            return [dict(found) for found in connection.execute(query).mappings()]

    def mirrored(self, vendor: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Mark rows as mirrored, unless they changed meanwhile."""
        if not rows:
            return
        row = t.ledger.c
        statement = (
            sa.update(t.ledger)
            .where(
                row.vendor == sa.bindparam("of"),
                row.conversation_id == sa.bindparam("id"),
                # Equal, not earlier: another worker's clock may be behind ours.
                row.updated_at == sa.bindparam("seen", type_=t.Moment),
            )
            .values(dirty=False)
        )
        with self._state.write() as connection:
            connection.execute(
                statement,
                [{"of": vendor, "id": r["conversation_id"], "seen": r["updated_at"]} for r in rows],
            )

    def restore(self, vendor: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take in rows of the mirror that are unknown here, or newer; what was erased always."""
        row, names = t.ledger.c, [column.name for column in t.ledger.columns]
        with self._state.write() as connection:
            for part in _chunks([mirrored["conversation_id"] for mirrored in rows]):
                query = sa.select(row.conversation_id, row.updated_at).where(
                    row.vendor == vendor, row.conversation_id.in_(part)
                )
                there = {id_: updated_at for id_, updated_at in connection.execute(query)}
                gone, ids = _erased(connection, vendor, part), set(part)
                taken = [
                    {name: mirrored.get(name) for name in names} | {"dirty": False}
                    for mirrored in rows
                    if (id_ := mirrored["conversation_id"]) in ids
                    and id_ not in gone
                    and (
                        id_ not in there
                        or mirrored["updated_at"] > there[id_]
                        or is_erased(mirrored)
                    )
                ]
                self._state.upsert(connection, t.ledger, taken, _COLUMNS)

    def between(self, vendor: str, window: Window) -> list[Entry]:
        """The conversations that started in a window."""
        row = t.ledger.c
        query = sa.select(t.ledger).where(
            row.vendor == vendor, row.started_at >= window.start, row.started_at < window.end
        )
        with self._state.read() as connection:
            return [_entry(found) for found in connection.execute(query).mappings()]

    def in_status(
        self, vendor: str, statuses: Sequence[Status], score: Sequence[ScoreStatus] = ()
    ) -> list[Entry]:
        """The conversations of these statuses, or whose scores stand so, by id."""
        row = t.ledger.c
        query = (
            sa.select(t.ledger)
            .where(
                row.vendor == vendor,
                sa.or_(row.status.in_(statuses), row.score_status.in_(score)),
            )
            .order_by(row.conversation_id)
        )
        with self._state.read() as connection:
            return [_entry(found) for found in connection.execute(query).mappings()]

    def counts(self, vendor: str) -> dict[str, int]:
        """How many conversations have each status."""
        row = t.ledger.c
        query = (
            sa.select(row.status, sa.func.count()).where(row.vendor == vendor).group_by(row.status)
        )
        with self._state.read() as connection:
            return {status: count for status, count in connection.execute(query)}

    def prune(self, vendor: str, before: datetime) -> int:
        """Forget conversations that are complete, mirrored, and older than any look-back."""
        row = t.ledger.c
        statement = sa.delete(t.ledger).where(
            row.vendor == vendor,
            row.status.in_(["landed", "absent", "expired", "private", "deleted", "replayed"]),
            sa.or_(
                row.score_status.is_(None), row.score_status.in_(["scored", "refused", "unasked"])
            ),
            row.dirty.is_(False),
            row.started_at < before,
            row.updated_at < before,
            # What was erased must not land again, whenever it is listed.
            sa.or_(row.status != "deleted", row.reason.is_(None), row.reason != ERASED),
        )
        with self._state.write() as connection:
            return int(connection.execute(statement).rowcount)


_FIELDS = tuple(Entry.__dataclass_fields__)
_COLUMNS = [column.name for column in t.ledger.columns if not column.primary_key]


def _tombstone(id_: str, before: Entry | None, started_at: datetime | None, now: datetime) -> Entry:
    """What is left of an erased conversation: its id, its days, and that it was erased."""
    kept = before or Entry(
        conversation_id=id_, status="deleted", started_at=started_at, listed_at=now
    )
    return Entry(
        conversation_id=id_,
        status="deleted",
        channel=kept.channel,
        started_at=kept.started_at,
        listed_at=kept.listed_at,
        landed_at=kept.landed_at,
        reason=ERASED,
    )


def is_erased(row: Mapping[str, Any]) -> bool:
    """Whether a row of the ledger, or of its mirror, is the stone of an erased conversation."""
    return bool(row["status"] == "deleted" and row["reason"] == ERASED)


def _erased(connection: sa.Connection, vendor: str, ids: Sequence[str] | None) -> set[str]:
    row = t.ledger.c
    query = sa.select(row.conversation_id).where(
        row.vendor == vendor, row.status == "deleted", row.reason == ERASED
    )
    if ids is None:
        return set(connection.execute(query).scalars())
    return {
        found
        for part in _chunks(ids)
        for found in connection.execute(query.where(row.conversation_id.in_(part))).scalars()
    }


def _entry(row: Mapping[Any, Any]) -> Entry:
    return Entry(**{name: row[name] for name in _FIELDS})


def _row(vendor: str, entry: Entry, now: datetime) -> dict[str, Any]:
    # Not ``asdict``, which would copy each moment.
    told = {name: getattr(entry, name) for name in _FIELDS}
    return {"vendor": vendor, **told, "updated_at": now, "dirty": True}
