"""Salesloft: numbered pages, OAuth with refresh tokens that rotate, sentences per conversation.

====== ==================================== ================================================
status body                                 what it means
====== ==================================== ================================================
404    {"error": "Conversation not found"}  deleted, or outside what this user may see
404    {"error": anything else}             not transcribed yet; the listing proves the host
200    {"data": []}                         no sentences: the full text is asked for instead
429    ``X-RateLimit-Reset``                a moment or a number of seconds; public: no header
====== ==================================== ================================================

- Windows filter ``created_at``, half-open by [gte] and [lt] and in ascending order, because it
  never changes: ``updated_at`` also exists, but rows move under it while pages are read.
- Ids are whole numbers (the guide) or UUIDs (the public API). ``duration`` is seconds in the
  first and milliseconds in the second, and nothing names the unit. Rule: milliseconds where
  the record has the public API's marks (an id that is no number, ``started_recording_at``) or
  where seconds would be longer than a day; seconds otherwise.
- A speaker is "Rep (Name)" or "Prospect (Name)" (the guide), or an attendee's id (public).
- 600 a minute count for the whole team. A page after the 100th costs 3, one after the 500th 30: the
  header ``x-ratelimit-endpoint-cost`` says so (public), and what it says is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from semarize_pipeline import reading as read
from semarize_pipeline.errors import Unreadable
from semarize_pipeline.model import Conversation, Participant, Record, Role, Utterance
from semarize_pipeline.rest.auth import OAuth2, authorization_code
from semarize_pipeline.rest.client import Answer, Endpoint
from semarize_pipeline.rest.paging import Ask, PageNumber
from semarize_pipeline.state.budgets import Limits
from semarize_pipeline.vendors.base import PerConversation, Vendor

ROLES: dict[str, Role] = {"rep": "rep", "prospect": "customer"}
LABEL = re.compile(r"(rep|prospect)\s*\((.*)\)", re.IGNORECASE | re.DOTALL | re.ASCII)
DAY_SECONDS = 86_400
NOT_READY = (Answer(404, '"error"'),)
GONE = (Answer(404, "conversation not found"),)

CONVERSATIONS = Endpoint(
    method="GET",
    path="/v2/conversations",
    rows=("data",),
    ask=Ask(params={"per_page": 100, "page": 1, "sort_by": "created_at", "sort_direction": "ASC"}),
    paging=PageNumber("metadata.paging.next_page"),
)
FULL_TEXT = Endpoint(
    method="GET",
    path="/v2/conversations/{id}/transcription",
    rows=("data",),
    empty=NOT_READY,
    gone=GONE,
)
SENTENCES = Endpoint(
    method="GET",
    path="/v2/conversations/{id}/transcription/sentences",
    rows=("data",),
    empty=NOT_READY,
    gone=GONE,
)


def conversation(record: Record, transcript: Any) -> Conversation:
    """A conversation with its sentences, or with its full text where there are none."""
    participants = tuple(
        Participant(
            name=read.text(person, "name", "full_name"),
            email=read.text(person, "email"),
            role=read.role(person, "role", ROLES),
            id=read.text(person, "id"),
            title=read.text(person, "title"),
        )
        for person in read.objects(record, "participants", "attendees")
    )
    return Conversation(
        conversation_id=read.identity(record, "id"),
        started_at=read.moment(record, "started_recording_at", "event_start_date", "created_at"),
        channel="video" if read.text(record, "media_type") == "video" else "voice",
        raw={"record": record, "transcript": transcript},
        title=read.text(record, "title"),
        direction=read.direction(record, "direction"),
        duration_seconds=_duration(record),
        owner_id=read.text(record, "owner.id", "owner_id", "user_guid"),
        owner_name=read.text(record, "owner.name", "owner_name"),
        owner_email=read.text(record, "owner.email", "owner_email"),
        account_name=read.text(record, "account.name", "account_name"),
        opportunity_id=read.text(record, "opportunity.id", "opportunity_id"),
        participants=participants,
        url=read.text(record, "url"),
        utterances=read.spoken(_sentences(participants, transcript)),
        full_text=_full_text(transcript),
        attributes={
            "cadence_name": read.text(record, "cadence.name", "cadence"),
            "cadence_id": read.text(record, "cadence.id", "cadence_id"),
            "cadence_step": read.text(record, "step.name", "step"),
            "step_number": _step_number(record),
            "disposition": read.text(record, "disposition.name", "disposition"),
            "outcome": read.text(record, "outcome.name", "outcome"),
            "recording_url": read.text(record, "recording.url", "recording_url"),
            "opportunity_name": read.text(record, "opportunity.name", "opportunity_name"),
            "deal_stage": read.text(record, "opportunity.stage", "deal_stage"),
        },
    )


def _sentences(people: Sequence[Participant], transcript: Any) -> Iterator[Utterance]:
    if isinstance(read.first(transcript, "data"), Mapping):
        return  # the full text: who said what is not known
    if read.first(transcript, "metadata.paging.next_page") is not None:
        # Undocumented by the guide, so better kept out than landed without its end.
        raise Unreadable("the sentences go on at another page")
    attendees = {person.id: person for person in people if person.id}
    roles = read.roles_by_name(people)
    for sentence in read.lines(transcript, "data"):
        label = read.text(sentence, "speaker")
        attendee = attendees.get(read.text(sentence, "recording_attendee_id") or "")
        named = LABEL.fullmatch(label or "")
        name = named[2].strip() or None if named else label
        role = ROLES[named[1].lower()] if named else roles.get(label or "", "unknown")
        if not label and attendee:
            name, role = attendee.name or attendee.email, attendee.role
        start, end = read.seconds(sentence, "start_time"), read.seconds(sentence, "end_time")
        yield Utterance(name, role, start, end, read.words(sentence, "text"))


def _full_text(transcript: Any) -> str | None:
    data = read.first(transcript, "data")
    if not isinstance(data, Mapping):
        return None
    if not data.keys() & {"text", "transcript"}:
        raise Unreadable("the full text has an unknown shape")
    return read.words(data, "text", "transcript") or None


def _duration(record: Record) -> float | None:
    length = read.number(record, "duration")
    if length is None:
        return None
    public = not read.identity(record, "id").isdecimal() or "started_recording_at" in record
    in_seconds = length / 1000 if public or length > DAY_SECONDS else length
    return read.length({"duration": in_seconds}, "duration")


def _step_number(record: Record) -> int | None:
    places = ("step.number", "step.step_number", "step_number", "step.name", "step")
    told = (read.text(record, place) or "" for place in places)
    return next((int(text) for text in told if text.isdecimal() and len(text) < 10), None)


VENDOR = Vendor(
    name="salesloft",
    title="Salesloft",
    base_url="https://api.salesloft.com",
    auth=lambda given, store: OAuth2(
        given, store, "https://accounts.salesloft.com/oauth/token", authorization_code
    ),
    limits=Limits(requests_per_second=9.5, per_minute=600, cost_header="x-ratelimit-endpoint-cost"),
    listing=CONVERSATIONS,
    window=lambda window: Ask(params=read.span(window, "created_at[gte]", "created_at[lt]")),
    transcripts=PerConversation(endpoint=SENTENCES, fallback=FULL_TEXT),
    translate=conversation,
    is_authorized_by_person=True,
)
