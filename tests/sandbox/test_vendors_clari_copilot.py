"""Clari Copilot's stand-in: inline transcripts, two header styles, limits counted in records."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sandbox.clients import CUSTOMER, NOON, REP, TURNS, ClariCopilot, call, calls

Start = Callable[..., Any]


def test_the_shape_follows_the_status(start: Start) -> None:
    ready, late, never = (
        call("clari_copilot", 0),
        call("clari_copilot", 1, ready_after=timedelta(days=1)),
        call("clari_copilot", 2, ready_after=None),
    )
    clari: ClariCopilot = start("clari_copilot", [ready, late, never])
    rows = {row["call_id"]: row for row in clari.page().json()}
    assert {rows[each.id]["status"] for each in (ready,)} == {"POST_PROCESSING_DONE"}
    assert rows[late.id]["status"] == "PROCESSING"
    assert rows[late.id]["transcript"] == []
    assert rows[never.id]["status"] == "NO_DATA_INCALL"
    assert "transcript" not in rows[never.id]
    assert rows[late.id]["analytics"] is rows[never.id]["analytics"] is None
    row = rows[ready.id]
    assert row["transcript"][0] == {"speaker": REP.name, "start": 0.0, "text": TURNS[0].text}
    assert row["analytics"]["topics"] == ["Pricing", "Legal"]
    ratio = row["analytics"]["talk_ratio"]
    assert ratio == {"rep": 0.78, "prospect": 0.22}
    assert row["account_name"] == "Buyer & Sons"
    assert row["crm_info"]["deal_id"] == ready.opportunity_id
    assert row["deal_value"].endswith(".00"), "money comes as text"
    before = rows[late.id]["last_modified_time"]
    clari.world.advance(timedelta(days=2))
    after = {row["call_id"]: row for row in clari.page().json()}[late.id]
    assert after["status"] == "POST_PROCESSING_DONE"
    assert after["last_modified_time"] > before


def test_some_who_were_invited_did_not_join(start: Start) -> None:
    clari: ClariCopilot = start("clari_copilot", calls("clari_copilot", 1))
    clari.world.switch("clari_copilot", absent_guest_every=0)
    (row,) = clari.page().json()
    assert [person["role"] for person in row["participants"]] == ["rep", "prospect"]
    assert {person["email"] for person in row["participants"]} == {REP.email, CUSTOMER.email}
    clari.world.switch("clari_copilot", absent_guest_every=1)
    (row,) = clari.page().json()
    absent = [person for person in row["participants"] if not person["joined"]]
    assert len(absent) == 1
    assert absent[0]["name"] not in {line["speaker"] for line in row["transcript"]}


def test_one_call_by_its_id(start: Start) -> None:
    clari: ClariCopilot = start("clari_copilot", calls("clari_copilot", 2))
    wanted = clari.world.all_calls("clari_copilot")[0].id
    for name in ("id", "call_id"):
        answer = clari.send("GET", "/call-details", params={name: wanted})
        assert answer.json()["call"]["call_id"] == wanted
    answer = clari.send("GET", "/call-details", params={"id": "cc-0"})
    assert (answer.status_code, answer.json()) == (404, {})


def test_days_and_moments_bound_the_window_and_its_end_is_left_out(start: Start) -> None:
    clari: ClariCopilot = start("clari_copilot", calls("clari_copilot", 14))

    def listed(begin: str, end: str) -> list[str]:
        rows = clari.page(start_date=begin, end_date=end, limit=100).json()
        return [row["time"] for row in rows]

    assert listed("2026-03-10", "2026-03-11") == [
        f"2026-03-10T{hour:02d}:00:00Z" for hour in range(10, -1, -1)
    ], "newest first"
    assert listed("2026-03-09", "2026-03-10")[-1] == "2026-03-09T21:00:00Z"
    assert listed("2026-03-10T09:00:00Z", "2026-03-10T10:00:00Z") == ["2026-03-10T09:00:00Z"]
    assert listed("2026-03-10T01:00:00-08:00", "2026-03-10T10:00:00Z") == ["2026-03-10T09:00:00Z"]
    assert clari.page(start_date="soon").status_code == 400


def test_an_envelope_and_the_other_headers(start: Start) -> None:
    clari: ClariCopilot = start("clari_copilot", calls("clari_copilot", 1))
    clari.world.switch("clari_copilot", envelope="calls", header_style="x_api_key")
    assert clari.page().status_code == 401
    clari.headers = {"X-Api-Key": clari.given["password"]}
    answer = clari.page()
    assert answer.status_code == 401
    assert set(answer.json()) == {"errorMessage"}
    extra = clari.world.standin("clari_copilot").credentials(clari.url).extra
    clari.headers["X-Api-Password"] = extra["api_password"]
    assert len(clari.page().json()["calls"]) == 1


def test_records_are_paid_for_before_the_next_request(start: Start) -> None:
    clari: ClariCopilot = start("clari_copilot", calls("clari_copilot", 30), limited=True)
    clari.world.switch("clari_copilot", records_per_second=100.0)
    assert len(clari.page(limit=30).json()) == 30
    assert clari.page(limit=1).status_code == 200, "a second's worth was saved up"
    clari.world.switch("clari_copilot", records_per_second=10.0)
    assert len(clari.page(limit=30).json()) == 30, "a page may be larger than what is left"
    began = time.monotonic()
    answer = clari.page(limit=1)
    assert answer.status_code == 429
    assert not {"retry-after", "x-ratelimit-reset"} & {name.lower() for name in answer.headers}
    clari.world.switch("clari_copilot", records_per_second=200.0)
    while clari.page(limit=1).status_code == 429:
        assert time.monotonic() - began < 3
        time.sleep(0.01)


def test_the_week_has_its_own_limit_and_starts_on_sunday(start: Start) -> None:
    clari: ClariCopilot = start("clari_copilot", limited=True)
    clari.world.switch("clari_copilot", records_per_second=1000.0, requests_per_week=2)
    assert NOON.strftime("%A") == "Tuesday"
    assert [clari.page().status_code for _ in range(3)] == [200, 200, 429]
    clari.world.advance(timedelta(days=4, hours=11, minutes=59))
    assert clari.page().status_code == 429, "still Saturday"
    clari.world.advance(timedelta(minutes=1))
    assert clari.page().status_code == 200
