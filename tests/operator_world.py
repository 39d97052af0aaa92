"""A small world of Gong with one of each: what an operator may find of a conversation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import Bench, bench, call

from semarize_pipeline import reconcile
from semarize_pipeline.privacy import erasure
from semarize_pipeline.vendors.base import Vendor

# What became of a conversation → its number in the world.
NUMBERS = {
    "failed": 0,  # the first one is sent first, and the sandbox fails the first run
    "scored": 1,
    "pending": 2,
    "private": 3,
    "quarantined": 4,
    "expired": 5,
    "lost": 6,  # landed and scored, and then somebody removed it from landing
    "erased": 7,
}
UNREADABLE = "ValueError in the Gong record"
MARKUP = '<b onmouseover="alert(1)">'


def id_of(what: str) -> str:
    return call("gong", NUMBERS[what], datetime.now(UTC)).id


def faulty(vendor: Vendor) -> Vendor:
    """The vendor with a mistake in its translation: one transcript cannot be read."""
    whole = vendor.translate

    def translate(record: Any, transcript: Any) -> Any:
        if transcript is not None and f"Call number {NUMBERS['quarantined']}." in str(transcript):
            raise ValueError("words that we could not read")
        return whole(record, transcript)

    return replace(vendor, translate=translate)


@contextmanager
def operated(folder: Path, now: datetime, warehouse: Any = None) -> Iterator[Bench]:
    """The world, read and scored by the hourly runs and reconciled at ``now``.

    :param warehouse: in the place of a DuckDB file in the folder.
    """
    special: dict[str, dict[str, Any]] = {
        "pending": {"ready_after": timedelta(days=1)},
        "private": {"private": True},
        "expired": {"ready_after": None, "started_at": now - timedelta(days=20)},
    }
    calls = []
    for what, number in NUMBERS.items():
        given = {"title": f"Call {MARKUP}", **special.get(what, {})}
        started = given.pop("started_at", now - timedelta(hours=10, minutes=number))
        calls.append(call("gong", number, started, **given))
    with bench("gong", folder, calls) as made:
        if warehouse is not None:
            made.warehouse = warehouse
        made.vendor = faulty(made.vendor)
        made.set(
            extract=replace(made.settings.extract, start=timedelta(days=30), slice_hours=2000),
            # One at a time, so that the run that fails is always the same.
            score=replace(made.settings.score, attempts=1, at_once=1),
            history=replace(made.settings.history, slice_hours=2000, reconcile_days=25),
        )
        _set(made, now - timedelta(hours=1))
        made.world.switch("semarize", fail_next=1)
        made.extract()
        made.score()
        _set(made, now)
        made.extract()
        made.score()
        # Its run before the account is made, which sees that; its words after it, or they would be
        # fetched again.
        _remove(made, "semarize__runs", id_of("lost"))
        erasure.erase(
            erasure.Request(vendor="gong", conversation_ids=(id_of("erased"),)),
            made.warehouse,
            made.state,
            requested_by="ticket 1",
            run="test",
            dry_run=False,
        )
        reconcile.reconcile(
            made.vendor,
            made.api(),
            made.warehouse,
            made.state,
            until=made.clock(),
            settings=made.settings,
            run="reconcile/scheduled__1/relist__gong",
        )
        _remove(made, "gong__conversations", id_of("lost"))
        _set(made, now)
        yield made


def _remove(made: Bench, table: str, conversation_id: str) -> None:
    with made.warehouse.open("somebody") as session:
        session.query(f"delete from landing.{table} where conversation_id = ?", [conversation_id])


def _set(made: Bench, at: datetime) -> None:
    made.clock.now = at
    made.world.freeze(at)
