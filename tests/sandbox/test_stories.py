"""What the calls say adds up to stories that a manager would recognise, half a year long."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from statistics import mean
from typing import Any, NamedTuple

import pytest

from semarize_sandbox import company, documents
from semarize_sandbox.kits import kits
from semarize_sandbox.kits.reading import Reading
from semarize_sandbox.model import VENDORS, Call

pytestmark = pytest.mark.slow

UNTIL = datetime(2026, 6, 30, 15, 30, tzinfo=UTC)
RATE = 4.0
SALES = (
    "objection_handling_score", "competitor_pricing_leaked", "framework_a_score",
    "framework_b_score", "decision_process", "messages", "claims", "competitors_mentioned",
    "pricing_hesitation", "discount_authority_exceeded", "competitor_claims",
    "budget_confirmed", "decision_maker_present", "technical_fit_validated",
    "champion_identified", "legal_review_scheduled", "risk_flag", "overall_score",
)  # fmt: skip
SERVICE = (
    "empathy_demonstrated", "frustration_frequency", "coaching_receptivity",
    "rule_disclosure_sequence", "rule_state_consent", "rule_mini_miranda",
    "rule_prohibited_phrases", "violations",
)  # fmt: skip


class Heard(NamedTuple):
    call: Call
    day: date
    employee: company.Employee
    said: dict[str, Any]
    evidence: dict[str, list[str]]


@pytest.fixture(scope="module")
def heard() -> list[Heard]:
    bricks = {brick.key: brick for kit in kits().values() for brick in kit.current.bricks}
    people: dict[date, dict[str | None, company.Employee]] = {}
    result: list[Heard] = []
    for call in company.generate(until=UNTIL, days=182, calls_per_day=RATE):
        names = {person.id: person.name for person in call.people}
        reading = Reading.of(
            [{"speaker": names.get(t.person_id or "", ""), "text": t.text} for t in call.turns]
        )
        wanted = SERVICE if call.vendor == "callminer" else SALES
        answers = {key: bricks[key].answer(reading) for key in wanted}
        day = call.started_at.date()
        if day not in people:
            people[day] = {each.email: each for each in company.employees(day)}
        result.append(
            Heard(
                call, day, people[day][call.owner.email],
                {key: answer["value"] for key, answer in answers.items()},
                {key: answer["evidence"] for key, answer in answers.items()},
            )
        )  # fmt: skip
    assert len(result) > 2000
    return result


def deals() -> dict[str, company.Deal]:
    since = UNTIL.date() - timedelta(days=182)
    return {deal.id: deal for deal in company.deals(since, UNTIL.date())}


def rates(pairs: Iterable[tuple[Any, Any]], least: int) -> dict[Any, float]:
    """The mean of each group, all of them large enough to say something."""
    groups: defaultdict[Any, list[float]] = defaultdict(list)
    for group, value in pairs:
        groups[group].append(float(value))
    small = {group: len(values) for group, values in groups.items() if len(values) < least}
    assert not small
    return {group: mean(values) for group, values in groups.items()}


def correlation(pairs: list[tuple[float, float]]) -> float:
    xs, ys = zip(*pairs, strict=True)
    x, y = mean(xs), mean(ys)
    spread = math.sqrt(sum((v - x) ** 2 for v in xs) * sum((v - y) ** 2 for v in ys))
    return sum((v - x) * (w - y) for v, w in pairs) / spread


def sales(heard: list[Heard], vendor: str | None = None) -> list[Heard]:
    wanted = {vendor} if vendor else set(VENDORS) - {"callminer"}
    return [each for each in heard if each.call.vendor in wanted]


def service(heard: list[Heard]) -> list[Heard]:
    return [each for each in heard if each.call.vendor == "callminer"]


def test_drift_rises_with_the_days_since_enablement(heard: list[Heard]) -> None:
    told = [
        (element, (each.day - documents.last_enablement(team, each.day)).days, verdict)
        for each in sales(heard)
        for team in [VENDORS.index(each.call.vendor)]
        for verdict, element, *_ in (line.split(" | ") for line in each.said["messages"])
    ]
    drift = rates((((e, days // 14), v != "approved") for e, days, v in told), 100)
    for element in documents.PLAYBOOK_ELEMENTS:
        first, second, third = (drift[element, fortnight] for fortnight in range(3))
        assert first < second < third
    assert drift["competitive_response", 2] > drift["positioning", 2] + 0.15


def test_a_new_message_takes_about_six_weeks_to_be_used(heard: list[Heard]) -> None:
    told: list[tuple[int, bool]] = []
    for each in sales(heard):
        number = documents.number_on(each.day)
        current = documents.version(documents.PLAYBOOK, number)
        for line in each.said["messages"]:
            verdict, _, document, version, _ = line.split(" | ")
            assert document == documents.PLAYBOOK
            if verdict == "approved":
                told.append(((each.day - current.valid_from).days // 14, version == current.name))
    used = rates(told, 50)
    assert used[0] < 0.15
    assert used[max(used)] > 0.9
    week = next(fortnight * 2 for fortnight in sorted(used) if used[fortnight] > 0.5)
    assert 4 <= week <= 8


def test_one_step_of_one_cadence_leaks_the_competitors_prices(heard: list[Heard]) -> None:
    steps = [
        (
            (each.call.extras["cadence"], each.call.extras["cadence_step"]),
            each.said["competitor_pricing_leaked"],
        )
        for each in sales(heard, "salesloft")
    ]
    leaks = rates(steps, 15)
    leaky = leaks.pop(company.LEAKY_STEP)
    assert len(leaks) == sum(company.CADENCES.values()) - 1
    assert leaky > 0.2
    assert leaky > 3 * max(leaks.values())


def test_chat_lags_in_empathy(heard: list[Heard]) -> None:
    empathy = rates(
        ((each.call.channel, each.said["empathy_demonstrated"]) for each in service(heard)), 15
    )
    assert empathy["chat"] < empathy["voice"] - 0.1
    assert empathy["chat"] < empathy["email"] < empathy["voice"]


@pytest.mark.parametrize(
    ("segment", "better", "worse"),
    [
        ("enterprise", "framework_a_score", "framework_b_score"),
        ("mid-market", "framework_b_score", "framework_a_score"),
    ],
)
def test_each_framework_foretells_wins_in_one_segment(
    heard: list[Heard], segment: str, better: str, worse: str
) -> None:
    known = deals()
    closed = [
        (each.said, known[each.call.opportunity_id].won)
        for each in [*sales(heard, "gong"), *sales(heard, "salesloft")]
        if each.call.opportunity_id in known
        and known[each.call.opportunity_id].account.segment == segment
        and known[each.call.opportunity_id].stage(UNTIL.date()) == "Closed"
    ]
    assert len(closed) > 100
    assert {won for _, won in closed} == {True, False}
    by = {key: correlation([(said[key], float(won)) for said, won in closed])
          for key in (better, worse)}  # fmt: skip
    assert by[better] > 0.5
    assert by[better] > by[worse] + 0.2


def test_of_most_lost_deals_nobody_says_how_they_are_decided(heard: list[Heard]) -> None:
    known, ever = deals(), defaultdict[str, list[bool]](list)
    for each in sales(heard):
        deal = each.call.opportunity_id
        closed = deal in known and known[deal].stage(UNTIL.date()) == "Closed"
        if closed and each.call.vendor != "chorus":
            ever[deal].append(each.said["decision_process"])
    silent = rates(((known[deal].won, not any(said)) for deal, said in ever.items()), 20)
    assert 0.5 < silent[False] < 0.85
    assert silent[True] < 0.25


def test_a_rep_falls_below_the_mark_three_times_in_a_row_after_a_training(
    heard: list[Heard],
) -> None:
    def longest_run(name: str) -> int:
        run = best = 0
        for each in sorted(heard, key=lambda one: one.call.started_at):
            score = each.said.get("objection_handling_score")
            if each.call.owner.name == name and score is not None:
                run = run + 1 if score < 0.6 else 0
                best = max(best, run)
        return best

    assert all(longest_run(name) >= 4 for name in documents.REGRESSING)
    steady = ("Maya Lindqvist", "Sarah Okonjo", "Freya Holm")
    assert all(longest_run(name) <= 3 for name in steady)
    for name in documents.REGRESSING:
        scores = rates(
            (
                (documents.in_slump(name, each.day), each.said["objection_handling_score"])
                for each in heard
                if each.call.owner.name == name
                and each.said["objection_handling_score"] is not None
            ),
            5,
        )
        assert scores[True] < 0.5 < 0.75 < scores[False]


def test_newcomers_are_on_track_by_week_six_or_need_help(heard: list[Heard]) -> None:
    weeks = rates(
        (
            ((quick, min(3, each.employee.weeks_on_the_job(each.day) // 3)), score)
            for each in sales(heard)
            if each.employee.leaves_on is not None
            and each.employee.weeks_on_the_job(each.day) < 12
            and (score := each.said["objection_handling_score"]) is not None
            for quick in [
                documents.learns_quickly(each.employee.name, each.employee.hired_on)
            ]
        ),
        5,
    )  # fmt: skip
    for quick in (True, False):
        assert weeks[quick, 0] < weeks[quick, 3]
    assert weeks[True, 2] > 0.65 > weeks[False, 2]


def test_competitors_and_doubts_about_the_price_gather_in_the_northeast(
    heard: list[Heard],
) -> None:
    territory = {account.name: account.territory for account in company.accounts()}
    for key, factor in (("competitors_mentioned", 1.7), ("pricing_hesitation", 1.5)):
        by = rates(
            ((territory[each.call.account_name or ""], bool(each.said[key]))
             for each in sales(heard)), 200,
        )  # fmt: skip
        assert max(by, key=by.__getitem__) == "Northeast"
        assert by["Northeast"] > factor * by["West"]


def test_claims_about_one_competitor_are_out_of_date(heard: list[Heard]) -> None:
    accurate = rates(
        (
            (competitor, verdict == "accurate")
            for each in sales(heard)
            for verdict, _, competitor, *_ in (
                line.split(" | ") for line in each.said["competitor_claims"]
            )
        ),
        15,
    )
    assert accurate["Talkgrid"] < 0.75
    assert accurate["Meridian IQ"] == accurate["Fathomline"] == 1


def test_claims_about_the_product_are_wrong_in_some_areas_more_than_in_others(
    heard: list[Heard],
) -> None:
    wrong = rates(
        (
            (area, verdict != "accurate")
            for each in sales(heard)
            for verdict, area, *_ in (line.split(" | ") for line in each.said["claims"])
        ),
        50,
    )
    assert set(wrong) == {"api_limits", "enterprise_sso", "uptime_sla", "data_residency",
                          "integrations", "roadmap"}  # fmt: skip
    assert min(wrong["api_limits"], wrong["enterprise_sso"]) > wrong["uptime_sla"] + 0.05


def test_one_rep_gives_discounts_that_are_not_his(heard: list[Heard]) -> None:
    beyond = rates(
        ((each.call.owner.name, each.said["discount_authority_exceeded"])
         for each in sales(heard, "gong")), 40,
    )  # fmt: skip
    generous = beyond.pop("Luc Desrosiers")
    assert generous > 0.15
    assert generous > 2 * max(beyond.values())


def test_rules_of_compliance_are_broken_with_words_to_show(heard: list[Heard]) -> None:
    for rule in documents.COMPLIANCE_RULES:
        said = [each.said[f"rule_{rule}"] for each in service(heard)]
        assert 10 < said.count("fail") < len(said) / 3
        assert said.count("pass") > said.count("fail")
    quoted = 0
    for each in service(heard):
        text = "\n".join(turn.text for turn in each.call.turns)
        for line in each.said["violations"]:
            quote = line.split(" | ", 3)[3]
            assert quote in text
            quoted += bool(quote)
    assert quoted > 100


def test_agents_burn_out_before_they_leave(heard: list[Heard]) -> None:
    def worn(value: Callable[[Heard], Any]) -> dict[Any, float]:
        return rates(
            ((each.employee.wear(each.day) > 0.4, value(each)) for each in service(heard)
             if value(each) is not None), 15,
        )  # fmt: skip

    frustration = worn(lambda each: each.said["frustration_frequency"])
    receptivity = worn(lambda each: each.said["coaching_receptivity"])
    assert frustration[True] > 4 * frustration[False]
    assert receptivity[True] < receptivity[False] - 0.15


def test_signals_of_a_deal_are_first_heard_on_several_platforms(heard: list[Heard]) -> None:
    first: defaultdict[str, dict[str, str]] = defaultdict(dict)
    signals = ("budget_confirmed", "decision_maker_present", "technical_fit_validated",
               "champion_identified", "legal_review_scheduled")  # fmt: skip
    for each in sorted(sales(heard), key=lambda one: one.call.started_at):
        for signal in signals:
            if each.call.opportunity_id is not None and each.said[signal]:
                first[each.call.opportunity_id].setdefault(signal, each.call.vendor)
    several = [deal for deal, heard_on in first.items() if len(set(heard_on.values())) >= 2]
    assert len(first) > 60
    assert len(several) > len(first) / 2


def test_risks_are_named_by_people_whose_role_is_known(heard: list[Heard]) -> None:
    titles: defaultdict[str, int] = defaultdict(int)
    for each in sales(heard):
        people = {person.id: person for person in each.call.people}
        for quote in each.evidence["risk_flag"] if each.said["risk_flag"] else ():
            for turn in each.call.turns:
                if quote in turn.text and turn.person_id in people:
                    titles[people[turn.person_id].title or ""] += 1
    assert titles["CFO"] > 40
    assert len(titles) > 5


def test_budget_decider_and_discovery_together_go_with_wins(heard: list[Heard]) -> None:
    known, signs = deals(), defaultdict[str, set[str]](set)
    for each in sales(heard):
        deal = each.call.opportunity_id
        if deal in known and known[deal].stage(UNTIL.date()) == "Closed":
            signs[deal] |= {key for key in ("budget_confirmed", "decision_maker_present")
                            if each.said[key]}  # fmt: skip
    won = rates(((len(found) == 2, known[deal].won) for deal, found in signs.items()), 15)
    assert won[True] > 1.5 * won[False]


def test_stories_change_neither_ids_nor_starts_nor_people() -> None:
    calls = company.generate(until=UNTIL, days=30, vendors=("gong",))
    call = next(each for each in calls if each.started_at.date() == date(2026, 6, 12))
    assert call.id == "1520166375041591286"
    assert call.started_at == datetime(2026, 6, 12, 8, 6, 11, tzinfo=UTC)
    assert call.owner.name == "Hugo Sandoval"
    assert (call.title, len(call.turns)) == ("Windrush Energy - renewal and usage", 28)
    assert call.opportunity_id == "006F4mL1gcGDXqUICX"
    assert call.ready_after == timedelta(minutes=20)
