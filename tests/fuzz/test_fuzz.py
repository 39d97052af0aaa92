"""A short, seeded search: every target once; `make fuzz` is the long one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fuzz import mutate, search
from fuzz.oracles import Finding

from semarize_pipeline import vendors

ROUNDS = 4


def test_nothing_is_found(tmp_path: Path) -> None:
    searched = search.Search(tmp_path, 2026, search.targets())
    for _ in range(ROUNDS):
        for found in searched.round():
            raise AssertionError(f"{found.finding}; smallest: {found.smallest!r:.2000}")
    records = [each for each in searched.targets if isinstance(each, search.Records)]
    assert len(records) == len(vendors.names())
    assert all(each.read > 20 < each.refused for each in records), "the guard: both are reached"
    assert searched.log.heard, "the guard: the log was listened to"


@pytest.mark.parametrize("name", [*vendors.names(), "semarize"])
def test_a_search_finds_what_is_planted_and_cuts_it_down(name: str, tmp_path: Path) -> None:
    one = search.target(name, tmp_path)
    sound = one.check

    def planted(given: Any, rng: Any) -> None:
        if b"NaN" in mutate.wire(given):
            raise Finding("planted")
        sound(given, rng)

    one.check = planted  # type: ignore[method-assign]
    searched = search.Search(tmp_path, 1, [], more=[one])
    found = next(each for _ in range(20) for each in searched.round())
    assert found.finding.kind == "planted"
    left = list(mutate.places(found.smallest))
    assert len(left) <= 12, "a few parts are left of a hundred"
