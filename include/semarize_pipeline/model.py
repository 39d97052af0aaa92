"""What a conversation is, whichever vendor it comes from.

Ids are text. Moments are aware and in UTC. Durations and offsets are seconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import orjson

Role = Literal["rep", "customer", "unknown"]
Channel = Literal["voice", "chat", "email", "video"]
TranscriptStatus = Literal["ready", "pending", "absent", "expired"]
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time: ``start`` belongs to it, ``end`` does not."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for moment in (self.start, self.end):
            if moment.tzinfo is None:
                raise ValueError("a window needs aware moments; add tzinfo=UTC")
        if self.start >= self.end:
            raise ValueError(f"an empty or reversed window: {self.start} to {self.end}")

    def __str__(self) -> str:
        return f"[{self.start.isoformat()}, {self.end.isoformat()})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Somebody on the conversation. ``role`` stays unknown unless the vendor says it."""

    name: str | None = None
    email: str | None = None
    role: Role = "unknown"
    id: str | None = None
    title: str | None = None


class Utterance(NamedTuple):
    """One turn of speech or one message; offsets from the start, in seconds.

    A tuple, since a conversation has dozens: a frozen dataclass takes three times as long to make.
    """

    speaker: str | None
    speaker_role: Role
    start_seconds: float | None
    end_seconds: float | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """That a conversation was redacted, by which policy, and how often each kind was found.

    ``transcript_hash`` is that of the words before: by it is known what was bought.
    ``sealed_record`` is the listing's record, encrypted, while the transcript is pending.
    """

    policy: str
    counts: Mapping[str, int]
    transcript_hash: str | None = None
    sealed_record: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One conversation as it lands: a row of ``<vendor>__conversations`` and its utterances.

    ``attributes`` holds what this vendor alone gives, under names that its file states;
    ``raw`` is the vendor's own JSON, untouched.
    """

    conversation_id: str
    started_at: datetime
    channel: Channel
    raw: Record
    title: str | None = None
    direction: str | None = None
    duration_seconds: float | None = None
    owner_id: str | None = None
    owner_name: str | None = None
    owner_email: str | None = None
    account_name: str | None = None
    opportunity_id: str | None = None
    participants: tuple[Participant, ...] = ()
    url: str | None = None
    utterances: tuple[Utterance, ...] = ()
    full_text: str | None = None
    transcript_status: TranscriptStatus | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    redaction: Redaction | None = None

    @property
    def transcript(self) -> str | None:
        """Plain text, one ``Speaker: text`` line an utterance; None when there is none."""
        if not self.utterances:
            return self.full_text or None
        return "\n".join(
            f"{said.speaker}: {said.text}" if said.speaker else said.text
            for said in self.utterances
        )

    @property
    def status(self) -> TranscriptStatus:
        """What the vendor's file stated, else ready when there are words and pending when not."""
        if self.transcript_status is not None:
            return self.transcript_status
        # Two utterances are a text in any case: it need not be made to know that.
        return "ready" if len(self.utterances) > 1 or self.transcript else "pending"


def utc(value: str | int | float | datetime) -> datetime:
    """A vendor's moment as an aware UTC datetime: ISO 8601 text, or seconds since 1970.

    Text without an offset is taken as UTC, which is what the five vendors document.
    Raises ValueError or TypeError for anything else.
    """
    if isinstance(value, bool):
        raise TypeError("a boolean is not a moment")
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a moment that no calendar holds") from None


def digest(value: Any) -> str:
    """SHA-256 of a JSON-like value, the same for the same content whatever its key order."""
    dumped = orjson.dumps(
        value,
        option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z,
        default=str,
    )
    return hashlib.sha256(dumped).hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 of a text: the transcript's identity, for knowing what was already scored."""
    return hashlib.sha256(text.encode()).hexdigest()
