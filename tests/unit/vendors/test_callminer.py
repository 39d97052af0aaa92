"""CallMiner's translation, from interactions of each channel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from semarize_pipeline.errors import Unreadable
from semarize_pipeline.model import Conversation, Participant, Utterance, Window
from semarize_pipeline.vendors.callminer import VENDOR

VOICE: dict[str, Any] = {
    "id": "INT-20250218-00077",
    "channel": "voice",
    "agentId": "A-19",
    "agentName": "Rosa Lind",
    "startTime": "2025-02-18T19:00:00-05:00",
    "duration": 372,
    "customerId": "C-8841",
    "direction": "Inbound",
    "disposition": "Resolved",
    "wrapUpCodes": ["BILLING", {"code": "REFUND"}],
    "queue": "Billing",
    "campaign": {"id": 3, "name": "Spring"},
    "ani": "+15550100",
}
SPOKEN: dict[str, Any] = {
    "utterances": [
        {"speakerRole": "agent", "startTime": 0.0, "endTime": 3.5, "text": "Billing, Rosa."},
        {"speakerRole": "customer", "startTime": "00:00:03.0", "endTime": 6, "text": "Hello."},
        {"speakerRole": "bot", "startTime": 7, "endTime": 6, "text": "Press one."},
        {"speakerRole": None, "startTime": 8, "endTime": 9, "text": "Noise."},
        {"speakerRole": "agent", "startTime": 10, "endTime": 11, "text": ""},
    ]
}
CHAT: dict[str, Any] = {
    "id": "INT-9",
    "channel": "chat",
    "startTime": "2025-02-18T12:00:00Z",
    "agentId": "A-19",
    "chatPlatform": "web",
}
TYPED: dict[str, Any] = {
    "utterances": [
        {"speakerRole": "customer", "startTime": "2025-02-18T11:59:58Z", "text": "Anyone?"},
        {
            "speakerRole": "agent",
            "startTime": "2025-02-18T12:00:30Z",
            "endTime": None,
            "text": "Me",
        },
    ]
}
EMAIL: dict[str, Any] = {
    "id": 12,
    "channel": "Email",
    "startTime": "2025-02-18T12:00:00",
    "subject": "Invoice 12",
    "customerEmail": "kim@buyer.example",
}
LETTERS: list[dict[str, Any]] = [{"text": "Dear team,"}, {"text": "Dear Kim,"}]


def test_a_whole_call() -> None:
    assert VENDOR.read(VOICE, SPOKEN) == Conversation(
        conversation_id="INT-20250218-00077",
        started_at=datetime(2025, 2, 19, tzinfo=UTC),
        channel="voice",
        raw={"record": VOICE, "transcript": SPOKEN},
        direction="inbound",
        duration_seconds=372.0,
        owner_id="A-19",
        owner_name="Rosa Lind",
        participants=(
            Participant(name="Rosa Lind", role="rep", id="A-19"),
            Participant(role="customer", id="C-8841"),
        ),
        utterances=(
            Utterance("Agent", "rep", 0.0, 3.5, "Billing, Rosa."),
            Utterance("Customer", "customer", 3.0, 6.0, "Hello."),
            Utterance("Bot", "unknown", 7.0, 6.0, "Press one."),
            Utterance(None, "unknown", 8.0, 9.0, "Noise."),
        ),
        attributes={
            "customer_id": "C-8841",
            "disposition": "Resolved",
            "wrap_up_codes": ["BILLING", "REFUND"],
            "queue": "Billing",
            "campaign": "Spring",
        },
    )


def test_a_whole_chat_has_offsets_instead_of_times_of_day() -> None:
    read = VENDOR.read(CHAT, TYPED)
    assert (read.channel, read.duration_seconds) == ("chat", None)
    assert read.utterances == (
        Utterance("Customer", "customer", -2.0, None, "Anyone?"),
        Utterance("Agent", "rep", 30.0, None, "Me"),
    )


@pytest.mark.parametrize("transcript", [LETTERS, {"data": LETTERS}, {"transcript": LETTERS}])
def test_a_whole_email_knows_neither_roles_nor_times(transcript: Any) -> None:
    assert VENDOR.read(EMAIL, transcript) == Conversation(
        conversation_id="12",
        started_at=datetime(2025, 2, 18, 12, tzinfo=UTC),
        channel="email",
        raw={"record": EMAIL, "transcript": transcript},
        title="Invoice 12",
        participants=(Participant(email="kim@buyer.example", role="customer"),),
        utterances=(
            Utterance(None, "unknown", None, None, "Dear team,"),
            Utterance(None, "unknown", None, None, "Dear Kim,"),
        ),
        attributes={
            "customer_id": None,
            "disposition": None,
            "wrap_up_codes": [],
            "queue": None,
            "campaign": None,
        },
    )


@pytest.mark.parametrize(
    ("word", "channel"),
    [("VOICE", "voice"), ("audio", "voice"), ("phone", "voice"), ("text", "chat"),
     ("video", "video")],
)  # fmt: skip
def test_channels(word: str, channel: str) -> None:
    assert VENDOR.read({**VOICE, "channel": word}).channel == channel


@pytest.mark.parametrize("word", [None, "", "fax", 3])
def test_a_channel_that_nobody_knows_is_named_and_not_guessed(word: Any) -> None:
    with pytest.raises(Unreadable, match="channel"):
        VENDOR.read({**VOICE, "channel": word})


@pytest.mark.parametrize("transcript", [None, {"utterances": []}, {"utterances": None}, []])
def test_an_empty_transcript_is_pending(transcript: Any) -> None:
    assert VENDOR.read(VOICE, transcript).status == "pending"


def test_words_in_an_unknown_envelope_are_refused_rather_than_lost() -> None:
    with pytest.raises(Unreadable, match="unknown shape"):
        VENDOR.read(VOICE, {"messages": LETTERS})


def test_text_is_asked_for_again_sooner_than_speech() -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC)
    assert VENDOR.timing.next_try(now, 1, "chat") == now + timedelta(minutes=2)
    assert VENDOR.timing.next_try(now, 1, "email") == now + timedelta(minutes=2)
    assert VENDOR.timing.next_try(now, 1, "voice") == now + timedelta(minutes=5)
    assert VENDOR.timing.lag == timedelta(0)


def test_the_listing_is_asked_for_the_window() -> None:
    window = Window(datetime(2025, 3, 4, tzinfo=UTC), datetime(2025, 3, 5, tzinfo=UTC))
    assert VENDOR.listing.ask.merged(VENDOR.window(window)).params == {
        "limit": 100,
        "startDate": "2025-03-04T00:00:00Z",
        "endDate": "2025-03-05T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("record", "transcript"),
    [(VOICE, SPOKEN), (CHAT, TYPED), (EMAIL, LETTERS)],
    ids=["voice", "chat", "email"],
)
def test_no_record_breaks_the_reading(
    record: dict[str, Any], transcript: Any, survives: Callable[..., None]
) -> None:
    survives(VENDOR, record, transcript)
