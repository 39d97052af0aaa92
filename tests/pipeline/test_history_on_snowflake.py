"""What reads the warehouse about the past, in Snowflake's SQL: on its emulator."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from bench import DEALS, NOW, bench, call
from pipeline.losing import lose, refused, restored
from pipeline.reconciling import go, read_to, spread
from unit.warehouse.emulator import emulated

from semarize_pipeline import campaigns, connect, orders, reconcile, replay, rescore
from semarize_pipeline.model import Window
from semarize_pipeline.rescore import Selection

pytestmark = pytest.mark.slow


def test_the_past_on_snowflake(tmp_path: Path, emulator: int) -> None:
    with bench("gong", tmp_path, spread("gong")) as made:
        database = f"PAST_{uuid.uuid4().hex}".upper()
        made.warehouse = cast(Any, emulated(emulator, database))
        read_to(made)
        semarize = connect.semarize_client(
            made.credentials("semarize"), made.state, made.settings.score
        )
        scored = rescore.rescore(
            Selection(vendor="gong", window=Window(NOW - timedelta(days=30), NOW)),
            semarize,
            made.warehouse,
            made.state,
            kits=campaigns.pinned((DEALS,), semarize),
            campaign="one",
            caps=campaigns.NO_CAPS,
            settings=made.settings,
            run="test",
            sleep=made.sleep,
        )
        assert scored.scored == 5, "the sixth begins at the window's end"
        made.clock.advance(hours=1)
        made.state.ledger.prune("gong", made.clock())
        served = made.world.all_calls("gong")
        made.world.remove("gong", served[2].id)
        made.world.add(
            [replace(served[1], title="Changed"), call("gong", 40, NOW - timedelta(days=3))]
        )
        accounted = go(made)
        assert (accounted.found, accounted.changed, accounted.deleted) == (1, 1, 1)
        assert reconcile.check(made.warehouse, NOW - timedelta(days=40), "test") == 6
        order = orders.replay({}, made.settings, run="two", now=made.clock())
        plan = replay.plan(
            made.vendor,
            made.warehouse,
            made.state,
            order=order,
            began=made.clock(),
            settings=made.settings,
            run="test",
        )
        assert (plan.calls, plan.runs) == (0, 0)

        made.score()
        known = made.state.runs.of("gong", [each.id for each in served])
        assert len(known) == 11
        lose(made)
        refused(made)
        report = restored(made)
        assert (report.conversations, report.runs, report.open_runs) == ({"gong": 7}, 12, 0)
        assert report.used["runs of one (ever)"] == 5
        again = made.state.runs.of("gong", [each.id for each in served])
        assert [(run.idempotency_key, run.run_id, run.status) for run in again] == [
            (run.idempotency_key, run.run_id, run.status) for run in known
        ]
        assert made.extract().landed == 0
        assert made.score().paid == 0
