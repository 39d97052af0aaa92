"""Each way of counting lets through what it promises, and says how long to wait."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from semarize_sandbox.limits import FixedWindow, Quota, RecordBucket, SlidingWindow, week_start


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_no_stretch_of_a_sliding_window_holds_more_than_its_limit() -> None:
    hand = Hand()
    window = SlidingWindow(1.0, hand)
    passed: list[float] = []
    for _ in range(400):
        hand.at += 0.07
        wait = window.wait(3)
        if wait == 0:
            passed.append(hand.at)
            continue
        hand.at += wait
        assert window.wait(3) == 0, "after the wait it may pass"
        passed.append(hand.at)
    assert len(passed) == 400
    for position, moment in enumerate(passed):
        within = [other for other in passed[position:] if other < moment + 1.0 - 1e-9]
        assert len(within) <= 3


def test_a_fixed_window_counts_cost_and_opens_anew() -> None:
    hand = Hand()
    window = FixedWindow(60.0, hand)
    assert window.wait(10, 8) == 0
    assert window.wait(10, 3) == pytest.approx(60.0)
    assert window.wait(10, 2) == 0
    hand.at += 59.0
    assert window.wait(10) == pytest.approx(1.0)
    hand.at += 1.0
    assert window.wait(10, 10) == 0


def test_a_quota_is_full_again_with_its_next_period() -> None:
    quota = Quota(week_start)
    saturday = datetime(2026, 3, 14, 23, 59, tzinfo=UTC)
    sunday = datetime(2026, 3, 15, 0, 0, tzinfo=UTC)
    assert saturday.strftime("%A") == "Saturday"
    assert [quota.take(2, saturday) for _ in range(3)] == [True, True, False]
    assert quota.take(2, sunday)
    assert week_start(sunday) == sunday
    assert week_start(saturday) == datetime(2026, 3, 8, tzinfo=UTC)


def test_a_bucket_lets_a_page_pass_and_then_waits_for_its_debt() -> None:
    hand = Hand()
    bucket = RecordBucket(hand)
    assert bucket.may_pass(10)
    bucket.charge(50)
    hand.at += 3.9
    assert not bucket.may_pass(10), "50 records less the 10 saved up take four seconds"
    hand.at += 0.2
    assert bucket.may_pass(10)
    bucket.charge(0)
    hand.at += 1000.0
    assert bucket.may_pass(10)
    bucket.charge(10 + 1)
    assert not bucket.may_pass(10), "no more than one second's worth is saved up"
