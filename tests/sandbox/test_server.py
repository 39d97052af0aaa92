"""What every stand-in owes, over real HTTP, and the ways to steer the sandbox."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sandbox.clients import CLIENTS, NOON, TURNS, Client, call, calls
from starlette.requests import Request
from starlette.responses import Response

from semarize_sandbox import server, vendors
from semarize_sandbox.faults import KINDS, Fault
from semarize_sandbox.server import Sandbox, furnish, running
from semarize_sandbox.wire import json_answer
from semarize_sandbox.world import (
    LOG_BYTES,
    LOG_ENTRIES,
    Credentials,
    Handler,
    LoggedRequest,
    Route,
    Standin,
    World,
)

Start = Callable[..., Client]
everywhere = pytest.mark.parametrize("vendor", list(CLIENTS))


# Lists


@everywhere
def test_every_call_is_listed_exactly_once_whatever_the_page_size(
    start: Start, vendor: str
) -> None:
    client = start(vendor, calls(vendor, 6))
    expected = sorted(made.id for made in client.world.all_calls(vendor))
    assert len(expected) == 6
    for size in (1, 2, 3, 4, 6, 100):
        client.world.page_size[vendor] = size
        rows = list(client.pages(size=100))
        assert max(len(page) for page in rows) == min(size, 6), "the server's cap holds"
        assert sorted(client.listed()) == expected
    client.world.page_size.clear()
    for size in (1, 2, 3, 4, 6, 100):
        if vendor != "gong":  # there nobody can ask for a size
            assert max(len(page) for page in client.pages(size)) == min(size, 6)
        assert sorted(client.listed(size)) == expected


@everywhere
def test_without_calls_the_list_is_empty(start: Start, vendor: str) -> None:
    client = start(vendor)
    assert client.listed() == []
    answer = client.page()
    # Gong alone says so with an error.
    assert answer.status_code == (404 if vendor == "gong" else 200)


@everywhere
def test_a_call_is_listed_late_and_its_transcript_later(start: Start, vendor: str) -> None:
    late = call(
        vendor, listed_after=timedelta(hours=5), ready_after=timedelta(hours=3), turns=TURNS[:2]
    )
    client = start(vendor, [late])
    assert client.listed() == []
    assert not client.ready(client.transcript(late.id))
    client.world.advance(timedelta(hours=4))
    assert client.listed() == [late.id]
    assert not client.ready(client.transcript(late.id))
    client.world.advance(timedelta(hours=3))
    answer = client.transcript(late.id)
    assert client.ready(answer)
    assert client.texts(answer) == [turn.text for turn in TURNS[:2]]


@everywhere
def test_a_transcript_may_never_come(start: Start, vendor: str) -> None:
    never = call(vendor, ready_after=None)
    client = start(vendor, [never])
    client.world.advance(timedelta(days=365))
    assert not client.ready(client.transcript(never.id))


@everywhere
def test_a_removed_call_is_gone_from_the_list_and_its_transcript_too(
    start: Start, vendor: str
) -> None:
    client = start(vendor, calls(vendor, 2))
    gone, kept = client.world.all_calls(vendor)
    assert client.ready(client.transcript(gone.id))
    client.world.remove(vendor, gone.id)
    assert client.listed() == [kept.id]
    answer = client.transcript(gone.id)
    assert answer.status_code == (410 if vendor == "callminer" else 404)


@everywhere
def test_a_bad_credential_is_refused(start: Start, vendor: str) -> None:
    client = start(vendor, calls(vendor, 1))
    good = client.headers
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic d3Jvbmc6d3Jvbmc="},
        {"Authorization": "ApiKey wrong"},
        {"Authorization": "Bearer eyJ9.0"},
    ):
        client.headers = headers
        assert client.page().status_code == 401, headers
    client.headers = good
    assert client.page().status_code == 200


@everywhere
def test_an_unknown_path_and_a_wrong_method_have_the_vendors_shape(
    start: Start, vendor: str
) -> None:
    client = start(vendor)
    shape = {
        "gong": {"requestId", "errors"},
        "salesloft": {"error"},
        "clari_copilot": {"errorMessage"},
        "callminer": {"error"},
        "chorus": {"errors"},
    }[vendor]
    path = client.page().request.path_url.partition("?")[0].removeprefix(f"/{vendor}")
    for method, asked, status in (("GET", "/no/such/path", 404), ("DELETE", path, 405)):
        answer = client.send(method, asked)
        assert answer.status_code == status
        assert set(answer.json()) == shape


@everywhere
def test_the_rate_limit_says_429_as_this_vendor_does(start: Start, vendor: str) -> None:
    client = start(vendor, calls(vendor, 30), limited=True)
    if vendor == "salesloft":
        client.world.switch(vendor, requests_per_minute=5)
    seen = [client.page() for _ in range(12)]
    answer = next(each for each in seen if each.status_code == 429)
    allowed = {"gong": 3, "salesloft": 5, "clari_copilot": 1, "callminer": 10, "chorus": 10}
    assert [each.status_code for each in seen[: allowed[vendor] + 1]] == [200] * allowed[vendor] + [
        429
    ]
    waits = {name.lower() for name in answer.headers} & {"retry-after", "x-ratelimit-reset"}
    assert (
        waits
        == {
            "gong": {"retry-after"},
            "salesloft": {"x-ratelimit-reset"},
            "clari_copilot": set(),
            "callminer": {"retry-after"},
            "chorus": set(),
        }[vendor]
    )
    client.world.limited = False
    assert client.page().status_code == 200


# Faults


@everywhere
def test_every_fault_is_met_once_and_then_over(start: Start, vendor: str) -> None:
    client = start(vendor, calls(vendor, 3))
    true_answer = client.page()
    client.world.clear_log()
    for kind in KINDS:
        client.world.fault(vendor, Fault(kind=kind, match="/", status=None, seconds=0.05))
        if kind in ("drop", "drop_mid_body", "endless"):
            with pytest.raises(
                (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
            ):
                client.page()
        else:
            answer = client.page()
            if kind == "status":
                assert answer.status_code == 500
            elif kind == "html":
                assert answer.status_code == 200
                assert answer.headers["content-type"].startswith("text/html")
                assert "<html>" in answer.text
            elif kind == "truncated_json":
                assert answer.status_code == 200
                assert len(answer.content) < len(true_answer.content)
                with pytest.raises(json.JSONDecodeError):
                    json.loads(answer.text)
            elif kind == "not_utf8":
                with pytest.raises(UnicodeDecodeError):
                    answer.content.decode()
            elif kind == "delay":
                assert answer.elapsed.total_seconds() >= 0.05
            elif kind == "drip":
                assert len(answer.content) == len(true_answer.content)
        assert sorted(client.listed()) == sorted(made.id for made in client.world.all_calls(vendor))
    faults = [entry.fault for entry in client.world.requests(vendor) if entry.fault is not None]
    assert tuple(faults) == KINDS
    dropped = [entry for entry in client.world.requests(vendor) if entry.status is None]
    assert [entry.fault for entry in dropped] == ["drop", "drop_mid_body"]


def test_a_status_fault_carries_its_headers_and_body(start: Start) -> None:
    client = start("gong", calls("gong", 1))
    fault = Fault(
        kind="status", status=429, headers={"Retry-After": "7"}, body={"why": "told"}, count=2
    )
    client.world.fault("gong", fault)
    for _ in range(2):
        answer = client.page()
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
        assert answer.json() == {"why": "told"}
    assert client.page().status_code == 200


def test_a_fault_waits_for_its_path(start: Start) -> None:
    client = start("callminer", calls("callminer", 1))
    client.world.fault("callminer", Fault(kind="status", status=503, match="transcript"))
    assert client.page().status_code == 200
    (made,) = client.world.all_calls("callminer")
    assert client.transcript(made.id).status_code == 503
    assert client.transcript(made.id).status_code == 200


@everywhere
def test_rows_that_move_in_come_twice_and_rows_that_move_out_are_skipped(
    start: Start, vendor: str
) -> None:
    client = start(vendor, calls(vendor, 6))
    client.world.page_size[vendor] = 2
    expected = {made.id for made in client.world.all_calls(vendor)}
    client.world.fault(vendor, Fault(kind="shift_rows", rows=1, count=None))
    seen = client.listed(2)
    assert set(seen) == expected
    assert len(seen) > 6, "a row came twice"
    client.world.faults.clear(vendor)
    client.world.fault(vendor, Fault(kind="shift_rows", rows=-1, count=None))
    seen = client.listed(2)
    assert len(seen) == 5, "a row was skipped"
    client.world.faults.clear()
    assert len(client.listed(2)) == 6


def test_a_fault_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="choose one of"):
        Fault(kind="earthquake")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no stand-in is named"):
        furnish(World()).fault("gnog", Fault(kind="drop"))


# The log and the numbers


def test_requests_are_logged_without_their_secrets(start: Start) -> None:
    client = start("salesloft", calls("salesloft", 1))
    client.page(per_page=7)
    token, page = client.world.requests("salesloft")
    assert token.path == "/oauth/token"
    assert token.body["grant_type"] == "refresh_token"
    assert (token.body["refresh_token"], token.body["client_secret"]) == ("***", "***")
    assert (page.method, page.path, page.status) == ("GET", "/v2/conversations", 200)
    assert page.query == {"per_page": "7"}
    assert page.arrived >= token.arrived
    callminer = CLIENTS["callminer"](Sandbox(client.world, client.url.rpartition("/")[0]))
    callminer.log_in()
    (form,) = client.world.requests("callminer")
    assert form.body["client_secret"] == "***"


def test_the_log_never_outgrows_its_bounds() -> None:
    world = World()

    def entry(number: int, size: int) -> LoggedRequest:
        return LoggedRequest(
            vendor="gong", method="GET", path=f"/{number}", query={}, body=None, status=200,
            arrived=float(number), seconds=0.0, size=size,
        )  # fmt: skip

    for number in range(LOG_ENTRIES + 10):
        world.leave(entry(number, 1))
    logged = world.requests()
    assert len(logged) == LOG_ENTRIES
    assert logged[-1].path == f"/{LOG_ENTRIES + 9}", "the newest stay"
    for number in range(10):
        world.leave(entry(number, LOG_BYTES // 3))
    assert [each.path for each in world.requests()] == ["/7", "/8", "/9"]


def test_the_statistics_count_calls_requests_and_faults(start: Start) -> None:
    client = start("gong", [call("gong"), call("gong", 1, ready_after=None)])
    client.page()
    client.world.fault("gong", Fault(kind="drop"))
    with pytest.raises(requests.ConnectionError):
        client.page()
    told = requests.get(f"{client.url}/../control/stats", timeout=5).json()
    assert told["sandbox"] is True
    numbers = told["standins"]["gong"]
    assert numbers["calls"] == numbers["listed"] == 2
    assert numbers["transcripts_ready"] == 1
    assert numbers["requests"] == 2
    assert (numbers["status_200"], numbers["dropped"], numbers["faults"]) == (1, 1, 1)
    assert numbers["most_at_once"] == 1


# Steering from another process


def control(client: Client, path: str, **content: Any) -> requests.Response:
    root = client.url.rpartition("/")[0]
    return requests.post(f"{root}/control/{path}", json=content, timeout=5)


def test_faults_clock_settings_tokens_and_removals_can_be_steered_over_http(start: Start) -> None:
    client = start("callminer", calls("callminer", 3))
    answer = control(client, "faults", vendor="callminer", kind="status", status=502, count=5)
    assert answer.json() == {"faults_waiting": {"callminer": 1}}
    assert client.page().status_code == 502
    root = client.url.rpartition("/")[0]
    requests.delete(f"{root}/control/faults", timeout=5)
    assert client.page().status_code == 200

    first, second, third = client.world.all_calls("callminer")
    control(client, "clock", freeze=second.listed_at.isoformat())
    assert client.listed() == [first.id, second.id]
    control(client, "clock", advance_hours=1)
    assert client.listed() == [first.id, second.id, third.id]

    control(client, "calls/remove", vendor="callminer", call_id=second.id)
    assert client.listed() == [first.id, third.id]

    answer = control(
        client, "settings", vendor="callminer", page_size=1, switches={"paging": "offset"}
    )
    assert answer.json()["switches"]["paging"] == "offset"
    assert len(client.page().json()["interactions"]) == 1
    assert client.page().json()["offset"] == 1

    control(client, "tokens/expire", vendor="callminer")
    assert client.page().status_code == 401
    client.log_in()
    assert client.page().status_code == 200


def test_a_wrong_order_is_refused_with_a_reason(start: Start) -> None:
    client = start("gong")
    for path, content in (
        ("faults", {"vendor": "gong", "kind": "earthquake"}),
        ("faults", {"vendor": "gnog", "kind": "drop"}),
        ("clock", {"sideways": 1}),
        ("settings", {"vendor": "gong", "switches": {"shpae": "flat"}}),
        ("calls/remove", {"vendor": "gong", "call_id": "1"}),
    ):
        answer = control(client, path, **content)
        assert answer.status_code == 422, path
        assert answer.json()["error"]


# The clock


def test_the_clock_runs_behind_and_can_be_moved() -> None:
    world = World(behind=timedelta(hours=6))
    ahead = World()
    assert timedelta(hours=5.9) < ahead.now() - world.now() < timedelta(hours=6.1)
    world.advance(timedelta(hours=6))
    assert abs(ahead.now() - world.now()) < timedelta(minutes=1)
    world.freeze(NOON)
    assert world.now() == NOON
    world.advance(timedelta(hours=1))
    assert world.now() == NOON + timedelta(hours=1)
    world.freeze(None)
    assert abs(ahead.now() - world.now()) < timedelta(minutes=1)
    with pytest.raises(ValueError, match="tzinfo"):
        world.freeze(NOON.replace(tzinfo=None))


def test_a_known_id_replaces_its_call() -> None:
    world = World([call("gong")])
    world.add([call("gong", title="Renamed"), call("gong", 1)])
    assert [made.title for made in world.all_calls("gong")] == ["Call 1", "Renamed"]


# What people and Airflow see


def odd_standin(world: World, handler: Handler, words: str = "odd") -> Standin:
    return Standin(
        name="odd",
        title=words,
        routes=(Route("GET", "/calls", handler),),
        credentials=lambda base_url: Credentials(password=words, extra={words: words}),
        refuse=lambda request: None,
        limit=lambda request: None,
        error=lambda status, message: json_answer({"oops": status}, status),
        switches=_NoSwitches(),
    )


@dataclass
class _NoSwitches:
    """A stand-in without switches still has to have some."""


async def broken(request: Request) -> Response:
    raise RuntimeError("broken on purpose")


def test_the_page_says_what_it_is_and_lists_what_to_type(start: Start) -> None:
    client = start("gong", calls("gong", 2))
    root = client.url.rpartition("/")[0]
    page = requests.get(root, timeout=5)
    assert page.headers["content-type"].startswith("text/html")
    assert "<h1>This is a sandbox</h1>" in page.text
    for vendor in CLIENTS:
        assert f"{vendor}_default" in page.text
        assert f"{root}/{vendor}" in page.text
    assert "calls: 2" in page.text
    assert client.given["password"] in page.text


def test_the_page_escapes_what_it_shows() -> None:
    world = furnish(World())
    world.register(odd_standin(world, broken, words="<script>alert('odd')</script>"))
    with running(world) as sandbox:
        evil = {"Host": 'evil"><script>alert(1)</script>'}
        for headers in ({}, evil):
            page = requests.get(sandbox.url, headers=headers, timeout=5).text
            assert "&lt;script&gt;alert(&#x27;odd&#x27;)" in page
            assert "<script" not in page


def test_connections_are_what_airflow_reads() -> None:
    world = furnish(World())
    told = Sandbox(world, "http://127.0.0.1:8090").connections()
    assert set(told) >= {f"{vendor}_default" for vendor in CLIENTS}
    for name, text in told.items():
        fields = json.loads(text)
        assert fields["conn_type"] == "http"
        assert fields["host"] == f"http://127.0.0.1:8090/{name.removesuffix('_default')}"
        assert fields["password"]
    salesloft = json.loads(told["salesloft_default"])
    assert salesloft["extra"]["token_url"] == "http://127.0.0.1:8090/salesloft/oauth/token"
    assert set(salesloft["extra"]) == {
        "token_url", "refresh_token", "authorization_code", "redirect_uri"
    }  # fmt: skip
    assert set(json.loads(told["callminer_default"])["extra"]) == {"token_url"}


SIXTH = """
from semarize_sandbox.wire import json_answer
from semarize_sandbox.world import Credentials, Route, Standin, World


def standin(world: World) -> Standin:
    async def calls(request):
        return json_answer([call.id for call in world.listed("sixth")])

    return Standin(
        name="sixth",
        title="A sixth",
        routes=(Route("GET", "/calls", calls),),
        credentials=lambda base_url: Credentials(password="sixth"),
        refuse=lambda request: None,
        limit=lambda request: None,
        error=lambda status, message: json_answer({"oops": message}, status),
        switches=object(),
    )
"""


def test_a_sixth_vendor_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sixth_vendor.py").write_text(SIXTH)
    monkeypatch.setattr(vendors, "__path__", [*vendors.__path__, str(tmp_path)])
    made = call("gong")
    monkeypatch.setitem(sys.modules, f"{vendors.__name__}.sixth_vendor", None)
    monkeypatch.delitem(sys.modules, f"{vendors.__name__}.sixth_vendor")
    with running(World([replace(made, vendor="sixth")])) as sandbox:
        assert "sixth_default" in sandbox.connections()
        assert set(sandbox.world.standins) > set(CLIENTS)
        answer = requests.get(f"{sandbox.base_url('sixth')}/calls", timeout=5)
        assert answer.json() == [made.id]
        assert requests.get(f"{sandbox.base_url('sixth')}/", timeout=5).json()["oops"]
        assert "A sixth (sandbox)" in requests.get(sandbox.url, timeout=5).text


def test_a_stand_in_that_fails_answers_500_in_its_own_shape() -> None:
    world = World()
    world.register(odd_standin(world, broken))
    with running(world) as sandbox:
        answer = requests.get(f"{sandbox.base_url('odd')}/calls", timeout=5)
        assert (answer.status_code, answer.json()) == (500, {"oops": 500})
        (entry,) = world.requests("odd")
        assert entry.status == 500


def test_a_port_that_is_taken_is_named() -> None:
    with running(World()) as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with pytest.raises(OSError, match=f"{port}.*choose another port"):
            server.SandboxServer(World(), "127.0.0.1", port)
