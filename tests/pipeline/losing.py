"""A bench whose state database is lost: what the tests of that share."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import hurried
import pytest
from bench import DEALS, FERNET, NOW, QUALITY, Bench, call

from semarize_pipeline import backfill, campaigns, orders
from semarize_pipeline.errors import Stop
from semarize_pipeline.rebuild import RebuildReport, rebuild
from semarize_pipeline.state import State
from semarize_sandbox import semarize
from semarize_sandbox.model import Call

KITS = (QUALITY, DEALS)


def mixed(vendor: str) -> list[Call]:
    """Five calls: the fourth cannot be read, the last has no transcript for a day."""
    given = [call(vendor, n, NOW - timedelta(hours=10 - n)) for n in range(4)]
    return [*given, call(vendor, 9, NOW - timedelta(hours=3), ready_after=timedelta(days=1))]


def prepared(bench: Bench) -> Bench:
    """A bench of ``mixed`` calls, scored by two kits; nothing was read yet."""
    if bench.vendor.name == "salesloft":
        # Its token would have to be authorized again each time; one test does.
        bench.world.switch("salesloft", rotate_refresh_tokens=False)
    history = replace(bench.settings.history, slice_hours=240.0, reconcile_days=5)
    bench.set(kits=KITS, history=history)
    whole, poison = bench.vendor.translate, bench.world.all_calls(bench.vendor.name)[3].id

    def strict(record: Any, transcript: Any) -> Any:
        made = whole(record, transcript)
        if made.conversation_id == poison:
            raise ValueError("not what was agreed")
        return made

    bench.vendor = replace(bench.vendor, translate=strict)
    return bench


def lose(bench: Bench, backup: dict[str, bytes] | None = None) -> None:
    """The state database is gone, or is what it was in an old backup."""
    held(bench)
    for file in bench.folder.glob("state.db*"):
        file.unlink()
    for name, content in (backup or {}).items():
        (bench.folder / name).write_bytes(content)
    bench.state = State(f"sqlite:///{bench.folder}/state.db", fernet_key=FERNET, clock=bench.clock)


def held(bench: Bench) -> dict[str, bytes]:
    """The files of the state database, as a backup holds them."""
    bench.state.close()
    files = {file.name: file.read_bytes() for file in bench.folder.glob("state.db*")}
    assert files
    return files


def restored(bench: Bench, **changes: Any) -> RebuildReport:
    given: dict[str, Any] = {"settings": bench.settings, "run": "test", "dry_run": False}
    return rebuild(bench.warehouse, bench.state, **{**given, **changes})


def refused(bench: Bench) -> None:
    """Nobody has run the rebuild: nothing is asked for, and the error names it."""
    asked = len(bench.world.requests(bench.vendor.name))
    with pytest.raises(Stop, match="rebuild_state"):
        hurried.extract(bench)
    assert len(bench.world.requests(bench.vendor.name)) == asked
    assert bench.state.watermarks.is_empty()


def store(bench: Bench) -> semarize.Semarize:
    return semarize.of(bench.world)


def past(bench: Bench, most: int | None) -> backfill.BackfillReport:
    """A backfill of the calls, by one kit, with a cap on runs."""
    form = {
        "vendor": bench.vendor.name,
        "from": f"{NOW - timedelta(days=1):%Y-%m-%d}",
        "kits": ["interaction_quality"],
        "campaign": "the past",
        "max_runs": most,
    }
    order = orders.backfill(form, bench.settings, run="manual__1", now=bench.clock())
    client = hurried.semarize(bench)
    return backfill.backfill(
        bench.vendor,
        hurried.client(bench),
        client,
        bench.warehouse,
        bench.state,
        order=order,
        kits=campaigns.pinned(order.kits, client),
        settings=bench.settings,
        run="test",
        until=bench.clock(),
        sleep=bench.sleep,
    )
