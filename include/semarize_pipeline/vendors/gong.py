"""Gong: calls by POST with the cursor in the body, transcripts for many ids at once.

====== ===================================== ===============================================
status body                                  what it means
====== ===================================== ===============================================
404    "No calls found corresponding to the  an empty window; a key that may see nothing gets
       provided filters"                     the very same bytes. Any other 404 is an error
400    "cursor has expired"                  read the listing again from its first page
400    an empty ``callIds``                  never sent
429    ``Retry-After`` of seconds to hours   hours once the day's 10,000 requests are spent
====== ===================================== ===============================================

- Parties and CRM context come only when ``contentSelector`` asks for them.
- A call is listed flat (the guide) or under ``metaData`` (the public API).
- ``toDateTime`` is exclusive; windows beyond 90 days may be refused, and ours are a few days.
- The filter is the call's start, so calls that come late are found by looking back.
- Gong requires that calls marked ``isPrivate`` are dropped; it does not filter them itself.
- Transcript times are milliseconds. Each sentence of a monologue is an utterance: joined, they
  would lose their times.
- The guide advises 1 to 2 requests a second; the public 3 are shared by the whole company.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from requests.auth import HTTPBasicAuth

from semarize_pipeline import reading as read
from semarize_pipeline.model import Conversation, Participant, Record, Role, Utterance
from semarize_pipeline.rest.client import Answer, Endpoint
from semarize_pipeline.rest.paging import Ask, BodyCursor
from semarize_pipeline.state.budgets import Limits
from semarize_pipeline.vendors.base import Batched, Timing, Vendor

ROLES: dict[str, Role] = {"internal": "rep", "external": "customer"}
ACCOUNT = ("account", "company")  # Salesforce's word and HubSpot's
DEAL = ("opportunity", "deal")
STAGE = ("stagename", "dealstage", "stage")

CALLS = Endpoint(
    method="POST",
    path="/v2/calls/extensive",
    rows=("calls",),
    ask=Ask(
        json={
            "contentSelector": {
                "context": "Extended",
                "contextTiming": ["Now", "TimeOfCall"],
                "exposedFields": {"parties": True},
            }
        }
    ),
    paging=BodyCursor("records.cursor"),
    empty=(Answer(404, "No calls found corresponding to the provided filters"),),
    restart=(Answer(400, "cursor has expired"),),
)
TRANSCRIPTS = replace(CALLS, path="/v2/calls/transcript", rows=("callTranscripts",), ask=Ask())


def conversation(record: Record, transcript: Any) -> Conversation:
    """A call with its monologues; who spoke is found by ``speakerId`` among the parties."""
    meta = record.get("metaData") or record
    parties = read.objects(record, "parties")
    owner_id = read.text(meta, "primaryUserId")
    owner = next((p for p in parties if owner_id and read.text(p, "userId") == owner_id), None)
    crm = _crm(record)
    account = next((o for o in crm if _kind(o) in ACCOUNT), None)
    deal = next((o for o in crm if _kind(o) in DEAL), None)
    media = read.first(record, "metaData.media", "media", "mediaUrls")
    return Conversation(
        conversation_id=read.identity(meta, "id"),
        started_at=read.moment(meta, "started"),
        channel="video" if str(media).lower() == "video" else "voice",
        raw={"record": record, "transcript": transcript},
        title=read.text(meta, "title"),
        direction=read.direction(meta, "direction"),
        duration_seconds=read.length(meta, "duration"),
        owner_id=owner_id,
        owner_name=read.text(owner, "name"),
        owner_email=read.text(owner, "emailAddress"),
        account_name=_field(crm, account, ("name",)),
        opportunity_id=read.text(deal, "objectId"),
        participants=tuple(
            Participant(
                name=read.text(party, "name"),
                email=read.text(party, "emailAddress"),
                role=read.role(party, "affiliation", ROLES),
                id=read.text(party, "userId", "id"),
                title=read.text(party, "title"),
            )
            for party in parties
        ),
        url=read.text(meta, "url"),
        utterances=read.spoken(_monologues(parties, transcript)),
        attributes={
            "deal_stage": _field(crm, deal, STAGE),
            "account_id": read.text(account, "objectId"),
            # Of several objects of one type the first counts, as it does for the columns.
            "crm_ids": {
                kind: read.text(o, "objectId")
                for o in reversed(crm)
                if (kind := read.text(o, "objectType"))
            },
            "recording_available": media is not None,
            "call_scope": read.text(meta, "scope"),
            "language": read.text(meta, "language"),
        },
    )


UNKNOWN: Role = "unknown"


def _monologues(parties: Sequence[Record], transcript: Any) -> Iterator[Utterance]:
    speakers = {
        id_: (read.text(p, "name", "emailAddress"), read.role(p, "affiliation", ROLES))
        for p in parties
        if (id_ := read.text(p, "speakerId"))
    }
    for monologue in read.objects(transcript, "transcript"):
        name, role = speakers.get(read.text(monologue, "speakerId") or "", (None, UNKNOWN))
        for sentence in read.objects(monologue, "sentences"):
            yield Utterance(
                name,
                role,
                read.milliseconds(sentence, "start"),
                read.milliseconds(sentence, "end"),
                read.words(sentence, "text"),
            )


def _crm(record: Record) -> list[Record]:
    """The linked CRM objects, those as of the call before those as of now."""
    systems = read.objects(record, "context")
    found = [each for system in systems for each in read.objects(system, "objects")]
    return sorted(found, key=lambda each: each.get("timing") != "TimeOfCall")


def _kind(crm_object: Record) -> str:
    return (read.text(crm_object, "objectType") or "").lower()


def _field(crm: Sequence[Record], of: Record | None, names: Sequence[str]) -> str | None:
    """A field of one CRM object: its value at the time of the call, else its value now."""
    same = [o for o in crm if of and o.get("objectId") == of.get("objectId")]
    fields = [each for one in same for each in read.objects(one, "fields")]
    named = (f for f in fields if (read.text(f, "name") or "").lower() in names)
    return next((value for f in named if (value := read.text(f, "value"))), None)


def _private(record: Record) -> str | None:
    told = read.text(record, "metaData.isPrivate", "isPrivate")
    return "private" if told and told.lower() == "true" else None


VENDOR = Vendor(
    name="gong",
    title="Gong",
    base_url="https://api.gong.io",
    auth=lambda given, store: HTTPBasicAuth(given.need("login"), given.need("password")),
    limits=Limits(requests_per_second=2, per_day=10_000),
    listing=CALLS,
    window=lambda window: Ask(
        json={"filter": read.span(window, "fromDateTime", "toDateTime")},
    ),
    transcripts=Batched(
        endpoint=TRANSCRIPTS,
        ask=lambda ids: Ask(json={"filter": {"callIds": list(ids)}}),
        of=lambda row: read.text(row, "callId") or "",
    ),
    translate=conversation,
    excluded=_private,
    timing=Timing(lag=timedelta(hours=1)),
)
