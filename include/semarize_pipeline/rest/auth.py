"""Authentication: objects that change one request, and never decide when to send it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import requests
from requests.auth import AuthBase

from semarize_pipeline.errors import BadCredentials, ContractBroken, Misconfigured, TryAgain
from semarize_pipeline.rest import wire

# Renewed this long before it expires, so that no request leaves with a token about to die.
RENEW_AHEAD = timedelta(seconds=60)
TOKEN_TIMEOUT_SECONDS = 30.0
MAX_TOKEN_BYTES = 1024 * 1024
# RFC 6749, section 5.2: nothing else of a refusal is repeated, it may hold a credential.
OAUTH_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a connection holds. The secret parts never show in a repr."""

    connection: str
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    host: str | None = field(default=None, repr=False)  # it may hold userinfo

    def need(self, name: str) -> str:
        """A field of the connection, or an error that names it."""
        value = getattr(self, name, None) if name in ("login", "password") else None
        value = value or self.extra.get(name)
        if not value:
            raise Misconfigured(
                f"connection {self.connection} has no {name}; add it there (Airflow: Admin, "
                f"Connections) or in AIRFLOW_CONN_{self.connection.upper()}"
            )
        return str(value)

    @property
    def secrets(self) -> list[str]:
        """Every secret text, for keeping them out of error messages."""
        held = [self.password, *(v for v in self.extra.values() if isinstance(v, str))]
        return [text for text in held if text and len(text) >= 6]


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An OAuth access token, what renews it, and when it dies (aware, UTC)."""

    access: str = field(repr=False)
    expires_at: datetime
    refresh: str | None = field(default=None, repr=False)


class TokenStore(Protocol):
    """Where token pairs live between tasks; see ``state/tokens.py``."""

    def load(self, key: str) -> TokenPair | None: ...

    def save(self, key: str, pair: TokenPair) -> None: ...

    def renewing(self, key: str) -> Any:
        """A context manager that lets one task at a time renew this key's pair."""


class HeaderAuth(AuthBase):
    """Fixed headers: an API key, a bearer token, or a pair of keys."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def bearer(given: Credentials, prefix: str = "Bearer") -> HeaderAuth:
    """``Authorization: Bearer <password>``; the extra ``token_prefix`` changes the word."""
    word = str(given.extra.get("token_prefix", prefix))
    return HeaderAuth({"Authorization": f"{word} {given.need('password')}".strip()})


def _refused(response: requests.Response) -> bool:
    """A refused token: 401, or a redirect to a login page (which CallMiner sends instead)."""
    return response.status_code == 401 or response.is_redirect


class OAuth2(AuthBase):
    """A token that is renewed before it expires, and once more when it is refused.

    ``grant`` builds the form of a token request from the pair held so far (None at first).
    A new pair is saved before it is used: the vendor may have revoked the old one already.
    """

    def __init__(
        self,
        given: Credentials,
        store: TokenStore,
        token_url: str,
        grant: Callable[[Credentials, TokenPair | None], dict[str, str]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._given = given
        self._store = store
        self._url = str(given.extra.get("token_url", token_url))
        self._grant = grant
        self._clock = clock
        self._lock = threading.Lock()
        self._pair: TokenPair | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        pair = self._current()
        request.headers["Authorization"] = f"Bearer {pair.access}"
        sent = pair.access

        def once_more(response: requests.Response, **kwargs: Any) -> requests.Response:
            if not _refused(response):
                return response
            response.close()
            again = response.request.copy()
            again.headers["Authorization"] = f"Bearer {self._renew(refused=sent).access}"
            # Straight to the adapter: this hook does not see the second answer, so it cannot loop.
            return response.connection.send(again, **kwargs)

        request.register_hook("response", once_more)  # type: ignore[no-untyped-call]
        return request

    def _alive(self, pair: TokenPair | None) -> bool:
        return pair is not None and pair.expires_at - RENEW_AHEAD > self._clock()

    def _current(self) -> TokenPair:
        if not self._alive(self._pair):
            self._pair = self._store.load(self._given.connection)
        if self._pair is not None and self._alive(self._pair):
            return self._pair
        return self._renew(refused=None)

    def _renew(self, refused: str | None) -> TokenPair:
        with self._lock, self._store.renewing(self._given.connection):
            # Another thread or worker may have renewed it while we waited in line.
            held = self._store.load(self._given.connection)
            if held is not None and self._alive(held) and held.access != refused:
                self._pair = held
                return held
            try:
                pair = self._request(held)
            except BadCredentials:
                if held is None or not self._authorized_again(held):
                    raise
                pair = self._request(None)
            self._store.save(self._given.connection, pair)
            self._pair = pair
            return pair

    def _authorized_again(self, held: TokenPair) -> bool:
        """Whether the connection has something to try beside the stored pair that was refused."""
        try:
            return self._grant(self._given, None) != self._grant(self._given, held)
        except Misconfigured:
            return False

    def _request(self, held: TokenPair | None) -> TokenPair:
        name = self._given.connection
        try:
            with requests.post(
                self._url,
                data=self._grant(self._given, held),
                timeout=TOKEN_TIMEOUT_SECONDS,
                allow_redirects=False,
                stream=True,
                **wire.trust(self._given.extra),
            ) as reply:
                content = wire.content(reply, f"{name}: the token endpoint", MAX_TOKEN_BYTES)
        except OSError as error:
            if mistake := wire.untrusted(error, name):
                raise mistake from None
            if not isinstance(error, requests.RequestException):
                raise
            raise TryAgain(
                f"{name}: the token endpoint cannot be reached ({type(error).__name__})"
            ) from None
        if reply.status_code in (400, 401, 403):
            raise BadCredentials(
                f"{name}: the token endpoint refused the credentials ({reply.status_code}"
                f" {_oauth_error(content)}); {_remedy(held)}"
            )
        if reply.status_code >= 500 or reply.status_code == 429:
            raise TryAgain(f"{name}: the token endpoint answered {reply.status_code}")
        try:
            body = json.loads(content)
            lifetime = float(body.get("expires_in") or 3600)
            if not isinstance(body["access_token"], str) or not body["access_token"]:
                raise ValueError("not a token")
            return TokenPair(
                access=body["access_token"],
                refresh=body.get("refresh_token") or (held.refresh if held else None),
                expires_at=self._clock() + timedelta(seconds=lifetime),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            raise ContractBroken(
                f"{name}: the token endpoint ({reply.status_code}) did not answer with a token; "
                "check token_url in the connection's extra"
            ) from None


def _remedy(held: TokenPair | None) -> str:
    """What to do about refused credentials; a pair may have died with a task on its way here."""
    if held is not None and held.refresh:
        return (
            "the vendor no longer takes the stored refresh token. Authorize again and put the new "
            "refresh_token, or an authorization_code, into the connection's extra"
        )
    return "authorize again and renew the connection: its login, password, or extra refresh_token"


def _oauth_error(content: bytes) -> str:
    """The standard's short error code, which holds no secret (RFC 6749, section 5.2)."""
    try:
        code = json.loads(content).get("error", "")
    except (ValueError, AttributeError):
        return ""
    return code if isinstance(code, str) and code in OAUTH_ERRORS else ""


def client_credentials(given: Credentials, held: TokenPair | None) -> dict[str, str]:
    """The grant of a service: id and secret, nothing to renew with."""
    form = {
        "grant_type": "client_credentials",
        "client_id": given.need("login"),
        "client_secret": given.need("password"),
    }
    if given.extra.get("scope"):
        form["scope"] = str(given.extra["scope"])
    return form


def authorization_code(given: Credentials, held: TokenPair | None) -> dict[str, str]:
    """The grant of an application that a person authorized once.

    The pair held so far renews itself. Before there is one: the connection's extra
    ``refresh_token``, else its ``authorization_code`` with ``redirect_uri``.
    """
    form = {"client_id": given.need("login"), "client_secret": given.need("password")}
    refresh = held.refresh if held and held.refresh else given.extra.get("refresh_token")
    if refresh:
        return {**form, "grant_type": "refresh_token", "refresh_token": str(refresh)}
    return {
        **form,
        "grant_type": "authorization_code",
        "code": given.need("authorization_code"),
        "redirect_uri": given.need("redirect_uri"),
    }
