"""CallMiner's stand-in: four channels, tokens that die, two ways to page."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from sandbox.clients import TURNS, CallMiner, call, calls

Start = Callable[..., Any]


def test_channels_have_fields_of_their_own(start: Start) -> None:
    extras = {
        "queue": "Care",
        "campaign": "Win-back",
        "wrap_up_codes": ["A1"],
        "customer_id": "C-1",
    }
    channels = ("voice", "chat", "email", "video")
    callminer: CallMiner = start(
        "callminer",
        [
            call("callminer", number, channel=channel, extras=extras, direction="inbound")
            for number, channel in enumerate(channels)
        ],
    )
    rows = {row["channel"]: row for row in callminer.page().json()["interactions"]}
    assert set(rows) == set(channels)
    for row in rows.values():
        assert (row["agentId"], row["agentName"], row["direction"]) == (
            "7001",
            "Ada Rep",
            "inbound",
        )
        assert (row["queue"], row["campaign"], row["wrapUpCodes"]) == ("Care", "Win-back", ["A1"])
        assert row["customerId"] == "C-1"
    assert "duration" not in rows["email"]
    assert {rows[channel]["duration"] for channel in ("voice", "chat", "video")} == {60}
    keys = {channel: frozenset(row) for channel, row in rows.items()}
    assert len(set(keys.values())) == 4

    said = {
        channel: callminer.transcript(row["id"]).json()["utterances"]
        for channel, row in rows.items()
    }
    assert said["email"] == [{"text": turn.text} for turn in TURNS]
    for channel in ("voice", "chat", "video"):
        roles = [utterance["speakerRole"] for utterance in said[channel]]
        assert roles == ["agent", "agent", "customer"]
    assert said["voice"][0]["endTime"] == 4.25
    started = datetime.fromisoformat(rows["chat"]["startTime"])
    assert datetime.fromisoformat(said["chat"][0]["endTime"]) == started + timedelta(seconds=4.25)


def test_a_token_dies_by_time_on_demand_and_by_the_next_one(start: Start) -> None:
    callminer: CallMiner = start("callminer", calls("callminer", 1))
    assert callminer.page().status_code == 200
    other = callminer.token().json()
    assert other["expires_in"] == 3600
    assert callminer.page().status_code == 401, "one live token at a time"
    callminer.headers = {"Authorization": f"Bearer {other['access_token']}"}
    assert callminer.page().status_code == 200
    callminer.world.switch("callminer", one_live_token=False)
    callminer.token()
    assert callminer.page().status_code == 200
    callminer.world.expire_tokens()
    assert callminer.page().status_code == 401
    callminer.world.switch("callminer", token_seconds=0.05)
    callminer.log_in()
    time.sleep(0.06)
    assert callminer.page().status_code == 401


def test_the_token_endpoint_wants_a_form(start: Start) -> None:
    callminer: CallMiner = start("callminer")
    url = callminer.given["extra"]["token_url"]
    client = {
        "grant_type": "client_credentials",
        "client_id": callminer.given["login"],
        "client_secret": callminer.given["password"],
    }
    assert requests.post(url, json=client, timeout=5).status_code == 400
    assert callminer.token(client_secret="wrong").status_code == 401
    assert callminer.token(grant_type="password").status_code == 400


def test_a_bad_token_can_meet_a_login_page_that_answers_200(start: Start) -> None:
    callminer: CallMiner = start("callminer", calls("callminer", 1))
    callminer.world.switch("callminer", bad_token="login_page")
    callminer.headers = {"Authorization": "Bearer expired"}
    assert callminer.page().status_code == 302
    answer = requests.get(f"{callminer.url}/v1/interactions", headers=callminer.headers, timeout=5)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_pages_by_token_or_by_offset(start: Start) -> None:
    callminer: CallMiner = start("callminer", calls("callminer", 5))
    first = callminer.page(limit=2).json()
    assert set(first) == {"interactions", "nextPage"}
    answer = callminer.page(limit=2, nextPage=first["nextPage"], endDate="2027-01-01")
    assert answer.status_code == 400, "a token belongs to its window"
    callminer.world.switch("callminer", paging="offset")
    seen: list[str] = []
    offset = 0
    while True:
        page = callminer.page(limit=2, offset=offset).json()
        assert set(page) == {"interactions", "offset"}
        if not page["interactions"]:
            break
        seen += [row["id"] for row in page["interactions"]]
        offset = page["offset"]
    assert seen == [made.id for made in callminer.world.all_calls("callminer")]


def test_both_ends_of_the_window_are_needed_and_the_end_is_left_out(start: Start) -> None:
    callminer: CallMiner = start("callminer", calls("callminer", 2))
    first, second = callminer.world.all_calls("callminer")
    page = callminer.page(
        startDate=first.started_at.isoformat(), endDate=second.started_at.isoformat()
    )
    assert [row["id"] for row in page.json()["interactions"]] == [first.id]
    for params in ({"startDate": "2026-01-01"}, {"endDate": "2026-01-01"}):
        assert callminer.send("GET", "/v1/interactions", params=params).status_code == 400
    assert callminer.page(startDate="soon").status_code == 400


@pytest.mark.parametrize("status", [202, 404])
def test_a_transcript_that_is_not_ready_says_so(start: Start, status: int) -> None:
    late = call("callminer", 0, ready_after=timedelta(hours=9))
    never = call("callminer", 1, ready_after=None)
    callminer: CallMiner = start("callminer", [late, never])
    callminer.world.switch("callminer", not_ready_status=status)
    answer = callminer.transcript(late.id)
    assert (answer.status_code, answer.json()["status"]) == (status, "processing")
    answer = callminer.transcript(never.id)
    assert (answer.status_code, answer.json()["status"]) == (404, "unavailable")
    callminer.world.remove("callminer", late.id)
    assert callminer.transcript(late.id).status_code == 410
    assert callminer.transcript("INT-20260101-99999").status_code == 404


def test_retry_after_is_seconds_or_a_date(start: Start) -> None:
    callminer: CallMiner = start("callminer", limited=True)
    callminer.world.switch("callminer", requests_per_second=1)
    callminer.page()
    answer = callminer.page()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    callminer.world.switch("callminer", retry_after="date", requests_per_second=0)
    until = parsedate_to_datetime(callminer.page().headers["Retry-After"])
    assert timedelta(0) < until - datetime.now(UTC) <= timedelta(seconds=3)
