"""Salesloft's stand-in: OAuth with rotating tokens, filters, numbered pages, two transcripts."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import requests
from sandbox.clients import CUSTOMER, NOON, REP, TURNS, Salesloft, call, calls

from semarize_sandbox.server import running
from semarize_sandbox.world import World

Start = Callable[..., Any]


def test_a_refresh_token_is_good_once(start: Start) -> None:
    salesloft: Salesloft = start("salesloft")
    given = salesloft.given["extra"]["refresh_token"]  # used up by the login
    again = salesloft.token(grant_type="refresh_token", refresh_token=given)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    code = {
        "grant_type": "authorization_code",
        "code": salesloft.given["extra"]["authorization_code"],
        "redirect_uri": salesloft.given["extra"]["redirect_uri"],
    }
    assert salesloft.token(**{**code, "redirect_uri": "https://else"}).status_code == 400
    first = salesloft.token(**code).json()
    assert salesloft.token(**code).json()["error"] == "invalid_grant", "a code is good once"
    assert (first["token_type"], first["expires_in"]) == ("Bearer", 7200)
    second = salesloft.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]
    salesloft.world.switch("salesloft", rotate_refresh_tokens=False)
    kept = second.json()["refresh_token"]
    for _ in range(2):
        answer = salesloft.token(grant_type="refresh_token", refresh_token=kept)
        assert answer.json()["refresh_token"] == kept


def test_tokens_outlive_a_restart_of_the_sandbox(start: Start) -> None:
    salesloft: Salesloft = start("salesloft")
    code = {
        "grant_type": "authorization_code",
        "code": salesloft.given["extra"]["authorization_code"],
        "redirect_uri": salesloft.given["extra"]["redirect_uri"],
    }
    stored = salesloft.token(**code).json()
    with running(World()) as sandbox:
        restarted = Salesloft(sandbox)
        restarted.headers = {"Authorization": f"Bearer {stored['access_token']}"}
        assert restarted.page().status_code == 200
        traded = restarted.token(grant_type="refresh_token", refresh_token=stored["refresh_token"])
        assert traded.status_code == 200


def test_the_token_endpoint_takes_forms_and_refuses_strangers(start: Start) -> None:
    salesloft: Salesloft = start("salesloft")
    url = salesloft.given["extra"]["token_url"]
    fields = {"client_id": salesloft.given["login"], "client_secret": "wrong"}
    assert requests.post(url, data=fields, timeout=5).status_code == 401
    fields["client_secret"] = salesloft.given["password"]
    answer = requests.post(url, data={**fields, "grant_type": "password"}, timeout=5)
    assert answer.json()["error"] == "unsupported_grant_type"
    basic = (salesloft.given["login"], salesloft.given["password"])
    grant = {"grant_type": "authorization_code", "code": "sandbox-salesloft-code"}
    grant["redirect_uri"] = salesloft.given["extra"]["redirect_uri"]
    assert requests.post(url, data=grant, auth=basic, timeout=5).status_code == 200


def test_an_access_token_expires_by_time_and_on_demand(start: Start) -> None:
    salesloft: Salesloft = start("salesloft", calls("salesloft", 1))
    assert salesloft.page().status_code == 200
    salesloft.world.expire_tokens("salesloft")
    answer = salesloft.page()
    assert (answer.status_code, set(answer.json())) == (401, {"error"})
    salesloft.world.switch("salesloft", access_token_seconds=0.05, rotate_refresh_tokens=False)
    code = {"code": salesloft.given["extra"]["authorization_code"]}
    code["redirect_uri"] = salesloft.given["extra"]["redirect_uri"]
    token = salesloft.token(grant_type="authorization_code", **code).json()["access_token"]
    salesloft.headers = {"Authorization": f"Bearer {token}"}
    time.sleep(0.06)
    assert salesloft.page().status_code == 401


def test_pages_are_numbered_and_sizes_silently_corrected(start: Start) -> None:
    salesloft: Salesloft = start("salesloft", calls("salesloft", 30))

    def paging(**asked: Any) -> dict[str, Any]:
        answer = salesloft.page(**asked).json()
        told: dict[str, Any] = answer["metadata"]["paging"]
        assert len(answer["data"]) <= told["per_page"]
        return told

    assert paging() == {"per_page": 25, "current_page": 1, "next_page": 2}
    assert paging(page=2) == {"per_page": 25, "current_page": 2, "next_page": None}
    assert paging(per_page=15, page=2)["next_page"] is None, "an exact multiple"
    assert paging(per_page=1000)["per_page"] == 100
    assert paging(per_page=0)["per_page"] == 1
    assert paging(per_page="many", page="none") == paging()
    assert salesloft.page(page=99).json()["data"] == []


def test_filters_on_created_and_updated_moments(start: Start) -> None:
    late = call("salesloft", 1, ready_after=timedelta(hours=5))
    salesloft: Salesloft = start("salesloft", [call("salesloft", 0), late])
    row = next(row for row in salesloft.page().json()["data"] if str(row["id"]) == late.id)
    created = row["created_at"]
    assert row["updated_at"] == created

    def ids(**asked: Any) -> set[str]:
        return {str(row["id"]) for row in salesloft.page(**asked).json()["data"]}

    assert late.id in ids(**{"created_at[gte]": created})
    assert late.id not in ids(**{"created_at[gt]": created})
    assert ids(**{"created_at[lte]": created}) == {late.id}
    assert ids(**{"created_at[lt]": created}) == set()
    salesloft.world.advance(timedelta(hours=6))
    moved = ids(**{"updated_at[gt]": NOON.isoformat()})
    assert moved == {late.id}, "the transcript's arrival is an update"
    assert ids(**{"no_such_filter[gte]": created}) == ids(), "unknown names are ignored"
    for wrong in ({"updated_at[gte]": "soon"}, {"sort_by": "mood"}, {"sort_direction": "up"}):
        assert salesloft.page(**wrong).status_code == 422

    def order(**asked: Any) -> list[str]:
        return [
            row["created_at"]
            for row in salesloft.page(sort_by="created_at", **asked).json()["data"]
        ]

    assert order(sort_direction="asc") == sorted(order())
    assert order() == sorted(order(), reverse=True)


def test_a_conversation_has_what_the_guide_lists(start: Start) -> None:
    extras = {
        "cadence": "Outbound",
        "cadence_step": 4,
        "disposition": "Connected",
        "outcome": "Won",
    }
    salesloft: Salesloft = start("salesloft", [call("salesloft", extras=extras)])
    (row,) = salesloft.page().json()["data"]
    (made,) = salesloft.world.all_calls("salesloft")
    assert row["id"] == int(made.id)
    assert row["duration"] == 60
    assert row["event_start_date"] == "2026-03-10T10:00:00Z"
    assert [person["name"] for person in row["participants"]] == [REP.name, CUSTOMER.name]
    assert [person["role"] for person in row["participants"]] == ["rep", "prospect"]
    assert row["owner"]["email"] == REP.email
    assert (row["cadence"]["name"], row["step"]["number"]) == ("Outbound", 4)
    assert (row["disposition"], row["outcome"]) == ("Connected", "Won")
    assert row["opportunity"]["id"] == made.opportunity_id
    assert row["recording"]["url"]
    assert salesloft.send("GET", f"/v2/conversations/{row['id']}/media").json()["data"]["url"]

    salesloft.world.switch("salesloft", ids="uuid", duration_unit="milliseconds")
    (row,) = salesloft.page().json()["data"]
    assert str(UUID(row["id"])) == row["id"]
    assert row["duration"] == 60_000
    assert salesloft.texts(salesloft.transcript(row["id"])) == [turn.text for turn in TURNS]
    assert salesloft.transcript(made.id).status_code == 404


def test_sentences_label_their_speakers_and_some_have_only_the_text(start: Start) -> None:
    salesloft: Salesloft = start("salesloft", calls("salesloft", 1))
    (made,) = salesloft.world.all_calls("salesloft")
    salesloft.world.switch("salesloft", full_text_only_every=0)
    rows = salesloft.transcript(made.id).json()["data"]
    labels = [row["speaker"] for row in rows]
    assert labels == ["Rep (Ada Rep)", "Rep (Ada Rep)", "Prospect (Bo Buyer)"]
    assert (rows[0]["start_time"], rows[0]["end_time"]) == (0.0, 4.25)
    salesloft.world.switch("salesloft", full_text_only_every=1)
    assert salesloft.transcript(made.id).json() == {"data": []}
    whole = salesloft.send("GET", f"/v2/conversations/{made.id}/transcription").json()["data"]
    assert whole["text"].split("\n") == [turn.text for turn in TURNS]


def test_a_transcription_that_is_not_there_is_named(start: Start) -> None:
    late = call("salesloft", ready_after=timedelta(hours=5))
    salesloft: Salesloft = start("salesloft", [late])
    answer = salesloft.transcript(late.id)
    assert answer.status_code == 404
    assert "Transcription" in answer.json()["error"]
    answer = salesloft.transcript("999")
    assert (answer.status_code, "Transcription" in answer.json()["error"]) == (404, False)


@pytest.mark.parametrize("style", ["epoch", "delta"])
def test_the_reset_header_is_a_moment_or_a_wait(start: Start, style: str) -> None:
    salesloft: Salesloft = start("salesloft", limited=True)
    salesloft.world.switch("salesloft", requests_per_minute=1, rate_limit_reset=style)
    assert salesloft.page().status_code == 200
    answer = salesloft.page()
    assert answer.status_code == 429
    reset = int(answer.headers["X-RateLimit-Reset"])
    wait = reset - time.time() if style == "epoch" else reset
    assert 50 < wait <= 61


def test_deep_pages_can_cost_more(start: Start) -> None:
    salesloft: Salesloft = start("salesloft", limited=True)
    salesloft.world.switch("salesloft", requests_per_minute=31, deep_pages_cost_more=True)
    assert salesloft.page(page=501).status_code == 200
    assert salesloft.page().status_code == 200
    assert salesloft.page().status_code == 429
