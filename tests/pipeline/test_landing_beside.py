"""A batch lands while the next one is fetched: faster, and otherwise as if one waited."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench import Bench, bench, calls

from semarize_pipeline.errors import TryAgain
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
                                         batch_conversations=size))  # fmt: skip
        yield made


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
