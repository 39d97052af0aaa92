"""Gong's translation, from records in the guide's shape and in the public API's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from semarize_pipeline.errors import Unreadable
from semarize_pipeline.model import Conversation, Participant, Utterance, Window
from semarize_pipeline.vendors.gong import VENDOR

META: dict[str, Any] = {
    "id": "77823422740259378951",
    "url": "https://us-1.app.gong.io/call?id=77823422740259378951",
    "title": "Renewal review",
    "started": "2025-03-04T16:30:00.123456+02:00",
    "duration": 1860,
    "primaryUserId": "5111111111111111111",
    "direction": "Outbound",
    "scope": "External",
    "media": "Video",
    "language": "eng",
    "isPrivate": False,
    "anythingNew": {"a": [1]},
}
REST: dict[str, Any] = {
    "context": [
        {
            "system": "Salesforce",
            "objects": [
                {
                    "objectType": "Opportunity",
                    "objectId": "006A",
                    "timing": "Now",
                    "fields": [
                        {"name": "StageName", "value": "Closed Won"},
                        {"name": "Probability", "value": 28},
                    ],
                },
                {
                    "objectType": "Opportunity",
                    "objectId": "006A",
                    "timing": "TimeOfCall",
                    "fields": [
                        {"name": "IsClosed", "value": "false"},
                        {"name": "StageName", "value": "Negotiation"},
                    ],
                },
                {
                    "objectType": "Account",
                    "objectId": "001A",
                    "timing": "Now",
                    "fields": [
                        {"name": "Name", "value": "Larkspur Mills"},
                        {"name": "Founded", "value": "2019-12-30"},
                    ],
                },
            ],
        }
    ],
    "parties": [
        {
            "id": "p1",
            "emailAddress": "ines@vendor.example",
            "name": "Ines Duarte",
            "title": "Account Executive",
            "userId": "5111111111111111111",
            "speakerId": "900000000000000001",
            "affiliation": "Internal",
        },
        {
            "id": "p2",
            "emailAddress": "otto@larkspur.example",
            "name": "Otto Brandt",
            "title": None,
            "userId": None,
            "speakerId": "900000000000000002",
            "affiliation": "External",
        },
        {"id": "p3", "phoneNumber": "+1555", "speakerId": None, "affiliation": "Unknown"},
    ],
}
NESTED: dict[str, Any] = {"metaData": META, **REST}
FLAT: dict[str, Any] = {**META, **REST}


def monologue(speaker: Any, *sentences: tuple[Any, Any, Any]) -> dict[str, Any]:
    told = [{"start": start, "end": end, "text": text} for start, end, text in sentences]
    return {"speakerId": speaker, "topic": "Pricing", "sentences": told}


TRANSCRIPT: dict[str, Any] = {
    "callId": META["id"],
    "transcript": [
        monologue("900000000000000001", (460, 2340, "Good afternoon."), (2400, 3000, "Ready?")),
        monologue("900000000000000002", (2500, 4100, "Yes, go ahead.")),
        monologue(None, (5000, 5500, "Sorry, who is this?")),
        monologue("900000000000000099", (1000, 900, "A voice from the back.")),
        monologue("900000000000000001", (6000, 6100, "  ")),
        monologue("900000000000000001"),
    ],
}


@pytest.mark.parametrize("record", [NESTED, FLAT], ids=["nested", "flat"])
def test_a_whole_call(record: dict[str, Any]) -> None:
    assert VENDOR.read(record, TRANSCRIPT) == Conversation(
        conversation_id="77823422740259378951",
        started_at=datetime(2025, 3, 4, 14, 30, 0, 123456, tzinfo=UTC),
        channel="video",
        raw={"record": record, "transcript": TRANSCRIPT},
        title="Renewal review",
        direction="outbound",
        duration_seconds=1860.0,
        owner_id="5111111111111111111",
        owner_name="Ines Duarte",
        owner_email="ines@vendor.example",
        account_name="Larkspur Mills",
        opportunity_id="006A",
        participants=(
            Participant(
                name="Ines Duarte",
                email="ines@vendor.example",
                role="rep",
                id="5111111111111111111",
                title="Account Executive",
            ),
            Participant(
                name="Otto Brandt", email="otto@larkspur.example", role="customer", id="p2"
            ),
            Participant(role="unknown", id="p3"),
        ),
        url="https://us-1.app.gong.io/call?id=77823422740259378951",
        utterances=(
            Utterance("Ines Duarte", "rep", 0.46, 2.34, "Good afternoon."),
            Utterance("Ines Duarte", "rep", 2.4, 3.0, "Ready?"),
            Utterance("Otto Brandt", "customer", 2.5, 4.1, "Yes, go ahead."),
            Utterance(None, "unknown", 5.0, 5.5, "Sorry, who is this?"),
            Utterance(None, "unknown", 1.0, 0.9, "A voice from the back."),
        ),
        attributes={
            "deal_stage": "Negotiation",
            "account_id": "001A",
            "crm_ids": {"Opportunity": "006A", "Account": "001A"},
            "recording_available": True,
            "call_scope": "External",
            "language": "eng",
        },
    )


def test_an_imported_call_without_parties_and_context_keeps_its_words() -> None:
    record = {"metaData": {"id": 7, "started": "2025-03-04T14:30:00Z", "parties": None}}
    read = VENDOR.read(record, TRANSCRIPT)
    assert read.conversation_id == "7"
    assert {said.speaker for said in read.utterances} == {None}
    assert {said.speaker_role for said in read.utterances} == {"unknown"}
    assert len(read.utterances) == 5
    assert read.participants == ()
    assert read.channel == "voice"
    assert read.attributes["recording_available"] is False
    assert read.attributes["crm_ids"] == {}


@pytest.mark.parametrize("transcript", [None, {"transcript": []}, {"transcript": None}])
def test_an_empty_transcript_is_pending(transcript: Any) -> None:
    assert VENDOR.read(NESTED, transcript).status == "pending"


def test_the_stage_of_today_serves_where_the_stage_of_then_is_unknown() -> None:
    record = copy.deepcopy(NESTED)
    record["context"][0]["objects"][1]["fields"] = []
    assert VENDOR.read(record).attributes["deal_stage"] == "Closed Won"


def test_the_stage_belongs_to_the_deal_whose_id_is_kept() -> None:
    record = copy.deepcopy(NESTED)
    other = {"name": "StageName", "value": "Lost"}
    record["context"][0]["objects"].append(
        {"objectType": "Opportunity", "objectId": "006B", "fields": [other]}
    )
    record["context"][0]["objects"][1]["fields"] = []
    record["context"][0]["objects"][0]["fields"] = []
    read = VENDOR.read(record)
    assert (read.opportunity_id, read.attributes["deal_stage"]) == ("006A", None)


def test_hubspots_words_are_known() -> None:
    record = {
        **META,
        "context": [
            {
                "system": "HubSpot",
                "objects": [
                    {
                        "objectType": "deal",
                        "objectId": 44,
                        "fields": [{"name": "dealstage", "value": 3}],
                    },
                    {
                        "objectType": "company",
                        "objectId": 55,
                        "fields": [{"name": "name", "value": "Larkspur"}],
                    },
                ],
            }
        ],
    }
    read = VENDOR.read(record)
    assert (read.opportunity_id, read.account_name) == ("44", "Larkspur")
    assert read.attributes["deal_stage"] == "3"


@pytest.mark.parametrize(
    ("given", "expected"),
    [("Inbound", "inbound"), ("Conference", "conference"), ("Unknown", "unknown"), (None, None)],
)
def test_directions(given: Any, expected: str | None) -> None:
    assert VENDOR.read({**META, "direction": given}).direction == expected


@pytest.mark.parametrize("shape", ["nested", "flat"])
@pytest.mark.parametrize(
    ("given", "expected"), [(True, "private"), ("true", "private"), (False, None), (None, None)]
)
def test_private_calls_are_kept_out(shape: str, given: Any, expected: str | None) -> None:
    meta = {**META, "isPrivate": given}
    assert VENDOR.keeps_out(meta if shape == "flat" else {"metaData": meta}) == expected


def test_an_id_that_lost_digits_is_refused() -> None:
    with pytest.raises(Unreadable, match="id is not an id"):
        VENDOR.read({**META, "id": 7.782342274025938e18})


def test_words_that_are_no_text_are_refused_rather_than_lost() -> None:
    with pytest.raises(Unreadable, match="text is not text"):
        VENDOR.read(META, {"transcript": [monologue(None, (0, 1, {"said": "hello"}))]})


def test_the_listing_is_asked_for_a_half_open_window_with_parties_and_context() -> None:
    window = Window(datetime(2025, 3, 4, tzinfo=UTC), datetime(2025, 3, 5, tzinfo=UTC))
    assert VENDOR.listing.ask.merged(VENDOR.window(window)).json == {
        "contentSelector": {
            "context": "Extended",
            "contextTiming": ["Now", "TimeOfCall"],
            "exposedFields": {"parties": True},
        },
        "filter": {
            "fromDateTime": "2025-03-04T00:00:00Z",
            "toDateTime": "2025-03-05T00:00:00Z",
        },
    }


@pytest.mark.parametrize("record", [NESTED, FLAT], ids=["nested", "flat"])
def test_no_record_breaks_the_reading(
    record: dict[str, Any], survives: Callable[..., None]
) -> None:
    survives(VENDOR, record, TRANSCRIPT)
