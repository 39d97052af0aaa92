"""A bench that was read for days, and its reconciliation: what the tests of it share."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bench import NOW, Bench, call

from semarize_pipeline import reconcile
from semarize_sandbox.model import Call

LATER = NOW + timedelta(days=4)


def spread(vendor: str, count: int = 6) -> list[Call]:
    """A call a day, the last one three days before the window's end: no edge is near."""
    return [call(vendor, n, NOW - timedelta(days=count - 1 - n)) for n in range(count)]


def read_to(bench: Bench) -> Bench:
    """Everything read and scored as the hourly runs would, up to ``LATER``."""
    slow = {"slice_hours": 240.0, "reconcile_days": 30}
    bench.set(
        history=replace(bench.settings.history, **slow),
        extract=replace(bench.settings.extract, start=timedelta(days=20)),
    )
    bench.clock.advance(days=4)
    bench.extract()
    bench.score()
    return bench


def go(bench: Bench) -> reconcile.ReconcileReport:
    return reconcile.reconcile(
        bench.vendor,
        bench.api(),
        bench.warehouse,
        bench.state,
        until=bench.clock(),
        settings=bench.settings,
        run="test",
    )


def accounts(bench: Bench) -> dict[str, int]:
    """The sums over all days; checks that each day adds up."""
    reconcile.check(bench.warehouse, NOW - timedelta(days=40), "test")
    names = ("listed", *reconcile.CATEGORIES)
    sums = ", ".join(f"sum({name})::int as {name}" for name in names)
    (row,) = bench.query(f"select {sums} from landing.reconciliation")
    return {name: count for name, count in row.items() if count}


def status(bench: Bench, id_: str) -> str:
    rows = bench.query("select status from landing.ledger where conversation_id = ?", [id_])
    return str(rows[0]["status"])
