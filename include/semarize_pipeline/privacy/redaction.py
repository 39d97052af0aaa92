"""Redaction: typed placeholders in the place of personal data. The one gate to landing and out.

What is redacted is decided by a ``Policy``; the result is a pure function of the text, the
people and the policy. Nothing half redacted comes out: trouble is ``Unreadable``, with a reason
that holds no content, and the conversation goes to the quarantine.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from semarize_pipeline.errors import PipelineError, Unreadable
from semarize_pipeline.model import Conversation, Participant, Redaction, text_digest
from semarize_pipeline.privacy.people import PLACEHOLDER, People, Person, people_of
from semarize_pipeline.privacy.policy import Policy
from semarize_pipeline.privacy.recognisers import Check, recognisers
from semarize_pipeline.state.tokens import Tokens
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Session

Clock = Callable[[], float]
NOBODY = People(())
# A second look finds what the first one brought together; no text needs many.
MOST_PASSES = 8
_SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Fields of a vendor's record that hold names of things: digits in them identify no person.
_IDENTIFIER = re.compile(
    r"(^|_)(ids?|uuid|guid|key|hash|cursor|url|uri|href|link|at|date|time|timestamp|started|"
    r"scheduled|version|objecttype|type)$"
)
_PHONE_FIELD = re.compile(r"(^|_)(phone|mobile|cell|fax|tel|telephone)(_?numbers?)?s?$")
_NAME_FIELD = re.compile(r"(name|speaker|agent|customer|owner|host|organizer|rep|user|contact)$")


class Redactor:
    """Redacts by one policy.

    :param tokens: seals what a conversation without its transcript needs later, see
        ``conversation``; only there when something is pending.

    Raises Misconfigured where a recogniser is not installed: before anything is read.
    """

    def __init__(
        self, policy: Policy, tokens: Tokens | None = None, clock: Clock = time.monotonic
    ) -> None:
        self.policy = policy
        self._tokens = tokens
        self._clock = clock
        on = policy.redact != "off"
        self._recognisers = recognisers(policy) if on else []
        self._names = on and "name" in policy.kinds

    # ------------------------------------------------------------------ texts

    def text(self, text: str, people: People = NOBODY) -> tuple[str, dict[str, int]]:
        """A text redacted, and how many of each kind were in it."""
        work = self._work(people)
        return work.text(text), dict(work.counts)

    def _work(self, people: People) -> _Work:
        give_up = self._clock() + self.policy.patience_seconds

        def check() -> None:
            if self._clock() > give_up:
                raise Unreadable(
                    f"redaction took longer than {self.policy.patience_seconds:g} s; raise "
                    "privacy.patience_seconds, or leave this conversation out"
                )

        return _Work(self._recognisers, people if self._names else NOBODY, check)

    # ------------------------------------------------------------------ before landing

    def conversation(self, given: Conversation) -> Conversation:
        """A conversation as it may land.

        While its transcript is pending, the vendor's record is kept sealed beside the redacted
        one: only from it can the transcript be translated, and redacted by the right names.
        """
        if self.policy.redact != "landing":
            return given
        known = list(people_of(given))
        told = [text.strip() for person in known for text in (person.name, person.email) if text]
        if self._names and any(map(PLACEHOLDER.fullmatch, told)):
            # Out of the quarantine: whom to look for in its words is not known any more.
            raise Unreadable("its record was redacted before; read its day again")
        people = People(known)
        work = self._work(people)
        with _no_content():
            return self._redacted(given, people, work)

    def _redacted(self, given: Conversation, people: People, work: _Work) -> Conversation:
        sealed = None
        if given.status == "pending" and self._tokens is not None:
            sealed = self._tokens.seal(orjson.dumps(given.raw["record"]))
        keeps = self.policy.keep_owner
        unnamed = work.without_names()
        made = replace(
            given,
            title=work.maybe(given.title),
            account_name=unnamed.maybe(given.account_name),
            owner_id=given.owner_id if keeps else work.identifier(given.owner_id),
            owner_name=given.owner_name if keeps else work.named(given.owner_name),
            owner_email=given.owner_email if keeps else None,
            participants=tuple(work.participant(each) for each in given.participants),
            url=unnamed.identifier(given.url),
            utterances=tuple(
                each._replace(speaker=work.named(each.speaker), text=work.text(each.text))
                for each in given.utterances
            ),
            full_text=work.maybe(given.full_text),
            attributes=work.tree(given.attributes),
            raw=work.tree(given.raw),
        )
        spoken = given.transcript
        return replace(
            made,
            redaction=Redaction(
                policy=self.policy.version,
                counts=dict(sorted(work.counts.items())),
                transcript_hash=text_digest(spoken) if spoken else None,
                sealed_record=sealed,
            ),
        )

    def quarantine(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of ``quarantine`` as it may land. Who was there is guessed from the fields' names.

        Where that fails too, the row lands without its record.
        """
        if self.policy.redact != "landing" or row["raw"] is None:
            return dict(row)
        work = self._work(People(Person(name, None, "unknown") for name in _names_in(row["raw"])))
        told: dict[str, Any] = {"policy": self.policy.version}
        try:
            with _no_content():
                raw = work.tree(row["raw"])
        except Unreadable as error:
            return {**row, "raw": None, "_redaction": {**told, "failed": str(error)}}
        return {**row, "raw": raw, "_redaction": {**told, "counts": dict(work.counts)}}

    def listed_record(self, raw: Mapping[str, Any] | None) -> Any:
        """The listing's record out of a landed ``raw``, unsealed where it was; None if lost."""
        if raw is None:
            return None
        if "sealed" in raw and self._tokens is not None:
            try:
                return orjson.loads(self._tokens.unseal(raw["sealed"]))
            except Unreadable:
                return None
        return raw["record"]

    # ------------------------------------------------------------------ before Semarize

    def speakers(
        self, session: Session, vendor: str, ids: Sequence[str]
    ) -> Mapping[str, list[Mapping[str, Any]]]:
        """Whoever is named as a speaker of landed conversations; asked only where names matter."""
        found: dict[str, list[Mapping[str, Any]]] = {id_: [] for id_ in ids}
        if self._names and ids:
            marks = ", ".join("?" * len(ids))
            for row in session.query(
                "select conversation_id, speaker, speaker_role, min(position) as place "
                f"from {tables.utterances(vendor).qualified} "
                f"where speaker is not null and conversation_id in ({marks}) "
                "group by conversation_id, speaker, speaker_role order by place, speaker",
                ids,
            ):
                found[row["conversation_id"]].append(row)
        return found

    def outgoing(
        self, row: Mapping[str, Any], speakers: Sequence[Mapping[str, Any]] = ()
    ) -> dict[str, Any]:
        """A landed conversation with ``text``, which may be sent, or ``problem``, and nothing is.

        ``transcript_hash`` stays that of the words as the vendor gave them, so that what was
        bought stays bought whatever is redacted.
        """
        spoken = row["transcript"]
        made = {**row, "text": spoken, "problem": None, "redaction": None}
        if spoken and not row["transcript_hash"]:
            made["transcript_hash"] = text_digest(spoken)
        if self.policy.redact == "off" or not spoken:
            return made
        known = [
            Person(each.get("name"), each.get("email"), each.get("role") or "unknown")
            for each in row["participants"] or ()
        ]
        known.append(Person(row["owner_name"], row["owner_email"], "rep"))
        known += [Person(s["speaker"], None, s["speaker_role"] or "unknown") for s in speakers]
        try:
            with _no_content():
                text, counts = self.text(spoken, People(known))
        except Unreadable as error:
            return {**made, "text": None, "problem": str(error)}
        return {
            **made,
            "text": text,
            "redaction": {"policy": self.policy.version, "counts": counts},
        }


class _no_content:
    """Turns any fault of a recogniser into ``Unreadable`` that says its kind, and no content."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, PipelineError):
            raise Unreadable(f"redaction failed ({type(error).__name__})") from None


@dataclass
class _Work:
    """The redaction of one conversation: what is looked for, and what was found so far."""

    recognisers: Sequence[tuple[str, Any]]
    people: People
    check: Check

    def __post_init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def without_names(self) -> _Work:
        other = _Work(self.recognisers, NOBODY, self.check)
        other.counts = self.counts
        return other

    def text(self, text: str, only: str | None = None) -> str:
        for _ in range(MOST_PASSES):
            self.check()
            made = self._pass(text, only)
            if made == text:
                return text
            text = made
        raise Unreadable("redaction does not come to an end; leave this conversation out")

    def _pass(self, text: str, only: str | None) -> str:
        found: list[tuple[int, int, str, str]] = []
        taken = bytearray(len(text))

        def take(start: int, end: int, kind: str, label: str) -> None:
            if taken.find(1, start, end) < 0:
                taken[start:end] = b"\1" * (end - start)
                found.append((start, end, kind, label))

        for placed in PLACEHOLDER.finditer(text):
            taken[placed.start() : placed.end()] = b"\1" * len(placed[0])
        for kind, recognise in self.recognisers:
            if only in (None, kind):
                for start, end in recognise(text, self.check):
                    take(start, end, kind, f"[{kind.upper()}]")
        if only is None:
            for start, end, label in self.people.find(text, self.check):
                take(start, end, "name", label)
        if not found:
            return text
        made, at = [], 0
        for start, end, kind, label in sorted(found):
            made += [text[at:start], label]
            at = end
            self.counts[kind] += 1
        return "".join([*made, text[at:]])

    def maybe(self, text: str | None) -> str | None:
        return None if text is None else self.text(text)

    def identifier(self, text: str | None) -> str | None:
        """A vendor's id or link: only an address in it tells who somebody is."""
        return None if text is None else self.text(text, only="email")

    def named(self, name: str | None) -> str | None:
        """A person's name as a whole, also where it is an everyday word or an address."""
        if name is None:
            return None
        label = self.people.label(name)
        if label is None:
            return self.text(name)
        self.counts["name"] += 1
        return label

    def participant(self, person: Participant) -> Participant:
        email = self.maybe(person.email)
        return replace(
            person,
            name=self.named(person.name),
            # Not a placeholder: the marts join on addresses, and would find one person in all.
            email=email if email == person.email else None,
            id=self.identifier(person.id),
            title=self.maybe(person.title),
        )

    def tree(self, value: Any, field: str = "") -> Any:
        """JSON with every text in it redacted, as far as its field says that it may hold any."""
        if isinstance(value, Mapping):
            made: dict[str, Any] = {}
            for key, held in value.items():
                name = self.text(str(key), only="email")
                made[name if name not in made else f"{name} {len(made)}"] = self.tree(
                    held, _SNAKE.sub("_", str(key)).lower()
                )
            return made
        if isinstance(value, list | tuple):
            return [self.tree(each, field) for each in value]
        if isinstance(value, bool) or not isinstance(value, str | int):
            return value
        if _PHONE_FIELD.search(field) and self._is_looked_for("phone"):
            return self._phone(value)
        if not isinstance(value, str):
            return value
        if _IDENTIFIER.search(field):
            return self.identifier(value)
        return self.text(value) if "@" in value else self.named(value)

    def _is_looked_for(self, wanted: str) -> bool:
        return any(kind == wanted for kind, _ in self.recognisers)

    def _phone(self, value: str | int) -> str | int:
        """A field for a telephone number holds one, whatever its country's plan says."""
        if sum(map(str.isdigit, str(value))) < 5:
            return value
        self.counts["phone"] += 1
        return "[PHONE]"


def _names_in(raw: Any, field: str = "") -> list[str]:
    """What stands in fields that are called like a person's name, in a record nobody can read."""
    if isinstance(raw, Mapping):
        return [
            name
            for key, held in raw.items()
            for name in _names_in(held, _SNAKE.sub("_", str(key)).lower())
        ]
    if isinstance(raw, list | tuple):
        return [name for each in raw for name in _names_in(each, field)]
    return [raw] if isinstance(raw, str) and len(raw) <= 80 and _NAME_FIELD.search(field) else []
