"""Pain: a backfill drags the live cursor back, or ignores what it was told.

The DAG over the same dates with another form is in airflow/test_history_dags.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import DEALS, NOW, QUALITY, Bench, bench, call

from semarize_pipeline import backfill, campaigns, connect, orders
from semarize_sandbox import semarize

FIRST, LAST = "2026-01-20", "2026-01-29"


@pytest.fixture
def gong(tmp_path: Path) -> Iterator[Bench]:
    """A call at noon of each of eight days in January, and one of today."""
    old = [call("gong", n, NOW - timedelta(days=48 - n)) for n in range(8)]
    with bench("gong", tmp_path, [*old, call("gong", 50, NOW - timedelta(hours=5))]) as made:
        made.set(history=replace(made.settings.history, slice_hours=48.0))
        yield made


def go(
    made: Bench, tell: Any = lambda progress: None, run: str = "manual__1", **form: Any
) -> backfill.BackfillReport:
    settings = replace(made.settings, kits=(QUALITY, DEALS))
    order = orders.backfill(
        {"vendor": "gong", "from": FIRST, "to": LAST, **form},
        settings,
        run=run,
        now=NOW,
    )
    client = connect.semarize_client(made.credentials("semarize"), made.state, settings.score)
    return backfill.backfill(
        made.vendor,
        made.api(),
        client,
        made.warehouse,
        made.state,
        order=order,
        kits=campaigns.pinned(order.kits, client),
        settings=settings,
        run="a backfill",
        until=NOW,
        tell=tell,
        sleep=made.sleep,
    )


def reached(made: Bench) -> datetime:
    found = made.state.watermarks.reached("gong")
    assert found is not None
    return found


def test_the_live_watermark_only_moves_forward_while_a_backfill_runs_beside_it(
    gong: Bench,
) -> None:
    gong.extract()
    gong.score()
    seen = [reached(gong)]
    live: list[str] = []

    def an_hour_passes(progress: Any) -> None:
        """The hourly run, between two slices of the backfill: it finds a new call each time."""
        assert reached(gong) == seen[-1], "the backfill moves it neither way"
        gong.clock.advance(hours=1)
        new = call("gong", 60 + len(live), gong.clock() - timedelta(minutes=30))
        gong.world.add([new])
        live.append(new.id)
        now = gong.clock()
        assert gong.extract().landed == 1
        assert gong.score().scored == 1
        seen.append(reached(gong))
        assert seen[-1] == now

    report = go(gong, an_hour_passes, kits=["deal_signals"])
    assert len(live) >= 4, "the guard: they ran side by side"
    assert (report.landed, report.scored) == (8, 8)
    assert seen == sorted(seen)
    assert len(gong.conversations()) == 9 + len(live)
    # The live kit scored what is live, the backfill's what is past, and nobody the other's.
    rows = gong.query(
        "select kit_name, count(*) as n, min(conversation_id) as first "
        "from landing.semarize__runs group by all order by kit_name"
    )
    assert [(row["kit_name"], row["n"]) for row in rows] == [
        ("deal_signals", 8),
        ("interaction_quality", 1 + len(live)),
    ]
    assert semarize.of(gong.world).duplicates() == []
    gong.clock.advance(hours=1)
    gong.extract()
    assert gong.score().paid == 0, "the live kit leaves alone what the backfill landed"


def test_a_run_that_ends_late_does_not_bring_the_watermark_back(gong: Bench) -> None:
    """One that began three hours ago, and ends after a quicker one."""
    gong.extract()
    gong.extract(until=NOW - timedelta(hours=3))
    gong.state.watermarks.advance("gong", NOW - timedelta(hours=3))
    assert reached(gong) == NOW


def test_parameters_are_honoured_for_dates_that_have_been_done(gong: Bench) -> None:
    """The same days again with other words in the form: those count, not the first ones."""
    assert go(gong, kits=["interaction_quality"], max_calls=3).landed == 3
    again = go(gong, run="manual__2", kits=["deal_signals"], order="newest first")
    assert (again.landed, again.scored, again.stopped) == (5, 8, None)
    other_days = go(gong, run="manual__3", kits=["interaction_quality"], to="2026-01-22")
    kits = gong.query(
        "select kit_name, count(*) as n from landing.semarize__runs group by all order by all"
    )
    assert {row["kit_name"]: row["n"] for row in kits} == {
        "deal_signals": 8,
        "interaction_quality": 3 + other_days.scored,
    }
    assert semarize.of(gong.world).duplicates() == []
