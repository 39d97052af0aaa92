"""A listing longer than the vendor's paging reaches: read in halves, each conversation once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import NOW, Bench, bench, call, calls

from semarize_pipeline.errors import ListingTooLong
from semarize_pipeline.rest.paging import Offset

VENDOR = "clari_copilot"


def limit(made: Bench, farthest: int) -> None:
    """Both sides know the same limit; the sandbox answers 400 beyond it."""
    listing = made.vendor.listing
    assert isinstance(listing.paging, Offset)
    assert listing.paging.farthest == made.world.standin(VENDOR).switches.farthest_offset
    made.vendor = replace(
        made.vendor, listing=replace(listing, paging=replace(listing.paging, farthest=farthest))
    )
    made.world.switch(VENDOR, farthest_offset=farthest)
    made.world.page_size[VENDOR] = 3


def offsets(made: Bench) -> list[int]:
    asked: list[Any] = [each.query for each in made.world.requests(VENDOR)]
    return [int(query["offset"]) for query in asked if "offset" in query]


@pytest.mark.parametrize("farthest", [3, 4, 7, 19, 20, 21, 1000])
def test_each_conversation_lands_once_wherever_paging_ends(tmp_path: Path, farthest: int) -> None:
    with bench(VENDOR, tmp_path, calls(VENDOR, 20)) as made:
        limit(made, farthest)
        made.extract()
        assert len(made.conversations()) == 20
        assert made.statuses() == {"landed": 20}
        assert made.state.watermarks.reached(VENDOR) == NOW
        assert max(offsets(made)) <= farthest
        assert (len(offsets(made)) > 8) == (farthest < 20), "the guard: halves were read"


def test_more_in_a_second_than_paging_reaches_is_an_error_that_names_what_to_do(
    tmp_path: Path,
) -> None:
    at = NOW - timedelta(hours=5)
    with bench(VENDOR, tmp_path, [call(VENDOR, n, at) for n in range(20)]) as made:
        limit(made, 9)
        with pytest.raises(ListingTooLong, match="slice_hours"):
            made.extract()
        assert made.state.watermarks.reached(VENDOR) != NOW
