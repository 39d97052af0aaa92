"""Gong's stand-in: selectors, cursors, many transcripts at once, both shapes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sandbox.clients import CUSTOMER, NOON, REP, TURNS, Client, call, calls

Start = Callable[..., Any]
NOTHING = "No calls found corresponding to the provided filters"


def test_an_empty_window_is_a_404_with_gongs_own_words(start: Start) -> None:
    gong = start("gong")
    for answer in (gong.page(), gong.transcript("7782342274025937895")):
        assert answer.status_code == 404
        assert answer.json()["errors"] == [NOTHING]
        assert answer.json()["requestId"]


def test_the_window_includes_its_start_and_excludes_its_end(start: Start) -> None:
    gong = start("gong", calls("gong", 3))
    starts = {made.started_at: made.id for made in gong.world.all_calls("gong")}
    first, second, third = sorted(starts)

    def listed(begin: datetime, end: datetime) -> list[str]:
        window = {"fromDateTime": begin.isoformat(), "toDateTime": end.isoformat()}
        return [row["metaData"]["id"] for row in gong.page(filter=window).json()["calls"]]

    assert listed(first, third) == [starts[first], starts[second]]
    assert listed(second, third + timedelta(seconds=1)) == [starts[second], starts[third]]
    # The filter goes by the start alone: a late listing does not move a call.
    assert gong.page(filter={"callIds": [starts[third]]}).json()["records"]["totalRecords"] == 1
    backwards = {"fromDateTime": third.isoformat(), "toDateTime": first.isoformat()}
    assert gong.page(filter=backwards).status_code == 400
    assert gong.page(filter={"fromDateTime": "yesterday"}).status_code == 400


def test_records_count_and_the_cursor_is_absent_or_null_at_the_end(start: Start) -> None:
    gong = start("gong", calls("gong", 5))
    gong.world.page_size["gong"] = 2
    first = gong.page().json()["records"]
    assert {key: first[key] for key in first if key != "cursor"} == {
        "totalRecords": 5,
        "currentPageSize": 2,
        "currentPageNumber": 0,
    }
    second = gong.page(cursor=first["cursor"]).json()["records"]
    last = gong.page(cursor=second["cursor"]).json()["records"]
    assert last == {"totalRecords": 5, "currentPageSize": 1, "currentPageNumber": 2}
    gong.world.switch("gong", last_cursor="null")
    last = gong.page(cursor=second["cursor"]).json()["records"]
    assert last["cursor"] is None


def test_a_cursor_expires_and_belongs_to_its_filter(start: Start) -> None:
    gong = start("gong", calls("gong", 3))
    gong.world.page_size["gong"] = 1
    cursor = gong.page().json()["records"]["cursor"]
    other = {"fromDateTime": (NOON - timedelta(days=2)).isoformat()}
    for answer in (gong.page(cursor=cursor, filter=other), gong.page(cursor="made.up")):
        assert answer.status_code == 400
    gong.world.switch("gong", cursor_lifetime_seconds=-1.0)
    stale = gong.page().json()["records"]["cursor"]
    answer = gong.page(cursor=stale)
    assert answer.status_code == 400
    assert "cursor has expired" in answer.json()["errors"][0]


def test_parties_media_and_context_come_only_when_asked_for(start: Start) -> None:
    gong = start("gong", [call("gong", private=True)])
    (plain,) = gong.page().json()["calls"]
    assert set(plain) == {"metaData"}
    meta = plain["metaData"]
    assert meta["id"].isdigit()
    assert len(meta["id"]) == 19
    assert meta["isPrivate"] is True
    assert (meta["direction"], meta["duration"], meta["scope"]) == ("Outbound", 60, "External")

    selector = {
        "context": "Extended",
        "contextTiming": ["Now", "TimeOfCall"],
        "exposedFields": {"parties": True, "media": True},
    }
    (full,) = gong.page(contentSelector=selector).json()["calls"]
    parties = {party["name"]: party for party in full["parties"]}
    assert set(parties) == {REP.name, CUSTOMER.name}
    assert parties[REP.name]["affiliation"] == "Internal"
    assert parties[REP.name]["userId"] == meta["primaryUserId"]
    assert parties[CUSTOMER.name]["affiliation"] == "External"
    assert parties[CUSTOMER.name]["userId"] is None
    assert parties[CUSTOMER.name]["emailAddress"] == CUSTOMER.email
    assert full["media"]
    (system,) = full["context"]
    assert system["system"] == "Salesforce"
    stages = [
        (thing["timing"], field["value"])
        for thing in system["objects"]
        if thing["objectType"] == "Opportunity"
        for field in thing["fields"]
        if field["name"] == "StageName"
    ]
    assert stages == [("Now", "Discovery"), ("TimeOfCall", "Discovery")]


def test_the_flat_shape_and_another_time_zone(start: Start) -> None:
    gong = start("gong", calls("gong", 1))
    (made,) = gong.world.all_calls("gong")
    gong.world.switch("gong", shape="flat", started_utc_offset_minutes=-480)
    (row,) = gong.page().json()["calls"]
    assert row["id"] == made.id
    assert row["started"].endswith("-08:00")
    assert datetime.fromisoformat(row["started"]) == made.started_at


def test_many_transcripts_in_one_request_in_another_order(start: Start) -> None:
    late = call("gong", 20, ready_after=timedelta(days=1))
    gong = start("gong", [*calls("gong", 12), late])
    asked = [made.id for made in gong.world.all_calls("gong")]
    answer = gong.transcripts(asked)
    served = [told["callId"] for told in answer.json()["callTranscripts"]]
    assert sorted(served) == sorted(set(asked) - {late.id}), "one that is not ready is left out"
    assert served != sorted(served)
    assert served != [one for one in asked if one != late.id]
    gong.world.page_size["gong"] = 5
    paged: list[str] = []
    cursor = None
    while True:
        answer = gong.transcripts(asked, cursor=cursor).json()
        paged += [told["callId"] for told in answer["callTranscripts"]]
        cursor = answer["records"].get("cursor")
        if cursor is None:
            break
    assert paged == served
    assert gong.transcripts([]).status_code == 400
    assert gong.transcripts([late.id]).status_code == 404


def test_monologues_join_a_speakers_turns_in_milliseconds(start: Start) -> None:
    gong = start("gong", calls("gong", 1))
    (made,) = gong.world.all_calls("gong")
    (told,) = gong.transcript(made.id).json()["callTranscripts"]
    monologues = told["transcript"]
    assert [len(each["sentences"]) for each in monologues] == [2, 1]
    assert monologues[0]["sentences"][0] == {"start": 0, "end": 4250, "text": TURNS[0].text}
    assert monologues[0]["sentences"][1] == {"start": 4500, "end": 9000, "text": TURNS[1].text}
    selector = {"exposedFields": {"parties": True}}
    (row,) = gong.page(contentSelector=selector).json()["calls"]
    names = {party["speakerId"]: party["name"] for party in row["parties"]}
    assert [names[each["speakerId"]] for each in monologues] == [REP.name, CUSTOMER.name]
    assert {each["topic"] for each in monologues} <= {"Pricing", "Legal"}
    gong.world.switch("gong", merge_monologues=False)
    (told,) = gong.transcript(made.id).json()["callTranscripts"]
    assert [len(each["sentences"]) for each in told["transcript"]] == [1, 1, 1]


@pytest.mark.parametrize("body", [b"{", b"[1]"])
def test_a_body_that_is_no_json_object_is_a_400(start: Start, body: bytes) -> None:
    gong: Client = start("gong")
    assert gong.send("POST", "/v2/calls/extensive", data=body).status_code == 400


def test_the_day_has_its_own_limit_and_ends_at_midnight(start: Start) -> None:
    gong = start("gong", calls("gong", 1), limited=True)
    gong.world.switch("gong", requests_per_second=1000, requests_per_day=2)
    assert [gong.page().status_code for _ in range(2)] == [200, 200]
    answer = gong.page()
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == str(12 * 3600), "noon, so twelve hours are left"
    gong.world.advance(timedelta(hours=12))
    assert gong.page().status_code == 200
