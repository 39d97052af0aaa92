"""The paid runs: recorded under a unique key before anybody waits for them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from semarize_pipeline.state import tables as t
from semarize_pipeline.state.ledger import _chunks

if TYPE_CHECKING:
    from semarize_pipeline.state.store import State

RunStatus = Literal["planned", "running", "succeeded", "failed", "cancelled", "refused"]
OPEN: tuple[RunStatus, ...] = ("planned", "running")
WRONG: tuple[RunStatus, ...] = ("failed", "cancelled", "refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One paid evaluation of one transcript by one kit version."""

    idempotency_key: str
    vendor: str
    conversation_id: str
    kit_name: str
    kit_code: str
    kit_version_id: str | None
    transcript_hash: str
    attempt: int = 1
    status: RunStatus = "planned"
    run_id: str | None = None
    planned_at: datetime
    submitted_at: datetime | None = None
    finished_at: datetime | None = None
    next_poll_at: datetime | None = None
    error_code: str | None = None


_FIELDS = tuple(Run.__dataclass_fields__)
# Made once: to put a statement together takes longer than to execute it. One that was ended
# meanwhile, by an erasure, stays ended.
_ACCEPT = (
    sa.update(t.semarize_runs)
    .where(
        t.semarize_runs.c.idempotency_key == sa.bindparam("of"),
        t.semarize_runs.c.finished_at.is_(None),
    )
    .values(
        run_id=sa.bindparam("id"),
        status="running",
        submitted_at=sa.bindparam("at", type_=t.Moment),
        next_poll_at=sa.bindparam("at", type_=t.Moment),
    )
)


class Runs:
    """The register of paid runs."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._accepted: list[tuple[dict[str, Any], Future[None]]] = []
        self._turn = threading.Lock()
        self._gate = threading.Lock()

    def plan(self, runs: Sequence[Run]) -> None:
        """Record runs before they are sent; a key that exists keeps its run."""
        with self._state.write() as connection:
            self._state.upsert(connection, t.semarize_runs, [_row(run) for run in runs], None)

    def of(self, vendor: str, conversation_ids: Sequence[str]) -> list[Run]:
        """Every run of these conversations, oldest attempt first."""
        row = t.semarize_runs.c
        order = (row.conversation_id, row.kit_code, row.attempt, row.idempotency_key)
        return [
            run
            for part in _chunks(conversation_ids)
            for run in self._found(vendor, row.conversation_id.in_(part), *order)
        ]

    def accepted(self, key: str, run_id: str, at: datetime) -> None:
        """The run exists on the other side; from here on it is polled, never sent again.

        Returns when that is on the disk. Threads that come while another one writes are written
        together, next: one transaction and one wait for the disk, not one each.
        """
        mine: Future[None] = Future()
        with self._gate:
            self._accepted.append(({"of": key, "id": run_id, "at": at}, mine))
        with self._turn:
            with self._gate:
                together, self._accepted = self._accepted, []
            if together:
                self._record(together)
        # Written by this thread, or by the one before; and so is what went wrong.
        mine.result()

    def _record(self, together: Sequence[tuple[dict[str, Any], Future[None]]]) -> None:
        try:
            with self._state.write() as connection:
                connection.execute(_ACCEPT, [row for row, _ in together])
        except BaseException as error:
            for _, told in together:
                told.set_exception(error)
        else:
            for _, told in together:
                told.set_result(None)

    def polled(self, key: str, next_poll_at: datetime) -> None:
        row = t.semarize_runs.c
        with self._state.write() as connection:
            connection.execute(
                sa.update(t.semarize_runs)
                .where(row.idempotency_key == key, row.finished_at.is_(None))
                .values(next_poll_at=next_poll_at)
            )

    def finish(self, outcomes: Iterable[tuple[str, RunStatus, datetime, str | None]]) -> None:
        """Close runs whose answers have landed: key, status, finished at, error code."""
        rows = [
            {"of": key, "new": status, "at": at, "code": code} for key, status, at, code in outcomes
        ]
        if not rows:
            return
        row = t.semarize_runs.c
        statement = (
            sa.update(t.semarize_runs)
            .where(row.idempotency_key == sa.bindparam("of"))
            .values(
                status=sa.bindparam("new"),
                finished_at=sa.bindparam("at", type_=t.Moment),
                error_code=sa.bindparam("code"),
                next_poll_at=None,
            )
        )
        with self._state.write() as connection:
            connection.execute(statement, rows)

    def restore(self, runs: Sequence[Run]) -> None:
        """Take in runs that are unknown here, and the ends of those that are open here."""
        ended = [_row(run) for run in runs if run.finished_at is not None]
        row = t.semarize_runs.c
        statement = (
            sa.update(t.semarize_runs)
            .where(
                row.idempotency_key == sa.bindparam("of"),
                # A list of statuses would not go with many rows in one statement.
                sa.or_(*(row.status == each for each in OPEN)),
            )
            .values(
                status=sa.bindparam("new"),
                run_id=sa.bindparam("id"),
                finished_at=sa.bindparam("at", type_=t.Moment),
                error_code=sa.bindparam("code"),
                next_poll_at=None,
            )
        )
        with self._state.write() as connection:
            self._state.upsert(connection, t.semarize_runs, [_row(run) for run in runs], None)
            if ended:
                connection.execute(
                    statement,
                    [
                        {
                            "of": run["idempotency_key"],
                            "new": run["status"],
                            "id": run["run_id"],
                            "at": run["finished_at"],
                            "code": run["error_code"],
                        }
                        for run in ended
                    ],
                )

    def has_any(self, vendor: str) -> bool:
        """Whether any run was ever recorded for this vendor."""
        query = sa.select(t.semarize_runs.c.idempotency_key)
        with self._state.read() as connection:
            found = connection.execute(query.where(t.semarize_runs.c.vendor == vendor).limit(1))
            return found.first() is not None

    def open(self, vendor: str) -> list[Run]:
        """Runs that were recorded and are not finished, sent or not."""
        return self._found(vendor, t.semarize_runs.c.status.in_(OPEN))

    def went_wrong(self, vendor: str) -> list[Run]:
        """The last runs, by transcript and kit version, that failed or were refused."""
        bad = self._found(vendor, t.semarize_runs.c.status.in_(WRONG))
        last: dict[tuple[str, str, str | None, str], Run] = {}
        for run in self.of(vendor, sorted({run.conversation_id for run in bad})):
            key = (run.conversation_id, run.kit_code, run.kit_version_id, run.transcript_hash)
            if key not in last or run.attempt >= last[key].attempt:
                last[key] = run
        return [run for run in last.values() if run.status in WRONG]

    def waiting(self, vendor: str) -> list[Run]:
        """Runs that were accepted and are not finished, the next poll first."""
        row = t.semarize_runs.c
        return self._found(vendor, row.status == "running", row.next_poll_at, row.idempotency_key)

    def _found(
        self, vendor: str, condition: sa.ColumnElement[bool], *order: sa.ColumnElement[Any]
    ) -> list[Run]:
        query = (
            sa.select(t.semarize_runs)
            .where(t.semarize_runs.c.vendor == vendor, condition)
            .order_by(*order)
        )
        with self._state.read() as connection:
            return [_run(each) for each in connection.execute(query).mappings()]


def _row(run: Run) -> dict[str, Any]:
    # Not ``asdict``, which would copy each moment.
    return {name: getattr(run, name) for name in _FIELDS}


def _run(row: Mapping[Any, Any]) -> Run:
    return Run(**{name: row[name] for name in _FIELDS})
