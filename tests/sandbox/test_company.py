"""The made-up company is always the same, only grows, and looks like what it stands for."""

from __future__ import annotations

import re
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random
from statistics import mean

import pytest

from semarize_sandbox import company
from semarize_sandbox.company_texts import COMPETITORS
from semarize_sandbox.model import VENDORS, Call

TUESDAY = datetime(2026, 6, 30, 15, 30, tzinfo=UTC)
ID_STYLE = {
    "gong": r"[1-8]\d{18}",
    "salesloft": r"[1-9]\d{5,15}",
    "clari_copilot": r"cc-\d{7,}",
    "callminer": r"INT-\d{8}-\d{5}",
    "chorus": r"[0-9A-F]{24}",
}
EXTRAS = {
    "gong": {"team", "manager", "account_id", "deal_stage", "topics", "trackers", "tags"},
    "salesloft": {"team", "manager", "account_id", "cadence", "cadence_step", "disposition",
                  "outcome", "deal_stage", "tags"},
    "clari_copilot": {"team", "manager", "account_id", "deal_stage", "topics", "outcome"},
    "callminer": {"team", "manager", "queue", "campaign", "wrap_up_codes", "disposition",
                  "customer_id"},
    "chorus": {"team", "manager", "account_id", "deal_stage", "topics", "trackers", "tags"},
}  # fmt: skip


@pytest.fixture(scope="module")
def month() -> list[Call]:
    return company.generate(until=TUESDAY)


@pytest.fixture(scope="module")
def quarter() -> list[Call]:
    return company.generate(until=TUESDAY, days=90)


def test_a_month_is_about_120_calls_a_vendor_and_quick_to_make() -> None:
    began = time.perf_counter()
    calls = company.generate(until=TUESDAY)
    assert time.perf_counter() - began < 1.5
    per_vendor = Counter(call.vendor for call in calls)
    assert set(per_vendor) == set(VENDORS)
    assert all(100 <= count <= 140 for count in per_vendor.values()), per_vendor


def test_the_same_limits_give_the_same_calls(month: list[Call]) -> None:
    assert company.generate(until=TUESDAY) == month


@pytest.mark.parametrize(("later", "days"), [(timedelta(hours=5), 30), (timedelta(days=9), 60)])
def test_later_and_longer_give_more_calls_and_never_other_ones(
    month: list[Call], later: timedelta, days: int
) -> None:
    grown = {(call.vendor, call.id): call for call in company.generate(
        until=TUESDAY + later, days=days + later.days
    )}  # fmt: skip
    kept = [call for call in month if call.started_at >= TUESDAY + later - timedelta(days=days)]
    assert len(kept) > 400
    assert all(grown[call.vendor, call.id] == call for call in kept)
    assert len(grown) > len(kept)


def test_every_limit_is_kept(month: list[Call]) -> None:
    assert min(call.started_at for call in month) >= TUESDAY - timedelta(days=30)
    assert max(call.ended_at for call in month) <= TUESDAY
    few = company.generate(until=TUESDAY, vendors=("gong", "chorus"), calls_per_day={"gong": 20})
    counts = Counter(call.vendor for call in few)
    assert set(counts) == {"gong", "chorus"}
    assert counts["gong"] > 3 * counts["chorus"]
    other = company.generate(until=TUESDAY, seed=8)
    assert not {call.id for call in month if call.vendor == "gong"} & {call.id for call in other}
    with pytest.raises(ValueError, match="aware"):
        company.generate(until=datetime(2026, 6, 30))  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="calls_per_day"):
        company.generate(until=TUESDAY, calls_per_day=1e6)


def test_ids_are_unique_and_in_each_vendors_style(quarter: list[Call]) -> None:
    for vendor in VENDORS:
        ids = [call.id for call in quarter if call.vendor == vendor]
        assert len(ids) > 300
        assert len(set(ids)) == len(ids)
        assert all(re.fullmatch(ID_STYLE[vendor], call_id) for call_id in ids)
    opportunities = {call.opportunity_id for call in quarter if call.opportunity_id}
    assert len(opportunities) > 50
    assert all(re.fullmatch(r"006[0-9A-Za-z]{12}[A-Z0-5]{3}", each) for each in opportunities)


def test_calls_fall_in_working_hours_and_few_at_the_weekend(quarter: list[Call]) -> None:
    assert all(8 <= call.started_at.hour < 18 for call in quarter)
    weekend = sum(call.started_at.weekday() >= 5 for call in quarter)
    assert 0 < weekend < 0.12 * len(quarter)


def test_channels_are_mixed_at_callminer_and_spoken_elsewhere(quarter: list[Call]) -> None:
    channels = Counter(call.channel for call in quarter if call.vendor == "callminer")
    total = channels.total()
    shares = company.CHANNELS
    for channel, share in shares.items():
        assert channels[channel] / total == pytest.approx(share, abs=0.07)
    assert {call.channel for call in quarter if call.vendor != "callminer"} == {"voice", "video"}


def test_every_call_is_whole(quarter: list[Call]) -> None:
    for call in quarter:
        assert 180 <= call.duration_seconds <= 2401
        assert 8 <= len(call.turns) <= 60
        assert call.owner in call.people
        assert {person.role for person in call.people} == {"rep", "customer"}
        ids = {person.id for person in call.people}
        assert {turn.person_id for turn in call.turns} <= ids | {None}
        for person in call.people:
            assert re.fullmatch(r"[a-z0-9.-]+@[a-z0-9-]+\.example\.com", person.email or "")
        for turn in call.turns:
            assert 0 <= turn.start_seconds <= turn.end_seconds <= call.duration_seconds
            assert turn.text
            assert not re.search(r"[{}\[\]|]", turn.text), turn.text
            assert turn.text[0] == turn.text[0].upper()
        assert set(call.extras) >= EXTRAS[call.vendor]


def test_some_calls_are_private_late_or_never_transcribed(quarter: list[Call]) -> None:
    total = len(quarter)
    private = [call for call in quarter if call.private]
    assert private
    assert {call.vendor for call in private} == {"gong"}
    assert 0.005 < sum(call.ready_after is None for call in quarter) / total < 0.05
    assert 0.01 < sum(call.listed_after > timedelta(0) for call in quarter) / total < 0.06
    transcribed = [call for call in quarter if call.ready_after is not None]
    written = [call for call in transcribed if call.channel in ("chat", "email")]
    spoken = [call for call in transcribed if call.channel in ("voice", "video")]
    assert len(written) > 100
    assert all(call.ready_after == timedelta(0) for call in written)
    slow = sum(call.ready_after >= timedelta(hours=3) for call in spoken)  # type: ignore[operator]
    assert 0.01 < slow / len(spoken) < 0.08


def test_calls_that_have_just_ended_are_mostly_not_ready() -> None:
    waiting = ended = 0
    for days in range(40):
        until = TUESDAY - timedelta(days=days)
        for call in company.generate(until=until, days=1, calls_per_day=20):
            if call.channel in ("voice", "video") and until - call.ended_at < timedelta(minutes=30):
                ended += 1
                waiting += call.ready_at is None or call.ready_at > until
    assert ended > 50
    assert waiting / ended > 0.5


def test_two_calls_rarely_share_more_than_a_few_sentences(month: list[Call]) -> None:
    rng = Random(1)
    said = [
        {
            sentence
            for turn in call.turns
            for sentence in re.split(r"(?<=[.?!])\s+", turn.text)
            if len(sentence.split()) > 3
        }
        for call in month
    ]
    shared = [len(one & other) for one, other in (rng.sample(said, 2) for _ in range(5000))]
    assert mean(len(sentences) for sentences in said) > 25
    assert mean(shared) < 2.5
    assert sum(count > 8 for count in shared) / len(shared) < 0.05
    assert len({tuple(turn.text for turn in call.turns) for call in month}) == len(month)


def test_weaker_reps_disclose_less_and_interrupt_more(quarter: list[Call]) -> None:
    disclosed: defaultdict[bool, list[bool]] = defaultdict(list)
    interrupted: defaultdict[bool, list[bool]] = defaultdict(list)
    for call in quarter:
        if call.vendor == "callminer":
            continue
        day = call.started_at.date()
        person = next(each for each in company.employees(day) if each.email == call.owner.email)
        strong = person.skill(day) > 0.75
        text = " ".join(turn.text.lower() for turn in call.turns)
        disclosed[strong].append("recorded" in text)
        interrupted[strong].append(
            any(later.start_seconds < earlier.end_seconds
                for earlier, later in zip(call.turns, call.turns[1:], strict=False))
        )  # fmt: skip
    assert min(len(disclosed[True]), len(disclosed[False])) > 200
    assert mean(disclosed[True]) > mean(disclosed[False]) + 0.15
    assert mean(interrupted[False]) > mean(interrupted[True]) + 0.15


def test_competitors_come_up_most_in_the_northeast(quarter: list[Call]) -> None:
    territory = {account.name: account.territory for account in company.accounts()}
    named: defaultdict[str, list[bool]] = defaultdict(list)
    for call in quarter:
        if call.vendor != "callminer":
            text = " ".join(turn.text for turn in call.turns)
            named[territory[call.account_name or ""]].append(any(n in text for n in COMPETITORS))
    assert set(named) == set(company.TERRITORIES)
    rates = {region: mean(values) for region, values in named.items()}
    assert max(rates, key=rates.__getitem__) == "Northeast"
    assert rates["Northeast"] > 1.5 * rates["West"]


def test_at_any_time_somebody_is_new_and_somebody_is_worn_out() -> None:
    for weeks in range(0, 104, 3):
        day = TUESDAY.date() + timedelta(weeks=weeks)
        people = company.employees(day)
        assert len(people) == 24
        assert len({person.name for person in people}) == 24
        assert all(person.hired_on <= day for person in people)
        assert any(person.weeks_on_the_job(day) < 12 for person in people)
        assert any(person.wear(day) > 0.3 for person in people)


def test_wear_and_the_first_weeks_lower_a_persons_skill() -> None:
    changing = next(each for each in company.employees(TUESDAY.date()) if each.leaves_on)
    assert changing.leaves_on is not None
    first = changing.skill(changing.hired_on)
    best = changing.skill(changing.hired_on + timedelta(days=company.RAMP_DAYS))
    last = changing.skill(changing.leaves_on - timedelta(days=1))
    assert first < 0.6 * best
    assert last < 0.6 * best


def test_deals_follow_one_another_and_agree_with_their_calls(quarter: list[Call]) -> None:
    since, until = (TUESDAY - timedelta(days=90)).date(), TUESDAY.date()
    known = {deal.id: deal for deal in company.deals(since, until)}
    assert len(known) >= 60
    checked = 0
    for call in quarter:
        if call.opportunity_id is not None:
            deal = known[call.opportunity_id]
            assert deal.account.name == call.account_name
            assert call.extras["deal_stage"] == deal.stage(call.started_at.date())
            checked += 1
    assert checked > 1000
    for one, other in combinations(known.values(), 2):
        if one.account is other.account:
            assert one.opened_on != other.opened_on
    won = mean(deal.won for deal in known.values() if deal.has_budget and deal.has_decider)
    lost = mean(deal.won for deal in known.values() if not deal.has_budget and deal.at_risk)
    assert won > lost


def test_several_platforms_carry_the_calls_of_one_deal(quarter: list[Call]) -> None:
    platforms: defaultdict[str, set[str]] = defaultdict(set)
    for call in quarter:
        if call.opportunity_id:
            platforms[call.opportunity_id].add(call.vendor)
    assert mean(len(vendors) for vendors in platforms.values()) > 2
