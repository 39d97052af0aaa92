"""The sandbox's kits: what is asked of a transcript, and the stated rule behind every answer.

The real service reads conversations with a language model. Here every brick follows a rule
that stands in its ``describe``: phrases are looked for, counted and weighed. So the same
transcript always gets the same answer, and anybody can check it by reading.

A phrase is found at word borders, whatever its case; one that ends in ``*`` also matches longer
words. Who speaks is taken from the label (agent, rep, customer, prospect ...); where labels are
names, the side is whoever says what only reps say ("this call is recorded", "my name is").
Where that finds nobody, every rule reads all speakers.
"""

from __future__ import annotations

import math
import re
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

BrickType = Literal["boolean", "score", "category", "string", "string_list"]
Value = bool | float | str | list[str] | None
Side = Literal["rep", "customer"]

_NAMESPACE = uuid.UUID("5e3a712e-5a4d-4b0c-9a57-2f6f0c1d7b11")
_QUOTES = 4
_LONGEST_QUOTE = 400
ALL_FIELDS = ("value", "confidence", "reason", "evidence")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: the value, how often it was hit, why, and the words that show it."""

    value: Value
    hits: int
    reason: str
    evidence: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Brick:
    """One question of a kit. ``describe`` states the rule; ``fields`` are those that it gives."""

    key: str
    type: BrickType
    describe: str
    rule: Callable[[Reading], Finding]
    scale: tuple[float, float] | None = None
    allowed_values: tuple[str, ...] | None = None
    fields: tuple[str, ...] = ALL_FIELDS

    def answer(self, reading: Reading) -> dict[str, Any]:
        """The brick's output for a transcript; null with low confidence when it is empty."""
        if not reading.text.strip():
            full: dict[str, Any] = {
                "value": None,
                "confidence": 0.1,
                "reason": "There is nothing to read in the transcript.",
                "evidence": [],
            }
        else:
            found = self.rule(reading)
            # More evidence and more text make an answer surer; it never becomes certain.
            sure = 0.45 + 0.12 * min(4, found.hits) + 0.05 * min(1.0, len(reading.text) / 2000)
            full = {
                "value": found.value,
                "confidence": round(min(0.98, sure), 2),
                "reason": found.reason,
                "evidence": list(dict.fromkeys(found.evidence))[:_QUOTES],
            }
        return {name: full[name] for name in ALL_FIELDS if name in self.fields}


@dataclass(frozen=True, slots=True)
class KitVersion:
    """One published version of a kit; it never changes."""

    id: str
    kit_code: str
    number: int
    bricks: tuple[Brick, ...]

    def answer(self, transcript: Any) -> dict[str, dict[str, Any]]:
        """The output of every brick, by key."""
        reading = Reading.of(transcript)
        return {brick.key: brick.answer(reading) for brick in self.bricks}


class Kit:
    """A named set of bricks under a code; the last version published is what the code means."""

    def __init__(self, code: str, name: str, bricks: Iterable[Brick]) -> None:
        self.code = code
        self.name = name
        self.versions: list[KitVersion] = []
        self.publish(bricks)

    @property
    def current(self) -> KitVersion:
        return self.versions[-1]

    def publish(self, bricks: Iterable[Brick] | None = None) -> KitVersion:
        """Publish a new version, with other bricks or with the same; earlier ones stay usable."""
        number = len(self.versions) + 1
        version = KitVersion(
            id=str(uuid.uuid5(_NAMESPACE, f"{self.code}:{number}")),
            kit_code=self.code,
            number=number,
            bricks=self.current.bricks if bricks is None else tuple(bricks),
        )
        self.versions.append(version)
        return version


# Reading a transcript

_LABEL = re.compile(r"^[ \t]*([^\s:\[][^:\n]{0,59}?)[ \t]*:[ \t]+", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?…](?=\s|$)|\n")
_DIGIT = re.compile(r"\d|\$|€|£|%")
_WEEKDAY = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri)day\b|\btomorrow\b|\bat \d{1,2}(?:[:.]\d\d)?\b", re.IGNORECASE
)
_REP_LABELS = ("agent", "rep", "representative", "advisor", "seller", "support", "ae", "sdr")
_CUSTOMER_LABELS = ("customer", "prospect", "client", "caller", "buyer", "lead")


def _lower(text: str) -> str:
    """Lower case and plain apostrophes, at the same positions as in ``text``."""
    lowered = text.lower()
    if len(lowered) != len(text):
        # A few letters grow when lowered; positions must hold, because quotes are cut by them.
        lowered = "".join(low if len(low := sign.lower()) == 1 else sign for sign in text)
    return lowered.replace("\u2019", "'")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: where it stands, who said it, and its words as they were said."""

    start: int
    text: str
    lowered: str
    side: Side | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase that was found, and the sentence around it."""

    phrase: str
    sentence: Sentence


class Reading:
    """A transcript, cut into turns and sentences, ready to be searched."""

    def __init__(self, turns: Sequence[tuple[str, str]]) -> None:
        self._turns = turns
        self.text = "\n".join(said for _, said in turns)
        self._lowered = _lower(self.text)
        self._turn_starts: list[int] = []
        position = 0
        for _, said in turns:
            self._turn_starts.append(position)
            position += len(said) + 1

    @classmethod
    def of(cls, transcript: Any) -> Reading:
        """From ``Speaker: text`` lines, or from a list of ``{"speaker", "text"}``."""
        turns: list[tuple[str, str]] = []
        if isinstance(transcript, list):
            for item in transcript:
                if isinstance(item, Mapping):
                    turns.append((str(item.get("speaker") or ""), str(item.get("text") or "")))
                else:
                    turns.append(("", str(item)))
            return cls(turns)
        text = transcript if isinstance(transcript, str) else ""
        speaker, start = "", 0
        for label in _LABEL.finditer(text):
            said = text[start : label.start()].strip("\n")
            if said:
                turns.append((speaker, said))
            speaker, start = label[1], label.end()
        rest = text[start:].strip("\n")
        return cls([*turns, (speaker, rest)] if rest else turns)

    @cached_property
    def _sides(self) -> Mapping[str, Side]:
        """Which side each speaker is on; empty where nobody can tell."""
        sides: dict[str, Side] = {}
        for speaker in dict.fromkeys(speaker for speaker, _ in self._turns):
            words = set(re.findall(r"[a-z]+", speaker.lower()))
            if words & set(_CUSTOMER_LABELS):
                sides[speaker] = "customer"
            elif words & set(_REP_LABELS):
                sides[speaker] = "rep"
        if sides:
            return sides
        reps = {
            self._turns[self._turn_at(position)][0]
            for phrase in _REP_CUES
            for position in self._places(phrase)
        } - {""}
        speakers = {speaker for speaker, _ in self._turns} - {""}
        if not reps or reps >= speakers:
            return {}
        return {speaker: "rep" if speaker in reps else "customer" for speaker in speakers}

    @cached_property
    def sentences(self) -> Sequence[Sentence]:
        sentences: list[Sentence] = []
        start = 0
        ends = [match.end() for match in _SENTENCE_END.finditer(self.text)]
        for end in [*ends, len(self.text)]:
            piece = self.text[start:end]
            cut = piece.strip()
            if cut:
                at = start + len(piece) - len(piece.lstrip())
                speaker = self._turns[self._turn_at(at)][0]
                sentences.append(
                    Sentence(
                        at,
                        cut[:_LONGEST_QUOTE],
                        self._lowered[at : at + len(cut)],
                        self._sides.get(speaker),
                    )
                )
            start = end
        return sentences

    @cached_property
    def _sentence_starts(self) -> Sequence[int]:
        return [sentence.start for sentence in self.sentences]

    @cached_property
    def turn_count(self) -> int:
        return max(1, len(self._turns))

    def _turn_at(self, position: int) -> int:
        return max(0, bisect_right(self._turn_starts, position) - 1)

    def _places(self, phrase: str) -> Iterable[int]:
        text = self._lowered
        open_end = phrase.endswith("*")
        word = phrase[:-1] if open_end else phrase
        at = text.find(word)
        while at >= 0:
            end = at + len(word)
            begins = at == 0 or not text[at - 1].isalnum()
            if begins and (open_end or end == len(text) or not text[end].isalnum()):
                yield at
            at = text.find(word, end)

    def find(self, phrases: Iterable[str], side: Side | None = None) -> list[Hit]:
        """Every place where a phrase stands, in order; ``side`` also takes unknown speakers."""
        found: list[tuple[int, str]] = [
            (position, phrase) for phrase in phrases for position in self._places(phrase)
        ]
        hits: list[Hit] = []
        for position, phrase in sorted(found):
            index = bisect_right(self._sentence_starts, position) - 1
            sentence = self.sentences[max(0, index)]
            if side is None or sentence.side is None or sentence.side == side:
                hits.append(Hit(phrase, sentence))
        return hits


def _quotes(*groups: Iterable[Hit]) -> list[str]:
    """The sentences of some hits, the first of each group first."""
    lists = [[hit.sentence.text for hit in group] for group in groups]
    firsts = [quotes[0] for quotes in lists if quotes]
    return firsts + [quote for quotes in lists for quote in quotes[1:]]


def _denied(hit: Hit) -> bool:
    """Whether a "no", "not", "if" stands in the same sentence before the phrase."""
    before = hit.sentence.lowered.split(hit.phrase.rstrip("*"))[0]
    return bool(re.search(r"\b(?:no|not|never|if|until|without)\b|n't\b|\bfrozen\b", before))


def _unit(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 3)


# What is looked for

_DISCLOSED = (
    "call is recorded", "call is being recorded", "being recorded", "line is recorded",
    "may be recorded", "is recorded", "recorded for", "recording this", "record this call",
    "this chat is saved", "chat is stored", "kept on file", "stored for quality",
)  # fmt: skip
_IDENTIFIED = (
    "my name is", "you're speaking with", "you are speaking with", "calling from", "here from",
    "you are chatting with", "verify your", "to verify", "confirm your account", "last four digits",
    "security question", "date of birth", "i'm calling from",
)  # fmt: skip
_RECAPPED = (
    "to recap", "quick recap", "let me sum up", "to summarise", "to summarize", "just to confirm",
    "in summary", "so we agreed", "anything else i can",
)  # fmt: skip
_PROMISED = (
    "i guarantee", "i can guarantee", "guaranteed", "trust me", "i promise", "never goes down",
    "nobody reads", "between you and me", "off the record", "no risk at all", "only today",
    "you won't find a better", "don't worry about the contract", "just sign", "no strings attached",
)  # fmt: skip
_EMPATHY = (
    "i understand", "i'm sorry", "i am sorry", "sorry to hear", "sorry about", "i apologise",
    "i apologize", "that sounds", "i can imagine", "i can see why", "that must", "i hear you",
    "thank you for your patience", "thanks for your patience", "thanks for bearing",
    "i appreciate", "that makes sense", "that's fair", "take your time", "you're right to",
    "no need to apologise", "no need to apologize", "i'd feel the same", "i'm with you",
    "let me take care", "thank you for telling me", "thanks for being open", "thank you for saying",
    "thank you for being", "thank you for raising",
)  # fmt: skip
_CURT = (
    "as i said", "like i said", "not my department", "you should have", "calm down",
    "you'll have to", "that's just how it is", "in the documentation", "i already told you",
    "nothing i can do", "let me finish", "let me stop you", "let me jump in", "can't help you",
    "you have to wait", "don't ask me", "i don't make the rules",
)  # fmt: skip
_RESOLVED = (
    "works now", "working now", "that fixed it", "that did it", "that solved", "problem solved",
    "that answers my question", "all sorted", "is resolved", "back to normal", "it's working",
    "got what i needed", "that settles it", "would settle it", "this is fixed", "it's fixed",
)  # fmt: skip
_UNRESOLVED = (
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
_RISKS = (
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
_REP_CUES = (
    "call is recorded", "call is being recorded", "line is recorded", "we're being recorded",
    "my name is", "you're speaking with", "here from", "calling from", "share my screen",
    "this chat is saved", "you are chatting with", "kept on file", "chat is stored",
    "send a calendar invite", "thank you for calling", "anything else i can", "stored for quality",
    "last four digits of",
)  # fmt: skip


# The rules


def _compliance(reading: Reading) -> Finding:
    disclosed = reading.find(_DISCLOSED, "rep")
    identified = reading.find(_IDENTIFIED, "rep")
    recapped = reading.find(_RECAPPED, "rep")
    promised = reading.find(_PROMISED, "rep")
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
    return Finding(_unit(value), hits, reason, _quotes(promised, disclosed, identified, recapped))


def _empathy(reading: Reading) -> Finding:
    warm = reading.find(_EMPATHY, "rep")
    curt = reading.find(_CURT, "rep")
    share = len({hit.sentence.start for hit in warm}) / reading.turn_count
    value = 0.2 + 0.8 * (1 - math.exp(-11 * share)) - 0.1 * len(curt)
    reason = f"{len(warm)} phrases of understanding and {len(curt)} curt ones in the conversation."
    return Finding(_unit(value), len(warm) + len(curt), reason, _quotes(warm, curt))


def _resolution(reading: Reading) -> Finding:
    solved = reading.find(_RESOLVED, "customer")
    # "Working now" holds "not working" at bay: only sentences without the other kind count.
    open_ = [
        hit
        for hit in reading.find(_UNRESOLVED)
        if not any(hit.sentence.start == other.sentence.start for other in solved)
    ]
    achieved = bool(solved) and (not open_ or solved[-1].sentence.start > open_[-1].sentence.start)
    if achieved:
        return Finding(True, len(solved), "The customer says that it is solved.", _quotes(solved))
    reason = "It is left open." if open_ else "Nobody says that it is solved."
    return Finding(False, len(open_), reason, _quotes(open_))


def _escalation(reading: Reading) -> Finding:
    value = 0.05
    signs: list[str] = []
    quotes: list[list[Hit]] = []
    for name, (weight, phrases) in _ESCALATION.items():
        hits = reading.find(phrases, "customer")
        if hits:
            value += weight
            signs.append(name)
            quotes.append(hits)
    if signs and _resolution(reading).value is True:
        value -= 0.2
    reason = f"The customer {', '.join(signs)}." if signs else "No sign of escalation."
    return Finding(_unit(value), len(signs), reason, _quotes(*quotes))


def _topic(reading: Reading) -> Finding:
    counts = {name: reading.find(phrases) for name, phrases in _TOPICS.items()}
    best = max(counts, key=lambda name: len(counts[name]))
    hits = counts[best]
    if not hits:
        return Finding("other", 0, "None of the known topics comes up.")
    reason = f"{len(hits)} mentions of what belongs to {best}, more than of any other topic."
    return Finding(best, len(hits), reason, _quotes(hits))


def _questions(reading: Reading) -> list[Sentence]:
    found = {hit.sentence.start: hit.sentence for hit in reading.find(_OPEN_QUESTIONS, "rep")}
    return [
        sentence
        for sentence in found.values()
        if sentence.text.endswith("?") or sentence.lowered.startswith(("walk me", "tell me"))
    ]


def _pains(reading: Reading) -> list[tuple[float, Sentence]]:
    """Sentences of pain, the worst first: one point a phrase, one for a figure with it."""
    points: dict[int, float] = {}
    sentences: dict[int, Sentence] = {}
    for hit in reading.find(_PAIN, "customer"):
        if any(mild in hit.sentence.lowered for mild in _MILD):
            continue
        sentences[hit.sentence.start] = hit.sentence
        points[hit.sentence.start] = points.get(hit.sentence.start, 0.0) + 1
    for start, sentence in sentences.items():
        if _DIGIT.search(sentence.text):
            points[start] += 1
    return sorted(
        ((points[start], sentence) for start, sentence in sentences.items()),
        key=lambda item: (-item[0], item[1].start),
    )


def _pain_severity(reading: Reading) -> Finding:
    pains = _pains(reading)
    total = sum(points for points, _ in pains)
    value = 1 - math.exp(-total / 7)
    with_figures = sum(1 for _, sentence in pains if _DIGIT.search(sentence.text))
    reason = f"{len(pains)} sentences of pain, {with_figures} of them with a figure."
    return Finding(_unit(value), len(pains), reason, [sentence.text for _, sentence in pains])


def _pain_point(reading: Reading) -> Finding:
    pains = _pains(reading)
    if not pains:
        return Finding(None, 0, "The customer names no pain.")
    worst = pains[0][1].text
    return Finding(worst, round(pains[0][0]), "The sentence with the most signs of pain.", [worst])


def _budget(reading: Reading) -> Finding:
    hits = [hit for hit in reading.find(_BUDGET, "customer") if not _denied(hit)]
    hits = [hit for hit in hits if not hit.sentence.text.endswith("?")]
    reason = "The customer says that money is there." if hits else "Nobody confirms a budget."
    return Finding(bool(hits), len(hits), reason, _quotes(hits))


def _decider(reading: Reading) -> Finding:
    hits = [hit for hit in reading.find(_DECIDER, "customer") if not _denied(hit)]
    hits = [hit for hit in hits if not hit.sentence.text.endswith("?")]
    reason = "Somebody present decides." if hits else "Nobody present says that they decide."
    return Finding(bool(hits), len(hits), reason, _quotes(hits))


def _rivals(reading: Reading) -> dict[str, list[Hit]]:
    found = {name: reading.find((name.lower(),)) for name in COMPETITORS}
    return {name: hits for name, hits in found.items() if hits}


def _pressure(reading: Reading) -> Finding:
    rivals = _rivals(reading)
    if not rivals:
        return Finding(0.0, 0, "No competitor is mentioned.")
    mentions = sum(len(hits) for hits in rivals.values())
    compared = reading.find(_COMPARED, "customer")
    value = 0.2 * len(rivals) + 0.08 * mentions + 0.2 * min(2, len(compared))
    reason = f"{mentions} mentions of {len(rivals)} competitors, {len(compared)} comparisons."
    evidence = _quotes(*rivals.values(), compared)
    return Finding(_unit(value), mentions + len(compared), reason, evidence)


def _competitors(reading: Reading) -> Finding:
    rivals = _rivals(reading)
    names = sorted(rivals)
    reason = f"{len(names)} known competitors are named." if names else "No competitor is named."
    return Finding(list(names), len(names), reason, _quotes(*rivals.values()))


def _urgency(reading: Reading) -> Finding:
    for level, phrases in _URGENCY.items():
        hits = [
            hit for hit in reading.find(phrases, "customer") if not hit.sentence.text.endswith("?")
        ]
        if hits:
            return Finding(level, len(hits), f"The customer's date is of {level} urgency.",
                           _quotes(hits))  # fmt: skip
    return Finding("none", 0, "The customer names no date.")


def _next_step(reading: Reading) -> Finding:
    hits = [hit for hit in reading.find(_NEXT_STEP) if _WEEKDAY.search(hit.sentence.text)]
    vague = any("sometime" in hit.sentence.lowered for hit in hits)
    fixed = bool(hits) and not vague
    reason = "A day is fixed for the next step." if fixed else "No day is fixed for a next step."
    return Finding(fixed, len(hits), reason, _quotes(hits))


def _risk(reading: Reading) -> Finding:
    hits = reading.find(_RISKS, "customer")
    pressure = _pressure(reading)
    pressed = isinstance(pressure.value, float) and pressure.value >= 0.6
    alone = pressed and _next_step(reading).value is False
    if hits:
        return Finding(True, len(hits), "The customer names a reason to stop.", _quotes(hits))
    if alone:
        reason = "A competitor presses and no next step is fixed."
        return Finding(True, pressure.hits, reason, pressure.evidence)
    return Finding(False, 0, "Nothing speaks of a risk.")


_URGENCY_POINTS = {"none": 0.0, "low": 0.25, "medium": 0.6, "high": 1.0}


def _overall(reading: Reading) -> Finding:
    questions = _questions(reading)
    severity = _pain_severity(reading).value
    promised = reading.find(_PROMISED, "rep")
    value = 30 * min(1.0, len(questions) / 6)
    value += 20 * float(severity if isinstance(severity, float) else 0.0)
    value += 15 * (_budget(reading).value is True) + 10 * (_decider(reading).value is True)
    value += 15 * (_next_step(reading).value is True)
    value += 10 * _URGENCY_POINTS[str(_urgency(reading).value)]
    value -= min(20, 10 * len(promised))
    reason = f"{len(questions)} open questions, {len(promised)} promises that nobody can keep."
    evidence = [question.text for question in questions[:2]] + _quotes(promised)
    return Finding(
        round(min(100.0, max(0.0, value)), 1), len(questions) + len(promised), reason, evidence
    )


def _disclosure(reading: Reading) -> Finding:
    hits = reading.find(_DISCLOSED, "rep")
    reason = "The recording is disclosed." if hits else "Nobody says that there is a recording."
    return Finding(bool(hits), len(hits), reason, _quotes(hits))


def _discovery(reading: Reading) -> Finding:
    questions = _questions(reading)
    value = _unit(len(questions) / 6)
    reason = f"{len(questions)} open questions."
    return Finding(value, len(questions), reason, [question.text for question in questions])


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
            rule=_empathy,
            describe=(
                "0.2 + 0.8 x (1 - exp(-11 x share)), where share is the rep's sentences of "
                "understanding per turn of the conversation; minus 0.1 for each curt phrase."
            ),
        ),
        Brick(
            key="resolution_achieved",
            type="boolean",
            rule=_resolution,
            describe=(
                "True when the customer says that it works or is solved, and nothing later says "
                "that it is still open."
            ),
        ),
        Brick(
            key="escalation_risk",
            type="score",
            scale=(0.0, 1.0),
            rule=_escalation,
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
            rule=_risk,
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
            rule=_budget,
            describe="True when the customer says, without no, not or if, that the money is there.",
        ),
        Brick(
            key="decision_maker_present",
            type="boolean",
            rule=_decider,
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
            rule=_pressure,
            describe=(
                "0 without a competitor; otherwise 0.2 for each one named, 0.08 for each mention, "
                "and 0.2 for each of at most two comparisons by the customer."
            ),
        ),
        Brick(
            key="timeline_urgency",
            type="category",
            allowed_values=("none", "low", "medium", "high"),
            rule=_urgency,
            describe="The most urgent of the customer's statements about dates; none without any.",
        ),
        Brick(
            key="next_step_confirmed",
            type="boolean",
            rule=_next_step,
            describe="True when a meeting or an invitation is named together with a day or a time.",
        ),
        Brick(
            key="competitors_mentioned",
            type="string_list",
            rule=_competitors,
            describe=f"Which of these are named, in alphabetical order: {', '.join(COMPETITORS)}.",
        ),
    )


SPARE_BRICKS: Mapping[str, Brick] = {
    brick.key: brick
    for brick in (
        Brick(
            key="disclosure_given",
            type="boolean",
            rule=_disclosure,
            describe="True when the rep says that the conversation is recorded or stored.",
        ),
        Brick(
            key="discovery_depth",
            type="score",
            scale=(0.0, 1.0),
            rule=_discovery,
            describe="Open questions of the rep, six or more give 1.",
        ),
    )
}
"""Bricks in no first version, for publishing a version that has more than the one before."""

INTERACTION_QUALITY = "C5A1E07B"
DEAL_SIGNALS = "D3A15160"


def kits() -> dict[str, Kit]:
    """Fresh kits by code, each with its first version published."""
    made = (
        Kit(INTERACTION_QUALITY, "interaction_quality", interaction_quality()),
        Kit(DEAL_SIGNALS, "deal_signals", deal_signals()),
    )
    return {kit.code: kit for kit in made}
