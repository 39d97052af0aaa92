"""Clari Copilot's translation, from records in the guide's shape and in the public API's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.model import Conversation, Participant, Utterance, Window
from semarize_pipeline.rest.auth import Credentials
from semarize_pipeline.vendors.clari_copilot import VENDOR

GUIDE: dict[str, Any] = {
    "call_id": "cc-7711",
    "timestamp": "2025-06-02T08:15:00Z",
    "title": "Security review",
    "duration": 1200,
    "participants": [
        {"name": "Lena Fox", "role": "rep", "email": "lena@vendor.example"},
        {"name": "Amir Said", "role": "prospect"},
        {"name": "Robin Late", "role": "prospect", "joined": False},
    ],
    "transcript": [
        {"speaker": "Lena Fox", "start": 0, "text": "Shall we start?"},
        {"speaker": "Amir Said", "start": 12, "text": "Please."},
        {"speaker": "Robin Late", "start": 14, "text": "A name that nobody on the call has."},
        {"speaker": None, "start": 11, "text": "Somebody."},
        {"speaker": "Lena Fox", "start": 20, "text": "\n"},
    ],
    "analytics": {
        "talk_ratio": {"rep": 0.42, "prospect": 0.58},
        "topics": ["pricing", "integration"],
    },
}
PUBLIC: dict[str, Any] = {
    "id": "a-1-b",
    "title": "Quarterly review",
    "time": "2025-06-02T08:15:00.500+00:00",
    "last_modified_time": "2025-06-02T11:00:00Z",
    "status": "POST_PROCESSING_DONE",
    "type": "ZOOM",
    "users": [
        {"userId": "u1", "userEmail": "lena@vendor.example", "isOrganizer": False, "personId": 1},
        {"userId": "u2", "userEmail": "max@vendor.example", "isOrganizer": True, "personId": 2},
    ],
    "externalParticipants": [
        {"name": "Amir Said", "email": "amir@buyer.example", "personId": 3},
        {"name": "Robin Late", "email": "robin@buyer.example", "personId": 4},
        {"phone": "+1555", "personId": 6},
    ],
    "joinedParticipants": [{"personId": "3"}, {"name": "Notetaker", "personId": "5"}],
    "account_name": "Buyer Ltd",
    "deal_value": "1500.00",
    "deal_stage_before_call": "Discovery",
    "deal_stage_live": "Closed",
    "crm_info": {
        "source_crm": "Salesforce",
        "deal_id": "006B",
        "account_id": "001B",
        "contact_ids": ["003X", "003Y"],
    },
    "metrics": {"talk_listen_ratio": 0.4, "call_duration": 1800},
    "call_review_page_url": "https://copilot.example/a-1-b",
    "transcript": [
        {"text": "Hello.", "start": 0.2, "end": 1.5, "personId": "2", "annotations": []},
        {"text": "Hi.", "start": 1.6, "end": 2.0, "personId": 3},
        {"text": "On the phone.", "start": 2.5, "end": 2.1, "personId": 6},
        {"text": "A stranger.", "start": 3.0, "end": 4.0, "personId": 99},
    ],
    "summary": {"topics_discussed": [{"name": "Renewal", "summary": "..."}]},
    "analytics": None,
}


def test_a_whole_call_of_the_guide() -> None:
    assert VENDOR.read(GUIDE, GUIDE) == Conversation(
        conversation_id="cc-7711",
        started_at=datetime(2025, 6, 2, 8, 15, tzinfo=UTC),
        channel="voice",
        raw={"record": GUIDE, "transcript": None},
        title="Security review",
        duration_seconds=1200.0,
        owner_name="Lena Fox",
        owner_email="lena@vendor.example",
        participants=(
            Participant(name="Lena Fox", email="lena@vendor.example", role="rep"),
            Participant(name="Amir Said", role="customer"),
        ),
        utterances=(
            Utterance("Lena Fox", "rep", 0.0, None, "Shall we start?"),
            Utterance("Amir Said", "customer", 12.0, None, "Please."),
            Utterance("Robin Late", "unknown", 14.0, None, "A name that nobody on the call has."),
            Utterance(None, "unknown", 11.0, None, "Somebody."),
        ),
        attributes={
            "talk_ratio_rep": 0.42,
            "talk_ratio_customer": 0.58,
            "topics": ["pricing", "integration"],
            "deal_stage": None,
            "crm_ids": {},
            "status": None,
        },
    )


def test_a_whole_call_of_the_public_api() -> None:
    assert VENDOR.read(PUBLIC) == Conversation(
        conversation_id="a-1-b",
        started_at=datetime(2025, 6, 2, 8, 15, 0, 500_000, tzinfo=UTC),
        channel="video",
        raw={"record": PUBLIC, "transcript": None},
        title="Quarterly review",
        duration_seconds=1800.0,
        owner_id="u2",
        owner_email="max@vendor.example",
        account_name="Buyer Ltd",
        opportunity_id="006B",
        participants=(
            Participant(email="lena@vendor.example", role="rep", id="u1"),
            Participant(email="max@vendor.example", role="rep", id="u2"),
            Participant(name="Amir Said", email="amir@buyer.example", role="customer", id="3"),
            Participant(role="customer", id="6"),
            Participant(name="Notetaker", role="unknown", id="5"),
        ),
        url="https://copilot.example/a-1-b",
        utterances=(
            Utterance("max@vendor.example", "rep", 0.2, 1.5, "Hello."),
            Utterance("Amir Said", "customer", 1.6, 2.0, "Hi."),
            Utterance(None, "customer", 2.5, 2.1, "On the phone."),
            Utterance(None, "unknown", 3.0, 4.0, "A stranger."),
        ),
        attributes={
            "talk_ratio_rep": None,
            "talk_ratio_customer": None,
            "topics": ["Renewal"],
            "deal_stage": "Discovery",
            "crm_ids": {"deal": "006B", "account": "001B", "contacts": ["003X", "003Y"]},
            "status": "POST_PROCESSING_DONE",
        },
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("PROCESSING", "pending"),
        ("POST_PROCESSING_DONE", "pending"),
        ("SOMETHING_NEW", "pending"),
        (None, "pending"),
        ("NO_DATA_INCALL", "absent"),
        ("CALL_DID_NOT_HAPPEN", "absent"),
        ("NOBODY_JOINED_CALL", "absent"),
        ("ERROR_IN_TRANSCRIBE", "absent"),
        ("ERROR_NEVER_HEARD_OF", "absent"),
        ("BOTJOIN_DENIED", "absent"),
    ],
)
@pytest.mark.parametrize("words", [{"transcript": []}, {"transcript": None}, {}])
def test_a_status_without_words(status: str | None, expected: str, words: dict[str, Any]) -> None:
    record = {key: value for key, value in PUBLIC.items() if key != "transcript"}
    assert VENDOR.read({**record, **words, "status": status}).status == expected


def test_words_count_more_than_a_failed_status() -> None:
    assert VENDOR.read({**PUBLIC, "status": "ERROR_IN_PROCESSING"}).status == "ready"


def test_of_several_reps_none_is_made_the_owner() -> None:
    people = [{"name": "Lena Fox", "role": "rep"}, {"name": "Max Orr", "role": "rep"}]
    assert VENDOR.read({**GUIDE, "participants": people}).owner_name is None


def headers(extra: dict[str, Any], password: str | None = "the-key") -> dict[str, str]:
    given = Credentials("clari_copilot_default", password=password, extra=extra)
    request = requests.Request("GET", "https://example.test/", auth=VENDOR.auth(given, None))  # type: ignore[arg-type]
    return dict(request.prepare().headers)


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, {"Authorization": "ApiKey the-key"}),
        ({"token_prefix": ""}, {"Authorization": "the-key"}),
        ({"token_header": "X-Key", "token_prefix": "Token"}, {"X-Key": "Token the-key"}),
        ({"api_password": "pw"}, {"X-Api-Key": "the-key", "X-Api-Password": "pw"}),
    ],
)
def test_header_styles(extra: dict[str, Any], expected: dict[str, str]) -> None:
    assert headers(extra) == expected


def test_a_connection_without_a_key_is_named() -> None:
    with pytest.raises(Misconfigured, match="clari_copilot_default"):
        headers({}, password=None)


def test_the_listing_is_asked_for_full_moments() -> None:
    window = Window(datetime(2025, 3, 4, 7, tzinfo=UTC), datetime(2025, 3, 5, tzinfo=UTC))
    assert VENDOR.listing.ask.merged(VENDOR.window(window)).params == {
        "limit": 50,
        "offset": 0,
        "start_date": "2025-03-04T07:00:00Z",
        "end_date": "2025-03-05T00:00:00Z",
    }


@pytest.mark.parametrize("record", [GUIDE, PUBLIC], ids=["guide", "public"])
def test_no_record_breaks_the_reading(
    record: dict[str, Any], survives: Callable[..., None]
) -> None:
    survives(VENDOR, record)
