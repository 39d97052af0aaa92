"""Every brick follows its stated rule, stays in its range, and quotes what was said."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

import semarize_sandbox
from semarize_pipeline.settings import load
from semarize_sandbox import company
from semarize_sandbox.kits import DEAL_SIGNALS, INTERACTION_QUALITY, SPARE_BRICKS, Brick, kits
from semarize_sandbox.model import Call

UNTIL = datetime(2026, 6, 30, 15, 30, tzinfo=UTC)
SETTINGS = load(Path(semarize_sandbox.__file__).with_name("pipeline.toml"))
NULLABLE = {
    "approved_messaging_used", "claims_accurate", "coaching_receptivity", "competitor",
    "competitor_claim_valid", "discount_percent", "drift_severity", "feature_accuracy",
    "feature_claim_accurate", "objection_handling_score", "pain_point",
    "pricing_reference_correct", "pricing_tier_correct",
}  # fmt: skip
"""Bricks without a value where the conversation gives no cause for one."""
Answers = dict[str, dict[str, Any]]


def as_text(call: Call) -> str:
    names = {person.id: person.name for person in call.people}
    return "\n".join(
        turn.text if turn.person_id is None else f"{names[turn.person_id]}: {turn.text}"
        for turn in call.turns
    )


def bricks() -> Iterator[Brick]:
    for kit in kits().values():
        yield from kit.current.bricks


def ask(transcript: Any, vendor: str | None = None) -> Answers:
    """What all kits answer, or those through which the sandbox sends a vendor's calls."""
    wanted = None if vendor is None else {kit.code for kit in SETTINGS.kits_for(vendor)}
    answers: Answers = {}
    for code, kit in kits().items():
        if wanted is None or code in wanted:
            answers |= kit.current.answer(transcript)
    return answers


def value(transcript: Any, key: str) -> Any:
    return ask(transcript)[key]["value"]


@pytest.fixture(scope="module")
def answered() -> list[tuple[Call, str, Answers]]:
    calls = company.generate(until=UNTIL, days=60)
    texts = [(call, as_text(call)) for call in calls]
    return [(call, text, ask(text, call.vendor)) for call, text in texts]


def test_values_are_of_their_type_and_in_range(
    answered: list[tuple[Call, str, Answers]],
) -> None:
    assert len(answered) > 1000
    spread: defaultdict[str, set[Any]] = defaultdict(set)
    described = {brick.key: brick for brick in bricks()}
    for _, _, answers in answered:
        for key, answer in answers.items():
            brick, given = described[key], answer["value"]
            spread[key].add(given if not isinstance(given, list) else tuple(given))
            assert 0 <= answer["confidence"] <= 1
            assert answer["reason"].endswith(".")
            assert set(answer) == {"value", "confidence", "reason", "evidence"}
            if given is None:
                assert key in NULLABLE, key
            elif brick.type == "boolean":
                assert isinstance(given, bool)
            elif brick.type == "score":
                assert brick.scale is not None
                assert isinstance(given, float)
                assert brick.scale[0] <= given <= brick.scale[1], key
            elif brick.type == "category":
                assert brick.allowed_values is not None
                assert given in brick.allowed_values
            elif brick.type == "string":
                assert isinstance(given, str)
            else:
                assert given == sorted(given)
    assert set(spread) == set(described), "every brick is asked of some vendor's calls"
    assert {key for key in described if None in spread[key]} == NULLABLE
    constant = {"framework", "framework_version"}
    assert {key for key, values in spread.items() if len(values) == 1} == constant
    scales = {brick.scale for brick in bricks() if brick.type == "score"}
    assert {(0.0, 1.0), (0.0, 100.0), (1.0, 5.0)} <= scales
    # All that is allowed also occurs, so that no dashboard waits for it in vain.
    for key, brick in described.items():
        if brick.allowed_values is not None:
            assert spread[key] - {None} == set(brick.allowed_values), key


def test_evidence_is_quoted_from_the_transcript(
    answered: list[tuple[Call, str, Answers]],
) -> None:
    seen = 0
    for _, text, answers in answered:
        for answer in answers.values():
            for quote in answer["evidence"]:
                assert quote
                assert quote in text
                seen += 1
    assert seen > 10_000


def test_the_same_transcript_as_lines_and_as_turns_gives_the_same_values(
    answered: list[tuple[Call, str, Answers]],
) -> None:
    compared = 0
    for call, _, answers in answered[::7]:
        if any(turn.person_id is None for turn in call.turns):
            continue
        names = {person.id: person.name for person in call.people}
        turns = [{"speaker": names[t.person_id or ""], "text": t.text} for t in call.turns]
        assert ask(turns, call.vendor) == answers
        compared += 1
    assert compared > 100


def test_better_reps_score_better_and_chat_is_less_warm(
    answered: list[tuple[Call, str, Answers]],
) -> None:
    scores: defaultdict[str, list[float]] = defaultdict(list)
    for call, _, answers in answered:
        day = call.started_at.date()
        person = next(each for each in company.employees(day) if each.email == call.owner.email)
        skill = person.skill(day)
        band = "strong" if skill > 0.8 else "weak" if skill < 0.5 else "middling"
        if call.vendor == "callminer":
            scores[f"compliance {band}"].append(answers["compliance_score"]["value"])
            scores[call.channel].append(answers["empathy_score"]["value"])
        else:
            scores[band].append(answers["overall_score"]["value"])
    for name in ("strong", "weak", "compliance strong", "compliance weak", "voice", "chat"):
        assert len(scores[name]) > 25, name
    assert mean(scores["strong"]) > mean(scores["middling"]) > mean(scores["weak"])
    assert mean(scores["strong"]) > mean(scores["weak"]) + 15
    assert mean(scores["compliance strong"]) > mean(scores["compliance weak"]) + 0.2
    assert mean(scores["voice"]) > mean(scores["chat"]) + 0.15


def test_the_truth_of_a_deal_shows(answered: list[tuple[Call, str, Answers]]) -> None:
    deals = {deal.id: deal for deal in company.deals(
        (UNTIL - timedelta(days=60)).date(), UNTIL.date()
    )}  # fmt: skip
    confirmed = 0
    for call, _, answers in answered:
        if call.opportunity_id is None:
            continue
        deal = deals[call.opportunity_id]
        if answers["budget_confirmed"]["value"]:
            assert deal.has_budget
            confirmed += 1
        if answers["decision_maker_present"]["value"]:
            assert deal.has_decider
            confirmed += 1
    assert confirmed > 100


def test_support_topics_are_recognised(answered: list[tuple[Call, str, Answers]]) -> None:
    queues = {queue: kind for kind, queue in company.QUEUES.items()}
    right = [
        answers["topic_primary"]["value"] == queues[call.extras["queue"].rsplit(" ", 1)[0]]
        for call, _, answers in answered
        if call.vendor == "callminer"
    ]
    assert len(right) > 150
    assert mean(right) > 0.85


def test_compliance_adds_up_as_described() -> None:
    assert value("Agent: Hello.", "compliance_score") == 0.15
    assert value("Agent: This call is being recorded.", "compliance_score") == 0.55
    kept = (
        "Agent: My name is Ola, this call is recorded for quality.\nCustomer: Fine.\n"
        "Agent: To recap, we changed the setting."
    )
    assert value(kept, "compliance_score") == 1.0
    assert value(f"{kept} I guarantee it.", "compliance_score") == 0.8
    assert value("Customer: I guarantee that this call is recorded.", "compliance_score") == 0.15


def test_empathy_counts_the_reps_words_only() -> None:
    cold = "Agent: Yes.\nCustomer: It broke.\nAgent: Okay.\nCustomer: Well."
    warm = cold.replace("Agent: Okay.", "Agent: I'm sorry to hear that, I understand.")
    assert value(cold, "empathy_score") == 0.2
    assert value(warm, "empathy_score") > 0.8
    assert value(cold.replace("It broke", "I'm sorry, it broke"), "empathy_score") == 0.2
    assert value(f"{warm}\nAgent: That's not my department.", "empathy_score") < value(
        warm, "empathy_score"
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("That works now, thank you.", True),
        ("It's still not working.", False),
        ("That fixed it. No wait, it's still not working.", False),
        ("Still not working. Ah, that fixed it!", True),
        ("I'll think about it.", False),
    ],
)
def test_a_resolution_is_what_the_customer_says_last(said: str, expected: bool) -> None:
    assert value(f"Agent: And now?\nCustomer: {said}", "resolution_achieved") is expected


def test_escalation_rises_with_each_sign_and_falls_when_solved() -> None:
    mild = "Agent: Hello.\nCustomer: Hello."
    manager = f"{mild}\nCustomer: I want to speak to a manager."
    angry = f"{manager} This is unacceptable, it's the third time."
    risks = [value(text, "escalation_risk") for text in (mild, manager, angry)]
    assert risks == [0.05, 0.45, 0.85]
    assert value(f"{angry}\nCustomer: That fixed it.", "escalation_risk") == 0.65
    assert value(manager.replace("Customer: I", "Agent: I"), "escalation_risk") == 0.05


@pytest.mark.parametrize(
    ("said", "key", "expected"),
    [
        ("The budget is approved for this year.", "budget_confirmed", True),
        ("We don't have the budget.", "budget_confirmed", False),
        ("If we have budget, we buy.", "budget_confirmed", False),
        ("Do you have a budget?", "budget_confirmed", False),
        ("I make the final call on tools.", "decision_maker_present", True),
        ("That's not my decision.", "decision_maker_present", False),
        ("It has to be live by the end of this month.", "timeline_urgency", "high"),
        ("By next month we decide.", "timeline_urgency", "medium"),
        ("There's no rush.", "timeline_urgency", "low"),
        ("Good morning.", "timeline_urgency", "none"),
        ("Perfect, see you on Tuesday at 10.", "next_step_confirmed", True),
        ("Let's schedule something sometime.", "next_step_confirmed", False),
        ("See you on the other side.", "next_step_confirmed", False),
        ("We need to revisit this in Q4.", "risk_flag", True),
        ("All good.", "risk_flag", False),
        ("Brightpath was here, and Talkgrid too.", "competitors_mentioned",
         ["Brightpath", "Talkgrid"]),
        ("BRIGHTPATH.", "competitors_mentioned", ["Brightpath"]),
        ("Talkgridlock and smalltalkgrid.", "competitors_mentioned", []),
        ("We lose 12 hours a week by hand. Nice weather.", "pain_point",
         "We lose 12 hours a week by hand."),
        ("All good.", "pain_point", None),
    ],
)  # fmt: skip
def test_deal_signals_follow_their_rules(said: str, key: str, expected: Any) -> None:
    found = value(f"Rep: Hello.\nProspect: {said}", key)
    assert found == expected
    assert type(found) is type(expected)


def test_competitive_pressure_needs_a_competitor() -> None:
    pressure = [
        value(f"Prospect: {said}", "competitive_pressure")
        for said in ("They were cheaper.", "Brightpath called.", "Brightpath was cheaper.")
    ]
    assert pressure == [0.0, 0.28, 0.48]


def test_open_questions_raise_the_overall_score_and_promises_lower_it() -> None:
    closed = "Rep: Do you use a tool?\nProspect: Yes."
    asked = (
        "Rep: Walk me through your day.\nProspect: Well.\nRep: What happens then?\nProspect: No."
    )
    assert value(closed, "overall_score") == 0
    assert value(asked, "overall_score") == 10
    assert value(f"{asked}\nRep: Trust me.", "overall_score") == 0


def test_names_as_labels_are_sorted_by_what_reps_say() -> None:
    text = "Ana: My name is Ana, this call is recorded.\nBo: I'm sorry.\nBo: I understand."
    assert value(text, "empathy_score") == 0.2
    unknown = "Ana: Hello.\nBo: I'm sorry."
    assert value(unknown, "empathy_score") > 0.2


@pytest.mark.parametrize("nothing", ["", "  \n ", [], [{"speaker": "a", "text": ""}], None, 7])
def test_an_empty_transcript_gives_nulls_of_low_confidence(nothing: Any) -> None:
    for answer in ask(nothing).values():
        assert answer["value"] is None
        assert answer["confidence"] <= 0.2
        assert answer["evidence"] == []


@pytest.mark.parametrize(
    "odd",
    [
        "no label at all, and no full stop",
        "İstanbul Agent: İ I\u2019m sorry. İ\nCustomer: İ That works now.",
        "::::\n: :\n\n\nAgent:\nAgent: x",
        "日本語の会話です。\n客: はい。",
        [{"speaker": None, "text": None}, {"text": "I'm sorry."}, "loose text", {}],
        "a" * 50_000,
        "\x00\ud800 lone surrogate",
    ],
)
def test_odd_transcripts_are_answered_and_quoted_exactly(odd: Any) -> None:
    whole = odd if isinstance(odd, str) else "I'm sorry. loose text"
    for answer in ask(odd).values():
        assert all(quote in whole for quote in answer["evidence"])


def test_letters_that_grow_in_lower_case_shift_no_quote() -> None:
    said = [f"{'İ' * 40} ok.", "Brightpath called.", "That was on Tuesday, I believe."]
    answer = ask(f"Customer: {' '.join(said)}")["competitors_mentioned"]
    assert answer["evidence"] == ["Brightpath called."]


def test_a_very_long_transcript_is_read_quickly(
    answered: list[tuple[Call, str, Answers]],
) -> None:
    long = "\n".join(text for _, text, _ in answered)[:100_000]
    assert len(long) == 100_000
    for kit in kits().values():
        best = min(_seconds(kit.current.answer, long) for _ in range(3))
        assert best < 0.1


def _seconds(function: Any, argument: Any) -> float:
    began = time.perf_counter()
    function(argument)
    return time.perf_counter() - began


def test_kits_are_named_versioned_and_described() -> None:
    made = kits()
    names = {kit.name: code for code, kit in made.items()}
    assert names["interaction_quality"] == INTERACTION_QUALITY
    assert names["deal_signals"] == DEAL_SIGNALS
    assert names == {kit.name: kit.code for kit in SETTINGS.kits}
    keys = [brick.key for brick in bricks()]
    assert len(set(keys)) == len(keys), "a brick's name says which kit it is of"
    for code, kit in made.items():
        assert len(code) == 8
        assert set(code) <= set("0123456789ABCDEF")
        assert kit.current.id == kits()[code].current.id
    assert all(len(brick.describe) > 30 for brick in (*bricks(), *SPARE_BRICKS.values()))
    kit = made[DEAL_SIGNALS]
    first = kit.current
    second = kit.publish([*first.bricks, SPARE_BRICKS["discovery_depth"]])
    assert kit.current is second
    assert first.id != second.id
    assert "discovery_depth" not in first.answer("Rep: Why?")
    assert second.answer("Rep: Why?")["discovery_depth"]["value"] > 0
