"""A transcript, cut into turns and sentences, so that phrases in it can be found and quoted.

A phrase is found at word borders, whatever its case; one that ends in ``*`` also matches longer
words. Who speaks is taken from the label (agent, rep, customer, prospect ...); where labels are
names, the side is whoever says what only reps say ("this call is recorded", "my name is").
Where that finds nobody, every rule reads all speakers.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

Side = Literal["rep", "customer"]

_LONGEST_QUOTE = 400
_LABEL = re.compile(r"^[ \t]*([^\s:\[][^:\n]{0,59}?)[ \t]*:[ \t]+", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?…](?=\s|$)|\n")
DIGIT = re.compile(r"\d|\$|€|£|%")
WEEKDAY = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri)day\b|\btomorrow\b|\bat \d{1,2}(?:[:.]\d\d)?\b", re.IGNORECASE
)
_REP_LABELS = ("agent", "rep", "representative", "advisor", "seller", "support", "ae", "sdr")
_CUSTOMER_LABELS = ("customer", "prospect", "client", "caller", "buyer", "lead")

_REP_CUES = (
    "call is recorded", "call is being recorded", "line is recorded", "we're being recorded",
    "my name is", "you're speaking with", "here from", "calling from", "share my screen",
    "this chat is saved", "you are chatting with", "kept on file", "chat is stored",
    "send a calendar invite", "thank you for calling", "anything else i can", "stored for quality",
    "last four digits of",
)  # fmt: skip


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
        self._found: dict[tuple[tuple[str, ...], Side | None], list[Hit]] = {}
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
        asked = (tuple(phrases), side)
        # The bricks of a kit ask for the same phrases more than once.
        if asked not in self._found:
            self._found[asked] = self._find(*asked)
        return list(self._found[asked])

    def _find(self, phrases: tuple[str, ...], side: Side | None) -> list[Hit]:
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

    def search(
        self, pattern: re.Pattern[str], side: Side | None = None
    ) -> list[tuple[re.Match[str], Sentence]]:
        """The first match in each sentence, of its lower-case words; sides as in ``find``."""
        found: list[tuple[re.Match[str], Sentence]] = []
        for sentence in self.sentences:
            if side is None or sentence.side is None or sentence.side == side:
                match = pattern.search(sentence.lowered)
                if match is not None:
                    found.append((match, sentence))
        return found


def quotes(*groups: Iterable[Hit]) -> list[str]:
    """The sentences of some hits, the first of each group first."""
    lists = [[hit.sentence.text for hit in group] for group in groups]
    firsts = [said[0] for said in lists if said]
    return firsts + [quote for said in lists for quote in said[1:]]


def denied(hit: Hit) -> bool:
    """Whether a "no", "not", "if" stands in the same sentence before the phrase."""
    before = hit.sentence.lowered.split(hit.phrase.rstrip("*"))[0]
    return bool(re.search(r"\b(?:no|not|never|if|until|without)\b|n't\b|\bfrozen\b", before))


def unit(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 3)


def entry(*parts: str) -> str:
    """One line of a list of findings: its parts, with a bar between them, the quote last."""
    return " | ".join(part.replace(" | ", " / ") for part in parts)
