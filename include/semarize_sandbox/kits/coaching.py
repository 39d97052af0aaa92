"""The kit for coaching: the skills that a rep shows on a call."""

from __future__ import annotations

from collections.abc import Mapping

from semarize_sandbox.kits.base import Brick, Finding
from semarize_sandbox.kits.deal_signals import next_step, open_questions, pain_sentences
from semarize_sandbox.kits.interaction_quality import RECAPPED
from semarize_sandbox.kits.reading import DIGIT, Reading, quotes, unit

_RAISED = ("my concern is", "what worries me", "i'm not convinced")
_ANSWERED: Mapping[str, tuple[float, tuple[str, ...]]] = {
    "acknowledged": (0.25, ("that's a fair point", "you're right to push", "good that you say so")),
    "asked back": (0.25, ("what would you need to see", "which part of it weighs",
                          "what's behind that")),
    "shown something": (0.3, ("let me show you how a customer", "here's an example",
                              "the figures from a house")),
    "checked": (0.2, ("does that answer it", "taken your worry", "are we good on that")),
}  # fmt: skip
_DISMISSED = ("not really an issue", "let's not go down that road")
_CLEAR = ("that comes to", "pays for itself", "that means", "worth about")
_VAGUE = ("game changer", "more out of everything", "next level", "best on the market",
          "you'll love", "does everything")  # fmt: skip
_COMMITS = ("booked", "agreed", "does that work", "shall we say", "we're confirmed", "let's book",
            "i'll send a calendar invite")  # fmt: skip


def _objections(reading: Reading) -> Finding:
    raised = reading.find(_RAISED, "customer")
    if not raised:
        return Finding(None, 0, "The customer raises no objection.")
    shown = {name: reading.find(phrases, "rep") for name, (_, phrases) in _ANSWERED.items()}
    dismissed = reading.find(_DISMISSED, "rep")
    value = sum(weight for name, (weight, _) in _ANSWERED.items() if shown[name])
    value -= 0.15 * bool(dismissed)
    done = [name for name, hits in shown.items() if hits]
    reason = f"The rep {', '.join(done) or 'lets it pass'}{', but dismisses' if dismissed else ''}."
    return Finding(
        unit(value), len(raised) + len(done), reason, quotes(raised, dismissed, *shown.values())
    )


def _technique(reading: Reading) -> Finding:
    questions = open_questions(reading)
    asked = [question.text for question in questions]
    if len(questions) >= 5:
        depth = "deep"
    else:
        depth = "structured" if len(questions) >= 3 else "surface_level"
    return Finding(depth, len(asked), f"{len(asked)} open questions.", asked)


def _value(reading: Reading) -> Finding:
    clear = [hit for hit in reading.find(_CLEAR, "rep") if DIGIT.search(hit.sentence.text)]
    vague = reading.find(_VAGUE, "rep")
    value = 0.4 + 0.3 * min(2, len(clear)) - 0.2 * min(2, len(vague))
    reason = f"{len(clear)} statements of value with a figure, {len(vague)} without any."
    return Finding(unit(value), len(clear) + len(vague), reason, quotes(clear, vague))


def _discovery(reading: Reading) -> Finding:
    questions, pains = open_questions(reading), pain_sentences(reading)
    figures = [sentence for _, sentence in pains if DIGIT.search(sentence.text)]
    value = 60 * min(1.0, len(questions) / 6) + 20 * bool(pains) + 20 * bool(figures)
    reason = f"{len(questions)} open questions, {len(figures)} pains with a figure."
    evidence = [question.text for question in questions[:2]]
    evidence += [sentence.text for sentence in figures[:2]]
    return Finding(round(float(value), 1), len(questions) + len(pains), reason, evidence)


def _closing(reading: Reading) -> Finding:
    fixed = next_step(reading)
    recapped = reading.find(RECAPPED, "rep")
    commits = reading.find(_COMMITS, "rep")
    value = 20.0 + 40 * (fixed.value is True) + 25 * bool(recapped) + 15 * bool(commits)
    reason = f"Next step {'fixed' if fixed.value else 'open'}, {len(recapped)} recaps."
    return Finding(
        value, fixed.hits + len(recapped), reason, [*fixed.evidence[:2], *quotes(recapped, commits)]
    )


def coaching_skills() -> tuple[Brick, ...]:
    """The bricks of the kit for coaching and certification."""
    return (
        Brick(
            key="objection_handling_score",
            type="score",
            scale=(0.0, 1.0),
            rule=_objections,
            describe=(
                "Where the customer raises a concern: 0.25 when the rep acknowledges it, 0.25 for "
                "asking back, 0.30 for an example, 0.20 for checking the answer, minus 0.15 for "
                "dismissing it; null without a concern."
            ),
        ),
        Brick(
            key="discovery_technique_depth",
            type="category",
            allowed_values=("surface_level", "structured", "deep"),
            rule=_technique,
            describe="surface_level up to two open questions of the rep, deep from five on.",
        ),
        Brick(
            key="value_articulation_clarity",
            type="score",
            scale=(0.0, 1.0),
            rule=_value,
            describe=(
                "0.4, plus 0.3 for each of at most two statements of value with a figure, minus "
                "0.2 for each of at most two empty ones."
            ),
        ),
        Brick(
            key="discovery_score",
            type="score",
            scale=(0.0, 100.0),
            rule=_discovery,
            describe=(
                "60 points for six open questions (fewer in proportion), 20 when a pain comes up, "
                "20 when it comes with a figure."
            ),
        ),
        Brick(
            key="closing_score",
            type="score",
            scale=(0.0, 100.0),
            rule=_closing,
            describe=(
                "20, plus 40 for a next step with a day, 25 for a recap, 15 for asking for a yes."
            ),
        ),
    )
