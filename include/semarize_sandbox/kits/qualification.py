"""The kit for qualification: how far a deal is, and what speaks for its being won."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from semarize_sandbox.kits.base import Brick, Finding
from semarize_sandbox.kits.deal_signals import (
    budget,
    competitive_pressure,
    decider,
    next_step,
    open_questions,
    pain_sentences,
    risk,
)
from semarize_sandbox.kits.reading import DIGIT, Reading, quotes, unit

_BUYING = (
    "how soon could",
    "what would the contract look like",
    "get a login",
    "who would run the",
)
_SPECIFIC = ("i've counted it", "to be exact", "it was exactly")
_SIGNALS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    # brick: what it is, and the words of the customer by which it is known
    "champion_identified": (
        "Somebody will fight for it", ("i'll fight for it", "carry this inside"),
    ),
    "technical_fit_validated": ("Their IT says that it fits", ("it fits with",)),
    "legal_review_scheduled": ("The legal review has a date", ("legal review is on",
                                                               "put the legal review on")),
    "legal_concerns_raised": ("Legal has concerns", ("legal has concerns",
                                                     "legal people have concerns")),
    "security_questionnaire_sent": (
        "The security questionnaire is on its way",
        ("sent the security questionnaire", "security questionnaire went out"),
    ),
    "security_review_needed": (
        "A security review is wanted",
        ("need a security review", "to be a security review", "security review isn't finished"),
    ),
    "pricing_hesitation": (
        "The customer hesitates at the price",
        ("price makes me hesitate", "think about the price", "need a second opinion",
         "above what we planned", "the price per seat is the sticking point"),
    ),
}  # fmt: skip


def _signal(key: str) -> Callable[[Reading], Finding]:
    def found(reading: Reading) -> Finding:
        title, phrases = _SIGNALS[key]
        hits = reading.find(phrases, "customer")
        reason = f"{title}." if hits else f"{title}: nobody says so."
        return Finding(bool(hits), len(hits), reason, quotes(hits))

    return found


def _quantified(reading: Reading) -> Finding:
    found = [
        sentence.text for _, sentence in pain_sentences(reading) if DIGIT.search(sentence.text)
    ]
    reason = f"{len(found)} pains with a figure."
    return Finding(bool(found), len(found), reason, found)


def _depth(reading: Reading) -> Finding:
    questions, pains = open_questions(reading), pain_sentences(reading)
    figures = [sentence for _, sentence in pains if DIGIT.search(sentence.text)]
    value = 20 + 8 * min(6, len(questions)) + 8 * min(4, len(figures))
    reason = f"{len(questions)} open questions and {len(figures)} answers with a figure."
    evidence = [question.text for question in questions[:2]]
    evidence += [sentence.text for sentence in figures[:2]]
    return Finding(float(value), len(questions) + len(figures), reason, evidence)


def _pain_specificity(reading: Reading) -> Finding:
    pains = pain_sentences(reading)
    exact = reading.find(_SPECIFIC, "customer")
    figures = [sentence for _, sentence in pains if DIGIT.search(sentence.text)]
    sentences = len({hit.sentence.start for hit in exact})
    value = 0.2 + 0.1 * min(3, len(figures)) + 0.25 * min(2, sentences)
    reason = f"{len(figures)} pains with a figure, {sentences} counted exactly."
    return Finding(unit(value), len(figures) + sentences, reason, quotes(exact))


def _buying_signal(reading: Reading) -> Finding:
    hits = reading.find(_BUYING, "customer")
    value = 0.3 + 0.3 * min(2, len(hits)) + 0.1 * (next_step(reading).value is True)
    reason = f"{len(hits)} questions of somebody who means to buy."
    return Finding(unit(value), len(hits), reason, quotes(hits))


def _confidence(reading: Reading) -> Finding:
    pressure = competitive_pressure(reading).value
    champion = _signal("champion_identified")(reading)
    signs = {
        "the money is there": budget(reading),
        "somebody decides": decider(reading),
        "somebody fights for it": champion,
        "a next step is fixed": next_step(reading),
    }
    there = [name for name, found in signs.items() if found.value is True]
    value = 1.5 + len(there) - (risk(reading).value is True)
    value -= 0.5 * (isinstance(pressure, float) and pressure >= 0.4)
    reason = f"For it: {', '.join(there) or 'nothing'}."
    evidence = [quote for found in signs.values() if found.value for quote in found.evidence[:1]]
    return Finding(float(min(5.0, max(1.0, value))), len(there), reason, evidence)


def qualification() -> tuple[Brick, ...]:
    """The bricks of the kit for qualification."""
    return (
        Brick(
            key="discovery_depth",
            type="score",
            scale=(0.0, 100.0),
            rule=_depth,
            describe=(
                "20, plus 8 for each of at most six open questions of the rep, plus 8 for each of "
                "at most four pains of the customer with a figure."
            ),
        ),
        Brick(
            key="pain_quantified",
            type="boolean",
            rule=_quantified,
            describe="True when the customer puts a figure on a pain.",
        ),
        Brick(
            key="pain_specificity",
            type="score",
            scale=(0.0, 1.0),
            rule=_pain_specificity,
            describe=(
                "0.2, plus 0.1 for each of at most three pains with a figure, plus 0.25 for each "
                "of at most two that the customer has counted."
            ),
        ),
        Brick(
            key="buying_signal",
            type="score",
            scale=(0.0, 1.0),
            rule=_buying_signal,
            describe=(
                "0.3, plus 0.3 for each of at most two questions of somebody who means to buy, "
                "plus 0.1 for a next step with a day."
            ),
        ),
        *(
            Brick(
                key=key,
                type="boolean",
                rule=_signal(key),
                describe=f"{title}: true when the customer says one of: {', '.join(phrases)}.",
            )
            for key, (title, phrases) in _SIGNALS.items()
        ),
        Brick(
            key="deal_confidence",
            type="score",
            scale=(1.0, 5.0),
            rule=_confidence,
            describe=(
                "1.5, plus 1 each for money, a decider, a champion and a next step, minus 1 for a "
                "risk, minus 0.5 when competitive_pressure is 0.4 or more; from 1 to 5."
            ),
        ),
    )
