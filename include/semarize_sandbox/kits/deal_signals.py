"""The kit for sales conversations: what the customer says of money, pain, dates and rivals."""

from __future__ import annotations

import math
from collections.abc import Mapping

from semarize_sandbox.kits.base import Brick, Finding
from semarize_sandbox.kits.interaction_quality import PROMISED
from semarize_sandbox.kits.reading import (
    DIGIT,
    WEEKDAY,
    Hit,
    Reading,
    Sentence,
    denied,
    quotes,
    unit,
)

_PAIN = (
    "losing", "we lose", "i lose", "costs us", "cost us", "hours a week", "hours a month",
    "by hand", "manual", "manually", "spreadsheet*", "errors", "missed", "comes out late",
    "too late", "complain*", "penalt*", "overtime", "duplicate", "rework", "audit finding",
    "burned out", "bottleneck", "blind", "struggle*", "problem", "nightmare", "headache",
    "chasing", "chaos",
    "churn*", "downtime", "painful", "pain point", "dropped by", "inefficien*", "too slow",
)  # fmt: skip
_MILD = ("no problem", "not a problem", "problem solved")
_BUDGET = (
    "budget is approved", "budget approved", "budget has been approved", "approved budget",
    "budget is signed off", "budget is confirmed", "budget is in place", "have budget",
    "have the budget", "have a budget", "is set aside", "have set aside", "money is there",
    "ring-fenced",
    "funds are", "funding is",
)  # fmt: skip
_DECIDER = (
    "i make the final call", "i make the final decision", "decision sits with me",
    "i own the budget", "i sign the", "i sign off", "my decision", "final say", "i approve",
    "i'm the one who signs", "it's my call",
)  # fmt: skip
_URGENCY: Mapping[str, tuple[str, ...]] = {
    "high": ("end of this month", "end of the month", "decide this week", "by end of week",
             "urgent*", "as soon as possible", "asap", "at the latest", "immediately",
             "right away"),
    "medium": ("this quarter", "next month", "end of the quarter", "within the quarter",
               "next quarter", "in the coming weeks"),
    "low": ("no rush", "next year", "later this year", "at the earliest", "revisit this",
            "not a priority", "hold off", "no hurry"),
}  # fmt: skip
_NEXT_STEP = (
    "calendar invite", "let's book", "booked", "we're confirmed", "we meet on", "see you on",
    "send the invite", "send the invitation", "shall we say", "i suggest", "follow-up", "schedule*",
    "next call", "next meeting", "let's meet",
)  # fmt: skip
RISKS = (
    "revisit this", "budget is frozen", "on hold", "hold off", "not a priority", "left the company",
    "start over", "want to cancel", "merger", "no budget", "reorganisation", "reorganization",
)  # fmt: skip
COMPETITORS = (
    "Brightpath", "Meridian IQ", "Talkgrid", "Cobalt Ops", "Fathomline", "Quillstack",
)  # fmt: skip
_COMPARED = (
    "cheaper", "came in lower", "shortlist", "incumbent", "also looking at", "their offer",
    "their quote", "beat that", "better price", "switch to", "instead of you", "alternative*",
)  # fmt: skip
_OPEN_QUESTIONS = (
    "walk me through", "tell me about", "how do you", "how does", "how would", "how will",
    "what happens", "what does", "what would", "what could", "what have you", "what made",
    "what is the", "what is that", "what has to", "what do you", "what went", "who else",
    "who would", "who keeps", "which teams", "which step", "which of your", "why has", "why",
    "how is", "what's driving", "what are", "how much do",
)  # fmt: skip


def open_questions(reading: Reading) -> list[Sentence]:
    found = {hit.sentence.start: hit.sentence for hit in reading.find(_OPEN_QUESTIONS, "rep")}
    return [
        sentence
        for sentence in found.values()
        if sentence.text.endswith("?") or sentence.lowered.startswith(("walk me", "tell me"))
    ]


def pain_sentences(reading: Reading) -> list[tuple[float, Sentence]]:
    """Sentences of pain, the worst first: one point a phrase, one for a figure with it."""
    points: dict[int, float] = {}
    sentences: dict[int, Sentence] = {}
    for hit in reading.find(_PAIN, "customer"):
        if any(mild in hit.sentence.lowered for mild in _MILD):
            continue
        sentences[hit.sentence.start] = hit.sentence
        points[hit.sentence.start] = points.get(hit.sentence.start, 0.0) + 1
    for start, sentence in sentences.items():
        if DIGIT.search(sentence.text):
            points[start] += 1
    return sorted(
        ((points[start], sentence) for start, sentence in sentences.items()),
        key=lambda item: (-item[0], item[1].start),
    )


def _pain_severity(reading: Reading) -> Finding:
    pains = pain_sentences(reading)
    total = sum(points for points, _ in pains)
    value = 1 - math.exp(-total / 7)
    with_figures = sum(1 for _, sentence in pains if DIGIT.search(sentence.text))
    reason = f"{len(pains)} sentences of pain, {with_figures} of them with a figure."
    return Finding(unit(value), len(pains), reason, [sentence.text for _, sentence in pains])


def _pain_point(reading: Reading) -> Finding:
    pains = pain_sentences(reading)
    if not pains:
        return Finding(None, 0, "The customer names no pain.")
    worst = pains[0][1].text
    return Finding(worst, round(pains[0][0]), "The sentence with the most signs of pain.", [worst])


def budget(reading: Reading) -> Finding:
    hits = [hit for hit in reading.find(_BUDGET, "customer") if not denied(hit)]
    hits = [hit for hit in hits if not hit.sentence.text.endswith("?")]
    reason = "The customer says that money is there." if hits else "Nobody confirms a budget."
    return Finding(bool(hits), len(hits), reason, quotes(hits))


def decider(reading: Reading) -> Finding:
    hits = [hit for hit in reading.find(_DECIDER, "customer") if not denied(hit)]
    hits = [hit for hit in hits if not hit.sentence.text.endswith("?")]
    reason = "Somebody present decides." if hits else "Nobody present says that they decide."
    return Finding(bool(hits), len(hits), reason, quotes(hits))


def named_rivals(reading: Reading) -> dict[str, list[Hit]]:
    found = {name: reading.find((name.lower(),)) for name in COMPETITORS}
    return {name: hits for name, hits in found.items() if hits}


def competitive_pressure(reading: Reading) -> Finding:
    rivals = named_rivals(reading)
    if not rivals:
        return Finding(0.0, 0, "No competitor is mentioned.")
    mentions = sum(len(hits) for hits in rivals.values())
    compared = reading.find(_COMPARED, "customer")
    value = 0.2 * len(rivals) + 0.08 * mentions + 0.2 * min(2, len(compared))
    reason = f"{mentions} mentions of {len(rivals)} competitors, {len(compared)} comparisons."
    evidence = quotes(*rivals.values(), compared)
    return Finding(unit(value), mentions + len(compared), reason, evidence)


def _competitors(reading: Reading) -> Finding:
    rivals = named_rivals(reading)
    names = sorted(rivals)
    reason = f"{len(names)} known competitors are named." if names else "No competitor is named."
    return Finding(list(names), len(names), reason, quotes(*rivals.values()))


def urgency(reading: Reading) -> Finding:
    for level, phrases in _URGENCY.items():
        hits = [
            hit for hit in reading.find(phrases, "customer") if not hit.sentence.text.endswith("?")
        ]
        if hits:
            return Finding(level, len(hits), f"The customer's date is of {level} urgency.",
                           quotes(hits))  # fmt: skip
    return Finding("none", 0, "The customer names no date.")


def next_step(reading: Reading) -> Finding:
    hits = [hit for hit in reading.find(_NEXT_STEP) if WEEKDAY.search(hit.sentence.text)]
    vague = any("sometime" in hit.sentence.lowered for hit in hits)
    fixed = bool(hits) and not vague
    reason = "A day is fixed for the next step." if fixed else "No day is fixed for a next step."
    return Finding(fixed, len(hits), reason, quotes(hits))


def risk(reading: Reading) -> Finding:
    hits = reading.find(RISKS, "customer")
    pressure = competitive_pressure(reading)
    pressed = isinstance(pressure.value, float) and pressure.value >= 0.6
    alone = pressed and next_step(reading).value is False
    if hits:
        return Finding(True, len(hits), "The customer names a reason to stop.", quotes(hits))
    if alone:
        reason = "A competitor presses and no next step is fixed."
        return Finding(True, pressure.hits, reason, pressure.evidence)
    return Finding(False, 0, "Nothing speaks of a risk.")


_URGENCY_POINTS = {"none": 0.0, "low": 0.25, "medium": 0.6, "high": 1.0}


def _overall(reading: Reading) -> Finding:
    questions = open_questions(reading)
    severity = _pain_severity(reading).value
    promised = reading.find(PROMISED, "rep")
    value = 30 * min(1.0, len(questions) / 6)
    value += 20 * float(severity if isinstance(severity, float) else 0.0)
    value += 15 * (budget(reading).value is True) + 10 * (decider(reading).value is True)
    value += 15 * (next_step(reading).value is True)
    value += 10 * _URGENCY_POINTS[str(urgency(reading).value)]
    value -= min(20, 10 * len(promised))
    reason = f"{len(questions)} open questions, {len(promised)} promises that nobody can keep."
    evidence = [question.text for question in questions[:2]] + quotes(promised)
    return Finding(
        round(min(100.0, max(0.0, value)), 1), len(questions) + len(promised), reason, evidence
    )


def discovery(reading: Reading) -> Finding:
    questions = open_questions(reading)
    value = unit(len(questions) / 6)
    reason = f"{len(questions)} open questions."
    return Finding(value, len(questions), reason, [question.text for question in questions])


def deal_signals() -> tuple[Brick, ...]:
    """The bricks of the kit for sales conversations."""
    return (
        Brick(
            key="overall_score",
            type="score",
            scale=(0.0, 100.0),
            rule=_overall,
            describe=(
                "30 points for six open questions of the rep (fewer in proportion), 20 x "
                "pain_severity, 15 for a confirmed budget, 10 for a decision maker, 15 for a next "
                "step, up to 10 for urgency; minus 10 for each promise nobody can keep, at most 20."
            ),
        ),
        Brick(
            key="risk_flag",
            type="boolean",
            rule=risk,
            describe=(
                "True when the customer names a reason to stop (frozen budget, on hold, a sponsor "
                "who left), or competitive_pressure is 0.6 or more and no next step is fixed."
            ),
        ),
        Brick(
            key="pain_point",
            type="string",
            rule=_pain_point,
            describe="The customer's sentence with the most signs of pain; null without any.",
        ),
        Brick(
            key="budget_confirmed",
            type="boolean",
            rule=budget,
            describe="True when the customer says, without no, not or if, that the money is there.",
        ),
        Brick(
            key="decision_maker_present",
            type="boolean",
            rule=decider,
            describe="True when somebody on the customer's side says that they decide or sign.",
        ),
        Brick(
            key="pain_severity",
            type="score",
            scale=(0.0, 1.0),
            rule=_pain_severity,
            describe=(
                "1 - exp(-points / 7): one point for each phrase of pain of the customer, one more "
                "for each such sentence with a figure in it."
            ),
        ),
        Brick(
            key="competitive_pressure",
            type="score",
            scale=(0.0, 1.0),
            rule=competitive_pressure,
            describe=(
                "0 without a competitor; otherwise 0.2 for each one named, 0.08 for each mention, "
                "and 0.2 for each of at most two comparisons by the customer."
            ),
        ),
        Brick(
            key="timeline_urgency",
            type="category",
            allowed_values=("none", "low", "medium", "high"),
            rule=urgency,
            describe="The most urgent of the customer's statements about dates; none without any.",
        ),
        Brick(
            key="next_step_confirmed",
            type="boolean",
            rule=next_step,
            describe="True when a meeting or an invitation is named together with a day or a time.",
        ),
        Brick(
            key="competitors_mentioned",
            type="string_list",
            rule=_competitors,
            describe=f"Which of these are named, in alphabetical order: {', '.join(COMPETITORS)}.",
        ),
    )
