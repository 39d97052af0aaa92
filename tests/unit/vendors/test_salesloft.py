"""Salesloft's translation, from records in the guide's shape and in the public API's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from semarize_pipeline.errors import Unreadable
from semarize_pipeline.model import Conversation, Participant, Utterance, Window
from semarize_pipeline.vendors.salesloft import VENDOR

GUIDE: dict[str, Any] = {
    "id": 48213,
    "title": "Pilot kick-off",
    "created_at": "2025-05-06T10:05:00Z",
    "event_start_date": "2025-05-06T09:30:00.000000-00:00",
    "duration": 1500,
    "media_type": "audio",
    "direction": "outbound",
    "owner": {"id": 31, "name": "Noor Haddad", "email": "noor@vendor.example"},
    "participants": [
        {"id": 31, "name": "Noor Haddad", "email": "noor@vendor.example", "role": "rep"},
        {"id": 77, "name": "Piet Visser", "email": None, "role": "prospect", "title": "CFO"},
        {"id": 78, "name": "Room Atlas"},
    ],
    "account": {"name": "Visser Bouw"},
    "opportunity": {"id": 901, "name": "Visser pilot", "stage": "Evaluation"},
    "cadence": {"id": 12, "name": "Mid-Market"},
    "step": {"id": 120, "name": "Pricing Call", "number": 4},
    "disposition": "Connected",
    "outcome": "Meeting booked",
    "recording": {"id": 5, "url": "https://media.example/5"},
}
SENTENCES: dict[str, Any] = {
    "data": [
        {"speaker": "Rep (Noor Haddad)", "start_time": 0.5, "end_time": 3.0, "text": "Welcome."},
        {"speaker": "Prospect (Piet (CFO) Visser)", "start_time": 2.9, "end_time": 5, "text": "Hi"},
        {"speaker": "Piet Visser", "start_time": "6", "end_time": None, "text": "Fine."},
        {"speaker": "Speaker 3", "start_time": None, "text": "Hello?"},
        {"speaker": None, "start_time": 1.0, "end_time": 0.2, "text": "Who?"},
        {"speaker": "Rep (Noor Haddad)", "start_time": 9.0, "end_time": 9.1, "text": " "},
    ]
}
PUBLIC: dict[str, Any] = {
    "id": "3f2b8c1e-58aa-4f0e-9d53-0c4f3e0f7a11",
    "title": "Check-in",
    "created_at": "2025-05-06T10:05:00.123456Z",
    "started_recording_at": 1746523800250,
    "duration": 61_000,
    "media_type": "video",
    "owner_id": "9e",
    "owner_email": "noor@vendor.example",
    "transcription": {"id": "t-1", "_href": "https://api.salesloft.com/v2/transcriptions/t-1"},
    "attendees": [
        {"id": "a1", "email": "noor@vendor.example", "full_name": "Noor Haddad"},
        {"id": "a2", "email": "piet@visser.example", "full_name": None},
    ],
}
PUBLIC_SENTENCES: dict[str, Any] = {
    "data": [
        {"id": "t-1", "recording_attendee_id": "a1", "start_time": 1.5, "end_time": 2, "text": "A"},
        {"id": "t-1", "recording_attendee_id": "a2", "start_time": 3.5, "end_time": 4, "text": "B"},
        {"id": "t-1", "recording_attendee_id": None, "start_time": 5, "end_time": 6, "text": "C"},
    ]
}


def test_a_whole_conversation_of_the_guide() -> None:
    assert VENDOR.read(GUIDE, SENTENCES) == Conversation(
        conversation_id="48213",
        started_at=datetime(2025, 5, 6, 9, 30, tzinfo=UTC),
        channel="voice",
        raw={"record": GUIDE, "transcript": SENTENCES},
        title="Pilot kick-off",
        direction="outbound",
        duration_seconds=1500.0,
        owner_id="31",
        owner_name="Noor Haddad",
        owner_email="noor@vendor.example",
        account_name="Visser Bouw",
        opportunity_id="901",
        participants=(
            Participant(name="Noor Haddad", email="noor@vendor.example", role="rep", id="31"),
            Participant(name="Piet Visser", role="customer", id="77", title="CFO"),
            Participant(name="Room Atlas", role="unknown", id="78"),
        ),
        utterances=(
            Utterance("Noor Haddad", "rep", 0.5, 3.0, "Welcome."),
            Utterance("Piet (CFO) Visser", "customer", 2.9, 5.0, "Hi"),
            Utterance("Piet Visser", "customer", 6.0, None, "Fine."),
            Utterance("Speaker 3", "unknown", None, None, "Hello?"),
            Utterance(None, "unknown", 1.0, 0.2, "Who?"),
        ),
        attributes={
            "cadence_name": "Mid-Market",
            "cadence_id": "12",
            "cadence_step": "Pricing Call",
            "step_number": 4,
            "disposition": "Connected",
            "outcome": "Meeting booked",
            "recording_url": "https://media.example/5",
            "opportunity_name": "Visser pilot",
            "deal_stage": "Evaluation",
        },
    )


def test_a_whole_conversation_of_the_public_api() -> None:
    assert VENDOR.read(PUBLIC, PUBLIC_SENTENCES) == Conversation(
        conversation_id="3f2b8c1e-58aa-4f0e-9d53-0c4f3e0f7a11",
        started_at=datetime(2025, 5, 6, 9, 30, 0, 250_000, tzinfo=UTC),
        channel="video",
        raw={"record": PUBLIC, "transcript": PUBLIC_SENTENCES},
        title="Check-in",
        duration_seconds=61.0,
        owner_id="9e",
        owner_email="noor@vendor.example",
        participants=(
            Participant(name="Noor Haddad", email="noor@vendor.example", id="a1"),
            Participant(email="piet@visser.example", id="a2"),
        ),
        utterances=(
            Utterance("Noor Haddad", "unknown", 1.5, 2.0, "A"),
            Utterance("piet@visser.example", "unknown", 3.5, 4.0, "B"),
            Utterance(None, "unknown", 5.0, 6.0, "C"),
        ),
        attributes=dict.fromkeys(VENDOR.read(GUIDE).attributes),
    )


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({"duration": 1847}, 1847.0),
        ({"duration": 86_400}, 86_400.0),
        ({"duration": 86_401}, 86.401),
        ({"duration": 30_000, "started_recording_at": None}, 30.0),
        ({"duration": 30_000, "id": "b0b1"}, 30.0),
        ({"duration": "1847", "id": "48213"}, 1847.0),
        ({"duration": None}, None),
    ],
)
def test_the_unit_of_the_duration_follows_the_stated_rule(
    changes: dict[str, Any], seconds: float | None
) -> None:
    assert VENDOR.read({**GUIDE, **changes}).duration_seconds == seconds


def test_a_record_that_is_no_calendar_event_began_when_it_was_made() -> None:
    read = VENDOR.read({**GUIDE, "event_start_date": None})
    assert read.started_at == datetime(2025, 5, 6, 10, 5, tzinfo=UTC)


def test_the_full_text_serves_where_there_are_no_sentences() -> None:
    read = VENDOR.read(GUIDE, {"data": {"id": 1, "text": "Welcome.\nHi"}})
    assert read.utterances == ()
    assert read.transcript == "Welcome.\nHi"
    assert read.status == "ready"


@pytest.mark.parametrize("transcript", [None, {"data": []}, {"data": None}, {"data": {"text": ""}}])
def test_an_empty_transcript_is_pending(transcript: Any) -> None:
    assert VENDOR.read(GUIDE, transcript).status == "pending"


@pytest.mark.parametrize(
    "transcript", [{"sentences": [{"text": "lost"}]}, {"data": {"body": "lost"}}, {"data": "lost"}]
)
def test_words_in_an_unknown_shape_are_refused_rather_than_lost(transcript: Any) -> None:
    with pytest.raises(Unreadable, match="unknown shape"):
        VENDOR.read(GUIDE, transcript)


def test_sentences_that_go_on_elsewhere_are_refused_rather_than_cut() -> None:
    with pytest.raises(Unreadable, match="another page"):
        VENDOR.read(GUIDE, {**SENTENCES, "metadata": {"paging": {"next_page": 2}}})


@pytest.mark.parametrize(
    ("step", "name", "number"),
    [
        ({"name": "4"}, "4", 4),
        ({"name": "Intro"}, "Intro", None),
        ("Intro", "Intro", None),
        (None, None, None),
    ],
)
def test_steps(step: Any, name: str | None, number: int | None) -> None:
    attributes = VENDOR.read({**GUIDE, "step": step}).attributes
    assert (attributes["cadence_step"], attributes["step_number"]) == (name, number)


def test_two_of_one_name_with_different_roles_leave_the_role_open() -> None:
    record = {
        **GUIDE,
        "participants": [{"name": "Sam", "role": "rep"}, {"name": "Sam", "role": "prospect"}],
    }
    (said,) = VENDOR.read(record, {"data": [{"speaker": "Sam", "text": "Hi"}]}).utterances
    assert (said.speaker, said.speaker_role) == ("Sam", "unknown")


def test_the_listing_is_asked_for_a_half_open_window_in_a_steady_order() -> None:
    window = Window(datetime(2025, 3, 4, tzinfo=UTC), datetime(2025, 3, 5, tzinfo=UTC))
    assert VENDOR.listing.ask.merged(VENDOR.window(window)).params == {
        "per_page": 100,
        "page": 1,
        "sort_by": "created_at",
        "sort_direction": "ASC",
        "created_at[gte]": "2025-03-04T00:00:00Z",
        "created_at[lt]": "2025-03-05T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("record", "transcript"),
    [(GUIDE, SENTENCES), (PUBLIC, PUBLIC_SENTENCES), (GUIDE, {"data": {"text": "Hi"}})],
    ids=["guide", "public", "full text"],
)
def test_no_record_breaks_the_reading(
    record: dict[str, Any], transcript: Any, survives: Callable[..., None]
) -> None:
    survives(VENDOR, record, transcript)
