"""The kit for service conversations: was it compliant, warm, solved, and what was it about?"""

from __future__ import annotations

import math
from collections.abc import Mapping

from semarize_sandbox.kits.base import Brick, Finding
from semarize_sandbox.kits.reading import Hit, Reading, quotes, unit

DISCLOSED = (
    "call is recorded", "call is being recorded", "being recorded", "line is recorded",
    "may be recorded", "is recorded", "recorded for", "recording this", "record this call",
    "this chat is saved", "chat is stored", "kept on file", "stored for quality",
)  # fmt: skip
IDENTIFIED = (
    "my name is", "you're speaking with", "you are speaking with", "calling from", "here from",
    "you are chatting with", "verify your", "to verify", "confirm your account", "last four digits",
    "security question", "date of birth", "i'm calling from",
)  # fmt: skip
RECAPPED = (
    "to recap", "quick recap", "let me sum up", "to summarise", "to summarize", "just to confirm",
    "in summary", "so we agreed", "anything else i can",
)  # fmt: skip
PROMISED = (
    "i guarantee", "i can guarantee", "guaranteed", "trust me", "i promise", "never goes down",
    "nobody reads", "between you and me", "off the record", "no risk at all", "only today",
    "you won't find a better", "don't worry about the contract", "just sign", "no strings attached",
)  # fmt: skip
EMPATHY = (
    "i understand", "i'm sorry", "i am sorry", "sorry to hear", "sorry about", "i apologise",
    "i apologize", "that sounds", "i can imagine", "i can see why", "that must", "i hear you",
    "thank you for your patience", "thanks for your patience", "thanks for bearing",
    "i appreciate", "that makes sense", "that's fair", "take your time", "you're right to",
    "no need to apologise", "no need to apologize", "i'd feel the same", "i'm with you",
    "let me take care", "thank you for telling me", "thanks for being open", "thank you for saying",
    "thank you for being", "thank you for raising",
)  # fmt: skip
CURT = (
    "as i said", "like i said", "not my department", "you should have", "calm down",
    "you'll have to", "that's just how it is", "in the documentation", "i already told you",
    "nothing i can do", "let me finish", "let me stop you", "let me jump in", "can't help you",
    "you have to wait", "don't ask me", "i don't make the rules",
)  # fmt: skip
RESOLVED = (
    "works now", "working now", "that fixed it", "that did it", "that solved", "problem solved",
    "that answers my question", "all sorted", "is resolved", "back to normal", "it's working",
    "got what i needed", "that settles it", "would settle it", "this is fixed", "it's fixed",
)  # fmt: skip
UNRESOLVED = (
    "still not working", "not working", "still doesn't", "didn't help", "did not help",
    "not solved", "not resolved", "raise a ticket", "open a ticket", "call you back",
    "same problem", "same picture", "made no difference",
)  # fmt: skip
_ESCALATION: Mapping[str, tuple[float, tuple[str, ...]]] = {
    "asks for a superior": (0.4, (
        "your manager", "a manager", "your supervisor", "a supervisor", "someone senior",
        "somebody senior", "formal complaint", "file a complaint", "make a complaint",
    )),
    "threatens to leave": (0.3, (
        "cancel our contract", "cancel the contract", "cancel for good", "want to cancel",
        "like to cancel", "terminate the contract", "switch to", "take our business",
    )),
    "speaks of the law": (0.3, ("lawyer*", "legal action", "breach of contract", "chargeback*")),
    "has been in touch before": (0.2, (
        "second time", "third time", "fourth time", "called twice", "already explained",
        "already called", "keep calling", "again and again", "nobody answered",
    )),
    "is upset": (0.2, (
        "unacceptable", "ridiculous", "fed up", "not good enough", "waste of time",
        "i'm frustrated", "furious", "appalling", "disgraceful", "angry", "outrageous",
    )),
}  # fmt: skip
_TOPICS: Mapping[str, tuple[str, ...]] = {
    "billing": ("invoice*", "charged", "refund*", "credit note", "billing", "bill", "overcharged",
                "purchase order"),
    "outage": ("outage", "is down", "log in", "login", "offline", "timeout", "not loading",
               "status page", "latency", "error 502", "error 504", "overnight run", "frozen"),
    "how_to": ("how do i", "how do we", "where do i find", "set up", "configure", "permissions",
               "export", "to set up", "the guide"),
    "cancellation": ("cancel*", "terminate", "notice period", "closing the account"),
    "pricing": ("price*", "per seat", "discount*", "list price", "quote", "pricing"),
    "demo": ("share my screen", "demo", "can you see", "test account", "this is where",
             "this button", "the audit log"),
    "renewal": ("renewal*", "renew", "renews", "uplift", "usage"),
    "negotiation": ("redline*", "payment terms", "procurement", "liability", "clause",
                    "security review", "processing agreement", "pilot"),
    "discovery": ("walk me through", "how do you handle", "what happens if", "tell me about",
                  "what made you", "who else", "a year from now", "what would"),
}  # fmt: skip


def _compliance(reading: Reading) -> Finding:
    disclosed = reading.find(DISCLOSED, "rep")
    identified = reading.find(IDENTIFIED, "rep")
    recapped = reading.find(RECAPPED, "rep")
    promised = reading.find(PROMISED, "rep")
    value = 0.15 + 0.4 * bool(disclosed) + 0.25 * bool(identified) + 0.2 * bool(recapped)
    value -= 0.2 * len(promised)
    kept = [
        name
        for name, hits in (
            ("recording disclosed", disclosed), ("caller identified", identified),
            ("result confirmed", recapped),
        )
        if hits
    ]  # fmt: skip
    reason = f"Kept: {', '.join(kept) or 'nothing'}; forbidden phrases: {len(promised)}."
    hits = len(kept) + len(promised)
    return Finding(unit(value), hits, reason, quotes(promised, disclosed, identified, recapped))


def empathy(reading: Reading) -> Finding:
    warm = reading.find(EMPATHY, "rep")
    curt = reading.find(CURT, "rep")
    share = len({hit.sentence.start for hit in warm}) / reading.turn_count
    value = 0.2 + 0.8 * (1 - math.exp(-11 * share)) - 0.1 * len(curt)
    reason = f"{len(warm)} phrases of understanding and {len(curt)} curt ones in the conversation."
    return Finding(unit(value), len(warm) + len(curt), reason, quotes(warm, curt))


def resolution(reading: Reading) -> Finding:
    solved = reading.find(RESOLVED, "customer")
    # "Working now" holds "not working" at bay: only sentences without the other kind count.
    open_ = [
        hit
        for hit in reading.find(UNRESOLVED)
        if not any(hit.sentence.start == other.sentence.start for other in solved)
    ]
    achieved = bool(solved) and (not open_ or solved[-1].sentence.start > open_[-1].sentence.start)
    if achieved:
        return Finding(True, len(solved), "The customer says that it is solved.", quotes(solved))
    reason = "It is left open." if open_ else "Nobody says that it is solved."
    return Finding(False, len(open_), reason, quotes(open_))


def escalation(reading: Reading) -> Finding:
    value = 0.05
    signs: list[str] = []
    shown: list[list[Hit]] = []
    for name, (weight, phrases) in _ESCALATION.items():
        hits = reading.find(phrases, "customer")
        if hits:
            value += weight
            signs.append(name)
            shown.append(hits)
    if signs and resolution(reading).value is True:
        value -= 0.2
    reason = f"The customer {', '.join(signs)}." if signs else "No sign of escalation."
    return Finding(unit(value), len(signs), reason, quotes(*shown))


def _topic(reading: Reading) -> Finding:
    counts = {name: reading.find(phrases) for name, phrases in _TOPICS.items()}
    best = max(counts, key=lambda name: len(counts[name]))
    hits = counts[best]
    if not hits:
        return Finding("other", 0, "None of the known topics comes up.")
    reason = f"{len(hits)} mentions of what belongs to {best}, more than of any other topic."
    return Finding(best, len(hits), reason, quotes(hits))


def disclosure(reading: Reading) -> Finding:
    hits = reading.find(DISCLOSED, "rep")
    reason = "The recording is disclosed." if hits else "Nobody says that there is a recording."
    return Finding(bool(hits), len(hits), reason, quotes(hits))


def interaction_quality() -> tuple[Brick, ...]:
    """The bricks of the kit for service conversations."""
    return (
        Brick(
            key="compliance_score",
            type="score",
            scale=(0.0, 1.0),
            rule=_compliance,
            describe=(
                "0.15, plus 0.40 when the rep discloses the recording, 0.25 when the caller is "
                "verified or the rep says who is speaking, 0.20 when the result is confirmed; "
                "minus 0.20 for each forbidden phrase (guarantees, pressure, off the record)."
            ),
        ),
        Brick(
            key="empathy_score",
            type="score",
            scale=(0.0, 1.0),
            rule=empathy,
            describe=(
                "0.2 + 0.8 x (1 - exp(-11 x share)), where share is the rep's sentences of "
                "understanding per turn of the conversation; minus 0.1 for each curt phrase."
            ),
        ),
        Brick(
            key="resolution_achieved",
            type="boolean",
            rule=resolution,
            describe=(
                "True when the customer says that it works or is solved, and nothing later says "
                "that it is still open."
            ),
        ),
        Brick(
            key="escalation_risk",
            type="score",
            scale=(0.0, 1.0),
            rule=escalation,
            describe=(
                "0.05, plus 0.4 when the customer asks for a superior, 0.3 for a threat to leave, "
                "0.3 for the law, 0.2 for earlier contacts, 0.2 for strong words; minus 0.2 when "
                "it ended solved."
            ),
        ),
        Brick(
            key="topic_primary",
            type="category",
            allowed_values=(*_TOPICS, "other"),
            rule=_topic,
            describe="The topic whose key words come up most; 'other' when none does.",
        ),
    )
