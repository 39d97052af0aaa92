"""Authentication: what is sent, when it is renewed, and who renews it when many want to."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import requests
from unit import workers
from unit.conftest import Together
from unit.support import NOON, Clock, Request, Say, Server, rest_client, serving

from semarize_pipeline.errors import BadCredentials, ContractBroken, Misconfigured, TryAgain
from semarize_pipeline.rest.auth import (
    Credentials,
    HeaderAuth,
    OAuth2,
    TokenPair,
    authorization_code,
    bearer,
    client_credentials,
)
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.state import State

GIVEN = Credentials("acme_default", login="the-id", password="the-secret")


def person(**extra: str) -> Credentials:
    return Credentials("acme_default", login="the-id", password="the-secret", extra=extra)


class Vendor:
    """An API and its token endpoint, which knows one valid access token at a time.

    With ``rotating``, a refresh token works once, as strict vendors have it.
    """

    def __init__(self, server: Server, *, lifetime: Any = 3600, rotating: bool = False) -> None:
        self.lifetime, self.rotating = lifetime, rotating
        self.issued = 0
        self.valid: set[str] = set()
        self.refresh = {"first"}
        self.codes = {"the-code"}
        self.forms: list[dict[str, str]] = []
        server.answers = self.answer

    def answer(self, request: Request) -> Say:
        if request.path == "/token":
            return self.token(request.form)
        word, _, token = request.headers.get("Authorization", "").partition(" ")
        if word != "Bearer" or token not in self.valid:
            return Say(401, {"error": "invalid_token"})
        return Say(body={"ok": True})

    def token(self, form: dict[str, str]) -> Say:
        self.forms.append(form)
        if (form.get("client_id"), form.get("client_secret")) != ("the-id", "the-secret"):
            return Say(401, {"error": "invalid_client"})
        body: dict[str, Any] = {"token_type": "Bearer", "expires_in": self.lifetime}
        grant = form["grant_type"]
        if grant == "refresh_token":
            if form["refresh_token"] not in self.refresh:
                return Say(400, {"error": "invalid_grant"})
            if self.rotating:
                self.refresh = {f"refresh-{self.issued + 1}"}
                body["refresh_token"] = f"refresh-{self.issued + 1}"
        elif grant == "authorization_code":
            if form["code"] not in self.codes:
                return Say(400, {"error": "invalid_grant"})
            self.codes = set()
            self.refresh.add("from-code")
            body["refresh_token"] = "from-code"
        self.issued += 1
        body["access_token"] = f"access-{self.issued}"
        self.valid = {body["access_token"]}
        return Say(body=body)


@pytest.fixture
def vendor(server: Server) -> Vendor:
    return Vendor(server)


def oauth(
    server: Server, state: State, given: Credentials = GIVEN, grant: Any = client_credentials
) -> OAuth2:
    return OAuth2(given, state.tokens, server.url + "/token", grant, state.clock)


def signed_in(
    server: Server,
    state: State,
    clock: Clock,
    given: Credentials = GIVEN,
    grant: Any = client_credentials,
) -> RestClient:
    return rest_client(server.url, state, clock, auth=oauth(server, state, given, grant))


# ---------------------------------------------------------------------- headers


def headers_of(auth: Any) -> dict[str, str]:
    prepared = requests.Request("GET", "http://x.invalid", auth=auth).prepare()
    return {name: str(value) for name, value in prepared.headers.items()}


def test_header_styles() -> None:
    assert headers_of(bearer(GIVEN)) == {"Authorization": "Bearer the-secret"}
    assert headers_of(bearer(GIVEN, "Token")) == {"Authorization": "Token the-secret"}
    assert headers_of(bearer(person(token_prefix="JWT"))) == {"Authorization": "JWT the-secret"}
    assert headers_of(bearer(person(token_prefix=""))) == {"Authorization": "the-secret"}
    pair = HeaderAuth({"X-Api-Key": "a", "X-Api-Password": "b"})
    assert headers_of(pair) == {"X-Api-Key": "a", "X-Api-Password": "b"}


def test_a_missing_field_names_connection_and_variable() -> None:
    with pytest.raises(Misconfigured, match="acme_default has no password") as caught:
        bearer(Credentials("acme_default"))
    assert "AIRFLOW_CONN_ACME_DEFAULT" in str(caught.value)
    with pytest.raises(Misconfigured, match="tenant"):
        GIVEN.need("tenant")
    assert person(tenant="t").need("tenant") == "t"
    # The extra may hold what a form without such a field cannot.
    assert Credentials("x", extra={"password": "p"}).need("password") == "p"


@pytest.mark.parametrize("password", ["line\nbreak", "price: 5 €"])
def test_a_credential_that_no_header_holds(
    password: str, server: Server, state: State, clock: Clock
) -> None:
    auth = bearer(Credentials("acme_default", password=password))
    with pytest.raises(Misconfigured, match="acme_default") as caught:
        rest_client(server.url, state, clock, auth=auth).send("GET", "/x")
    assert password not in str(caught.value)
    assert server.seen == []


@pytest.mark.parametrize(
    "host", ["api.example.com", "htp://api.example.com", "http://", "http://["]
)
def test_a_host_that_is_no_url(host: str, state: State, clock: Clock) -> None:
    with pytest.raises(Misconfigured, match=r"acme_default.*host"):
        rest_client(host, state, clock).send("GET", "/x")


# ---------------------------------------------------------------------- client credentials


def test_a_token_is_kept_and_renewed_ahead_of_its_end(
    vendor: Vendor, server: Server, state: State, clock: Clock
) -> None:
    client = signed_in(server, state, clock)
    for _ in range(3):
        assert client.send("GET", "/x").data == {"ok": True}
    assert vendor.issued == 1
    assert vendor.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "the-id",
            "client_secret": "the-secret",
        }
    ]
    clock.advance(3600 - 62)
    client.send("GET", "/x")
    assert vendor.issued == 1
    clock.advance(2)  # a minute before its end, and the server would still take it
    client.send("GET", "/x")
    assert vendor.issued == 2
    assert not [s for s in server.seen if s.path == "/x" and s.headers["Authorization"] == ""]


def test_another_task_finds_the_token(
    vendor: Vendor, server: Server, state: State, clock: Clock, url: str, fernet_key: str
) -> None:
    signed_in(server, state, clock).send("GET", "/x")
    other = State(url, fernet_key=fernet_key, clock=clock)
    signed_in(server, other, clock).send("GET", "/x")
    assert vendor.issued == 1
    other.close()


def test_scope_and_endpoint_come_from_the_extra(
    vendor: Vendor, server: Server, state: State, clock: Clock
) -> None:
    given = person(scope="read:all", token_url=server.url + "/token")
    auth = OAuth2(given, state.tokens, "http://elsewhere.invalid", client_credentials, clock)
    rest_client(server.url, state, clock, auth=auth).send("GET", "/x")
    assert vendor.forms[0]["scope"] == "read:all"


def test_a_token_that_is_refused_is_renewed_once(
    vendor: Vendor, server: Server, state: State, clock: Clock
) -> None:
    client = signed_in(server, state, clock)
    client.send("POST", "/x")
    vendor.valid.clear()  # revoked on the other side, long before its end
    server.seen.clear()
    before = client.sent
    assert client.send("GET", "/x").data == {"ok": True}
    assert [r.path for r in server.seen] == ["/x", "/token", "/x"]
    assert vendor.issued == 2
    assert client.sent - before == 2, "the second try is a request like any other"


def test_the_second_try_waits_its_turn(
    vendor: Vendor, server: Server, state: State, clock: Clock
) -> None:
    from semarize_pipeline.state.budgets import Limits

    auth = oauth(server, state)
    client = rest_client(
        server.url, state, clock, auth=auth, limits=Limits(requests_per_second=0.5, per_day=3)
    )
    client.send("GET", "/x")
    vendor.valid.clear()
    at: list[float] = []
    answer = vendor.answer

    def timed(request: Request) -> Say:
        if request.path == "/x":
            at.append(clock.timestamp())
        return answer(request)

    server.answers = timed
    client.send("GET", "/x")
    assert at[1] - at[0] == pytest.approx(2, abs=0.01)
    assert state.budgets.used("a key", "day") == 3


def test_a_token_that_stays_refused_is_a_bad_credential(
    vendor: Vendor, server: Server, state: State, clock: Clock
) -> None:
    server.answers = lambda r: vendor.answer(r) if r.path == "/token" else Say(401, {})
    with pytest.raises(BadCredentials, match="acme_default"):
        signed_in(server, state, clock).send("GET", "/x")
    assert [r.path for r in server.seen] == ["/token", "/x", "/token", "/x"], "and no loop"


def test_a_login_page_counts_as_refused(
    vendor: Vendor, server: Server, state: State, clock: Clock
) -> None:
    def answer(request: Request) -> Say:
        said = vendor.answer(request)
        return Say(302, headers={"Location": "/login"}) if said.status == 401 else said

    server.answers = answer
    client = signed_in(server, state, clock)
    client.send("GET", "/x")
    vendor.valid.clear()
    assert client.send("GET", "/x").data == {"ok": True}
    assert [r.path for r in server.seen] == ["/token", "/x", "/x", "/token", "/x"]


def test_the_renewed_request_is_the_same_request(
    vendor: Vendor, server: Server, state: State, clock: Clock
) -> None:
    from semarize_pipeline.rest.paging import Ask

    client = signed_in(server, state, clock)
    client.send("GET", "/x")
    vendor.valid.clear()
    server.seen.clear()
    client.send(
        "POST", "/x", Ask(params={"a": 1}, json={"b": "é"}), headers={"Idempotency-Key": "k"}
    )
    first, _, second = server.seen
    assert (first.target, first.body) == (second.target, second.body)
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.headers["Authorization"] != second.headers["Authorization"]


# ---------------------------------------------------------------------- a person's authorization


def test_a_code_is_used_once_then_the_refresh_token(
    vendor: Vendor, server: Server, state: State, clock: Clock
) -> None:
    given = person(authorization_code="the-code", redirect_uri="https://us.example/cb")
    client = signed_in(server, state, clock, given, authorization_code)
    client.send("GET", "/x")
    assert vendor.forms[0]["grant_type"] == "authorization_code"
    assert vendor.forms[0]["redirect_uri"] == "https://us.example/cb"
    for _ in range(2):
        clock.advance(3600)
        client.send("GET", "/x")
    assert [f["grant_type"] for f in vendor.forms[1:]] == ["refresh_token"] * 2
    assert {f["refresh_token"] for f in vendor.forms[1:]} == {"from-code"}
    # A task on another machine goes on from the store, not from the code.
    signed_in(server, state, clock, given, authorization_code).send("GET", "/x")
    assert len(vendor.forms) == 3


def test_nothing_to_begin_with_names_what_is_missing(
    vendor: Vendor, server: Server, state: State, clock: Clock
) -> None:
    with pytest.raises(Misconfigured, match="authorization_code"):
        signed_in(server, state, clock, GIVEN, authorization_code).send("GET", "/x")


def test_rotating_refresh_tokens(server: Server, state: State, clock: Clock) -> None:
    vendor = Vendor(server, rotating=True)
    client = signed_in(server, state, clock, person(refresh_token="first"), authorization_code)
    for _ in range(4):
        client.send("GET", "/x")
        clock.advance(4000)
    assert [f["refresh_token"] for f in vendor.forms] == [
        "first",
        "refresh-1",
        "refresh-2",
        "refresh-3",
    ]


class FailingStore:
    """The real store, on a disk that fills up at the wrong moment."""

    def __init__(self, state: State) -> None:
        self._state = state

    def load(self, key: str) -> TokenPair | None:
        return self._state.tokens.load(key)

    def save(self, key: str, pair: TokenPair) -> None:
        raise OSError("no space left on device")

    @contextmanager
    def renewing(self, key: str) -> Iterator[None]:
        with self._state.tokens.renewing(key):
            yield


def test_a_token_that_could_not_be_saved_is_not_used(
    server: Server, state: State, clock: Clock
) -> None:
    vendor = Vendor(server, rotating=True)
    auth = OAuth2(
        person(refresh_token="first"),
        FailingStore(state),
        server.url + "/token",
        authorization_code,
        clock,
    )
    client = rest_client(server.url, state, clock, auth=auth)
    for _ in range(2):
        with pytest.raises((OSError, BadCredentials)):
            client.send("GET", "/x")
    assert vendor.issued == 1
    assert [r.path for r in server.seen] == ["/token", "/token"], "no request went out with it"
    with state.tokens.renewing("acme_default"):
        pass  # and nobody else is kept waiting


def test_a_person_who_authorizes_again_is_heard(server: Server, state: State, clock: Clock) -> None:
    """The remedy that the message names works, though an old pair is stored."""
    vendor = Vendor(server, rotating=True)
    signed_in(server, state, clock, person(refresh_token="first"), authorization_code).send(
        "GET", "/x"
    )
    clock.advance(4000)
    vendor.refresh = {"second"}  # everything issued before was revoked
    with pytest.raises(BadCredentials, match="acme_default"):
        signed_in(server, state, clock, person(refresh_token="first"), authorization_code).send(
            "GET", "/x"
        )
    again = signed_in(server, state, clock, person(refresh_token="second"), authorization_code)
    assert again.send("GET", "/x").data == {"ok": True}
    clock.advance(4000)
    assert again.send("GET", "/x").data == {"ok": True}, "and its own pair goes on"


def test_a_new_code_is_heard_too(
    vendor: Vendor, server: Server, state: State, clock: Clock
) -> None:
    def given(code: str) -> Credentials:
        return person(authorization_code=code, redirect_uri="https://us.example/cb")

    signed_in(server, state, clock, given("the-code"), authorization_code).send("GET", "/x")
    clock.advance(4000)
    vendor.refresh, vendor.codes = set(), {"new-code"}
    again = signed_in(server, state, clock, given("new-code"), authorization_code)
    assert again.send("GET", "/x").data == {"ok": True}


def test_refused_credentials_are_asked_for_once(
    vendor: Vendor, server: Server, state: State, clock: Clock
) -> None:
    """Where the connection holds nothing newer, a second request would only be noise."""
    wrong = Credentials("acme_default", login="the-id", password="wrong-secret")
    state.tokens.save("acme_default", TokenPair("old", NOON))
    with pytest.raises(BadCredentials, match="invalid_client"):
        signed_in(server, state, clock, wrong).send("GET", "/x")
    assert len(vendor.forms) == 1


# ---------------------------------------------------------------------- many at once


def test_threads_renew_once(vendor: Vendor, server: Server, state: State, clock: Clock) -> None:
    client = signed_in(server, state, clock)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: client.send("GET", "/x").status, range(16)))
    assert replies == [200] * 16
    assert vendor.issued == 1
    clock.advance(4000)
    vendor.valid.clear()
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: client.send("GET", "/x").status, range(16)))
    assert replies == [200] * 16
    assert vendor.issued == 2


def test_threads_with_a_refused_token_renew_once(
    vendor: Vendor, server: Server, state: State, clock: Clock
) -> None:
    client = signed_in(server, state, clock)
    client.send("GET", "/x")
    vendor.valid.clear()
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda _: client.send("GET", "/x").status, range(6))) == [200] * 6
    assert vendor.issued == 2


@pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
def test_processes_renew_once(
    server: Server, url: str, fernet_key: str, together: Together
) -> None:
    """With a rotating token, a second renewal would lock everybody out."""
    vendor = Vendor(server, rotating=True)
    got = together(workers.renew, *[(url, fernet_key, server.url + "/token")] * 3)
    assert got == ["Bearer access-1"] * 3
    assert vendor.issued == len(server.seen) == 1


# ---------------------------------------------------------------------- the token endpoint's faults


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_names_the_connection(
    status: int, server: Server, state: State, clock: Clock
) -> None:
    server.says(Say(status, {"error": "invalid_grant", "error_description": "the-secret is bad"}))
    with pytest.raises(BadCredentials, match=r"acme_default.*invalid_grant.*authorize") as caught:
        signed_in(server, state, clock).send("GET", "/x")
    assert "the-secret" not in str(caught.value)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "said",
    [
        Say(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
        Say(200, {"token": "x"}),
        Say(200, {"access_token": None, "expires_in": 3600}),
        Say(200, {"access_token": "", "expires_in": 3600}),
        Say(200, {"access_token": {"value": "x"}}),
        Say(200, {"access_token": "x", "expires_in": "soon"}),
        Say(200, b'{"access_token": "x", "expires_in": Infinity}'),
        Say(200, {"access_token": "x", "expires_in": 1e30}),
        Say(200, ["x"]),
        Say(204),
        Say(302, headers={"Location": "/login"}),
        Say(404, {"error": "x"}),
    ],
)
def test_an_answer_without_a_token(said: Say, server: Server, state: State, clock: Clock) -> None:
    server.says(said)
    with pytest.raises(ContractBroken, match=r"acme_default.*token_url"):
        signed_in(server, state, clock).send("GET", "/x")
    assert state.tokens.load("acme_default") is None


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_endpoint_that_is_down(status: int, server: Server, state: State, clock: Clock) -> None:
    server.says(Say(status))
    with pytest.raises(TryAgain, match="acme_default: the token endpoint"):
        signed_in(server, state, clock).send("GET", "/x")


def test_an_endpoint_that_is_away(server: Server, state: State, clock: Clock) -> None:
    with serving() as gone:
        away = gone.url
    auth = OAuth2(GIVEN, state.tokens, away, client_credentials, clock)
    with pytest.raises(TryAgain, match="acme_default: the token endpoint cannot be reached"):
        rest_client(server.url, state, clock, auth=auth).send("GET", "/x")
    assert server.seen == []


def test_no_expiry_is_an_hour(server: Server, state: State, clock: Clock) -> None:
    server.answers = lambda r: Say(body={"access_token": "x", "expires_in": None})
    signed_in(server, state, clock).send("GET", "/x")
    held = state.tokens.load("acme_default")
    assert held is not None
    assert held.expires_at == NOON + timedelta(hours=1)
