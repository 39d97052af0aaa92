"""What the five stand-ins share in their vendors' words, and the edges of each one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import requests
from sandbox.clients import CLIENTS, CUSTOMER, NOON, REP, Client, call, calls

from semarize_sandbox.limits import Clock, FixedWindow, SlidingWindow
from semarize_sandbox.model import Turn
from semarize_sandbox.server import running
from semarize_sandbox.wire import json_answer
from semarize_sandbox.world import Credentials, Route, Standin, World

Start = Callable[..., Any]
everywhere = pytest.mark.parametrize("vendor", list(CLIENTS))


def root(client: Client) -> str:
    return client.url.rpartition("/")[0]


# Every vendor


@everywhere
def test_a_refused_credential_is_told_in_the_vendors_shape(start: Start, vendor: str) -> None:
    client = start(vendor, calls(vendor, 1))
    client.headers = {"Authorization": "Bearer wrong"}
    answer = client.page()
    assert answer.status_code == 401
    if vendor == "chorus":
        assert answer.content == b""
        return
    told = answer.json()
    if vendor == "gong":
        assert set(told) == {"requestId", "errors"}
        assert told["errors"]
        assert all(isinstance(error, str) for error in told["errors"])
    elif vendor == "salesloft":
        assert set(told) == {"error"}
        assert isinstance(told["error"], str)
    elif vendor == "clari_copilot":
        assert set(told) == {"errorMessage"}
    else:
        assert set(told) == {"error"}
        assert told["error"]["code"] == 401
        assert "invalid_token" in answer.headers["WWW-Authenticate"]


@everywhere
def test_refused_requests_do_not_use_up_the_limit(start: Start, vendor: str) -> None:
    client = start(vendor, calls(vendor, 1), limited=True)
    good = client.headers
    client.headers = {"Authorization": "Bearer wrong"}
    refused = [client.page().status_code for _ in range(30)]
    assert refused == [401] * 30
    client.headers = good
    assert client.page().status_code == 200


@everywhere
def test_a_limit_of_nothing_lets_nothing_pass(start: Start, vendor: str) -> None:
    client = start(vendor, calls(vendor, 1), limited=True)
    name, value = {
        "gong": ("requests_per_second", 0),
        "salesloft": ("requests_per_minute", 0),
        "clari_copilot": ("requests_per_week", 0),
        "callminer": ("requests_per_second", 0),
        "chorus": ("requests_per_second", 0),
    }[vendor]
    client.world.switch(vendor, **{name: value})
    assert client.page().status_code == 429


@pytest.mark.parametrize("window", [SlidingWindow, FixedWindow])
def test_the_wait_of_a_limit_of_nothing_is_a_whole_window(
    window: Callable[[float, Clock], SlidingWindow | FixedWindow],
) -> None:
    assert window(5.0, lambda: 100.0).wait(0) == 5.0


@everywhere
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+05:00", "someday", "2026-13-01"])
def test_a_moment_that_is_none_is_the_clients_mistake(
    start: Start, vendor: str, moment: str
) -> None:
    client = start(vendor, calls(vendor, 1))
    name = {
        "gong": "filter",
        "salesloft": "created_at[gte]",
        "clari_copilot": "start_date",
        "callminer": "startDate",
        "chorus": "startDate",
    }[vendor]
    asked = {name: {"fromDateTime": moment} if vendor == "gong" else moment}
    answer = client.page(**asked)
    assert answer.status_code == (422 if vendor == "salesloft" else 400)
    assert client.page().status_code == 200


# Gong


@pytest.mark.parametrize(
    "wrong",
    [
        {"filter": "all"},
        {"filter": [1]},
        {"filter": {"callIds": "1"}},
        {"filter": {"callIds": []}},
        {"contentSelector": "all"},
        {"contentSelector": {"exposedFields": ["parties"]}},
        {"contentSelector": {"context": "Extended", "contextTiming": 7}},
        {"cursor": "é"},
        {"cursor": 7},
    ],
    ids=json.dumps,
)
def test_gong_says_400_to_what_has_the_wrong_type(start: Start, wrong: dict[str, Any]) -> None:
    gong = start("gong", calls("gong", 1))
    answer = gong.page(**wrong)
    assert answer.status_code == 400
    assert set(answer.json()) == {"requestId", "errors"}
    selector = {"contentSelector": None, "cursor": None}
    assert gong.page(**selector).status_code == 200, "null is as good as absent"


def test_gongs_flat_shape_has_the_same_parts(start: Start) -> None:
    gong = start("gong", calls("gong", 1))
    selector = {"context": "Extended", "exposedFields": {"parties": True, "media": True}}
    (nested,) = gong.page(contentSelector=selector).json()["calls"]
    gong.world.switch("gong", shape="flat")
    (flat,) = gong.page(contentSelector=selector).json()["calls"]
    assert flat["parties"] == nested["parties"]
    assert {party["name"] for party in flat["parties"]} == {REP.name, CUSTOMER.name}
    assert flat["context"] == nested["context"]
    assert {thing["objectType"] for thing in flat["context"][0]["objects"]} == {
        "Account",
        "Opportunity",
    }
    assert {**nested["metaData"], **flat} == flat
    assert (flat["media"], flat["mediaUrls"]) == ("Audio", nested["media"])
    refused = {"context": "Basic", "exposedFields": {"parties": False}}
    (bare,) = gong.page(contentSelector=refused).json()["calls"]
    assert not {"parties", "context", "mediaUrls"} & set(bare)


def test_gong_gives_the_transcripts_of_a_window_too(start: Start) -> None:
    gong = start("gong", calls("gong", 4))
    newest = {"fromDateTime": (NOON - timedelta(hours=3)).isoformat()}
    answer = gong.send("POST", "/v2/calls/transcript", json={"filter": newest})
    told = {each["callId"] for each in answer.json()["callTranscripts"]}
    assert told == {call("gong", 0).id, call("gong", 1).id}
    assert gong.send("POST", "/v2/calls/transcript", json={"filter": {}}).status_code == 400


def test_gongs_cursor_of_the_list_does_not_continue_the_transcripts(start: Start) -> None:
    gong = start("gong", calls("gong", 3))
    gong.world.page_size["gong"] = 1
    ids = [made.id for made in gong.world.all_calls("gong")]
    cursor = gong.page(filter={"callIds": ids}).json()["records"]["cursor"]
    assert gong.page(filter={"callIds": ids}, cursor=cursor).status_code == 200
    assert gong.transcripts(ids, cursor=cursor).status_code == 400


# Salesloft


def test_salesloft_counts_milliseconds_where_ids_are_uuids(start: Start) -> None:
    salesloft = start("salesloft", calls("salesloft", 2))
    assert {row["duration"] for row in salesloft.page().json()["data"]} == {60}
    salesloft.world.switch("salesloft", ids="uuid")
    rows = salesloft.page().json()["data"]
    assert len({UUID(row["id"]) for row in rows}) == 2
    assert {row["duration"] for row in rows} == {60_000}
    salesloft.world.switch("salesloft", ids="integer", duration_unit="milliseconds")
    assert {row["duration"] for row in salesloft.page().json()["data"]} == {60_000}


def test_salesloft_and_clari_name_the_deal_as_gong_does(start: Start) -> None:
    named = {"opportunity_name": "Renewal 2026", "deal_stage": "Discovery"}

    def names(**changes: Any) -> set[str | None]:
        salesloft = start("salesloft", [call("salesloft", **changes)])
        (row,) = salesloft.page().json()["data"]
        told = [row["opportunity"] and row["opportunity"]["name"]]
        clari = start("clari_copilot", [call("clari_copilot", **changes)])
        told.append(clari.page().json()[0]["deal_name"])
        gong = start("gong", [call("gong", **changes)])
        (full,) = gong.page(contentSelector={"context": "Extended"}).json()["calls"]
        values = [
            field["value"]
            for system in full.get("context", [])
            for thing in system["objects"]
            if thing["objectType"] == "Opportunity"
            for field in thing["fields"]
            if field["name"] == "Name"
        ]
        return {*told, values[0] if values else None}

    assert names(extras=named) == {"Renewal 2026"}
    assert names() == {"Buyer & Sons deal"}
    assert names(account_name=None) == {"Call 0 deal"}
    assert names(opportunity_id=None) == {None}


def test_salesloft_sorts_ids_as_numbers(start: Start) -> None:
    salesloft = start("salesloft", [call("salesloft", number) for number in (0, 90_000, 7)])
    rows = salesloft.page(sort_by="id", sort_direction="ASC").json()["data"]
    assert [row["id"] for row in rows] == [12_345, 12_352, 102_345]
    salesloft.world.switch("salesloft", ids="uuid")
    ids = [row["id"] for row in salesloft.page(sort_by="id").json()["data"]]
    assert ids == sorted(ids, reverse=True)


def test_salesloft_has_nothing_of_a_conversation_that_was_removed(start: Start) -> None:
    salesloft = start("salesloft", calls("salesloft", 1))
    (made,) = salesloft.world.all_calls("salesloft")
    paths = [f"/v2/conversations/{made.id}/{what}" for what in ("media", "transcription")]
    paths.append(f"{paths[1]}/sentences")
    assert [salesloft.send("GET", path).status_code for path in paths] == [200] * 3
    salesloft.world.remove("salesloft", made.id)
    for path in paths:
        answer = salesloft.send("GET", path)
        assert (answer.status_code, answer.json()) == (404, {"error": "Conversation not found"})


# Clari Copilot


def test_clari_runs_up_no_debt_while_nothing_is_limited(start: Start) -> None:
    clari = start("clari_copilot", calls("clari_copilot", 30), limited=True)
    clari.world.switch("clari_copilot", absent_guest_every=0)
    assert clari.page(limit=1).status_code == 200
    clari.world.limited = False
    for _ in range(5):
        assert len(clari.page(limit=30).json()) == 30
    clari.world.limited = True
    assert clari.page(limit=1).status_code == 200


def test_clari_gives_no_more_than_its_own_cap(start: Start) -> None:
    clari = start("clari_copilot", calls("clari_copilot", 105))
    clari.world.advance(timedelta(days=1))
    assert len(clari.page(limit=5000).json()) == 100
    assert len(clari.page().json()) == 25
    assert len(clari.page(limit=5000, offset=100).json()) == 5
    assert clari.page(offset=105).json() == []


# CallMiner


@pytest.mark.parametrize("count", [4, 5])
def test_callminers_last_page_has_no_next_one(start: Start, count: int) -> None:
    callminer = start("callminer", calls("callminer", count))
    pages = list(callminer.pages(2))
    assert [len(page) for page in pages] == ([2, 2] if count == 4 else [2, 2, 1])
    assert callminer.page(limit=count).json()["nextPage"] is None


# Chorus


def test_choruss_clock_text_is_a_time_of_day(start: Start) -> None:
    seconds = (0.0, 0.0004, 4.25, 59.4, 59.9994, 59.9996, 60.0, 3599.9996, 3600.0, 4_321.123)
    turns = tuple(Turn("7001", moment, moment, "Hm") for moment in seconds)
    made = call("chorus", turns=turns)
    chorus = start("chorus", [made])
    chorus.world.switch("chorus", timestamps="clock")
    told = [row["timestamp"] for row in chorus.transcript(made.id).json()["utterances"]]
    for moment, text in zip(seconds, told, strict=True):
        assert re.fullmatch(r"\d\d:[0-5]\d:[0-5]\d\.\d{3}", text), text
        hours, minutes, rest = text.split(":")
        assert int(hours) * 3600 + int(minutes) * 60 + float(rest) == pytest.approx(
            moment, abs=0.0006
        )


# Steering


def test_a_fault_ordered_over_http_may_have_numbers_for_headers(start: Start) -> None:
    gong = start("gong", calls("gong", 1))
    order = {"vendor": "gong", "kind": "status", "status": 429, "headers": {"Retry-After": 7}}
    assert requests.post(f"{root(gong)}/control/faults", json=order, timeout=5).status_code == 200
    answer = gong.page()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("faults", {"kind": "drop"}),
        ("faults", {"vendor": "gong", "kind": "drop", "colour": "red"}),
        ("faults", {"vendor": "gong", "kind": "status", "status": "bad"}),
        ("faults", {"vendor": "gong", "kind": "delay", "seconds": "long"}),
        ("faults", {"vendor": "gong", "kind": "status", "headers": "none"}),
        ("clock", {}),
        ("clock", {"freeze": 5}),
        ("clock", {"freeze": "noon"}),
        ("clock", {"advance_hours": 1e18}),
        ("clock", {"advance_hours": 1, "behind_hours": 1}),
        ("settings", {"vendor": "gong", "page_size": 0}),
        ("settings", {"vendor": "gnog", "page_size": 1}),
        ("settings", {"limited": "false"}),
        ("calls/remove", {"vendor": "gong"}),
        ("tokens/expire", {"vendor": "gnog"}),
    ],
    ids=repr,
)
def test_an_order_that_cannot_be_followed_changes_nothing(
    start: Start, path: str, content: dict[str, Any]
) -> None:
    gong = start("gong", calls("gong", 2))
    answer = requests.post(f"{root(gong)}/control/{path}", json=content, timeout=5)
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert gong.world.now() == NOON
    assert gong.world.limited is False
    assert gong.world.faults.waiting() == {}
    assert len(gong.page().json()["calls"]) == 2
    not_json = requests.post(f"{root(gong)}/control/{path}", data="[", timeout=5)
    assert not_json.status_code == 400


def test_limits_and_single_queues_can_be_steered(start: Start) -> None:
    gong = start("gong", calls("gong", 2))
    told = requests.post(f"{root(gong)}/control/settings", json={"limited": True}, timeout=5)
    assert told.json() == {"limited": True}
    assert gong.page().status_code == 200
    gong.world.switch("gong", requests_per_second=0)
    assert gong.page().status_code == 429
    gong.world.limited = False
    for vendor in ("gong", "chorus"):
        order = {"vendor": vendor, "kind": "drop", "count": None}
        requests.post(f"{root(gong)}/control/faults", json=order, timeout=5)
    cleared = requests.delete(f"{root(gong)}/control/faults?vendor=gong", timeout=5)
    assert cleared.json() == {"faults_waiting": {"chorus": 1}}
    running_again = requests.post(f"{root(gong)}/control/clock", json={"freeze": None}, timeout=5)
    assert running_again.json()["now"] != NOON.isoformat()


# The page for people


def test_the_page_shows_no_name_or_title_as_markup() -> None:
    async def nothing(request: object) -> Any:
        return json_answer({})

    evil = "<script>alert('x')</script>"
    world = World([call("gong", title=evil)])
    world.register(
        Standin(
            name="odd&name",
            title=f"{evil} & sons",
            routes=(Route("GET", '/a"<b>', nothing),),
            credentials=lambda base_url: Credentials(
                login=evil, password='"><img>', extra={"<i>": "</code>"}
            ),
            refuse=lambda request: None,
            limit=lambda request: None,
            error=lambda status, message: json_answer({}, status),
            switches=object(),
            counts=lambda: {"<u>": 1},
        )
    )
    with running(world) as sandbox:
        page = requests.get(sandbox.url, timeout=5).text
    for markup in ("<script>", "<img>", "<i>", "<b>", "<u>", "</code></code>"):
        assert markup not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; sons (sandbox)" in page
    assert "odd&amp;name_default" in page
    assert "&quot;&gt;&lt;img&gt;" in page


@everywhere
def test_words_come_out_as_they_went_in(start: Start, vendor: str) -> None:
    texts = ("<b>&amp;</b>", "a\u2028b", " both ends ", "日本 🙂", '"quoted" \\ back', "\x01")
    turns = tuple(Turn("8001", float(n), n + 1.0, text) for n, text in enumerate(texts))
    made = call(vendor, turns=turns, title="<i>Título</i>", extras={"verbatim": True})
    client = start(vendor, [made])
    assert client.texts(client.transcript(made.id)) == list(texts)
    assert "Título" in json.dumps(client.page().json(), ensure_ascii=False)
