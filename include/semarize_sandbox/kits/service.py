"""Two kits for service conversations: how the customer was treated, and how the agent is doing."""

from __future__ import annotations

import math

from semarize_sandbox.kits.base import Brick, Finding
from semarize_sandbox.kits.interaction_quality import (
    CURT,
    EMPATHY,
    RECAPPED,
    escalation,
    resolution,
)
from semarize_sandbox.kits.reading import Hit, Reading, quotes, unit

_EASY = ("nothing more you have to do", "already filled that in", "don't have to call again",
         "i've already", "i've put", "i've made you", "i stay with you")  # fmt: skip
_HARD = ("fill in the form", "send that once more", "you'll have to", "raise a ticket",
         "open a ticket", "call you back")  # fmt: skip
_CLEAR = ("the cause was", "what i changed is", "what happens next", *RECAPPED)
_UNCLEAR = ("kind of working", "should be somewhere", "i can't say", "don't ask me")
_BRAND = ("good hands with", "what we're here for", "feel looked after", "thank you for calling",
          "happy to help", "thank you for writing")  # fmt: skip
_OFF_BRAND = ("whatever", "bit of a mess", *CURT)

_AT_LIMIT = ("i'm at my limit", "can't take much more", "so done with", "i'm worn out",
             "trying to get through the queue", "nobody listens to us", "nobody told us",
             "i'm only one person", "i don't make the rules")  # fmt: skip
_COACHED = ("i've learned to ask", "my coach", "what we practised")
_UNCOACHABLE = ("i'll skip that nonsense", "i don't bother any more")


def _sentences(hits: list[Hit]) -> int:
    return len({hit.sentence.start for hit in hits})


def _balance(
    reading: Reading, good: tuple[str, ...], poor: tuple[str, ...], what: str, start: float
) -> Finding:
    kept, broken = reading.find(good, "rep"), reading.find(poor, "rep")
    value = start + 0.2 * min(3, _sentences(kept)) - 0.15 * min(3, _sentences(broken))
    reason = f"{_sentences(kept)} sentences for {what} and {_sentences(broken)} against."
    return Finding(unit(value), len(kept) + len(broken), reason, quotes(broken, kept))


def _empathy(reading: Reading) -> Finding:
    warm, curt = reading.find(EMPATHY, "rep"), reading.find(CURT, "rep")
    share = _sentences(warm) / reading.turn_count
    value = 0.3 + 0.65 * (1 - math.exp(-8 * share)) - 0.08 * len(curt)
    reason = f"{_sentences(warm)} sentences of understanding in {reading.turn_count} turns."
    return Finding(unit(value), len(warm) + len(curt), reason, quotes(warm, curt))


def _resolution_clarity(reading: Reading) -> Finding:
    found = _balance(reading, _CLEAR, _UNCLEAR, "a clear outcome", 0.35)
    solved = resolution(reading).value is True
    value = found.value if isinstance(found.value, float) else 0.0
    return Finding(unit(value + 0.15 * solved), found.hits, found.reason, found.evidence)


def _effort(reading: Reading) -> Finding:
    return _balance(reading, _EASY, _HARD, "less effort", 0.45)


def _brand(reading: Reading) -> Finding:
    return _balance(reading, _BRAND, _OFF_BRAND, "the house's tone", 0.5)


def service_experience() -> tuple[Brick, ...]:
    """The bricks of the kit that measures every channel in the same way."""
    return (
        Brick(
            key="empathy_demonstrated",
            type="score",
            scale=(0.0, 1.0),
            rule=_empathy,
            describe=(
                "0.3 + 0.65 x (1 - exp(-8 x share)), where share is the rep's sentences of "
                "understanding per turn; minus 0.08 for each curt phrase."
            ),
        ),
        Brick(
            key="resolution_clarity",
            type="score",
            scale=(0.0, 1.0),
            rule=_resolution_clarity,
            describe=(
                "0.35, plus 0.2 for each of at most three sentences that say what was done or "
                "comes next, minus 0.15 for each vague one, plus 0.15 when it ended solved."
            ),
        ),
        Brick(
            key="effort_reduction",
            type="score",
            scale=(0.0, 1.0),
            rule=_effort,
            describe=(
                "0.45, plus 0.2 for each of at most three sentences that take work off the "
                "customer, minus 0.15 for each of at most three that put some on."
            ),
        ),
        Brick(
            key="brand_alignment",
            type="score",
            scale=(0.0, 1.0),
            rule=_brand,
            describe=(
                "0.5, plus 0.2 for each of at most three sentences in the house's tone, minus 0.15 "
                "for each of at most three that are curt or belittle the product."
            ),
        ),
    )


def _frustration(reading: Reading) -> Finding:
    hits = reading.find(_AT_LIMIT, "rep")
    value = _sentences(hits) / (reading.turn_count / 10)
    reason = f"{_sentences(hits)} sentences of frustration in {reading.turn_count} turns."
    return Finding(round(min(10.0, value), 2), len(hits), reason, quotes(hits))


def _receptivity(reading: Reading) -> Finding:
    shut = reading.find(_UNCOACHABLE, "rep")
    elsewhere = {hit.sentence.start for hit in shut}
    # "My coach would want that, but I don't bother" is no sign of learning.
    open_ = [hit for hit in reading.find(_COACHED, "rep") if hit.sentence.start not in elsewhere]
    if not open_ and not shut:
        return Finding(None, 0, "Nothing shows how the agent takes coaching.")
    value = 0.5 + 0.4 * bool(open_) - 0.4 * bool(shut)
    reason = f"{len(open_)} signs of using what was taught, {len(shut)} of refusing it."
    return Finding(unit(value), len(open_) + len(shut), reason, quotes(shut, open_))


def _energy(reading: Reading) -> Finding:
    tired, curt = reading.find(_AT_LIMIT, "rep"), reading.find(CURT, "rep")
    warm = reading.find(EMPATHY, "rep")
    value = 4 - min(2, _sentences(tired)) - min(1, len(curt)) + (_sentences(warm) >= 3)
    reason = f"{_sentences(tired)} tired, {len(curt)} curt, {_sentences(warm)} warm sentences."
    hits = len(tired) + len(curt) + len(warm)
    return Finding(float(min(5, max(1, value))), hits, reason, quotes(tired, curt, warm))


def _escalated(reading: Reading) -> Finding:
    found = escalation(reading)
    risen = isinstance(found.value, float) and found.value >= 0.4
    reason = "The customer goes over the agent's head." if risen else "The customer stays."
    return Finding(risen, found.hits, reason, found.evidence if risen else ())


def agent_wellbeing() -> tuple[Brick, ...]:
    """The bricks of the kit that looks after the agents."""
    return (
        Brick(
            key="frustration_frequency",
            type="score",
            scale=(0.0, 10.0),
            rule=_frustration,
            describe="The agent's sentences of frustration for every ten turns, ten at most.",
        ),
        Brick(
            key="coaching_receptivity",
            type="score",
            scale=(0.0, 1.0),
            rule=_receptivity,
            describe=(
                "0.5, plus 0.4 when the agent uses what was taught, minus 0.4 when they refuse it; "
                "null when neither shows."
            ),
        ),
        Brick(
            key="energy_level",
            type="score",
            scale=(1.0, 5.0),
            rule=_energy,
            describe=(
                "4, minus 1 for each of at most two sentences of frustration, minus 1 for curt "
                "ones, plus 1 for three warm ones; from 1 to 5."
            ),
        ),
        Brick(
            key="customer_escalated",
            type="boolean",
            rule=_escalated,
            describe="True when escalation_risk, as interaction_quality gives it, is 0.4 or more.",
        ),
    )
