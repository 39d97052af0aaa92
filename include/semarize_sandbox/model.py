"""What the stand-ins serve, before any vendor's shape is put on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

VENDORS = ("gong", "salesloft", "clari_copilot", "callminer", "chorus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """``role`` is the truth; a vendor that would not know it serves less than this."""

    id: str
    name: str
    email: str | None = None
    role: Literal["rep", "customer", "unknown"] = "unknown"
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn; ``person_id`` names one of the call's people, or None where nobody knows."""

    person_id: str | None
    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One conversation, vendor-neutral.

    It is listed from ``listed_at`` on and its transcript is served from ``ready_at`` on
    (None: never). ``extras`` holds what only some vendors give: ``deal_stage``,
    ``cadence``, ``cadence_step``, ``disposition``, ``outcome``, ``queue``, ``campaign``,
    ``wrap_up_codes``, ``customer_id``, ``team``, ``manager``, ``tags``, ``trackers``,
    ``account_id``, ``topics``.
    """

    id: str
    vendor: str
    started_at: datetime
    duration_seconds: float
    title: str
    owner: Person
    people: tuple[Person, ...]
    turns: tuple[Turn, ...]
    channel: Literal["voice", "chat", "email", "video"] = "voice"
    direction: Literal["inbound", "outbound", "unknown"] = "outbound"
    account_name: str | None = None
    opportunity_id: str | None = None
    private: bool = False
    listed_after: timedelta = timedelta(0)
    ready_after: timedelta | None = timedelta(0)
    extras: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ended_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.duration_seconds)

    @property
    def listed_at(self) -> datetime:
        return self.ended_at + self.listed_after

    @property
    def ready_at(self) -> datetime | None:
        return None if self.ready_after is None else self.listed_at + self.ready_after
