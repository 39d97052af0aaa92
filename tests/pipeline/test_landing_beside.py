"""A load lands while the next is fetched, and may run across slices: otherwise as if one waited."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from bench import NOW, Bench, bench, calls

from semarize_pipeline.errors import Stop, TryAgain
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.settings import ExtractSettings
from semarize_pipeline.warehouse.duckdb import DuckDBSession, DuckDBWarehouse
from semarize_sandbox.faults import Fault

ENOUGH_SECONDS = 3.0


class Busy(DuckDBWarehouse):
    """Another has the file, until so many requests were sent; gives up instead when told to."""

    def __init__(self, path: Path, api: RestClient, fails_at: int = 0) -> None:
        super().__init__(path)
        self.api = api
        self.fails_at = fails_at
        self.went_on: list[bool] = []

    @contextmanager
    def open(self, purpose: str) -> Iterator[DuckDBSession]:
        before, give_up = self.api.sent, time.monotonic() + ENOUGH_SECONDS
        if len(self.went_on) + 1 == self.fails_at:
            raise TryAgain("the file stayed taken")
        if not self.went_on:
            while self.api.sent == before and time.monotonic() < give_up:
                time.sleep(0.01)
        self.went_on.append(self.api.sent > before)
        with super().open(purpose) as session:
            yield session


@contextmanager
def of_batches(folder: Path, count: int, size: int) -> Iterator[Bench]:
    with bench("salesloft", folder, calls("salesloft", count)) as made:
        made.set(extract=ExtractSettings(start=made.settings.extract.start, slice_hours=240,
                                         batch_conversations=size, load_characters=1))  # fmt: skip
        yield made


HOURS, IN_A_LOAD = 2, 7
"""Four calls a slice and seven a load, so that loads begin and end in the middle of slices."""


GIVEN = calls("gong", 30)


@contextmanager
def of_slices(folder: Path) -> Iterator[Bench]:
    with bench("gong", folder, GIVEN) as made:
        a_call = sum(len(turn.text) for turn in GIVEN[0].turns)
        made.set(
            extract=ExtractSettings(
                start=timedelta(days=1),
                slice_hours=HOURS,
                batch_conversations=3,
                load_characters=IN_A_LOAD * a_call - a_call // 2,
            ),
            timing={"gong": {"lag": timedelta(0), "lookback": timedelta(hours=1)}},
        )
        yield made


def nothing_is_behind_the_watermark(made: Bench) -> datetime:
    """Whatever began before the watermark has landed; gives the watermark."""
    reached = made.state.watermarks.reached("gong")
    assert reached is not None
    landed = made.conversations() if made.warehouse.path.exists() else {}
    behind = {each.id for each in GIVEN if each.started_at < reached}
    assert behind <= set(landed), f"read up to {reached}, and not all of it has landed"
    return reached


class Watching(DuckDBWarehouse):
    """Looks, before and after each load, whether the watermark has outrun it."""

    def __init__(self, made: Bench, fails_at: int = 0) -> None:
        super().__init__(made.warehouse.path)
        self.made = made
        self.fails_at = fails_at
        self.tries = 0
        self.loads: list[datetime] = []

    @contextmanager
    def open(self, purpose: str) -> Iterator[DuckDBSession]:
        if "land " in purpose:
            self.tries += 1
            if self.tries == self.fails_at:
                raise TryAgain("the file stayed taken")
            sound, self.made.warehouse = self.made.warehouse, DuckDBWarehouse(self.path)
            self.loads.append(nothing_is_behind_the_watermark(self.made))
            self.made.warehouse = sound
        with super().open(purpose) as session:
            yield session


def test_a_load_runs_across_slices_and_the_watermark_waits_for_it(tmp_path: Path) -> None:
    with of_slices(tmp_path) as made:
        watching = made.warehouse = Watching(made)
        report = made.extract()
        made.warehouse = DuckDBWarehouse(watching.path)
        marks = made.state.watermarks.slices("gong")
        assert len(marks) >= 12, "the guard: many slices"
        assert 4 <= len(watching.loads) <= 6, "and few loads"
        assert len(set(watching.loads)) > 2, "and it moved on between them"
        assert sum(mark["listed"] for mark in marks) == report.listed
        assert sum(mark["landed"] for mark in marks) == report.landed == len(GIVEN)
        assert nothing_is_behind_the_watermark(made) == NOW
        loads = made.query("select window_start, sum(landed) as n from landing.loads group by all")
        assert sum(row["n"] for row in loads) == len(GIVEN)
        assert len(loads) > len(watching.loads), "each slice's own"


@pytest.mark.parametrize("at", [1, 2, 4])
def test_a_load_across_slices_that_cannot_land_is_read_again(tmp_path: Path, at: int) -> None:
    with of_slices(tmp_path) as made:
        sound = made.warehouse
        watching = made.warehouse = Watching(made, fails_at=at)
        with pytest.raises(TryAgain, match="stayed taken"):
            made.extract()
        assert len(watching.loads) == at - 1, "nothing landed out of turn"
        made.warehouse = sound
        reached = nothing_is_behind_the_watermark(made)
        assert reached < NOW
        assert (reached > GIVEN[0].started_at) == (at > 1), "and what landed is not in vain"
        assert made.extract().landed > 0
        assert len(made.conversations()) == 30
        assert made.statuses() == {"landed": 30}
        assert nothing_is_behind_the_watermark(made) == NOW


def test_what_was_fetched_lands_when_the_listing_breaks_off(tmp_path: Path) -> None:
    with of_slices(tmp_path) as made:
        made.set(extract=replace(made.settings.extract, load_characters=10**9))
        made.world.fault("gong", Fault(kind="delay", match="/v2/calls", count=16))
        made.world.fault("gong", Fault(kind="status", status=401, match="/v2/calls", count=None))
        with pytest.raises(Stop):
            made.extract()
        reached = nothing_is_behind_the_watermark(made)
        assert NOW - timedelta(days=1) < reached < NOW
        assert 0 < len(made.conversations()) < 30
        made.world.faults.clear()
        made.extract()
        assert made.statuses() == {"landed": 30}


def test_the_next_batch_is_fetched_meanwhile(tmp_path: Path) -> None:
    with of_batches(tmp_path, 6, 2) as made:
        api = made.api()
        busy = made.warehouse = Busy(tmp_path / "warehouse.duckdb", api)
        report = made.extract(api=api)
        assert busy.went_on[0], "nothing was fetched while the first batch landed"
        assert len(made.conversations()) == report.landed == 6
        loads = made.query("select requests, landed from landing.loads")
        assert sum(row["landed"] for row in loads) == 6
        assert sum(row["requests"] for row in loads) <= api.sent


@pytest.mark.parametrize("at", [1, 2, 3])
def test_what_cannot_land_is_raised_and_read_again(tmp_path: Path, at: int) -> None:
    with of_batches(tmp_path, 6, 2) as made:
        api, sound = made.api(), made.warehouse
        made.warehouse = Busy(tmp_path / "warehouse.duckdb", api, fails_at=at)
        with pytest.raises(TryAgain, match="stayed taken"):
            made.extract(api=api)
        began = made.state.watermarks.began("salesloft")
        assert made.state.watermarks.reached("salesloft") == began, "it has not moved"
        made.warehouse = sound
        made.extract()
        assert len(made.conversations()) == 6
        assert made.statuses() == {"landed": 6}


def test_one_that_is_listed_again_while_it_lands_is_fetched_once(tmp_path: Path) -> None:
    with of_batches(tmp_path, 6, 2) as made:
        made.world.page_size["salesloft"] = 2
        shifted = Fault(kind="shift_rows", rows=1, match="/v2/conversations", count=None)
        made.world.fault("salesloft", shifted)
        api = made.api()
        made.warehouse = Busy(tmp_path / "warehouse.duckdb", api)
        report = made.extract(api=api)
        asked = [each.path for each in made.world.requests("salesloft", "/sentences")]
        assert len(asked) > 2
        assert len(asked) == len(set(asked)) == report.landed
