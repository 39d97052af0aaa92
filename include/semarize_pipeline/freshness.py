"""Whether the marts and the vendors' conversations are as new as they should be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from semarize_pipeline.errors import PipelineError
from semarize_pipeline.state import State
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Warehouse

# Every mart before it feeds this one, so it is as old as the oldest of what it shows.
LAST_MART = "%.pipeline_health"
# A vendor that was not read for that long is one that nobody reads any more.
GIVEN_UP = timedelta(days=30)


class Stale(PipelineError):
    """Something is older than the settings allow; the message says what, and how old."""


def check(
    warehouse: Warehouse,
    state: State,
    names: Sequence[str],
    *,
    now: datetime,
    stale_after: timedelta,
    run: str,
) -> dict[str, Any]:
    """Ages in hours of the marts and of each vendor that is read. Raises Stale, naming the old."""
    ages: dict[str, float] = {}
    for name in names:
        reached = state.watermarks.reached(name)
        if reached is not None and now - reached < GIVEN_UP:
            ages[f"conversations of {name}"] = _hours(now - reached)
    if not ages:
        return {}
    built = _built_at(warehouse, run)
    if built is not None:
        ages["marts"] = _hours(now - built)
    most = _hours(stale_after)
    old = [f"{what}: {age:.0f} hours old" for what, age in ages.items() if age > most]
    if built is None:
        old.append("marts: never built")
    if old:
        raise Stale(
            f"{'; '.join(old)}. Allowed are {most:g} (notify.stale_after_hours). Look for a paused "
            "or failing DAG: conversations__<vendor> reads, scorecards builds the marts"
        )
    return ages


def _built_at(warehouse: Warehouse, run: str) -> datetime | None:
    with warehouse.open(f"{run}: how old are the marts") as session:
        session.ensure([tables.DBT_RESULTS])
        (row,) = session.query(
            f"select max(finished_at) as built_at from {tables.DBT_RESULTS.qualified} "
            "where resource_type = 'model' and status = 'success' and node_id like ?",
            [LAST_MART],
        )
    built = row["built_at"]
    return None if built is None else built.astimezone(UTC)


def _hours(span: timedelta) -> float:
    return round(span.total_seconds() / 3600, 1)
