"""What `make bench-cost` computes is what the pipeline takes, vendor by vendor, hour by hour."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from semarize_pipeline import vendors

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The programs of benchmarks/, and the harness that they share with the tests."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(BENCHMARKS)):
            del sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", vendors.names())
def test_every_count_of_every_hour_is_as_computed(name: str) -> None:
    """147 in the window and 3 of them new, in batches of 29."""
    import costed_day

    took, expected = costed_day.compare(name, 72, hours=2, kits=2, batch=29, page=40)
    assert took == expected
    busy, idle = took
    assert busy.runs == 6, "the guard: three conversations came, and two kits scored them"
    assert busy.logins == 4, "landed, room made for scores, transcripts read, scores landed"
    assert idle.listing_requests >= 3
    assert idle == replace(
        idle, transcript_requests=0, runs=0, semarize_requests=0, logins=0, statements=0
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gong", "clari_copilot"])
def test_a_reconcile_lists_each_day_once(name: str) -> None:
    import costed_day

    ran, computed = costed_day.reconciled(name, 120)
    assert ran == computed
    assert ran >= 4, "the guard: two days of more than a page each"


@pytest.mark.parametrize("pages", [1, 100, 101, 150, 151, 251, 500, 501, 600])
def test_deep_pages_count_for_what_salesloft_asks(pages: int) -> None:
    import cost

    def price(page: int) -> int:
        return next((p for beyond, p in reversed(cost.DEEP_PAGES) if page > beyond), 1)

    units = cost.listing_units(vendors.get("salesloft"), pages * 100)
    assert units == sum(price(page) for page in range(1, pages + 1))
    assert cost.listing_units(vendors.get("callminer"), pages * 100) == pages


def test_the_most_that_fits_takes_the_whole_limit_and_no_more() -> None:
    import cost

    for name in ("gong", "clari_copilot"):
        vendor = vendors.get(name)
        most = cost.most(vendor, cost.USUAL)
        assert 0.95 < cost.binding(vendor, cost.USUAL, most)[1] <= 1, name


@pytest.mark.parametrize("name", vendors.names())
def test_the_page_says_what_the_command_does(name: str) -> None:
    """docs/scale.md holds these figures: a change of look-back, pages or steps changes them too."""
    import cost

    vendor = vendors.get(name)
    told = (BENCHMARKS.parent / "docs" / "scale.md").read_text()
    for a_day in (2_500, 250_000):
        took = cost.day(vendor, cost.USUAL, a_day)
        asked = (took.listing_requests, took.transcript_requests)
        first = (vendor.title, *(f"{n:,}" for n in asked))
        assert f"| {' | '.join(first)} | {cost.reconcile(vendor, cost.USUAL, a_day)[0]:,} |" in told
        rest = (took.runs, took.logins, took.statements, took.state_writes)
        assert f"| {' | '.join(f'{n:,}' for n in rest)} |" in told
