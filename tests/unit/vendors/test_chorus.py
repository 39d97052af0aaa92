"""Chorus's translation, from records in the guide's shape and in the public API's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from unit.support import Clock, Request, Say, Server, rest_client

from semarize_pipeline.errors import Unreadable
from semarize_pipeline.model import Conversation, Participant, Utterance, Window
from semarize_pipeline.rest.auth import Credentials
from semarize_pipeline.state import State
from semarize_pipeline.vendors.base import Wanted
from semarize_pipeline.vendors.chorus import VENDOR

GUIDE: dict[str, Any] = {
    "id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "date": "2026-01-14T15:00:00Z",
    "title": "Discovery",
    "duration": 1805.5,
    "call_type": "Discovery",
    "participants": [
        {"name": "Yara Blum", "email": "yara@vendor.example", "type": "rep", "id": 5},
        {"name": "Theo Marsh", "email": "theo@buyer.example", "type": "cust", "title": "CTO"},
        {"name": "Guest", "type": None},
    ],
    "owner": {"id": 5, "name": "Yara Blum", "email": "yara@vendor.example"},
    "account_name": "Marsh Co",
    "opportunity": {"id": "006C", "stage": "Proposal"},
    "trackers": [{"name": "Competitor", "count": 2}],
    "deal_signals": {"champion": True},
    "tags": ["inbound", {"name": "vip"}],
    "team": {"name": "West"},
    "manager": "Uma Hart",
    "recording_url": "https://media.example/0a",
    "engagement_metrics": {"talk_ratio": 0.61, "longest_monologue": "1:35", "question_count": 9.0},
}
SPOKEN: dict[str, Any] = {
    "utterances": [
        {"speaker": "Theo Marsh", "timestamp": "1:23", "text": "Second."},
        {"speaker": "Yara Blum", "timestamp": "00:00:05.5", "text": "First."},
        {"speaker": "Guest", "timestamp": 83, "text": "Third, at the same time."},
        {"speaker": None, "timestamp": 3723, "text": "Fourth."},
        {"speaker": "Nobody", "timestamp": "01:02:04", "text": "Fifth."},
        {"speaker": "Yara Blum", "timestamp": 4000, "text": None},
    ]
}
PUBLIC: dict[str, Any] = {
    "engagement_id": "ENG1",
    "engagement_type": "meeting",
    "date_time": 1768402800,
    "duration": 600.0,
    "no_show": False,
    "subject": "Demo",
    "participants": [{"name": "Yara Blum", "type": "rep", "user_id": 5, "person_id": 6}],
    "account_name": "Marsh Co",
    "opportunity_id": "006C",
    "user_id": 5,
    "user_name": "Yara Blum",
    "user_email": "yara@vendor.example",
    "tracker_matches": [{"tracker": "Price"}],
    "url": "https://chorus.ai/meeting/ENG1",
}
SNIPPETS: dict[str, Any] = {
    "data": {
        "type": "recording",
        "attributes": {
            "recording": {
                "utterances": [
                    {
                        "snippet": "Hello.",
                        "snippet_time": 4.0,
                        "snippet_length": 1.5,
                        "speaker_name": "Yara Blum",
                        "speaker_type": "rep",
                    },
                    {"snippet": "Hi.", "snippet_time": 1.0, "speaker_type": "cust"},
                    {"snippet": "", "snippet_time": 9.0, "expired": True},
                ]
            }
        },
    }
}


def test_a_whole_call_of_the_guide() -> None:
    assert VENDOR.read(GUIDE, SPOKEN) == Conversation(
        conversation_id="0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        started_at=datetime(2026, 1, 14, 15, tzinfo=UTC),
        channel="voice",
        raw={"record": GUIDE, "transcript": SPOKEN},
        title="Discovery",
        duration_seconds=1805.5,
        owner_id="5",
        owner_name="Yara Blum",
        owner_email="yara@vendor.example",
        account_name="Marsh Co",
        opportunity_id="006C",
        participants=(
            Participant(name="Yara Blum", email="yara@vendor.example", role="rep", id="5"),
            Participant(
                name="Theo Marsh", email="theo@buyer.example", role="customer", title="CTO"
            ),
            Participant(name="Guest", role="unknown"),
        ),
        utterances=(
            Utterance("Yara Blum", "rep", 5.5, None, "First."),
            Utterance("Theo Marsh", "customer", 83.0, None, "Second."),
            Utterance("Guest", "unknown", 83.0, None, "Third, at the same time."),
            Utterance(None, "unknown", 3723.0, None, "Fourth."),
            Utterance("Nobody", "unknown", 3724.0, None, "Fifth."),
        ),
        attributes={
            "call_type": "Discovery",
            "trackers": [{"name": "Competitor", "count": 2}],
            "deal_signals": {"champion": True},
            "tags": ["inbound", "vip"],
            "team": "West",
            "manager": "Uma Hart",
            "recording_url": "https://media.example/0a",
            "talk_ratio": 0.61,
            "longest_monologue_seconds": 95.0,
            "question_count": 9,
            "deal_stage": "Proposal",
        },
    )


def test_a_whole_engagement_of_the_public_api() -> None:
    assert VENDOR.read(PUBLIC, SNIPPETS) == Conversation(
        conversation_id="ENG1",
        started_at=datetime(2026, 1, 14, 15, tzinfo=UTC),
        channel="video",
        raw={"record": PUBLIC, "transcript": SNIPPETS},
        title="Demo",
        duration_seconds=600.0,
        owner_id="5",
        owner_name="Yara Blum",
        owner_email="yara@vendor.example",
        account_name="Marsh Co",
        opportunity_id="006C",
        participants=(Participant(name="Yara Blum", role="rep", id="5"),),
        url="https://chorus.ai/meeting/ENG1",
        utterances=(
            Utterance(None, "customer", 1.0, None, "Hi."),
            Utterance("Yara Blum", "rep", 4.0, 5.5, "Hello."),
        ),
        attributes={
            "call_type": "meeting",
            "trackers": [{"tracker": "Price"}],
            "deal_signals": None,
            "tags": [],
            "team": None,
            "manager": None,
            "recording_url": None,
            "talk_ratio": None,
            "longest_monologue_seconds": None,
            "question_count": None,
            "deal_stage": None,
        },
    )


def test_one_unknown_time_leaves_the_order_as_it_was() -> None:
    rows = [{"text": "b", "timestamp": 9}, {"text": "a", "timestamp": None}, {"text": "c"}]
    read = VENDOR.read(GUIDE, {"utterances": [*rows, {"text": "d", "timestamp": 1}]})
    assert [said.text for said in read.utterances] == ["b", "a", "c", "d"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"engagement_type": "email"}, "not a call"),
        ({"engagement_type": "content_viewed"}, "not a call"),
        ({"engagement_type": "unrecorded_meeting"}, "not recorded"),
        ({"no_show": True}, "nobody came"),
        ({"no_show": None}, None),
        ({"engagement_type": "dialer"}, None),
        ({"engagement_type": "something new"}, None),
    ],
)
def test_what_is_not_a_call_is_kept_out(changes: dict[str, Any], reason: str | None) -> None:
    assert VENDOR.keeps_out({**PUBLIC, **changes}) == reason


def test_calls_of_the_guide_are_kept() -> None:
    assert VENDOR.keeps_out(GUIDE) is None


@pytest.mark.parametrize("transcript", [None, {"utterances": []}, {"utterances": None}, []])
def test_an_empty_transcript_is_pending(transcript: Any) -> None:
    assert VENDOR.read(GUIDE, transcript).status == "pending"


@pytest.mark.parametrize("when", ["yesterday", None, "25:00", [1], 1e300])
def test_a_date_that_cannot_be_read_is_refused(when: Any) -> None:
    with pytest.raises(Unreadable, match="date"):
        VENDOR.read({**GUIDE, "date": when})


@pytest.mark.parametrize("clock", ["1:xx", "soon", "nan", "inf", True])
def test_a_time_that_cannot_be_read_is_refused(clock: Any) -> None:
    with pytest.raises(Unreadable, match="timestamp"):
        VENDOR.read(GUIDE, {"utterances": [{"text": "Hi", "timestamp": clock}]})


@pytest.mark.parametrize(
    ("extra", "expected"), [({}, "Bearer the-token"), ({"token_prefix": ""}, "the-token")]
)
def test_the_token_goes_with_or_without_its_word(extra: dict[str, Any], expected: str) -> None:
    given = Credentials("chorus_default", password="the-token", extra=extra)
    request = requests.Request("GET", "https://example.test/", auth=VENDOR.auth(given, None))  # type: ignore[arg-type]
    assert request.prepare().headers["Authorization"] == expected


def test_the_listing_is_asked_for_full_moments() -> None:
    window = Window(datetime(2025, 3, 4, 7, tzinfo=UTC), datetime(2025, 3, 5, tzinfo=UTC))
    assert VENDOR.listing.ask.merged(VENDOR.window(window)).params == {
        "limit": 100,
        "offset": 0,
        "startDate": "2025-03-04T07:00:00Z",
        "endDate": "2025-03-05T00:00:00Z",
    }


@pytest.mark.parametrize("envelope", ["calls", "data", "engagements", ""])
def test_a_listing_without_a_total_is_read_to_its_end(
    envelope: str, server: Server, state: State, clock: Clock
) -> None:
    served = [{**GUIDE, "id": str(n)} for n in range(5)]

    def answers(request: Request) -> Say:
        start = int(request.params["offset"])
        page = served[start : start + 2]  # fewer than the limit that was asked for
        return Say(body={envelope: page} if envelope else page)

    server.answers = answers
    api = rest_client(server.url, state, clock)
    window = Window(datetime(2026, 1, 14, tzinfo=UTC), datetime(2026, 1, 15, tzinfo=UTC))
    read = [
        VENDOR.read(r) for page in api.pages(VENDOR.listing, VENDOR.window(window)) for r in page
    ]
    assert [each.conversation_id for each in read] == ["0", "1", "2", "3", "4"]
    assert [each.params["offset"] for each in server.seen] == ["0", "2", "4", "5"]


def test_a_transcript_that_is_not_ready_is_told_from_a_wrong_address(
    server: Server, state: State, clock: Clock
) -> None:
    server.says(Say(404, {"errors": [{"status": "404", "title": "Not Found"}]}))
    api = rest_client(server.url, state, clock)
    ((_, waiting),) = VENDOR.transcripts.fetch(api, [Wanted("c1")])
    assert (waiting.transcript, waiting.gone, waiting.unreadable) == (None, None, None)
    server.says(Say(404, b"<html>Not Found</html>", headers={"Content-Type": "text/html"}))
    ((_, strange),) = VENDOR.transcripts.fetch(api, [Wanted("c1")])
    assert strange.unreadable
    assert server.seen[0].path == "/api/v1/calls/c1/transcript"


@pytest.mark.parametrize(
    ("record", "transcript"), [(GUIDE, SPOKEN), (PUBLIC, SNIPPETS)], ids=["guide", "public"]
)
def test_no_record_breaks_the_reading(
    record: dict[str, Any], transcript: Any, survives: Callable[..., None]
) -> None:
    survives(VENDOR, record, transcript)
