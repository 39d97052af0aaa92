"""Budgets: no interleaving of threads and processes breaks the promise made to a vendor."""

# ruff: noqa: DTZ001 (hypothesis wants naive bounds beside its time zones)

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from unit import workers
from unit.conftest import Together
from unit.support import NOON, Clock

from semarize_pipeline.errors import Misconfigured, Wait
from semarize_pipeline.state import State
from semarize_pipeline.state import tables as t
from semarize_pipeline.state.budgets import (
    LATE_SECONDS,
    Claim,
    Limits,
    PaceBesideLive,
    Period,
    SharedPace,
    Usage,
    period_end,
    period_start,
)

ROUNDING = 1e-5  # moments are floats of seconds since 1970


def most_within(moments: Sequence[float], seconds: float) -> int:
    """The most of these moments that any stretch of time of this length holds."""
    moments, most, first = sorted(moments), 0, 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_the_measure_itself() -> None:
    assert most_within([], 1) == 0
    assert most_within([0, 0.5, 0.99, 1.0, 1.2], 1) == 4
    assert most_within([0, 1, 2], 1) == 1


# ---------------------------------------------------------------------- turns


@given(
    rate=st.sampled_from([0.5, 1, 3, 7, 10, 20, 50]),
    steps=st.lists(st.tuples(st.floats(0, 1.5), st.integers(1, 8)), min_size=1, max_size=25),
)
def test_no_second_holds_more_turns_than_promised(
    rate: float, steps: list[tuple[float, int]], state: State, clock: Clock
) -> None:
    key, limits = f"{rate} {hash(tuple(steps))}", Limits(requests_per_second=rate)
    turns: list[float] = []
    for idle, wanted in steps:
        clock.advance(idle)
        handed = state.budgets.turns(key, limits, wanted)
        assert len(handed) == wanted
        assert handed[0] >= clock.timestamp()
        turns += handed
    assert turns == sorted(turns)
    window = max(1.0, 1 / rate)
    assert most_within(turns, window - ROUNDING) <= max(1, rate)


def test_the_turns_of_processes_are_spaced_together(url: str, together: Together) -> None:
    batches = [3, 1, 5, 2] * 5
    handed = together(workers.slots, *[(url, "acme", 40.0, batches)] * 3)
    turns = sorted(turn for each in handed for turn in each)
    assert len(turns) == 3 * sum(batches)
    assert most_within(turns, 1 - ROUNDING) <= 40
    assert min(b - a for a, b in pairwise(turns)) >= 1 / 40 - ROUNDING


def test_threads_of_two_processes_send_at_the_promised_pace(url: str, together: Together) -> None:
    """Some threads pause, so that turns go unused: those must not be made up for in a burst."""
    sent = together(workers.sends, *[(url, "acme", 30.0, 4, 8, pause) for pause in (0.0, 0.12)])
    moments = [moment for each in sent for moment in each]
    assert len(moments) == 64
    assert most_within(moments, 1 - LATE_SECONDS - 0.01) <= 30 + 1
    assert max(moments) - min(moments) >= 63 / 30 - 0.3


@settings(max_examples=20)  # each of them is dozens of steps
@given(
    rate=st.sampled_from([8, 20, 40]),
    idles=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.06, 0.2, 1.0, 3.0]), min_size=30, max_size=90),
    seed=st.integers(0, 99),
)
def test_turns_that_were_not_used_in_time_are_lost(
    rate: int, idles: list[float], seed: int, state: State, clock: Clock
) -> None:
    """Three workers with one key, on one clock, in any order, with any idle times."""
    key, chance = f"{rate} {hash(tuple(idles))} {seed}", random.Random(seed)
    limits = Limits(requests_per_second=rate)
    paces = [
        SharedPace(state.budgets, key, limits, sleep=clock.sleep, now=clock.timestamp)
        for _ in range(3)
    ]
    sent = []
    for idle in idles:
        clock.advance(idle)
        chance.choice(paces).take()
        sent.append(clock.timestamp())
    assert most_within(sent, 1 - LATE_SECONDS - ROUNDING) <= rate
    assert sum(pace.taken for pace in paces) == len(idles)


def test_a_turn_is_waited_for(state: State, clock: Clock) -> None:
    pace = SharedPace(
        state.budgets, "k", Limits(requests_per_second=2), sleep=clock.sleep, now=clock.timestamp
    )
    for _ in range(5):
        pace.take()
    assert (clock() - NOON).total_seconds() == pytest.approx(2.0, abs=0.001)
    assert pace.taken == 5


def test_a_queue_longer_than_our_patience_is_a_wait(state: State, clock: Clock) -> None:
    state.budgets.turns("k", Limits(requests_per_second=1), 100)
    pace = SharedPace(
        state.budgets,
        "k",
        Limits(requests_per_second=1),
        patience_seconds=60,
        sleep=clock.sleep,
        now=clock.timestamp,
    )
    with pytest.raises(Wait) as caught:
        pace.take()
    assert caught.value.until == NOON + timedelta(seconds=100)
    assert clock.slept == []
    assert pace.taken == 0


def test_two_keys_do_not_wait_for_each_other(state: State, clock: Clock) -> None:
    limits = Limits(requests_per_second=1)
    state.budgets.turns("a", limits, 50)
    assert state.budgets.turns("b", limits, 1) == [clock.timestamp()]


# ---------------------------------------------------------------------- caps


def pace_of(state: State, clock: Clock, limits: Limits) -> SharedPace:
    return SharedPace(state.budgets, "k", limits, sleep=clock.sleep, now=clock.timestamp)


def taken_until_the_end(pace: SharedPace) -> Wait:
    with pytest.raises(Wait) as caught:  # noqa: PT012
        for _ in range(1000):
            pace.take()
    return caught.value


@pytest.mark.parametrize("cap", [1, 7, 50])
def test_a_day_s_cap_is_exact(cap: int, state: State, clock: Clock) -> None:
    limits = Limits(requests_per_second=100, per_day=cap)
    paces = [pace_of(state, clock, limits) for _ in range(3)]
    waits = [taken_until_the_end(pace) for pace in paces]
    assert sum(pace.taken for pace in paces) == cap
    assert state.budgets.used("k", "day") == cap
    midnight = datetime(2026, 11, 19, tzinfo=UTC)
    assert {wait.until for wait in waits} == {midnight}
    assert "day" in str(waits[0])
    clock.advance((midnight - clock()).total_seconds() - 1)
    assert taken_until_the_end(paces[0]).until == midnight
    clock.advance(1)
    fresh = pace_of(state, clock, limits)
    taken_until_the_end(fresh)
    assert fresh.taken == cap


def test_a_cap_counts_what_was_sent_even_after_idle_times_and_holds(
    state: State, clock: Clock
) -> None:
    limits = Limits(requests_per_second=40, per_day=30)
    pace = pace_of(state, clock, limits)
    for _ in range(4):
        pace.take()
        clock.advance(100)
        pace.take()
        pace.hold(clock() + timedelta(seconds=1))
    assert state.budgets.used("k", "day") == 8
    taken_until_the_end(pace)
    assert pace.taken == 30


def test_a_week_s_cap_ends_on_sunday(state: State, clock: Clock) -> None:
    pace = pace_of(state, clock, Limits(requests_per_second=100, per_week=5))
    wait = taken_until_the_end(pace)
    assert pace.taken == 5
    assert wait.until == datetime(2026, 11, 22, tzinfo=UTC)
    assert wait.until.isoweekday() == 7
    clock.advance((wait.until - clock()).total_seconds())
    taken_until_the_end(pace)
    assert pace.taken == 10


def test_the_tighter_of_two_caps_counts(state: State, clock: Clock) -> None:
    pace = pace_of(state, clock, Limits(requests_per_second=100, per_day=3, per_week=5))
    assert taken_until_the_end(pace).until == datetime(2026, 11, 19, tzinfo=UTC)
    clock.advance(86400)
    assert taken_until_the_end(pace).until == datetime(2026, 11, 22, tzinfo=UTC)
    assert pace.taken == 5


def test_a_refused_turn_costs_nothing(state: State, clock: Clock) -> None:
    limits = Limits(requests_per_second=100, per_day=2)
    assert len(state.budgets.turns("k", limits, 10)) == 2, "what is left is handed out"
    for _ in range(3):
        with pytest.raises(Wait):
            state.budgets.turns("k", limits, 1)
    assert state.budgets.used("k", "day") == 2


@given(st.datetimes(datetime(1999, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)))
def test_periods(moment: datetime) -> None:
    both: list[tuple[Period, int]] = [("day", 1), ("week", 7)]
    for period, days in both:
        start, end = period_start(period, moment), period_end(period, moment)
        assert start <= moment < end
        assert end - start == timedelta(days=days)
        assert (start.hour, start.minute, start.second, start.microsecond) == (0, 0, 0, 0)
        assert start.utcoffset() == timedelta(0)
    assert period_start("week", moment).isoweekday() == 7


# ---------------------------------------------------------------------- minutes


@given(
    cap=st.sampled_from([1, 5, 30, 100]),
    rate=st.sampled_from([0.5, 2, 10, 40]),
    steps=st.lists(st.tuples(st.floats(0, 45), st.integers(1, 40)), min_size=1, max_size=20),
)
def test_no_minute_holds_more_than_its_cap_wherever_it_begins(
    cap: int, rate: float, steps: list[tuple[float, int]], state: State, clock: Clock
) -> None:
    key = f"{cap} {rate} {hash(tuple(steps))}"
    limits = Limits(requests_per_second=rate, per_minute=cap)
    turns: list[float] = []
    for idle, wanted in steps:
        clock.advance(idle)
        handed = state.budgets.turns(key, limits, wanted)
        assert len(handed) == wanted, "a full minute is waited for, never refused"
        turns += handed
    assert turns == sorted(turns)
    assert most_within(turns, 60) <= cap
    assert most_within(turns, max(1.0, 1 / rate) - ROUNDING) <= max(1, rate)


def test_a_cap_a_minute_costs_no_speed_below_it(state: State, clock: Clock) -> None:
    """600 a minute at 9.5 a second: the pace alone keeps it, and nothing waits for a minute."""
    handed = []
    for _ in range(200):
        handed += state.budgets.turns("k", Limits(requests_per_second=9.5, per_minute=600), 10)
        clock.advance(handed[-1] - clock.timestamp())
    gaps = [b - a for a, b in pairwise(handed)]
    assert max(gaps) <= 1 / 9.5 + ROUNDING


def test_processes_keep_a_minute_together(url: str, together: Together) -> None:
    """150 turns in batches, with room for a burst of 60: they lie in three minutes or more."""
    asked = [(url, "acme", 500.0, [7, 1, 12, 5] * 2, 60)] * 3
    turns = sorted(turn for each in together(workers.slots, *asked) for turn in each)
    assert len(turns) == 150
    assert most_within(turns, 60) == 60, "all of the cap, and no more"
    assert turns[-1] - turns[0] <= 2 * 61 + 1, "nobody waits longer than the cap asks for"


def test_a_minute_s_share_is_left_to_live_runs(state: State, clock: Clock) -> None:
    """The past takes its part of the minute and waits; a live request goes out at once."""
    limits = Limits(requests_per_second=20, per_minute=100, reserved=0.4)
    told = {"now": clock.timestamp, "patience_seconds": 600.0}
    live = SharedPace(
        state.budgets, "key", replace(limits, reserved=0.0), sleep=clock.sleep, **told
    )
    waits: list[float] = []

    def nap(seconds: float) -> None:
        if seconds > 5:
            waits.append(seconds)
            for _ in range(39):
                before = clock.timestamp()
                live.take()
                assert clock.timestamp() - before <= 1 / 20 + ROUNDING, "nobody stands before it"
        clock.sleep(seconds)

    shared = SharedPace(state.budgets, "key", limits, sleep=nap, **told)
    past = PaceBesideLive(
        SharedPace(state.budgets, "key beside live", limits.of_speed(), sleep=nap, **told), shared
    )
    began = clock.timestamp()
    for _ in range(60):
        past.take()
    assert clock.timestamp() - began < 10, "its whole part, without a pause"
    past.take()
    assert len(waits) == 1
    assert clock.timestamp() - began >= 60, "60 of the 100 had gone out at the beginning"
    assert (past.taken, live.taken) == (61, 39)


def test_a_wait_for_the_minute_longer_than_our_patience_hands_the_worker_back(
    state: State, clock: Clock
) -> None:
    limits = Limits(requests_per_second=10, per_minute=5)
    pace = SharedPace(
        state.budgets,
        "k",
        limits,
        patience_seconds=20,
        sleep=clock.sleep,
        now=clock.timestamp,
    )
    for _ in range(5):
        pace.take()
    with pytest.raises(Wait) as caught:
        pace.take()
    assert timedelta(seconds=60) <= caught.value.until - NOON <= timedelta(seconds=62)


def test_what_a_request_turned_out_to_cost_counts(state: State, clock: Clock) -> None:
    limits = Limits(requests_per_second=10, per_minute=60, cost_header="x-cost")
    pace = pace_of(state, clock, limits)
    for answer in ({"x-cost": "30"}, {"x-cost": "1"}, {}, {"x-cost": "many"}, {"x-cost": "27"}):
        pace.take()
        pace.answered(answer)
    assert clock() - NOON < timedelta(seconds=1)
    pace.take()
    assert timedelta(seconds=60) <= clock() - NOON <= timedelta(seconds=62), (
        "30 + 1 + 1 + 1 + 27 are 60"
    )
    before = clock()
    unnamed = pace_of(state, clock, Limits(requests_per_second=10, per_minute=60))
    unnamed.answered({"x-cost": "60"})
    unnamed.take()
    assert clock() - before < timedelta(seconds=1), "a header counts where it is named"


# ---------------------------------------------------------------------- holds


def test_a_hold_silences_everybody(state: State, clock: Clock) -> None:
    limits = Limits(requests_per_second=20)
    one, other = (pace_of(state, clock, limits) for _ in range(2))
    one.take()
    until = clock() + timedelta(seconds=30)
    one.hold(until)
    for pace in (one, other):
        pace.take()
        assert clock() >= until
    # A shorter hold never shortens a longer one.
    one.hold(clock() + timedelta(seconds=40))
    one.hold(clock() + timedelta(seconds=1))
    before = clock()
    other_fresh = pace_of(state, clock, limits)
    other_fresh.take()
    assert (clock() - before).total_seconds() >= 40 - 0.001


def test_a_hold_reaches_a_thread_that_sleeps_for_its_turn(state: State, clock: Clock) -> None:
    """Its turn was handed out before the vendor asked for silence."""
    limits = Limits(requests_per_second=1)
    until = NOON + timedelta(seconds=30)
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        if not naps:
            pace.hold(until)  # another thread's 429, while this one sleeps
        naps.append(seconds)
        clock.advance(seconds)

    pace = SharedPace(state.budgets, "k", limits, sleep=sleep, now=clock.timestamp)
    pace.take()
    pace.take()
    assert clock() >= until
    assert pace.taken == 2


def speed(state: State, clock: Clock, limits: Limits) -> float:
    """Requests a second, as two turns lie apart."""
    first, second = state.budgets.turns("k", limits, 2)
    clock.advance(second - clock.timestamp() + 10)
    return 1 / (second - first)


def test_an_adaptive_key_slows_down_and_recovers(state: State, clock: Clock) -> None:
    limits = Limits(requests_per_second=20, adaptive=True)
    assert speed(state, clock, limits) == pytest.approx(20, rel=0.01)
    pace = pace_of(state, clock, limits)
    for _ in range(2):
        for _ in range(16):  # all that were under way together are refused together
            pace.hold(clock())
        clock.advance(1)
    slow = speed(state, clock, limits)
    assert slow == pytest.approx(20 / 4 / 0.95, rel=0.01)
    speeds = [speed(state, clock, limits) for _ in range(60)]
    assert speeds == sorted(speeds)
    assert speeds[0] < 6
    assert speeds[-1] == pytest.approx(20, rel=0.01), "recovered, and never faster than promised"
    for _ in range(20):
        pace.hold(clock())
        clock.advance(1)
    assert speed(state, clock, limits) >= 20 / 65, "there is a slowest"


def test_a_documented_limit_does_not_adapt(state: State, clock: Clock) -> None:
    limits = Limits(requests_per_second=20)
    pace = pace_of(state, clock, limits)
    for _ in range(5):
        pace.hold(clock())
    assert speed(state, clock, limits) == pytest.approx(20, rel=0.01)


# ---------------------------------------------------------------------- records and spending


def test_records_count_against_the_same_second(state: State, clock: Clock) -> None:
    limits = Limits(requests_per_second=10, records_per_second=50)
    pace = pace_of(state, clock, limits)
    began = clock()
    for _ in range(20):
        pace.take()
        pace.charge(25)
    pace.take()
    assert (clock() - began).total_seconds() >= 20 * 25 / 50 - 0.2
    before = clock()
    pace.charge(0)
    pace.charge(5)
    pace.take()
    assert (clock() - before).total_seconds() <= 0.2, "a small page costs its request alone"


def test_records_cost_nothing_where_requests_are_limited(state: State, clock: Clock) -> None:
    pace = pace_of(state, clock, Limits(requests_per_second=10))
    pace.take()
    pace.charge(100_000)
    pace.take()
    assert (clock() - NOON).total_seconds() <= 0.2


@pytest.mark.parametrize("cap", [1, 10, None])
def test_spending(cap: int | None, state: State, clock: Clock) -> None:
    granted = [state.budgets.spend("runs", cap, wanted) for wanted in (4, 4, 4, 0)]
    assert granted == {1: [1, 0, 0, 0], 10: [4, 4, 2, 0], None: [4, 4, 4, 0]}[cap]
    assert state.budgets.used("runs", "day") == sum(granted)
    clock.advance(86400)
    assert state.budgets.used("runs", "day") == 0
    assert state.budgets.spend("runs", 3, 9) == 3


def test_a_cap_that_was_lowered_grants_nothing(state: State) -> None:
    assert state.budgets.spend("runs", 10, 8) == 8
    assert state.budgets.spend("runs", 5, 1) == 0
    assert state.budgets.used("runs", "day") == 8


def test_spending_among_processes_is_exact(url: str, together: Together) -> None:
    granted = together(workers.spend, *[(url, "runs", 50, 30)] * 3)
    assert sum(granted) == 50
    state = State(url)
    assert state.budgets.used("runs", "day") == 50
    state.close()


# ---------------------------------------------------------------------- beside the live runs


def test_a_share_of_the_day_and_week_is_left_to_others(state: State) -> None:
    live = Limits(requests_per_second=1000, per_day=10, per_week=15)
    past = replace(live, reserved=0.3)
    for _ in range(7):
        state.budgets.turns("key", past, 1)
    with pytest.raises(Wait, match="the day's 7 requests") as caught:
        state.budgets.turns("key", past, 1)
    assert caught.value.until == period_end("day", state.clock())
    assert len(state.budgets.turns("key", live, 3)) == 3, "its own share is still there"
    with pytest.raises(Wait, match="the day's 10 requests"):
        state.budgets.turns("key", live, 1)


def test_what_others_used_counts_against_whoever_leaves_a_share(state: State) -> None:
    live = Limits(requests_per_second=1000, per_day=10)
    state.budgets.turns("key", live, 8)
    with pytest.raises(Wait):
        state.budgets.turns("key", replace(live, reserved=0.3), 1)


def test_a_share_of_the_speed_is_left_to_others(state: State, clock: Clock) -> None:
    """While one reads the past as fast as it may, turns for the live runs stay free."""
    limits = Limits(requests_per_second=10, reserved=0.4)
    told = {"sleep": clock.sleep, "now": clock.timestamp, "patience_seconds": 600.0}
    shared = SharedPace(state.budgets, "key", limits, **told)
    past = PaceBesideLive(
        SharedPace(state.budgets, "key beside live", limits.of_speed(), **told), shared
    )
    began = clock.timestamp()
    for _ in range(61):
        past.take()
    assert clock.timestamp() - began >= 60 / 6 - ROUNDING, "6 a second, not 10"
    assert past.taken == 61
    free = state.budgets.turns("key", Limits(requests_per_second=10), 1)[0] - clock.timestamp()
    assert free <= 0.3, "a live request waits for no queue"


def test_two_caps_are_taken_from_together_or_not_at_all(state: State) -> None:
    claims = [Claim("own", "ever", 5), Claim("all", "day", 3)]
    assert state.budgets.spend_all(claims, 4) == (3, [5, 3])
    assert state.budgets.spend_all(claims, 4) == (0, [2, 0])
    assert (state.budgets.used("own", "ever"), state.budgets.used("all", "day")) == (3, 3)


def test_a_campaigns_cap_does_not_begin_anew(state: State, clock: Clock) -> None:
    assert state.budgets.spend_all([Claim("own", "ever", 5)], 4)[0] == 4
    clock.advance(40 * 86_400)
    assert state.budgets.spend_all([Claim("own", "ever", 5)], 4)[0] == 1


# ---------------------------------------------------------------------- what is left


def by_period(used: Sequence[Usage], key: str) -> dict[str, Usage]:
    return {each.period: each for each in used if each.key == key}


def test_usage_says_what_is_left_of_every_limit(state: State, clock: Clock) -> None:
    live = Limits(requests_per_second=4, per_minute=50, per_day=100, per_week=200)
    told = {"b": replace(live, reserved=0.3), "a": Limits(requests_per_second=2)}
    for _ in range(9):
        state.budgets.turns("b", live, 1)
        clock.advance(10)
    used = state.budgets.usage(told)
    assert [(each.key, each.period) for each in used] == [
        ("a", "second"),
        ("b", "second"),
        ("b", "minute"),
        ("b", "day"),
        ("b", "week"),
    ]
    assert used[0] == Usage(key="a", period="second", cap=2, used=0, left=2, reserved=0)
    b = by_period(used, "b")
    numbers = {p: (u.cap, u.used, u.left, u.reserved) for p, u in b.items()}
    assert numbers == {
        "second": (4, 0, 4, pytest.approx(1.2)),
        "minute": (50, 5, 45, 15),
        "day": (100, 9, 91, 30),
        "week": (200, 9, 191, 60),
    }
    assert b["day"].ends_at == datetime(2026, 11, 19, tzinfo=UTC)
    assert b["week"].ends_at == datetime(2026, 11, 22, tzinfo=UTC)
    assert {(u.next_turn, u.held_until, u.slowdown) for u in used} == {(None, None, 1.0)}


def test_usage_says_who_is_slowed_down_and_until_when(state: State, clock: Clock) -> None:
    limits = Limits(requests_per_second=4, adaptive=True)
    pace = pace_of(state, clock, limits)
    pace.take()
    pace.hold(clock() + timedelta(minutes=20))
    (second,) = state.budgets.usage({"k": limits})
    assert second.held_until == second.next_turn == NOON + timedelta(minutes=20)
    assert (second.slowdown, second.cap, second.used, second.left) == (2.0, 4, 1, 1)
    clock.advance(1201)
    (second,) = state.budgets.usage({"k": limits})
    assert (second.held_until, second.next_turn, second.slowdown) == (None, None, 2.0)
    assert second.left == 2
    state.budgets.turns("k", limits, 12)
    (second,) = state.budgets.usage({"k": limits})
    assert second.next_turn is not None
    assert second.next_turn > clock()
    assert second.held_until is None


def test_usage_of_what_is_bought_has_no_speed(state: State) -> None:
    state.budgets.spend("runs", 10, 4)
    (day,) = state.budgets.usage({"runs": Limits(requests_per_second=math.inf, per_day=10)})
    assert (day.period, day.used, day.left) == ("day", 4, 6)


def test_what_is_left_is_what_is_granted(state: State, clock: Clock) -> None:
    """Whatever was taken before, by whomever: the shown number is the one that one gets."""
    chance = random.Random(5)
    limits = Limits(requests_per_second=1000, per_day=60, per_week=150, reserved=0.25)
    for _ in range(12):
        clock.advance(chance.choice([3600, 14400, 40000]))
        for asked in (limits, replace(limits, reserved=0.0)):
            shown = by_period(state.budgets.usage({"k": limits}), "k")
            kept = 1 if asked.reserved else 0
            free = min(shown[p].left - kept * shown[p].reserved for p in ("day", "week"))
            wanted = chance.randint(1, 30)
            try:
                granted = len(state.budgets.turns("k", asked, wanted))
            except Wait:
                granted = 0
            assert granted == max(0, min(wanted, free))


def test_counts_of_long_ago_are_forgotten_and_a_campaign_s_cap_is_not(
    state: State, clock: Clock
) -> None:
    limits = Limits(requests_per_second=100, per_day=50, per_week=300)
    state.budgets.spend_all([Claim("own", "ever", 5)], 2)
    for _ in range(90):
        state.budgets.turns("k", limits, 1)
        state.budgets.spend("own", None)
        clock.advance(86_400)
    with state.read() as connection:
        rows = connection.execute(sa.select(t.budgets)).all()
    days = sorted(each.period for each in rows if each.key == "k" and "day" in each.period)
    weeks = [each.period for each in rows if each.key == "k" and "week" in each.period]
    assert 58 <= len(days) <= 62
    assert 8 <= len(weeks) <= 10
    assert days[-1] == f"day {clock() - timedelta(days=1):%Y-%m-%d}"
    assert state.budgets.used("own", "ever") == 2


@pytest.mark.parametrize("refusals", [1, 3, 9])
def test_the_curve_of_recovery(refusals: int, state: State, clock: Clock) -> None:
    """Each refusal halves the speed, each request gives back a twentieth, and no more than all."""
    limits = Limits(requests_per_second=20, adaptive=True)
    for _ in range(refusals):
        state.budgets.hold("k", clock(), adaptive=True)
        clock.advance(100)
    curve = []
    for _ in range(40):
        curve += [used.slowdown for used in state.budgets.usage({"k": limits})]
        state.budgets.turns("k", limits, 1)
        clock.advance(100)
    expected = [max(1.0, min(64, 2**refusals) * 0.95**sent) for sent in range(40)]
    assert curve == pytest.approx(expected)


@pytest.mark.parametrize("wrong", [{"per_minute": 0}, {"requests_per_second": 0}, {"per_day": -1}])
def test_a_limit_of_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(Misconfigured):
        replace(Limits(requests_per_second=1), **wrong)  # type: ignore[arg-type]
