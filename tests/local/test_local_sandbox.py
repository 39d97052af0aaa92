"""The sandbox of the demo: the same calls each time, and some kept back for the second run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from semarize_airflow.local import sandbox
from semarize_airflow.local.environment import ROOT
from semarize_pipeline import settings, vendors
from semarize_sandbox.model import VENDORS

MOMENTS = [
    datetime(2026, 3, 2, 6, tzinfo=UTC),  # Monday, before work
    datetime(2026, 3, 4, 15, tzinfo=UTC),
    datetime(2026, 3, 6, 23, 30, tzinfo=UTC),
    datetime(2026, 3, 7, 12, tzinfo=UTC),
    datetime(2026, 3, 8, 22, tzinfo=UTC),  # Sunday night
    datetime(2026, 3, 9, 8, tzinfo=UTC),  # Monday, before the first call is ready
]


@pytest.mark.parametrize("now", MOMENTS)
def test_a_second_run_finds_new_calls_at_any_time_of_the_week(now: datetime) -> None:
    behind = sandbox.worth_hiding(now)
    assert behind in sandbox.BEHIND
    served = sandbox.world(now, behind=behind)
    served.freeze(now - behind)
    first = {vendor: {call.id for call in served.listed(vendor)} for vendor in VENDORS}
    served.freeze(now)
    second = {vendor: {call.id for call in served.listed(vendor)} for vendor in VENDORS}
    assert all(first[vendor] <= second[vendor] for vendor in VENDORS)
    assert sum(len(second[vendor] - first[vendor]) for vendor in VENDORS) >= 4
    assert min(map(len, first.values())) > 20


def test_what_is_kept_back_is_within_every_look_back() -> None:
    told = settings.load(ROOT / "include/semarize_sandbox/pipeline.toml")
    for vendor in VENDORS:
        timing = told.timing_for(vendor, vendors.get(vendor).timing)
        assert max(sandbox.BEHIND) + timedelta(hours=12) <= timing.lookback, vendor


def test_half_a_year_is_read_within_a_minute_and_a_half() -> None:
    now = MOMENTS[1]
    told = settings.load(ROOT / "include/semarize_sandbox/pipeline.toml")
    start = told.extract.begin(now)
    served = sandbox.world(now)
    runs = 0
    for vendor in VENDORS:
        calls = [call for call in served.all_calls(vendor) if call.started_at < now]
        # Nothing that the pipeline asks for lies before the sandbox's first day.
        assert now - sandbox.HISTORY <= calls[0].started_at
        assert calls[0].started_at - start < timedelta(days=7)
        assert now - start > timedelta(days=180)
        # One request a call, at the slower half of what the vendors allow.
        pace = {"chorus": 2.0, "callminer": 5.0}.get(vendor, 9.0)
        assert 100 < len(calls) < 90 * pace, vendor
        runs += len(calls) * len(told.kits_for(vendor))
    assert told.score.max_runs_per_day is not None
    assert 5_000 < runs < told.score.max_runs_per_day / 2


def test_as_little_as_will_do_is_kept_back() -> None:
    assert sandbox.worth_hiding(datetime(2026, 3, 4, 17, tzinfo=UTC)) == timedelta(hours=6)


def test_a_sandbox_started_later_serves_the_same_calls_and_more() -> None:
    now = MOMENTS[1]
    later = now + timedelta(days=1)
    ids = {call.id for call in sandbox.world(now).all_calls("gong") if call.started_at > now}
    after = {call.id for call in sandbox.world(later).all_calls("gong")}
    assert ids
    assert ids <= after
    assert after - ids
