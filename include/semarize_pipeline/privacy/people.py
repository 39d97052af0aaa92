"""The names of the people on a conversation, and where they stand in a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from semarize_pipeline.model import Conversation, Role
from semarize_pipeline.privacy.recognisers import Check

_TITLES: Mapping[Role, str] = {"rep": "REP", "customer": "CUSTOMER", "unknown": "PERSON"}
# Labels and particles: parts of a name that name nobody.
_NOBODY = frozenset(
    """agent agents assistant attendee bot business call caller card center centre client co
    conference contact customer desk email guest help host iban inc internal ip llc ltd
    meeting member moderator mr mrs ms miss dr prof national id notetaker operator organizer
    other participant person phone prospect recorder rep representative room sales seller
    service speaker support system team unknown unnamed user voice external zoom
    al and bin da das de del della den der di do dos du el ibn la le les of san the
    ten ter van vom von zu zum zur""".split()  # noqa: SIM905 (a list of 90 quoted words)
)
# Names that are everyday words too: on their own they count with a capital letter only.
_WORDS = frozenset(
    """april art ash august autumn baker bank banks berry best bill bishop black bob brown bush
    butler carpenter case chance chase chip christian church clay cliff cook cooper crystal
    cruz dale dawn day daisy dean drew duke earl english faith field fields fisher ford forest
    fox frank french gene gold good grace grant gray green grey guy hall hand hay heath herb
    hill hope hunter iris ivy jack jade jasmine jay jean jewel joy june justice king knight
    lance lane law lily little long love mark marsh mason may mercy mike miles miller moon
    neat nick noble norm pace page park parker parks parsons pat patience pearl penny pierce
    poll pope price prince ray reed rich ring river rivers rob robin rock rose ruby rush rusty
    sage sale sandy savage scout sharp shepherd short singer skip skye small smith star stark
    stern stone storm story strong sue summer summers swift tanner taylor terry tiger tony
    trey tucker violet wade walker wall ward warren water waters weaver wells west white will
    winter wise wolf wood woods young""".split()  # noqa: SIM905
)
_ASIDE = re.compile(r"\s*[(|/\[<].*|\s+[-\u2013\u2014@]\s.*", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019\-][^\W\d_]+)*")
PLACEHOLDER = re.compile(r"\[[A-Z_]+(?: \d+)?\]")
_NO_LETTER_BEFORE, _NO_LETTER_AFTER = (
    r"(?<![^\W_])(?<![\u0300-\u036f])",
    r"(?![^\W_])(?![\u0300-\u036f])",
)
# Scripts that put no space between words.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")


class Person(NamedTuple):
    """Somebody known to be there, by name, by address, or by both."""

    name: str | None
    email: str | None
    role: Role


def people_of(conversation: Conversation) -> Iterator[Person]:
    """The participants, the owner, and whoever is named as a speaker."""
    for each in conversation.participants:
        yield Person(each.name, each.email, each.role)
    yield Person(conversation.owner_name, conversation.owner_email, "rep")
    for said in conversation.utterances:
        yield Person(said.speaker, None, said.speaker_role)


class People:
    """Who is on a conversation: a placeholder each, such as ``[CUSTOMER 1]``, in a fixed order."""

    def __init__(self, known: Iterable[Person]) -> None:
        self._labels: dict[str, str] = {}
        self._spellings: dict[str, tuple[str, bool]] = {}
        counted: dict[Role, int] = {}
        for person in known:
            keys = [_key(told) for told in (person.name, person.email) if told and told.strip()]
            words = _words(person)
            if PLACEHOLDER.fullmatch((person.name or "").strip()):
                continue  # redacted before: who it was is not known here
            if not keys or not (words or person.email):
                continue
            label = next((self._labels[key] for key in keys if key in self._labels), None)
            if label is None:
                counted[person.role] = counted.get(person.role, 0) + 1
                label = f"[{_TITLES[person.role]} {counted[person.role]}]"
            for key in keys:
                self._labels.setdefault(key, label)
            for spelling, is_word in _spellings(words):
                self._spellings.setdefault(spelling, (label, is_word))
        self._pattern = self._compiled()

    def label(self, told: str) -> str | None:
        """The placeholder of whoever bears exactly this name or address."""
        return self._labels.get(_key(told))

    def find(self, text: str, check: Check) -> Iterator[tuple[int, int, str]]:
        """Their names in a text, as whole words."""
        if self._pattern is None:
            return
        for found in self._pattern.finditer(text):
            check()
            # Ignoring case reaches a few letters further than comparing without it does.
            label, is_word = self._spellings.get(_key(found[0]), ("[PERSON]", False))
            if not (is_word and found[0][0].islower()):
                yield found.start(), found.end(), label

    def _compiled(self) -> re.Pattern[str] | None:
        if not self._spellings:
            return None
        longest_first = sorted(self._spellings, key=len, reverse=True)
        spaced = "|".join(_loosely(s) for s in longest_first if not _UNSPACED.search(s))
        either = [_loosely(s) for s in longest_first if _UNSPACED.search(s)]
        if spaced:
            # The look behind stands before all of them: it rules out most places at once.
            either.append(f"{_NO_LETTER_BEFORE}(?:{spaced}){_NO_LETTER_AFTER}")
        return re.compile("|".join(either), re.IGNORECASE)


def _key(name: str) -> str:
    """A name for comparing: however it is composed, cased and spaced."""
    parts = re.split(r"[\s.,]+", unicodedata.normalize("NFC", name).casefold().strip())
    return " ".join(part for part in parts if part)


def _words(person: Person) -> list[str]:
    """The words of a name that tell who it is; of an address where there is no name."""
    told = (person.name or "").strip()
    if not told or "@" in told:
        local = (told or person.email or "").split("@")[0]
        words = [w for w in re.split(r"[._+\-]", local) if len(w) > 2 and w.isalpha()]
    else:
        words = _WORD.findall(_ASIDE.sub("", told) or told)
    words = [unicodedata.normalize("NFC", word) for word in words]
    if all(word.casefold() in _NOBODY for word in words):
        return []
    return words


def _spellings(words: list[str]) -> Iterator[tuple[str, bool]]:
    """How a person may be named: in full, the other way round, and by each word that names.

    Each with whether these are everyday words as well.
    """
    if len(words) > 1:
        for order in (words, words[-1:] + words[:-1]):
            is_phrase = all(map(_is_word, order))
            yield from ((variant, is_phrase) for variant in _variants(" ".join(order)))
    for word in words:
        if word.casefold() not in _NOBODY and len(word) > 1:
            yield from ((variant, _is_word(word)) for variant in _variants(word))


def _is_word(name: str) -> bool:
    return name.casefold() in _WORDS or len(name) <= 2


def _variants(name: str) -> set[str]:
    """A name's keys, with its accents and as it is heard without them."""
    bare = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    return {_key(name), _key(bare)}


def _loosely(spelling: str) -> str:
    """A pattern for a spelling: composed or not, and with any space between its words."""
    words = []
    for word in spelling.split(" "):
        apart = unicodedata.normalize("NFD", word)
        words.append(
            re.escape(word) if apart == word else f"(?:{re.escape(word)}|{re.escape(apart)})"
        )
    return r"[\s.,]{1,3}".join(words)
