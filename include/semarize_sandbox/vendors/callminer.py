"""Stand-in for CallMiner: interactions of four channels, OAuth client credentials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from semarize_sandbox.faults import shifted_rows
from semarize_sandbox.limits import SlidingWindow
from semarize_sandbox.model import Call, Turn
from semarize_sandbox.oauth import oauth_error, token_request
from semarize_sandbox.paging import Page, cut
from semarize_sandbox.tokens import TokenMint
from semarize_sandbox.wire import (
    bearer,
    digits,
    fingerprint,
    format_moment,
    json_answer,
    parse_moment,
    sign,
    unsign,
    whole_number,
)
from semarize_sandbox.world import Credentials, Route, Standin, World

NAME = "callminer"
CLIENT_ID = "sandbox-callminer-client"
CLIENT_SECRET = "sandbox-callminer-secret"
PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 50

_ROLE = {"rep": "agent", "customer": "customer"}
_LOGIN_PAGE = (
    "<!doctype html><html><head><title>Sandbox login</title></head>"
    "<body><h1>Sandbox</h1><p>Please log in.</p></body></html>"
)


@dataclass(slots=True, kw_only=True)
class Switches:
    """How CallMiner's stand-in can behave otherwise.

    ``one_live_token``: a new token revokes the one before it.
    ``bad_token``: what a missing or expired token meets: 401, or a redirect to a login page.
    """

    token_seconds: float = 3600.0
    one_live_token: bool = True
    bad_token: Literal["401", "login_page"] = "401"
    paging: Literal["token", "offset"] = "token"
    not_ready_status: Literal[202, 404] = 202
    requests_per_second: int = 10
    retry_after: Literal["seconds", "date"] = "seconds"


def _error(status: int, message: str) -> Response:
    return json_answer({"error": {"code": status, "message": message}}, status)


class _CallMiner:
    def __init__(self, world: World) -> None:
        self._world = world
        self.switches = Switches()
        self._tokens = TokenMint("callminer-access")
        self._second = SlidingWindow(1.0)

    def credentials(self, base_url: str) -> Credentials:
        return Credentials(
            login=CLIENT_ID,
            password=CLIENT_SECRET,
            extra={"token_url": f"{base_url}/oauth/token"},
        )

    def expire_tokens(self) -> None:
        self._tokens.revoke_all()

    # Gates

    def refuse(self, request: Request) -> Response | None:
        token = bearer(request)
        if token is not None and self._tokens.is_good(token):
            return None
        if self.switches.bad_token == "login_page":
            return RedirectResponse(f"/{NAME}/login", 302)
        response = _error(401, "The access token is missing, expired or revoked")
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return response

    def limit(self, request: Request) -> Response | None:
        wait = self._second.wait(self.switches.requests_per_second)
        if wait == 0:
            return None
        seconds = max(1, math.ceil(wait))
        if self.switches.retry_after == "seconds":
            text = str(seconds)
        else:
            # HTTP dates have whole seconds, so the next one is cut off.
            moment = datetime.now(UTC) + timedelta(seconds=seconds)
            text = format_datetime(moment + timedelta(seconds=1), usegmt=True)
        response = _error(429, "Too many requests")
        response.headers["Retry-After"] = text
        return response

    # OAuth

    async def token(self, request: Request) -> Response:
        """``POST /oauth/token``: a token for the client, form-encoded only."""
        asked = await token_request(request, json_too=False)
        if not asked:
            return oauth_error(400, "invalid_request", "Send the fields form-encoded")
        if (asked.get("client_id"), asked.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return oauth_error(401, "invalid_client", "Client authentication failed")
        if asked.get("grant_type") != "client_credentials":
            return oauth_error(400, "unsupported_grant_type", "Use client_credentials")
        lifetime = self.switches.token_seconds
        one = self.switches.one_live_token
        token = self._tokens.issue_only(lifetime) if one else self._tokens.issue(lifetime)
        return json_answer(
            {"access_token": token, "token_type": "Bearer", "expires_in": int(lifetime)}
        )

    async def login(self, request: Request) -> Response:
        """``GET /login``: where an unauthenticated request may be sent; answers 200."""
        return HTMLResponse(_LOGIN_PAGE)

    # Routes

    async def interactions(self, request: Request) -> Response:
        """``GET /v1/interactions``: one page of a window, oldest first."""
        query = request.query_params
        try:
            start = _moment(query, "startDate")
            end = _moment(query, "endDate")
            offset = self._offset(query)
        except ValueError as problem:
            return _error(400, f"{problem} is missing or not valid")
        size = whole_number(
            query.get("limit"), DEFAULT_PAGE_SIZE, 1, self._world.page_limit(NAME, PAGE_SIZE)
        )
        page = cut(self._world.listed(NAME, start, end), offset, size, shifted_rows(request))
        answer: dict[str, Any] = {"interactions": [_interaction(call) for call in page.rows]}
        answer |= self._continuation(page, query)
        return json_answer(answer)

    async def transcript(self, request: Request) -> Response:
        """``GET /v1/interactions/{id}/transcript``."""
        call = self._world.find(NAME, request.path_params["id"])
        if call is None:
            return _error(404, "There is no such interaction")
        state = self._world.transcript_state(call)
        if state == "gone":
            return _error(410, "The interaction has been purged")
        if state == "never":
            return json_answer(
                {"status": "unavailable", "message": "This interaction was never transcribed"},
                404,
            )
        if state == "pending":
            return json_answer(
                {"status": "processing", "message": "The transcript is not ready yet"},
                self.switches.not_ready_status,
            )
        roles = {person.id: _ROLE.get(person.role) for person in call.people}
        return json_answer({"utterances": [_utterance(call, turn, roles) for turn in call.turns]})

    # Pages

    def _offset(self, query: Mapping[str, str]) -> int:
        if self.switches.paging == "offset":
            return whole_number(query.get("offset"), 0, 0, 10**9)
        token = query.get("nextPage")
        if token is None:
            return 0
        claims = unsign(token)
        if claims is None or claims.get("window") != _window(query):
            raise ValueError("nextPage")
        return int(claims["offset"])

    def _continuation(self, page: Page[Call], query: Mapping[str, str]) -> dict[str, Any]:
        if self.switches.paging == "offset":
            return {"offset": page.offset + len(page.rows)}
        if page.next_offset is None:
            return {"nextPage": None}
        return {"nextPage": sign({"offset": page.next_offset, "window": _window(query)})}


def _moment(query: Mapping[str, str], name: str) -> datetime:
    try:
        return parse_moment(query[name])
    except (KeyError, ValueError):
        raise ValueError(name) from None


def _window(query: Mapping[str, str]) -> str:
    return f"{query.get('startDate')}/{query.get('endDate')}"


# Shapes


def _interaction(call: Call) -> dict[str, Any]:
    extras = call.extras
    shaped: dict[str, Any] = {
        "id": call.id,
        "channel": call.channel,
        "agentId": call.owner.id,
        "agentName": call.owner.name,
        "startTime": format_moment(call.started_at),
        "customerId": extras.get("customer_id"),
        "direction": None if call.direction == "unknown" else call.direction,
        "disposition": extras.get("disposition"),
        "wrapUpCodes": list(extras.get("wrap_up_codes", ())),
        "queue": extras.get("queue"),
        "campaign": extras.get("campaign"),
    }
    if call.channel == "email":
        shaped["subject"] = call.title
        shaped["messageCount"] = len(call.turns)
        shaped["customerEmail"] = next(
            (person.email for person in call.people if person.role == "customer"), None
        )
        return shaped
    shaped["title"] = call.title
    shaped["duration"] = round(call.duration_seconds)
    if call.channel == "chat":
        shaped["messageCount"] = len(call.turns)
        shaped["chatPlatform"] = "web"
    elif call.channel == "voice":
        shaped["ani"] = f"+1555{digits(7, NAME, 'ani', call.id)}"
        shaped["holdSeconds"] = fingerprint("hold", call.id) % 90
    else:
        shaped["meetingUrl"] = f"https://callminer.sandbox.example/meeting/{call.id}"
    return shaped


def _utterance(call: Call, turn: Turn, roles: Mapping[str, str | None]) -> dict[str, Any]:
    """One utterance in the shape of its channel: e-mails know neither roles nor times."""
    if call.channel == "email":
        return {"text": turn.text}
    start: float | str = turn.start_seconds
    end: float | str = turn.end_seconds
    if call.channel == "chat":
        start = format_moment(call.started_at + timedelta(seconds=turn.start_seconds))
        end = format_moment(call.started_at + timedelta(seconds=turn.end_seconds))
    return {
        "speakerRole": roles.get(turn.person_id or ""),
        "startTime": start,
        "endTime": end,
        "text": turn.text,
    }


def standin(world: World) -> Standin:
    """CallMiner, as the server plugs it in."""
    callminer = _CallMiner(world)
    return Standin(
        name=NAME,
        title="CallMiner",
        routes=(
            Route("POST", "/oauth/token", callminer.token, public=True),
            Route("GET", "/login", callminer.login, public=True),
            Route("GET", "/v1/interactions", callminer.interactions),
            Route("GET", "/v1/interactions/{id}/transcript", callminer.transcript),
        ),
        credentials=callminer.credentials,
        refuse=callminer.refuse,
        limit=callminer.limit,
        error=_error,
        switches=callminer.switches,
        expire_tokens=callminer.expire_tokens,
    )
