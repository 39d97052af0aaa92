"""A rebuild of the state database: how far, from which moments on, and what it never does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import hurried
import pytest
from bench import NOW, Bench, bench, call
from pipeline.losing import held, lose, mixed, past, prepared, refused, restored, store

from semarize_pipeline import campaigns, rescore
from semarize_pipeline.errors import Misconfigured, Stop
from semarize_pipeline.privacy.erasure import Request, erase
from semarize_pipeline.rescore import Selection
from semarize_pipeline.state.runs import Run


@pytest.fixture
def gong(tmp_path: Path) -> Iterator[Bench]:
    with bench("gong", tmp_path, mixed("gong")) as made:
        yield prepared(made)


def read_and_scored(gong: Bench) -> None:
    hurried.extract(gong)
    hurried.score(gong)
    assert len(store(gong).paid) == 6


def test_in_the_middle_of_a_first_run_it_is_as_far_as_slices_have_landed(gong: Bench) -> None:
    older = [call("gong", 20 + n, NOW - timedelta(days=6 - n)) for n in range(5)]
    gong.world.add(older)
    timing = {"gong": {"lag": timedelta(0), "lookback": timedelta(hours=1)}}
    gong.set(extract=replace(gong.settings.extract, slice_hours=24), timing=timing)
    hurried.extract(gong, until=NOW - timedelta(days=3))
    gong.clock.advance(minutes=1)
    hurried.extract(gong, until=NOW - timedelta(days=3, hours=-12))
    true = gong.state.watermarks.reached("gong")
    landed = set(gong.conversations())
    assert 0 < len(landed) < 5
    lose(gong)
    report = restored(gong)
    reached = gong.state.watermarks.reached("gong")
    assert reached is not None
    assert true is not None
    assert report.watermarks == {"gong": reached.isoformat()}
    assert {each.id for each in older if each.started_at < reached} <= landed
    assert reached <= true, "never beyond what has landed"
    assert reached > NOW - timedelta(days=4), "and not from the beginning again"
    hurried.extract(gong, until=NOW)
    assert {each.id for each in older} <= set(gong.conversations())


def test_a_slice_of_which_a_part_has_landed_proves_only_what_was_before_it(gong: Bench) -> None:
    """A load names the window of its whole slice, landed or not."""
    extract = replace(gong.settings.extract, batch_conversations=1, load_characters=1)
    gong.set(extract=extract)
    gong.world.page_size["gong"] = 1
    whole = gong.warehouse.open
    opened = []

    def once(purpose: str):  # type: ignore[no-untyped-def]
        opened.append(purpose)
        if sum("land" in each for each in opened) > 1:
            raise OSError("the disk is full")
        return whole(purpose)

    gong.warehouse.open = once  # type: ignore[method-assign]
    with pytest.raises(OSError, match="the disk is full"):
        hurried.extract(gong)
    gong.warehouse.open = whole  # type: ignore[method-assign]
    assert len(gong.conversations()) == 1
    lose(gong)
    restored(gong)
    assert gong.state.watermarks.reached("gong") == NOW - timedelta(days=7)
    assert hurried.extract(gong).listed == 5
    assert len(gong.conversations()) == 4


def test_with_a_watermark_the_check_opens_nothing(gong: Bench) -> None:
    assert hurried.extract(gong).landed == 3
    away = gong.warehouse.path.rename(gong.folder / "away")
    hurried.extract(gong)
    assert not gong.warehouse.path.exists()
    away.rename(gong.warehouse.path)


def test_a_warehouse_that_another_vendor_filled_hinders_nobody(gong: Bench, tmp_path: Path) -> None:
    read_and_scored(gong)
    gong.state.watermarks.begin("gong", NOW)
    (tmp_path / "other").mkdir()
    with bench("chorus", tmp_path / "other", mixed("chorus")) as other:
        other.warehouse = gong.warehouse
        assert hurried.extract(prepared(other)).landed == 3


def test_a_warehouse_that_a_backfill_alone_filled_begins_as_usual(gong: Bench) -> None:
    past(gong, 1)
    assert hurried.extract(gong).listed == 5


def test_it_refuses_a_state_that_is_there(gong: Bench) -> None:
    read_and_scored(gong)
    with pytest.raises(Misconfigured, match="not empty"):
        restored(gong)
    assert restored(gong, dry_run=True).runs == 6


def test_nobody_buys_with_a_register_that_was_lost(gong: Bench) -> None:
    read_and_scored(gong)
    lose(gong)
    given = {"settings": gong.settings, "run": "test", "kits": gong.settings.kits}
    with pytest.raises(Stop, match="rebuild_state"):
        rescore.plan(
            Selection(vendor="gong"),
            gong.warehouse,
            gong.state,
            caps=campaigns.NO_CAPS,
            **given,  # type: ignore[arg-type]
        )
    with pytest.raises(Stop, match="rebuild_state"):
        rescore.rescore(
            Selection(vendor="gong"),
            hurried.semarize(gong),
            gong.warehouse,
            gong.state,
            caps=campaigns.NO_CAPS,
            campaign="again",
            **given,  # type: ignore[arg-type]
        )
    assert len(store(gong).paid) == 6


def test_an_old_backup_is_brought_forward_and_keeps_what_it_knows(gong: Bench) -> None:
    hurried.extract(gong)
    gong.world.switch("semarize", run_seconds=600.0)
    gong.set(score=replace(gong.settings.score, patience_seconds=0.01))
    assert len(hurried.score(gong).waiting) == 6
    backup = held(gong)
    gong.clock.advance(hours=3)
    assert hurried.score(gong).scored == 6
    hurried.extract(gong)
    lose(gong, backup)
    assert len(gong.state.runs.open("gong")) == 6
    restored(gong, merge=True)
    assert gong.state.runs.open("gong") == []
    assert gong.state.ledger.to_score("gong", gong.clock(), 10) == []
    assert gong.state.watermarks.reached("gong") == NOW, "not back to what the warehouse proves"
    assert hurried.score(gong).requests == 0
    assert len(store(gong).paid) == 6


def test_what_a_newer_state_knows_stays(gong: Bench) -> None:
    read_and_scored(gong)
    before = {e.conversation_id: e for e in gong.state.ledger.in_status("gong", ["landed"])}
    one = min(before)
    gong.clock.advance(minutes=1)
    gong.state.ledger.settle_scores("gong", {one: ("due", None)})
    restored(gong, merge=True)
    after = {e.conversation_id: e for e in gong.state.ledger.in_status("gong", ["landed"])}
    assert after == {**before, one: replace(before[one], score_status="due")}


def test_what_was_promised_is_kept(gong: Bench) -> None:
    read_and_scored(gong)
    lose(gong)
    report = restored(gong, keys={"gong_default": "one key of two", "semarize_default": "our key"})
    assert report.used["semarize runs (day)"] == 6
    # Noon on a Tuesday: half of Gong's day is over, and two and a half days of Clari's week.
    assert 5_000 <= report.used["one key of two (day)"] < 5_010
    assert 35_714 < report.used["clari_copilot_default (week)"] < 35_720
    used = gong.state.budgets.used("one key of two", "day")
    assert used == report.used["one key of two (day)"]
    with gong.state.read() as connection:
        rows = connection.exec_driver_sql("select key from budgets where slowdown > 1").scalars()
        assert set(rows) == {"our key", "chorus_default"}, "adaptive ones begin slowly"


def test_a_contract_s_own_limit_is_the_one_that_counts(gong: Bench) -> None:
    gong.set(limits={"gong": {"per_day": 40_000}})
    read_and_scored(gong)
    lose(gong)
    assert 20_000 <= restored(gong).used["gong_default (day)"] < 20_010, "half of its day is over"


def test_requests_that_landed_count_for_more_than_an_even_pace(gong: Bench) -> None:
    read_and_scored(gong)
    with gong.warehouse.open("test") as session:
        session.query("update landing.loads set requests = 7000 where listed is not null")
    lose(gong)
    (loads,) = [
        row["n"]
        for row in gong.query("select sum(requests) n from landing.loads where listed is not null")
    ]
    assert loads >= 7000
    assert restored(gong).used["gong_default (day)"] == min(10_000, -(-loads * 5 // 4))


def test_a_run_about_what_was_erased_is_not_waited_for(gong: Bench) -> None:
    hurried.extract(gong)
    gong.world.switch("semarize", run_seconds=600.0)
    gong.set(score=replace(gong.settings.score, patience_seconds=0.01))
    hurried.score(gong)
    request = Request(vendor="gong", conversation_ids=(min(gong.conversations()),))
    erase(request, gong.warehouse, gong.state, requested_by="t", run="test", dry_run=False)
    lose(gong)
    assert restored(gong).open_runs == 4
    assert {run.status for run in gong.state.runs.open("gong")} == {"running"}
    assert all(isinstance(run, Run) and run.run_id for run in gong.state.runs.open("gong"))


def test_a_killed_rebuild_is_run_again(gong: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    read_and_scored(gong)
    lose(gong)
    monkeypatch.setattr(gong.state.budgets, "restore", lambda used, slowed: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        restored(gong)
    monkeypatch.undo()
    refused(gong)
    restored(gong)
    assert hurried.extract(gong).landed == 0
    assert hurried.score(gong).paid == 0


def test_an_erasure_that_was_cut_off_is_told(gong: Bench) -> None:
    hurried.extract(gong)
    request = Request(vendor="gong", conversation_ids=(min(gong.conversations()),))
    erase(request, gong.warehouse, gong.state, requested_by="t", run="test", dry_run=False)
    with gong.warehouse.open("test") as session:
        session.query("update landing.erasures set status = 'begun'")
    lose(gong)
    assert restored(gong).unfinished_erasures == 1
