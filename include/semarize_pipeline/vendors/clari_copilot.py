"""Clari Copilot: one listing that holds everything, transcripts included.

====== ================================ ====================================================
status body                             what it means
====== ================================ ====================================================
404    {} for one call                  it is gone
429    no header that says how long     10 records a second, or the week's 100,000 requests;
                                        a week begins on Sunday 00:00 UTC
====== ================================ ====================================================

- The guide signs with ``Authorization: ApiKey <key>`` and says that the exact header depends on
  the account. The extras ``token_header`` and ``token_prefix`` change it; with the extra
  ``api_password`` the public pair X-Api-Key and X-Api-Password is sent.
- The answer is a bare array or {"calls": [...]}, one call is {"call": {...}}; no total, and the
  server may cap the limit, so paging goes by rows received.
- The public API refuses offsets above 10,000: a window that lists more is read in halves.
- Segments have no end in the guide. Their speaker is a name (the guide), or a ``personId`` that
  is a number in one place and text in another (public).
- People who were invited and did not join are neither participants nor speakers.
- A call appears before it is processed and again when its status changes; nothing else that
  changes is shown by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from semarize_pipeline import reading as read
from semarize_pipeline.model import Conversation, Participant, Record, Role, Utterance
from semarize_pipeline.rest.auth import Credentials, HeaderAuth
from semarize_pipeline.rest.client import Answer, Endpoint
from semarize_pipeline.rest.paging import Ask, Offset
from semarize_pipeline.state.budgets import Limits
from semarize_pipeline.vendors.base import Inline, Timing, Vendor

ROLES: dict[str, Role] = {"rep": "rep", "prospect": "customer"}
# The guide names no kinds of call; these public ones are meetings on video, the rest is phones.
MEETINGS = ("MEETING", "ZOOM", "GOOGLE_MEET", "MS_TEAMS", "GOTO_MEETING", "BLUE_JEANS")
# There will be no transcript; every other status without words is one to wait for.
FAILED = re.compile(
    r"ERROR_.*|BOTJOIN_.*|UNABLE_TO_JOIN|IGNORED_BY_USER"
    r"|CALL_DID_NOT_HAPPEN|NO_DATA_INCALL|NOBODY_JOINED_CALL"
)

CALLS = Endpoint(
    method="GET",
    path="/call-details",
    rows=("", "calls"),
    ask=Ask(params={"limit": 50, "offset": 0}),
    paging=Offset(farthest=10_000),
)
CALL = Endpoint(method="GET", path="/call-details", rows=("call", "calls", ""), gone=(Answer(404),))


def conversation(record: Record, transcript: Any) -> Conversation:
    """A call. Its transcript stands in the record; a second one given is the same again."""
    people = _people(record)
    participants = tuple(person for _, person in people)
    owner = _owner(record, participants)
    said = read.spoken(_segments(record, people))
    status = read.text(record, "status")
    crm_ids = {
        "deal": read.text(record, "crm_info.deal_id"),
        "account": read.text(record, "crm_info.account_id"),
        "contacts": read.names(record, "crm_info.contact_ids"),
    }
    return Conversation(
        conversation_id=read.identity(record, "call_id", "id"),
        started_at=read.moment(record, "time", "timestamp"),
        channel="video" if (read.text(record, "type") or "").upper() in MEETINGS else "voice",
        raw={"record": record, "transcript": None},
        title=read.text(record, "title"),
        direction=read.direction(record, "direction"),
        duration_seconds=read.length(record, "duration", "metrics.call_duration"),
        owner_id=owner.id,
        owner_name=owner.name,
        owner_email=owner.email,
        account_name=read.text(record, "account_name"),
        opportunity_id=read.text(record, "crm_info.deal_id"),
        participants=participants,
        url=read.text(record, "call_review_page_url"),
        utterances=said,
        transcript_status="absent" if not said and FAILED.fullmatch(status or "") else None,
        attributes={
            "talk_ratio_rep": read.number(record, "analytics.talk_ratio.rep"),
            "talk_ratio_customer": read.number(record, "analytics.talk_ratio.prospect"),
            "topics": read.names(record, "analytics.topics", "summary.topics_discussed"),
            "deal_stage": read.text(record, "deal_stage_before_call", "deal_stage_live"),
            "crm_ids": {kind: id_ for kind, id_ in crm_ids.items() if id_},
            "status": status,
        },
    )


def _people(record: Record) -> list[tuple[str | None, Participant]]:
    """Who was on the call, each with a ``personId`` where there is one."""

    def listed(place: str) -> list[tuple[str | None, Record]]:
        return [(read.text(each, "personId"), each) for each in read.objects(record, place)]

    told = [(id_, p) for id_, p in listed("participants") if p.get("joined") is not False]
    if told:
        return [(id_, _person(p, read.role(p, "role", ROLES))) for id_, p in told]
    users, joined = listed("users"), listed("joinedParticipants")
    came = {id_ for id_, _ in (*joined, *listed("transcript")) if id_}
    people = [(id_, _person(user, "rep")) for id_, user in users]
    for id_, guest in listed("externalParticipants"):
        if id_ in came:
            people.append((id_, _person(guest, "customer")))
    known = {id_ for id_, _ in people if id_}
    return people + [(id_, _person(p, "unknown")) for id_, p in joined if id_ not in known]


def _person(person: Record, role: Role) -> Participant:
    return Participant(
        name=read.text(person, "name", "userName"),
        email=read.text(person, "email", "userEmail"),
        role=role,
        id=read.text(person, "userId", "id", "personId"),
        title=read.text(person, "title"),
    )


def _owner(record: Record, participants: Sequence[Participant]) -> Participant:
    """Who organized it, else the only rep; of several nobody says which."""
    users = read.objects(record, "users")
    hosts = [_person(user, "rep") for user in users if user.get("isOrganizer") is True]
    reps = hosts or [each for each in participants if each.role == "rep"]
    return reps[0] if len(reps) == 1 else Participant()


def _segments(
    record: Record, people: Sequence[tuple[str | None, Participant]]
) -> Iterator[Utterance]:
    by_id = {id_: person for id_, person in people if id_}
    roles = read.roles_by_name(person for _, person in people)
    for segment in read.objects(record, "transcript"):
        name = read.text(segment, "speaker")
        role = roles.get(name or "", "unknown")
        person = by_id.get(read.text(segment, "personId") or "")
        if person:
            name, role = name or person.name or person.email, person.role
        start, end = read.seconds(segment, "start"), read.seconds(segment, "end")
        yield Utterance(name, role, start, end, read.words(segment, "text"))


def _auth(given: Credentials) -> HeaderAuth:
    key = given.need("password")
    if given.extra.get("api_password"):
        return HeaderAuth({"X-Api-Key": key, "X-Api-Password": given.need("api_password")})
    header = str(given.extra.get("token_header", "Authorization"))
    prefix = str(given.extra.get("token_prefix", "ApiKey"))
    return HeaderAuth({header: f"{prefix} {key}".strip()})


VENDOR = Vendor(
    name="clari_copilot",
    title="Clari Copilot",
    base_url="https://api.copilot.clari.com",
    auth=lambda given, store: _auth(given),
    limits=Limits(requests_per_second=8.5, per_week=100_000, records_per_second=10),
    listing=CALLS,
    window=lambda window: Ask(params=read.span(window, "start_date", "end_date")),
    transcripts=Inline(single=CALL, id_param="id"),
    translate=conversation,
    timing=Timing(lag=timedelta(hours=1)),
)
