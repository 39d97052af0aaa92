"""Chorus's stand-in: newest first, what is no call, envelopes, odd utterances."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sandbox.clients import CUSTOMER, NOON, REP, Chorus, call, calls

from semarize_sandbox.model import Turn

Start = Callable[..., Any]


def test_a_call_has_what_the_guide_lists(start: Start) -> None:
    extras = {
        "team": "Growth", "manager": "Max", "tags": ["renewal"], "trackers": {"Pricing": 3},
        "deal_stage": "Discovery",
    }  # fmt: skip
    chorus: Chorus = start("chorus", [call("chorus", channel="video", extras=extras)])
    (row,) = chorus.page().json()["calls"]
    assert row["engagement_type"] == "meeting"
    assert row["date"] == "2026-03-10T10:00:00Z"
    assert row["duration"] == 60.0
    assert [(who["name"], who["type"]) for who in row["participants"]] == [
        (REP.name, "rep"),
        (CUSTOMER.name, "cust"),
    ]
    assert row["trackers"] == [{"name": "Pricing", "count": 3}]
    assert (row["team"], row["manager"], row["tags"]) == ("Growth", "Max", ["renewal"])
    assert row["opportunity"]["stage"] == "Discovery"
    assert row["metrics"] == {"talk_ratio": 0.78, "longest_monologue": 4.5, "question_count": 1}
    assert row["deal_signals"]
    assert row["recording_url"]


def test_the_list_is_newest_first_and_holds_no_total(start: Start) -> None:
    chorus: Chorus = start("chorus", calls("chorus", 5))
    page = chorus.page().json()
    assert set(page) == {"calls"}
    dates = [row["date"] for row in page["calls"]]
    assert dates == sorted(dates, reverse=True)
    assert len(dates) == 5


def test_other_engagements_stand_among_the_calls(start: Start) -> None:
    chorus: Chorus = start("chorus", calls("chorus", 6))
    chorus.world.switch("chorus", others_every=2)
    rows = [row for page in chorus.pages(2) for row in page]
    real = {made.id for made in chorus.world.all_calls("chorus")}
    others = [row for row in rows if row["id"] not in real]
    assert len(rows) == 9
    assert {row["engagement_type"] for row in others} == {"email", "content_viewed", "meeting"}
    assert [row["no_show"] for row in others].count(True) == 1
    assert chorus.transcript(others[0]["id"]).status_code == 404


def test_days_include_their_last_and_moments_do_not(start: Start) -> None:
    chorus: Chorus = start("chorus", calls("chorus", 14))

    def count(begin: str, end: str) -> int:
        return len(chorus.page(startDate=begin, endDate=end).json()["calls"])

    assert count("2026-03-10", "2026-03-10") == 11
    assert count("2026-03-09", "2026-03-09") == 3
    assert count("2026-03-10T09:00:00Z", "2026-03-10T10:00:00Z") == 1
    assert chorus.page(startDate="soon").status_code == 400
    chorus.world.switch("chorus", whole_days=True)
    assert count("2026-03-10T09:00:00Z", "2026-03-10T10:00:00Z") == 11


@pytest.mark.parametrize("envelope", ["data", "engagements", "array"])
def test_other_envelopes_dates_and_clock_text(start: Start, envelope: str) -> None:
    chorus: Chorus = start("chorus", [call("chorus", turns=(Turn("7001", 3725.5, 3730.0, "Hi"),))])
    chorus.world.switch("chorus", envelope=envelope, dates="epoch", timestamps="clock")
    page = chorus.page().json()
    (row,) = page if envelope == "array" else page[envelope]
    assert row["date"] == (NOON - timedelta(hours=2)).timestamp()
    (utterance,) = chorus.transcript(row["id"]).json()["utterances"]
    assert utterance["timestamp"] == "01:02:05.500"


def test_utterances_may_lose_their_speaker_and_their_order(start: Start) -> None:
    turns = tuple(Turn("7001", float(n), n + 0.5, f"Line {n}") for n in range(9))
    made = call("chorus", turns=(*turns, Turn(None, 9.0, 9.5, "Nobody's")))
    chorus: Chorus = start("chorus", [made])
    plain = chorus.transcript(made.id).json()["utterances"]
    assert [row["text"] for row in plain] == [turn.text for turn in made.turns]
    assert [row["speaker"] for row in plain] == [REP.name] * 9 + [None]
    chorus.world.switch("chorus", swapped_every=4, speakerless_every=5)
    odd = chorus.transcript(made.id).json()["utterances"]
    times = [row["timestamp"] for row in odd]
    assert times != sorted(times)
    assert sorted(row["text"] for row in odd) == sorted(turn.text for turn in made.turns)
    assert [row["text"] for row in odd if row["speaker"] is None] == ["Line 4", "Nobody's"]


def test_pending_private_and_gone_are_the_same_404(start: Start) -> None:
    late = call("chorus", 0, ready_after=timedelta(hours=9))
    private = call("chorus", 1, private=True)
    chorus: Chorus = start("chorus", [late, private])
    assert chorus.listed() == [late.id], "private calls are silently absent"
    answers = [chorus.transcript(one) for one in (late.id, private.id, "f" * 32)]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["errors"][0]["status"] == "404"
    assert answers[0].headers["content-type"] == "application/vnd.api+json"


def test_the_bare_token_and_the_bodiless_refusal(start: Start) -> None:
    chorus: Chorus = start("chorus", calls("chorus", 1))
    chorus.world.switch("chorus", token="bare")
    answer = chorus.page()
    assert (answer.status_code, answer.content) == (401, b"")
    chorus.headers = {"Authorization": chorus.given["password"]}
    assert chorus.page().status_code == 200
    assert datetime.fromisoformat(chorus.page().json()["calls"][0]["date"]).tzinfo is not None
