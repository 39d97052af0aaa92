"""Chorus (ZoomInfo): calls by offset, a transcript for each, hardly any documented limit.

====== ===================================== ===============================================
status body                                  what it means
====== ===================================== ===============================================
404    {"errors": [...]} for a transcript    not ready, or private: it looks the same. It
                                             expires like every transcript that never comes
401    may have no body                      the token is refused
429    no header; minutes long               slow down and come back later
====== ===================================== ===============================================

- The guide sends ``Bearer <token>``, public documentation the bare token: extra
  ``token_prefix`` "" leaves the word out.
- ``startDate`` and ``endDate`` may count whole days only, whatever hour they name. Moments are
  sent all the same: a day read twice is harmless, since rows land on their id.
- No total, an envelope that nobody documents, newest first: paging goes by rows received.
- Private recordings are silently absent. E-mails, viewed content and meetings to which nobody
  came are listed among the calls and are kept out; so are meetings that were not recorded.
- ``date`` is ISO text or seconds since 1970; ``timestamp`` is seconds or clock text ("1:23").
  Utterances may come out of order: they are sorted where every one has a time.
- A "meeting" is a video conference, every other kind of call is voice.
- Roles depend on the CRM link behind Chorus: ``type`` (or ``role``) of a participant, else
  unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from semarize_pipeline import reading as read
from semarize_pipeline.model import Conversation, Participant, Record, Role, Utterance
from semarize_pipeline.rest.auth import bearer
from semarize_pipeline.rest.client import Answer, Endpoint
from semarize_pipeline.rest.paging import Ask, Offset
from semarize_pipeline.state.budgets import Limits
from semarize_pipeline.vendors.base import PerConversation, Timing, Vendor

ROLES: dict[str, Role] = {
    "rep": "rep",
    "cust": "customer",
    "customer": "customer",
    "prospect": "customer",
}
KEPT_OUT = {
    "email": "not a call",
    "content_viewed": "not a call",
    "unrecorded_meeting": "not recorded",
}

CALLS = Endpoint(
    method="GET",
    path="/api/v1/calls",
    rows=("calls", "data", "engagements", ""),
    ask=Ask(params={"limit": 100, "offset": 0}),
    paging=Offset(),
)
TRANSCRIPT = Endpoint(
    method="GET",
    path="/api/v1/calls/{id}/transcript",
    rows=("utterances", "transcript", "data", "data.attributes.recording.utterances", ""),
    empty=(Answer(404, '"errors"'),),
)


def conversation(record: Record, transcript: Any) -> Conversation:
    """A call with its utterances, in the order of their time."""
    participants = tuple(
        Participant(
            name=read.text(person, "name"),
            email=read.text(person, "email"),
            role=_role(person, "type", "role"),
            id=read.text(person, "id", "user_id", "person_id"),
            title=read.text(person, "title"),
        )
        for person in read.objects(record, "participants")
    )
    said = list(read.spoken(_utterances(participants, transcript)))
    if all(each.start_seconds is not None for each in said):
        said.sort(key=lambda each: each.start_seconds or 0.0)
    kind = read.text(record, "call_type", "type", "engagement_type")
    return Conversation(
        conversation_id=read.identity(record, "id", "engagement_id"),
        started_at=read.moment(record, "date", "date_time", "start_time"),
        channel="video" if (kind or "").lower() == "meeting" else "voice",
        raw={"record": record, "transcript": transcript},
        title=read.text(record, "title", "subject"),
        direction=read.direction(record, "direction"),
        duration_seconds=read.length(record, "duration"),
        owner_id=read.text(record, "owner.id", "user.id", "user_id"),
        owner_name=read.text(record, "owner.name", "user.name", "user_name"),
        owner_email=read.text(record, "owner.email", "user.email", "user_email"),
        account_name=read.text(record, "account.name", "account_name"),
        opportunity_id=read.text(record, "opportunity.id", "opportunity_id"),
        participants=participants,
        url=read.text(record, "url"),
        utterances=tuple(said),
        attributes={
            "call_type": kind,
            "trackers": read.first(record, "trackers", "tracker_matches"),
            "deal_signals": read.first(record, "deal_signals"),
            "tags": read.names(record, "tags"),
            "team": read.text(record, "team.name", "team", "user.team"),
            "manager": read.text(record, "manager.name", "manager", "user.manager"),
            "recording_url": read.text(record, "recording_url", "recording.url"),
            "talk_ratio": read.number(record, *_metric("talk_ratio.rep", "talk_ratio")),
            "longest_monologue_seconds": read.seconds(
                record, *_metric("longest_monologue_seconds", "longest_monologue")
            ),
            "question_count": read.whole(record, *_metric("question_count")),
            "deal_stage": read.text(record, "deal_stage", "opportunity.stage", "deal.stage"),
        },
    )


def _utterances(people: Sequence[Participant], transcript: Any) -> Iterator[Utterance]:
    roles = read.roles_by_name(people)
    for utterance in read.lines(transcript, *TRANSCRIPT.rows):
        name = read.text(utterance, "speaker.name", "speaker", "speaker_name")
        told = _role(utterance, "speaker_type")
        start = read.seconds(utterance, "timestamp", "snippet_time")
        length = read.seconds(utterance, "snippet_length")
        yield Utterance(
            name,
            told if told != "unknown" else roles.get(name or "", "unknown"),
            start,
            None if start is None or length is None else start + length,
            read.words(utterance, "text", "snippet"),
        )


def _role(record: Record, *places: str) -> Role:
    known = (read.role(record, place, ROLES) for place in places)
    return next((role for role in known if role != "unknown"), "unknown")


def _metric(*names: str) -> list[str]:
    """Where an engagement metric may stand; the guide names the metrics and no place."""
    groups = ("", "engagement_metrics.", "metrics.")
    return [f"{group}{name}" for name in names for group in groups]


def _kept_out(record: Record) -> str | None:
    if read.text(record, "no_show") == "true":
        return "nobody came"
    return KEPT_OUT.get((read.text(record, "engagement_type", "type") or "").lower())


VENDOR = Vendor(
    name="chorus",
    title="Chorus",
    base_url="https://chorus.ai",
    auth=lambda given, store: bearer(given),
    limits=Limits(requests_per_second=2, adaptive=True),
    listing=CALLS,
    window=lambda window: Ask(params=read.span(window, "startDate", "endDate")),
    transcripts=PerConversation(endpoint=TRANSCRIPT, at_once=2),
    translate=conversation,
    excluded=_kept_out,
    timing=Timing(lag=timedelta(hours=1), first_retry=timedelta(minutes=30)),
)
