"""The REST client against a real server: what it retries, what it names, what it never does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
import pytest
from unit.support import NOON, Clock, Request, Say, Server, rest_client, serving

from semarize_pipeline.errors import BadCredentials, ContractBroken, Stop, TryAgain, Wait
from semarize_pipeline.rest import client as module
from semarize_pipeline.rest.client import Answer, RestClient
from semarize_pipeline.rest.paging import Ask
from semarize_pipeline.state import State

FINE = Say(body={"ok": True})


@pytest.fixture
def client(server: Server, state: State, clock: Clock) -> RestClient:
    return rest_client(server.url + "/v2/", state, clock)


def test_a_request_as_it_leaves(client: RestClient, server: Server) -> None:
    server.says(FINE)
    reply = client.send(
        "POST", "/runs", Ask(params={"a": "x y"}, json={"b": [1]}), headers={"X-Key": "k"}
    )
    assert (reply.status, reply.data) == (200, {"ok": True})
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.params) == ("POST", "/v2/runs", {"a": "x y"})
    assert seen.json == {"b": [1]}
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.headers["X-Key"] == "k"
    assert client.sent == 1


def test_no_body_means_no_content_type(client: RestClient, server: Server) -> None:
    server.says(Say(204))
    assert client.send("GET", "/x").data is None
    assert "Content-Type" not in server.seen[0].headers
    assert server.seen[0].body == b""


# ---------------------------------------------------------------------- statuses


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential(status: int, client: RestClient, server: Server) -> None:
    server.says(Say(status, {"error": "no scope calls:read"}))
    with pytest.raises(BadCredentials) as caught:
        client.send("GET", "/calls")
    told = str(caught.value)
    assert "acme_default" in told
    assert "/calls" in told
    assert str(status) in told
    assert "no scope calls:read" in told
    assert len(server.seen) == 1, "not a single retry"


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 418, 422, 451])
def test_an_answer_that_nobody_declared(status: int, client: RestClient, server: Server) -> None:
    server.says(Say(status, {"message": "x" * 1000}))
    with pytest.raises(ContractBroken, match=rf"acme_default: GET /calls: {status}") as caught:
        client.send("GET", "/calls")
    assert len(str(caught.value)) < 300
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_ever_followed(status: int, client: RestClient, server: Server) -> None:
    with serving() as elsewhere:
        elsewhere.says(FINE)
        server.says(Say(status, headers={"Location": f"{elsewhere.url}/login?token=abc"}))
        with pytest.raises(BadCredentials, match=r"127\.0\.0\.1") as caught:
            client.send("POST", "/calls", Ask(json={"a": 1}))
        assert elsewhere.seen == []
    assert "token=abc" not in str(caught.value)
    assert len(server.seen) == 1


@pytest.mark.parametrize("location", ["/login", "//", "#"])
def test_a_redirect_to_nowhere_is_named_too(
    location: str, client: RestClient, server: Server
) -> None:
    server.says(Say(302, headers={"Location": location}))
    with pytest.raises(BadCredentials, match="elsewhere"):
        client.send("GET", "/calls")


@pytest.mark.parametrize("status", [300, 302])
def test_a_redirect_that_cannot_be_read(status: int, client: RestClient, server: Server) -> None:
    server.says(Say(status, headers={"Location": "http://[broken"}))
    with pytest.raises(Stop, match="acme_default"):
        client.send("GET", "/calls")
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599])
def test_passing_faults_are_retried(status: int, client: RestClient, server: Server) -> None:
    bad = Say(status, b"<html>oops</html>", {"Content-Type": "text/html"})
    server.says(bad, bad, FINE)
    assert client.send("GET", "/calls").data == {"ok": True}
    assert client.sent == len(server.seen) == 3


def test_a_fault_that_does_not_pass(client: RestClient, server: Server, clock: Clock) -> None:
    server.says(Say(503))
    with pytest.raises(TryAgain, match=r"acme_default: GET /calls: 503"):
        client.send("GET", "/calls")
    assert len(server.seen) == 5
    assert len(clock.slept) >= 4
    assert sum(clock.slept) < 150


def test_a_server_error_names_a_moment_and_is_obeyed(
    client: RestClient, server: Server, clock: Clock
) -> None:
    server.says(Say(503, headers={"Retry-After": "7"}), FINE)
    client.send("GET", "/calls")
    assert clock() - NOON >= timedelta(seconds=7)


def test_nobody_listens(state: State, clock: Clock) -> None:
    with serving() as gone:
        url = gone.url
    with pytest.raises(TryAgain, match="acme_default: GET /calls: ConnectionError"):
        rest_client(url, state, clock).send("GET", "/calls")


def test_retries_send_the_same_bytes(client: RestClient, server: Server) -> None:
    server.says(Say(500), Say(429, headers={"Retry-After": "1"}), Say(body=b"{", promised=50), FINE)
    ask = Ask(params={"z": 1, "a": "é"}, json={"b": 2, "a": {"y": 1, "x": ["ü", 1.5]}})
    client.send("POST", "/runs", ask, headers={"Idempotency-Key": "k1"})
    assert len(server.seen) == 4
    assert (
        len({(r.method, r.target, r.body, r.headers["Idempotency-Key"]) for r in server.seen}) == 1
    )
    assert server.seen[0].json == ask.json


# ---------------------------------------------------------------------- rate limits


def arrivals(server: Server, clock: Clock, *answers: Say) -> list[datetime]:
    """When each request came in, on the test's clock."""
    server.says(*answers)
    scripted, at = server.answers, []

    def answer(request: Request) -> Say:
        at.append(clock())
        return scripted(request)

    server.answers = answer
    return at


ADVICE: list[tuple[Mapping[str, str], Any, float]] = [
    ({"Retry-After": "2"}, None, 2),
    ({"Retry-After": "0.5"}, None, 0.5),
    ({"Retry-After": format_datetime(NOON + timedelta(seconds=30), usegmt=True)}, None, 30),
    ({"X-RateLimit-Reset": str(int(NOON.timestamp()) + 20)}, None, 20),
    ({"X-RateLimit-Reset": str((int(NOON.timestamp()) + 20) * 1000)}, None, 20),
    ({"X-RateLimit-Reset": "20"}, None, 20),
    ({}, {"error": "rate_limited", "retry_after_seconds": 10}, 10),
    ({"Retry-After": "3"}, {"retry_after_seconds": 10}, 10),
    ({"Retry-After": "10"}, {"retry_after_seconds": 3}, 10),
    ({"Retry-After": "0"}, None, 0),
    ({"Retry-After": "-5"}, None, 0),
]


@pytest.mark.parametrize(("headers", "body", "seconds"), ADVICE)
def test_a_short_wait_is_waited_for(
    headers: Mapping[str, str],
    body: Any,
    seconds: float,
    client: RestClient,
    server: Server,
    clock: Clock,
) -> None:
    at = arrivals(server, clock, Say(429, body, headers), FINE)
    assert client.send("GET", "/calls").data == {"ok": True}
    waited = (at[1] - at[0]).total_seconds()
    # The turns that were booked before the limit are given up: a quarter of a second at most.
    assert seconds - 0.001 <= waited <= seconds + 0.3


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Retry-After": "3600"}, None),
        ({"Retry-After": format_datetime(NOON + timedelta(hours=1), usegmt=True)}, None),
        ({"X-RateLimit-Reset": str(int(NOON.timestamp()) + 3600)}, None),
        ({"X-RateLimit-Reset": "3600"}, None),
        ({}, {"retry_after_seconds": 3600}),
    ],
)
def test_a_long_wait_hands_the_worker_back(
    headers: Mapping[str, str],
    body: Any,
    client: RestClient,
    server: Server,
    clock: Clock,
    state: State,
) -> None:
    server.says(Say(429, body, headers))
    with pytest.raises(Wait, match="acme_default") as caught:
        client.send("GET", "/calls")
    assert caught.value.until == NOON + timedelta(hours=1)
    assert len(server.seen) == 1
    assert clock.slept == []
    # Whoever shares the key obeys, without asking the vendor.
    server.says(FINE)
    other = rest_client(server.url, state, clock)
    with pytest.raises(Wait) as also:
        other.send("GET", "/calls")
    assert also.value.until >= NOON + timedelta(hours=1)
    assert len(server.seen) == 1
    clock.advance(3601)
    assert other.send("GET", "/calls").data == {"ok": True}


def test_a_limit_without_advice_ends_in_a_wait(
    client: RestClient, server: Server, clock: Clock
) -> None:
    server.says(Say(429))
    with pytest.raises(Wait) as caught:
        client.send("GET", "/calls")
    assert caught.value.until >= clock() + timedelta(seconds=60)
    assert len(server.seen) == 5


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "soon"},
        {"Retry-After": "nan"},
        {"Retry-After": "inf"},
        {"Retry-After": "1e300"},
        {"Retry-After": "Wed, 99 Nov 2026 12:00:00 GMT"},
        {"X-RateLimit-Reset": "never"},
        {"X-RateLimit-Reset": "inf"},
        {"X-RateLimit-Reset": "99999999999999999999"},
    ],
)
def test_advice_that_makes_no_sense_is_still_a_limit(
    headers: Mapping[str, str], client: RestClient, server: Server, clock: Clock
) -> None:
    server.says(Say(429, headers=headers))
    with pytest.raises(Wait) as caught:
        client.send("GET", "/calls")
    assert clock() < caught.value.until <= clock() + timedelta(days=31)


def test_an_accepted_answer_carries_its_advice(client: RestClient, server: Server) -> None:
    server.says(Say(202, {"status": "queued"}, {"Retry-After": "5"}))
    assert client.send("POST", "/runs", Ask(json={})).retry_after_seconds == 5
    # A reset moment is sent with every answer by some; it is advice only beside a 429.
    server.says(Say(200, {}, {"X-RateLimit-Reset": "999"}))
    assert client.send("GET", "/runs").retry_after_seconds is None


# ---------------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!doctype html><title>Sign in</title>", "text/html; charset=utf-8"),
        (b"  <html>", "application/json"),
        (b"please sign in", "text/html"),
    ],
)
def test_a_page_instead_of_json(body: bytes, kind: str, client: RestClient, server: Server) -> None:
    server.says(Say(200, body, {"Content-Type": kind}))
    with pytest.raises(ContractBroken, match="login page") as caught:
        client.send("GET", "/calls")
    assert "Sign in" not in str(caught.value)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "broken",
    [
        Say(body=b'{"a": [1, 2'),
        Say(body=b'{"a": 1', promised=500),
        Say(body=b"", promised=500),
        Say(body=b'{"name": "Jos\xe9"}'),
        Say(body=b"\x1f\x8bnot gzip", headers={"Content-Encoding": "gzip"}),
        Say(body=b"[" * 100_000),
    ],
    ids=["truncated", "dropped", "dropped at once", "not UTF-8", "not gzip", "deep"],
)
def test_an_unreadable_answer_is_tried_again(
    broken: Say, client: RestClient, server: Server
) -> None:
    server.says(broken, FINE)
    assert client.send("GET", "/calls").data == {"ok": True}
    server.says(broken)
    with pytest.raises(TryAgain, match="acme_default: GET /calls") as caught:
        client.send("GET", "/calls")
    assert "Jos" not in str(caught.value)


def test_half_an_emoji_does_not_lose_the_page(client: RestClient, server: Server) -> None:
    """Vendors cut texts between the two halves of a character: valid JSON, but no text."""
    server.says(
        Say(body=b'{"text": "ok \\ud83d", "fine": "\\ud83d\\ude00", "id": 7782342274025937895}')
    )
    data = client.send("GET", "/calls").data
    assert data == {"text": "ok ?", "fine": "😀", "id": 7782342274025937895}


def test_a_nul_never_comes_in(client: RestClient, server: Server) -> None:
    """Valid JSON, and refused by PostgreSQL: replaced before anything sees it."""
    told = {"a\0": ["\0\0", "x\0y", {"k": "\\\0"}], "kept": "\\u0000 \\\\u0000 \ufffd", "id": 1}
    server.says(Say(body=orjson.dumps(told)))
    assert client.send("GET", "/calls").data == {
        "a\ufffd": ["\ufffd\ufffd", "x\ufffdy", {"k": "\\\ufffd"}],
        "kept": "\\u0000 \\\\u0000 \ufffd",
        "id": 1,
    }


def test_an_answer_without_end(
    client: RestClient, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_RESPONSE_BYTES", 1_000_000)
    server.says(Say(body=b'"' + b"x" * 2_000_000 + b'"'))
    with pytest.raises(ContractBroken, match="ask for less"):
        client.send("GET", "/calls")
    server.says(Say(body=b'"' + b"x" * 900_000 + b'"'))
    assert len(client.send("GET", "/calls").data) == 900_000


# ---------------------------------------------------------------------- known answers


def test_known_answers_come_back(client: RestClient, server: Server) -> None:
    gone = Answer(404, "no such call")
    server.says(Say(404, {"error": {"detail": "There is No Such Call 17"}}))
    assert client.send("GET", "/x", known=(gone,)).status == 404
    server.says(Say(404, {"error": "no such path"}))
    with pytest.raises(ContractBroken, match="no such path"):
        client.send("GET", "/x", known=(gone,))
    server.says(Say(410, {"error": "no such call"}))
    with pytest.raises(ContractBroken, match="410"):
        client.send("GET", "/x", known=(gone,))


def test_a_known_status_alone(client: RestClient, server: Server) -> None:
    """A status of the API itself, with or without a word; never a proxy's page."""
    gone = Answer(404)
    for said in (Say(404), Say(404, {"error": "anything"})):
        server.says(said)
        assert client.send("GET", "/x", known=(gone,)).status == 404
    server.says(Say(404, b"<html>nothing here</html>", {"Content-Type": "text/html"}))
    with pytest.raises(ContractBroken, match="404"):
        client.send("GET", "/x", known=(gone,))


def test_accepted_statuses_come_back_whatever_they_say(client: RestClient, server: Server) -> None:
    server.says(Say(409, b"<html>", {"Content-Type": "text/html"}))
    assert client.send("GET", "/x", accept=(409,)) == module.Reply(409, None)


def test_records_are_charged_to_the_pace(server: Server, state: State, clock: Clock) -> None:
    from semarize_pipeline.rest.client import Endpoint
    from semarize_pipeline.state.budgets import Limits

    limits = Limits(requests_per_second=10, records_per_second=20)
    client = rest_client(server.url, state, clock, limits=limits)
    server.says(Say(body=[1] * 100))
    list(client.pages(Endpoint(method="GET", path="/x"), Ask()))
    before = clock()
    client.send("GET", "/y")
    assert (clock() - before).total_seconds() == pytest.approx(5, abs=0.2)
