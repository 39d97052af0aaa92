"""The kit for the rules that service conversations must keep, with a verdict for each rule.

It is the house's own framework: the vendor's default one knows two of the four rules.
"""

from __future__ import annotations

from collections.abc import Callable

from semarize_sandbox.documents import ALL_PARTY_STATES, FRAMEWORK_VERSION
from semarize_sandbox.kits.base import Brick, Finding
from semarize_sandbox.kits.interaction_quality import DISCLOSED, PROMISED
from semarize_sandbox.kits.reading import Hit, Reading, entry, quotes, unit

ALWAYS_ASKED = ("disclosure_sequence", "prohibited_phrases")
MOST_PHRASES = 5

_LATE = ("i should have said it",)
_ASKED_WHO = ("verify your", "confirm your account", "to verify", "may i verify",
              "last four digits of")  # fmt: skip
_STATES = tuple(f"in {state.lower()}" for state in ALL_PARTY_STATES)
_CONSENT = ("your consent to the recording",)
_OVERDUE = ("overdue",)
_MIRANDA = ("attempt to collect a debt",)
_FORBIDDEN = (
    *PROMISED, "we will take you to court", "your last chance", "you have no choice",
    "everybody else pays that",
)  # fmt: skip

_Verdict = tuple[str, list[Hit], str]


def _sequence(reading: Reading) -> _Verdict:
    disclosed = reading.find(DISCLOSED, "rep")
    late = reading.find(_LATE, "rep")
    asked = reading.find(_ASKED_WHO, "rep")
    if not disclosed:
        reason = "Disclosed late." if late else "The recording is not disclosed."
        return "fail", late or asked, reason
    if asked and asked[0].sentence.start < disclosed[0].sentence.start:
        return "fail", [asked[0], disclosed[0]], "The caller is verified before the disclosure."
    return "pass", disclosed, "Disclosed before anything is asked."


def _consent(reading: Reading) -> _Verdict:
    states = reading.find(_STATES)
    if not states:
        return "not_applicable", [], "No state that wants everybody's consent is named."
    asked = reading.find(_CONSENT, "rep")
    if asked:
        return "pass", asked, "Consent to the recording is asked for."
    return "fail", states, "The state wants everybody's consent, and nobody asks for it."


def _phrases(reading: Reading) -> _Verdict:
    hits = reading.find(_FORBIDDEN, "rep")
    if hits:
        return "fail", hits, f"{len(hits)} phrases that are forbidden."
    return "pass", [], "No forbidden phrase."


def _miranda(reading: Reading) -> _Verdict:
    overdue = reading.find(_OVERDUE)
    if not overdue:
        return "not_applicable", [], "It is not about a debt."
    said = reading.find(_MIRANDA, "rep")
    if said:
        return "pass", said, "The debtor is told what the conversation is."
    return "fail", overdue, "It is about a debt, and the debtor is not told so."


_RULES: dict[str, Callable[[Reading], _Verdict]] = {
    "disclosure_sequence": _sequence,
    "state_consent": _consent,
    "prohibited_phrases": _phrases,
    "mini_miranda": _miranda,
}
_DESCRIBED = {
    "disclosure_sequence": (
        "fail when the rep never discloses the recording, only says that they should have, or "
        "verifies the caller first; else pass."
    ),
    "state_consent": (
        "not_applicable unless a state is named that wants everybody's consent; then pass when "
        "the rep asks for consent to the recording, else fail."
    ),
    "prohibited_phrases": "fail when the rep uses a forbidden phrase: threats, guarantees.",
    "mini_miranda": (
        "not_applicable unless something is overdue; then pass when the rep says that this is an "
        "attempt to collect a debt, else fail."
    ),
}  # fmt: skip


def _rule(name: str) -> Callable[[Reading], Finding]:
    def verdict(reading: Reading) -> Finding:
        value, hits, reason = _RULES[name](reading)
        return Finding(value, len(hits), reason, quotes(hits))

    return verdict


def _version(_: Reading) -> Finding:
    return Finding(FRAMEWORK_VERSION, 1, "The framework that this kit checks.")


def _disclosure(reading: Reading) -> Finding:
    verdicts = [_sequence(reading), _consent(reading), _miranda(reading)]
    asked = [verdict for verdict in verdicts if verdict[0] != "not_applicable"]
    kept = [verdict for verdict in asked if verdict[0] == "pass"]
    reason = f"{len(kept)} of {len(asked)} disclosures that this conversation needs."
    return Finding(
        unit(len(kept) / len(asked)), len(asked), reason, quotes(*(hits for _, hits, _ in asked))
    )


def _count(reading: Reading) -> Finding:
    hits = reading.find(_FORBIDDEN, "rep")
    reason = f"{len(hits)} phrases that are forbidden."
    return Finding(float(min(MOST_PHRASES, len(hits))), len(hits), reason, quotes(hits))


def _failed(reading: Reading) -> list[tuple[str, list[Hit]]]:
    verdicts = [(name, rule(reading)) for name, rule in _RULES.items()]
    return [(name, found[1]) for name, found in verdicts if found[0] == "fail"]


def _violations(reading: Reading) -> Finding:
    failed = _failed(reading)
    lines = [
        entry(name, "fail", FRAMEWORK_VERSION, hit.sentence.text)
        for name, hits in failed
        for hit in _once(hits)
    ]
    lines += [entry(name, "fail", FRAMEWORK_VERSION, "") for name, hits in failed if not hits]
    return Finding(
        sorted(lines), len(lines), f"{len(failed)} rules are broken.",
        quotes(*(hits for _, hits in failed)),
    )  # fmt: skip


def _once(hits: list[Hit]) -> list[Hit]:
    """One hit for each sentence."""
    return list({hit.sentence.start: hit for hit in hits}.values())


def _linked(reading: Reading) -> Finding:
    failed = _failed(reading)
    bare = [name for name, hits in failed if not hits]
    reason = f"No words show: {', '.join(bare)}." if bare else "Every violation has its words."
    return Finding(not bare, len(failed), reason, quotes(*(hits for _, hits in failed)))


def compliance_rules() -> tuple[Brick, ...]:
    """The bricks of the house's compliance framework."""
    return (
        Brick(
            key="framework_version",
            type="string",
            rule=_version,
            describe="The version of the framework that is checked, the same for every answer.",
        ),
        *(
            Brick(
                key=f"rule_{name}",
                type="category",
                allowed_values=(
                    "pass",
                    "fail",
                    *(() if name in ALWAYS_ASKED else ("not_applicable",)),
                ),
                rule=_rule(name),
                describe=_DESCRIBED[name],
            )
            for name in _RULES
        ),
        Brick(
            key="disclosure_compliance",
            type="score",
            scale=(0.0, 1.0),
            rule=_disclosure,
            describe=(
                "Of the disclosures that the conversation needs (the recording, a state's consent, "
                "a debt), the share that passes."
            ),
        ),
        Brick(
            key="prohibited_phrases",
            type="score",
            scale=(0.0, float(MOST_PHRASES)),
            rule=_count,
            describe=f"How often the rep uses a forbidden phrase, {MOST_PHRASES} at most.",
        ),
        Brick(
            key="violations",
            type="string_list",
            rule=_violations,
            describe=(
                "One line for each violation: rule | fail | framework version | the words, which "
                "are empty where something was not said."
            ),
        ),
        Brick(
            key="evidence_linked",
            type="boolean",
            rule=_linked,
            describe="True when every rule that failed has words of the transcript to show it.",
        ),
    )
