"""Two kits that score the same calls by two ways of selling: MEDDICC, and the house's SPICED."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from semarize_sandbox.documents import MEDDICC_ELEMENTS, SPICED_FRAMEWORK, SPICED_STEPS
from semarize_sandbox.kits.base import Brick, Finding
from semarize_sandbox.kits.reading import Hit, Reading, quotes, unit

_MEDDICC: Mapping[str, tuple[float, tuple[str, ...]]] = {
    # element: its points of 100, and the words by which it is known
    "metrics": (20.0, ("measure of success",)),
    "economic_buyer": (20.0, ("is released by", "who releases the money")),
    "decision_criteria": (15.0, ("our criteria are", "by three criteria")),
    "decision_process": (15.0, ("steps to a yes",)),
    "identify_pain": (15.0, ("what hurts most",)),
    "champion": (15.0, ("carry this inside",)),
}
_SPICED: Mapping[str, tuple[str, ...]] = {
    "situation": ("situation today",),
    "pain": ("the pain behind it",),
    "impact": ("the impact is",),
    "critical_event": ("date that everything hangs on",),
    "decision_process": ("the way to a decision",),
    "budget_qual": ("budget question",),
}


def _element(name: str) -> Callable[[Reading], Finding]:
    def covered(reading: Reading) -> Finding:
        hits = reading.find(_MEDDICC[name][1])
        title = MEDDICC_ELEMENTS[name]
        reason = f"{title} is covered." if hits else f"{title} does not come up."
        return Finding(bool(hits), len(hits), reason, quotes(hits))

    return covered


def _score_a(reading: Reading) -> Finding:
    found = {name: reading.find(phrases) for name, (_, phrases) in _MEDDICC.items()}
    covered = [name for name, hits in found.items() if hits]
    value = sum(_MEDDICC[name][0] for name in covered)
    reason = f"{len(covered)} of {len(_MEDDICC)} elements are covered."
    return Finding(round(float(value), 1), len(covered), reason, quotes(*found.values()))


def methodology_meddicc() -> tuple[Brick, ...]:
    """The bricks of framework A."""
    return (
        *(
            Brick(
                key=name,
                type="boolean",
                rule=_element(name),
                describe=f"True when somebody speaks of {title}, in words such as: {marks}.",
            )
            for name, title in MEDDICC_ELEMENTS.items()
            for marks in [", ".join(_MEDDICC[name][1])]
        ),
        Brick(
            key="framework_a_score",
            type="score",
            scale=(0.0, 100.0),
            rule=_score_a,
            describe=(
                "20 points each for Metrics and Economic Buyer, 15 for each of the other four "
                "elements that are covered."
            ),
        ),
    )


def _steps(reading: Reading) -> dict[str, list[Hit]]:
    return {step: reading.find(phrases, "rep") for step, phrases in _SPICED.items()}


def _step(name: str) -> Callable[[Reading], Finding]:
    def followed(reading: Reading) -> Finding:
        hits = reading.find(_SPICED[name], "rep")
        title = SPICED_STEPS[name]
        reason = f"{title}." if hits else f"{title}: skipped."
        return Finding(bool(hits), len(hits), reason, quotes(hits))

    return followed


def _in_order(found: Mapping[str, list[Hit]]) -> bool:
    starts = [hits[0].sentence.start for hits in found.values() if hits]
    return starts == sorted(starts)


def _followed(reading: Reading) -> Finding:
    found = _steps(reading)
    done = [step for step, hits in found.items() if hits]
    reason = f"{len(done)} of {len(found)} steps are followed."
    return Finding(float(len(done)), len(done), reason, quotes(*found.values()))


def _adherence(reading: Reading) -> Finding:
    found = _steps(reading)
    done = [step for step, hits in found.items() if hits]
    ordered = bool(done) and _in_order(found)
    value = 0.8 * len(done) / len(found) + 0.2 * ordered
    reason = f"{len(done)} of {len(found)} steps, {'in order' if ordered else 'not in order'}."
    return Finding(unit(value), len(done), reason, quotes(*found.values()))


def _deviation(reading: Reading) -> Finding:
    found = _steps(reading)
    skipped = [step for step, hits in found.items() if not hits]
    if skipped:
        # Money is what the house minds most; then the step that is missed first.
        worst = "budget_qual" if "budget_qual" in skipped else skipped[0]
        return Finding(f"skipped_{worst}", len(skipped), f"{len(skipped)} steps are skipped.")
    if not _in_order(found):
        return Finding("out_of_order", 1, "All steps, in another order.", quotes(*found.values()))
    return Finding("none", len(found), "All steps, in order.", quotes(*found.values()))


def _skipped(reading: Reading) -> Finding:
    skipped = sorted(step for step, hits in _steps(reading).items() if not hits)
    return Finding(skipped, len(skipped), f"{len(skipped)} steps are skipped.")


def _framework(_: Reading) -> Finding:
    return Finding(SPICED_FRAMEWORK, 1, "The framework that this kit checks.")


def _score_b(reading: Reading) -> Finding:
    found = _steps(reading)
    done = [step for step, hits in found.items() if hits]
    value = 100 * len(done) / len(found) - 5 * (bool(done) and not _in_order(found))
    reason = f"{len(done)} of {len(found)} steps are followed."
    return Finding(round(value, 1), len(done), reason, quotes(*found.values()))


def methodology_spiced() -> tuple[Brick, ...]:
    """The bricks of framework B."""
    return (
        Brick(
            key="framework",
            type="string",
            rule=_framework,
            describe="The framework and its version, the same for every answer of this version.",
        ),
        *(
            Brick(
                key=f"step_{name}",
                type="boolean",
                rule=_step(name),
                describe=f"{title}: true when the rep says {' or '.join(_SPICED[name])!r}.",
            )
            for name, title in SPICED_STEPS.items()
        ),
        Brick(
            key="steps_followed",
            type="score",
            scale=(0.0, float(len(_SPICED))),
            rule=_followed,
            describe="How many of the framework's six steps the rep follows, in any order.",
        ),
        Brick(
            key="framework_adherence",
            type="score",
            scale=(0.0, 1.0),
            rule=_adherence,
            describe="0.8 x the share of steps followed, plus 0.2 when they come in order.",
        ),
        Brick(
            key="deviation",
            type="category",
            allowed_values=("none", "out_of_order", *(f"skipped_{step}" for step in _SPICED)),
            rule=_deviation,
            describe=(
                "skipped_budget_qual when the budget question is missing, else the first step that "
                "is skipped; out_of_order when all are there in another order; else none."
            ),
        ),
        Brick(
            key="steps_skipped",
            type="string_list",
            rule=_skipped,
            describe="The steps that the rep does not follow, in alphabetical order.",
        ),
        Brick(
            key="framework_b_score",
            type="score",
            scale=(0.0, 100.0),
            rule=_score_b,
            describe="The share of steps followed, of 100, minus 5 when they are out of order.",
        ),
    )
