"""CallMiner: interactions of four channels, each with a shape of its own.

====== =================================== =================================================
status body                                what it means
====== =================================== =================================================
202    anything                            the transcript is not ready
404    "not ready", "processing",          the same; any other 404 is an error of this record
       "pending", "in progress"
404    "unavailable", "purged"             there will never be one
410    anything                            purged
302    a login page                        what an expired token meets instead of 401
====== =================================== =================================================

- A channel that is missing or that we do not know makes the record unreadable: the guide gives
  every interaction one and documents no default, and a guess would put chats among calls.
- E-mails know neither roles nor times nor a duration. Chats may give the time of day instead of
  an offset; it becomes an offset from ``startTime``, which may be below zero.
- Utterances name a role, not a person. An interaction can pass through several agents, so the
  speaker is the role's own word and never the agent of the record.
- The unit of numeric times is not stated; they are read as seconds.
- Listings go on by ``nextPage`` or by ``offset``. Limits depend on the contract: 5 a second.
- The public hosts differ by region and offer bulk exports only; ``host`` and ``token_url`` of
  the connection point elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from semarize_pipeline import reading as read
from semarize_pipeline.errors import Unreadable
from semarize_pipeline.model import Channel, Conversation, Participant, Record, Role, Utterance
from semarize_pipeline.rest.auth import OAuth2, client_credentials
from semarize_pipeline.rest.client import Answer, Endpoint
from semarize_pipeline.rest.paging import Ask, TokenOrOffset
from semarize_pipeline.state.budgets import Limits
from semarize_pipeline.vendors.base import PerConversation, Timing, Vendor

ROLES: dict[str, Role] = {"agent": "rep", "customer": "customer"}
# The guide's own words for its four channels.
CHANNELS: dict[str, Channel] = {
    "voice": "voice",
    "audio": "voice",
    "phone": "voice",
    "chat": "chat",
    "text": "chat",
    "email": "email",
    "video": "video",
}

INTERACTIONS = Endpoint(
    method="GET",
    path="/v1/interactions",
    rows=("interactions", "data", "results", ""),
    ask=Ask(params={"limit": 100}),
    paging=TokenOrOffset(),
)
TRANSCRIPT = Endpoint(
    method="GET",
    path="/v1/interactions/{id}/transcript",
    rows=("utterances", "transcript", "data", ""),
    empty=tuple(
        Answer(404, says) for says in ("not ready", "processing", "pending", "in progress")
    ),
    gone=(Answer(410), Answer(404, "unavailable"), Answer(404, "purged")),
)


def conversation(record: Record, transcript: Any) -> Conversation:
    """An interaction with its utterances or messages."""
    started_at = read.moment(record, "startTime")
    channel = CHANNELS.get((read.text(record, "channel") or "").lower())
    if channel is None:
        raise Unreadable("the channel is missing or not known")
    agent = Participant(
        name=read.text(record, "agentName"),
        email=read.text(record, "agentEmail"),
        role="rep",
        id=read.text(record, "agentId"),
    )
    customer = Participant(
        name=read.text(record, "customerName"),
        email=read.text(record, "customerEmail"),
        role="customer",
        id=read.text(record, "customerId"),
    )
    return Conversation(
        conversation_id=read.identity(record, "id"),
        started_at=started_at,
        channel=channel,
        raw={"record": record, "transcript": transcript},
        title=read.text(record, "title", "subject"),
        direction=read.direction(record, "direction"),
        duration_seconds=read.length(record, "duration"),
        owner_id=agent.id,
        owner_name=agent.name,
        owner_email=agent.email,
        participants=tuple(p for p in (agent, customer) if p.name or p.email or p.id),
        url=read.text(record, "url"),
        utterances=read.spoken(_utterances(transcript, started_at)),
        attributes={
            "customer_id": customer.id,
            "disposition": read.text(record, "disposition.name", "disposition"),
            "wrap_up_codes": read.names(record, "wrapUpCodes", "wrapUpCode"),
            "queue": read.text(record, "queue.name", "queue"),
            "campaign": read.text(record, "campaign.name", "campaign"),
        },
    )


def _utterances(transcript: Any, started_at: datetime) -> Iterator[Utterance]:
    for utterance in read.lines(transcript, *TRANSCRIPT.rows):
        said_by = read.text(utterance, "speakerRole")
        yield Utterance(
            read.text(utterance, "speakerName") or (said_by.capitalize() if said_by else None),
            read.role(utterance, "speakerRole", ROLES),
            _offset(utterance, "startTime", started_at),
            _offset(utterance, "endTime", started_at),
            read.words(utterance, "text"),
        )


def _offset(utterance: Record, place: str, started_at: datetime) -> float | None:
    """Seconds since the start, also where the time of day is given instead."""
    told = read.text(utterance, place)
    if told and "T" in told:
        since = read.moment(utterance, place) - started_at
        return read.within_a_year(since.total_seconds(), place)
    return read.seconds(utterance, place)


VENDOR = Vendor(
    name="callminer",
    title="CallMiner",
    base_url="https://api.callminer.com",
    auth=lambda given, store: OAuth2(
        given, store, "https://auth.callminer.com/oauth/token", client_credentials
    ),
    limits=Limits(requests_per_second=5),
    listing=INTERACTIONS,
    window=lambda window: Ask(params=read.span(window, "startDate", "endDate")),
    transcripts=PerConversation(endpoint=TRANSCRIPT),
    translate=conversation,
    # Rows are wanted within minutes, and text is there sooner than speech.
    timing=Timing(
        first_retry=timedelta(minutes=5),
        first_retry_by_channel={"chat": timedelta(minutes=2), "email": timedelta(minutes=2)},
    ),
)
