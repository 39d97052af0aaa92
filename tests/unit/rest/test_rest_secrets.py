"""No credential ever leaves in an error or a log line, whatever the server sends back."""

from __future__ import annotations

import base64
import itertools
import json
import logging
import traceback
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.auth import AuthBase
from unit.support import Clock, Request, Say, Server, rest_client

from semarize_pipeline.errors import PipelineError
from semarize_pipeline.rest.auth import (
    Credentials,
    HeaderAuth,
    OAuth2,
    TokenPair,
    authorization_code,
    bearer,
    client_credentials,
)
from semarize_pipeline.rest.client import Endpoint, RestClient
from semarize_pipeline.rest.paging import Ask
from semarize_pipeline.state import State

PASSWORD = "pass-Word/1+2="
EXTRA = "extra-Key-99"
ACCESS = "access.Token_55"
GIVEN = Credentials(
    "acme_default",
    login="the-login-id",
    password=PASSWORD,
    extra={"api_key": EXTRA, "refresh_token": "refresh-Token-77"},
)
BASIC = base64.b64encode(f"the-login-id:{PASSWORD}".encode()).decode()
SECRETS = [PASSWORD, EXTRA, ACCESS, BASIC, "refresh-Token-77"]


def token(state: State) -> AuthBase:
    state.tokens.save(
        "acme_default", TokenPair(ACCESS, state.clock() + timedelta(hours=1), "refresh-Token-77")
    )
    return OAuth2(GIVEN, state.tokens, "http://127.0.0.1:9/", client_credentials, state.clock)


AUTHS: dict[str, Callable[[State], AuthBase]] = {
    "bearer": lambda state: bearer(GIVEN),
    "basic": lambda state: HeaderAuth({"Authorization": f"Basic {BASIC}"}),
    "two headers": lambda state: HeaderAuth({"X-Api-Key": EXTRA, "X-Api-Password": PASSWORD}),
    "oauth": token,
}


def echo(status: int, shape: str) -> Callable[[Request], Say]:
    """A server that repeats all it was sent, in each place that an error text may be read from."""

    def answer(request: Request) -> Say:
        told = " ".join([*request.headers.values(), request.body.decode(), PASSWORD, EXTRA])
        body = {
            "text": {"error": told},
            "list": {"errors": [told]},
            "nested": {"error": {"message": told, "headers": dict(request.headers)}},
            "message": {"message": told},
            "keys": {"nothing": told},
            "raw": told.encode(),
        }[shape]
        return Say(status, body, {"Location": "https://u:" + EXTRA + "@login.example/" + EXTRA})

    return answer


def leaks(text: str) -> list[str]:
    return [s for s in SECRETS if s in text or json.dumps(s)[1:-1] in text]


SHAPES = ("text", "list", "nested", "message", "keys", "raw")
STATUSES = (200, 302, 400, 401, 403, 404, 422, 429, 500)


@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize("status", STATUSES)
def test_no_secret_in_errors_or_logs(
    status: int,
    auth: str,
    server: Server,
    state: State,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    client = rest_client(server.url, state, clock, auth=AUTHS[auth](state), secrets=GIVEN.secrets)
    for shape in SHAPES:
        server.answers = echo(status, shape)
        with pytest.raises(PipelineError) as caught:
            list(client.pages(Endpoint(method="POST", path="/calls"), Ask(json={"key": EXTRA})))
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert "acme_default" in told
        assert leaks(told) == [], shape
        clock.advance(120)
    assert any(s in str(r.headers) for r in server.seen for s in SECRETS), "they were sent"
    assert caplog.records
    assert leaks(caplog.text) == []


def test_the_vendor_s_own_words_stay_readable(server: Server, state: State, clock: Clock) -> None:
    server.answers = lambda r: Say(401, {"error": f"Bearer {PASSWORD} has expired"})
    client = rest_client(server.url, state, clock, auth=bearer(GIVEN), secrets=GIVEN.secrets)
    with pytest.raises(PipelineError, match=r"Bearer \*\*\* has expired"):
        client.send("GET", "/x")


ODD = st.text(
    st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["Cc"]),
    min_size=4,
    max_size=12,
).map(lambda text: "s3" + text)


@given(one=ODD, more=ODD)
def test_secrets_of_any_letters_and_within_each_other(
    one: str, more: str, server: Server, state: State, clock: Clock
) -> None:
    secrets = [one, one + more]
    client: RestClient = rest_client(server.url, state, clock, secrets=secrets)
    for shape in ({"error": f"bad {one + more} and {one}"}, {"errors": [{"k": one + more}]}):
        server.says(Say(400, shape))
        with pytest.raises(PipelineError) as caught:
            client.send("GET", "/x")
        told = str(caught.value)
        for secret in secrets:
            assert secret not in told
            assert json.dumps(secret, ensure_ascii=False)[1:-1] not in told
        assert more not in told, "a secret that begins with another is cut out whole"


@pytest.mark.parametrize("status", STATUSES)
def test_no_secret_from_the_token_endpoint(
    status: int,
    server: Server,
    state: State,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    for shape, grant in itertools.product(SHAPES, (client_credentials, authorization_code)):
        server.answers = echo(status, shape)
        auth = OAuth2(GIVEN, state.tokens, server.url + "/token", grant, clock)
        client = rest_client(server.url, state, clock, auth=auth, secrets=GIVEN.secrets)
        with pytest.raises(PipelineError) as caught:
            client.send("GET", "/x")
        told = "".join(traceback.format_exception(caught.value))
        assert "acme_default" in told
        assert leaks(told) == []
    assert leaks(caplog.text) == []


def test_an_error_code_that_is_the_secret(server: Server, state: State, clock: Clock) -> None:
    given = Credentials("acme_default", login="id", password="supersecretvalue")
    server.says(Say(400, {"error": "supersecretvalue"}))
    auth = OAuth2(given, state.tokens, server.url, client_credentials, clock)
    with pytest.raises(PipelineError) as caught:
        rest_client(server.url, state, clock, auth=auth).send("GET", "/x")
    assert "supersecretvalue" not in str(caught.value)


def test_reprs_hold_no_secret() -> None:
    assert leaks(repr(GIVEN)) == []
    assert leaks(repr(TokenPair(ACCESS, Clock()(), "refresh-Token-77"))) == []
    assert set(GIVEN.secrets) >= {PASSWORD, EXTRA, "refresh-Token-77"}
