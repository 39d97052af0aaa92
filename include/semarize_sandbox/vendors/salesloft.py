"""Stand-in for Salesloft: conversations by page number, OAuth with rotating refresh tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from starlette.requests import Request
from starlette.responses import Response

from semarize_sandbox.faults import shifted_rows
from semarize_sandbox.limits import FixedWindow
from semarize_sandbox.model import Call, Person
from semarize_sandbox.oauth import oauth_error, token_request
from semarize_sandbox.paging import cut
from semarize_sandbox.tokens import TokenMint
from semarize_sandbox.wire import (
    bearer,
    digits,
    fingerprint,
    format_moment,
    json_answer,
    parse_moment,
    whole_number,
)
from semarize_sandbox.world import Credentials, Route, Standin, World

NAME = "salesloft"
CLIENT_ID = "sandbox-salesloft-client"
CLIENT_SECRET = "sandbox-salesloft-secret"
AUTHORIZATION_CODE = "sandbox-salesloft-code"
REDIRECT_URI = "https://sandbox.example/salesloft/callback"
PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 25

_LABEL = {"rep": "Rep", "customer": "Prospect"}
_COMPARISONS: dict[str, Callable[[datetime, datetime], bool]] = {
    "gte": lambda one, other: one >= other,
    "gt": lambda one, other: one > other,
    "lte": lambda one, other: one <= other,
    "lt": lambda one, other: one < other,
}
_SORTABLE = ("created_at", "updated_at", "id")


@dataclass(slots=True, kw_only=True)
class Switches:
    """How Salesloft's stand-in can behave otherwise.

    ``ids``: whole numbers, or UUIDs as in the public API, where durations are milliseconds
    whatever ``duration_unit`` says.
    ``full_text_only_every``: about one in so many transcribed conversations has a full
    text but no sentences; 0 for none. ``deep_pages_cost_more`` prices page 101 and beyond as
    the public documentation does.
    """

    ids: Literal["integer", "uuid"] = "integer"
    duration_unit: Literal["seconds", "milliseconds"] = "seconds"
    rotate_refresh_tokens: bool = True
    access_token_seconds: float = 7200.0
    requests_per_minute: int = 600
    rate_limit_reset: Literal["epoch", "delta"] = "epoch"
    deep_pages_cost_more: bool = False
    full_text_only_every: int = 12


def _error(status: int, message: str) -> Response:
    return json_answer({"error": message}, status)


class _Salesloft:
    def __init__(self, world: World) -> None:
        self._world = world
        self.switches = Switches()
        self._minute = FixedWindow(60.0)
        self._access = TokenMint("salesloft-access")
        self._refresh = TokenMint("salesloft-refresh")
        self._code_lock = Lock()
        self._code_used = False
        self._indexed: tuple[Sequence[Call], str] | None = None
        self._by_public_id: dict[str, str] = {}

    def credentials(self, base_url: str) -> Credentials:
        return Credentials(
            login=CLIENT_ID,
            password=CLIENT_SECRET,
            extra={
                "token_url": f"{base_url}/oauth/token",
                "refresh_token": self._refresh.first(),
                "authorization_code": AUTHORIZATION_CODE,
                "redirect_uri": REDIRECT_URI,
            },
        )

    def expire_tokens(self) -> None:
        self._access.revoke_all()

    # Gates

    def refuse(self, request: Request) -> Response | None:
        token = bearer(request)
        if token is not None and self._access.is_good(token):
            return None
        return _error(401, "Unauthorized: the access token is missing, expired or revoked")

    def limit(self, request: Request) -> Response | None:
        limit = self.switches.requests_per_minute
        wait = self._minute.wait(limit, self._cost(request))
        if wait == 0:
            return None
        reset = time.time() + wait if self.switches.rate_limit_reset == "epoch" else wait
        response = _error(429, "Rate limit exceeded")
        # Rounded up: a client that comes back at this second must find the window open.
        response.headers["X-RateLimit-Reset"] = str(int(reset) + 1)
        return response

    def _cost(self, request: Request) -> int:
        if not self.switches.deep_pages_cost_more:
            return 1
        page = whole_number(request.query_params.get("page"), 1, 1, 10**9)
        for beyond, cost in ((500, 30), (250, 10), (150, 8), (100, 3)):
            if page > beyond:
                return cost
        return 1

    # OAuth

    async def token(self, request: Request) -> Response:
        """``POST /oauth/token``: an access token and its refresh token."""
        asked = await token_request(request, json_too=True)
        client = (asked.get("client_id"), asked.get("client_secret"))
        if client != (CLIENT_ID, CLIENT_SECRET):
            return oauth_error(401, "invalid_client", "Client authentication failed")
        grant = asked.get("grant_type")
        if grant == "refresh_token":
            refresh = self._traded(asked.get("refresh_token", ""))
        elif grant == "authorization_code":
            refresh = self._for_code(asked.get("code"), asked.get("redirect_uri"))
        else:
            return oauth_error(
                400, "unsupported_grant_type", "Use authorization_code or refresh_token"
            )
        if refresh is None:
            return oauth_error(
                400, "invalid_grant", "The grant is invalid, expired, revoked or already used"
            )
        lifetime = self.switches.access_token_seconds
        return json_answer(
            {
                "access_token": self._access.issue(lifetime),
                "token_type": "Bearer",
                "expires_in": int(lifetime),
                "refresh_token": refresh,
                "scope": "conversations:read",
                "created_at": int(time.time()),
            }
        )

    def _traded(self, refresh: str) -> str | None:
        if self.switches.rotate_refresh_tokens:
            return self._refresh.trade(refresh, None)
        return refresh if self._refresh.is_good(refresh) else None

    def _for_code(self, code: str | None, redirect_uri: str | None) -> str | None:
        with self._code_lock:
            if self._code_used or (code, redirect_uri) != (AUTHORIZATION_CODE, REDIRECT_URI):
                return None
            self._code_used = True
        return self._refresh.issue(None)

    # Routes

    async def conversations(self, request: Request) -> Response:
        """``GET /v2/conversations``: one numbered page, filtered and sorted."""
        query = request.query_params
        size = whole_number(
            query.get("per_page"), DEFAULT_PAGE_SIZE, 1, self._world.page_limit(NAME, PAGE_SIZE)
        )
        number = whole_number(query.get("page"), 1, 1, 10**9)
        try:
            rows = self._sorted(self._filtered(query), query)
        except ValueError as problem:
            return json_answer({"errors": {str(problem): ["is invalid"]}}, 422)
        page = cut(rows, (number - 1) * size, size, shifted_rows(request))
        return json_answer(
            {
                "data": [self._conversation(call) for call in page.rows],
                "metadata": {
                    "paging": {
                        "per_page": size,
                        "current_page": number,
                        "next_page": number + 1 if page.next_offset is not None else None,
                    }
                },
            }
        )

    async def sentences(self, request: Request) -> Response:
        """``GET /v2/conversations/{id}/transcription/sentences``."""
        found = self._transcribed(request)
        if isinstance(found, Response):
            return found
        if self._is_full_text_only(found):
            return json_answer({"data": []})
        people = {person.id: person for person in found.people}
        return json_answer(
            {
                "data": [
                    {
                        "speaker": _label(people.get(turn.person_id or "")),
                        "start_time": turn.start_seconds,
                        "end_time": turn.end_seconds,
                        "text": turn.text,
                    }
                    for turn in found.turns
                ]
            }
        )

    async def full_text(self, request: Request) -> Response:
        """``GET /v2/conversations/{id}/transcription``: the whole text, unattributed."""
        found = self._transcribed(request)
        if isinstance(found, Response):
            return found
        text = "\n".join(turn.text for turn in found.turns)
        return json_answer(
            {
                "data": {
                    "id": int(digits(9, NAME, "transcription", found.id)),
                    "conversation_id": self._id(found),
                    "text": text,
                }
            }
        )

    async def media(self, request: Request) -> Response:
        """``GET /v2/conversations/{id}/media``: where the recording would be."""
        call = self._find(request.path_params["id"])
        if call is None or self._world.is_removed(call):
            return _error(404, "Conversation not found")
        return json_answer({"data": {"url": _media_url(call)}})

    def _transcribed(self, request: Request) -> Call | Response:
        call = self._find(request.path_params["id"])
        if call is None or self._world.is_removed(call):
            return _error(404, "Conversation not found")
        if self._world.transcript_state(call) != "ready":
            return _error(404, "Transcription not found for this conversation")
        return call

    def _is_full_text_only(self, call: Call) -> bool:
        every = self.switches.full_text_only_every
        if call.extras.get("verbatim"):
            return False
        return every > 0 and fingerprint("full text only", call.id) % every == 0

    def _find(self, given: str) -> Call | None:
        calls = self._world.all_calls(NAME)
        known = (calls, self.switches.ids)
        if self._indexed is None or self._indexed[0] is not calls or self._indexed[1] != known[1]:
            self._indexed = known
            self._by_public_id = {str(self._id(call)): call.id for call in calls}
        call_id = self._by_public_id.get(given)
        return None if call_id is None else self._world.find(NAME, call_id)

    # Filters and order

    def _filtered(self, query: Mapping[str, str]) -> list[Call]:
        calls = self._world.listed(NAME)
        for field, moment_of in (("created_at", _created_at), ("updated_at", self._updated_at)):
            for name, holds in _COMPARISONS.items():
                text = query.get(f"{field}[{name}]")
                if text is None:
                    continue
                try:
                    bound = parse_moment(text)
                except ValueError:
                    raise ValueError(f"{field}[{name}]") from None
                calls = [call for call in calls if holds(moment_of(call), bound)]
        return calls

    def _sorted(self, calls: list[Call], query: Mapping[str, str]) -> list[Call]:
        by = query.get("sort_by", "updated_at")
        direction = query.get("sort_direction", "DESC").upper()
        if by not in _SORTABLE:
            raise ValueError("sort_by")
        if direction not in {"ASC", "DESC"}:
            raise ValueError("sort_direction")
        if by == "id":
            # Of one kind at a time, so they compare; numbers as numbers.
            return sorted(calls, key=self._id, reverse=direction == "DESC")
        moment_of = _created_at if by == "created_at" else self._updated_at
        return sorted(
            calls, key=lambda call: (moment_of(call), call.id), reverse=direction == "DESC"
        )

    def _updated_at(self, call: Call) -> datetime:
        """When the conversation last changed: its transcript's arrival is a change."""
        ready_at = call.ready_at
        if ready_at is not None and ready_at <= self._world.now():
            return max(ready_at, call.listed_at)
        return call.listed_at

    # Shapes

    def _id(self, call: Call) -> int | str:
        if self.switches.ids == "uuid":
            return str(uuid5(NAMESPACE_URL, f"{NAME}.sandbox.example/{call.id}"))
        is_number = call.id.isascii() and call.id.isdigit() and len(call.id) <= 15
        return int(call.id) if is_number else int(digits(12, NAME, call.id))

    def _conversation(self, call: Call) -> dict[str, Any]:
        switches = self.switches
        milliseconds = switches.ids == "uuid" or switches.duration_unit == "milliseconds"
        duration = round(call.duration_seconds * (1000 if milliseconds else 1))
        extras = call.extras
        return {
            "id": self._id(call),
            "title": call.title,
            "created_at": format_moment(_created_at(call)),
            "updated_at": format_moment(self._updated_at(call)),
            "event_start_date": format_moment(call.started_at),
            "event_end_date": format_moment(call.ended_at),
            "duration": duration,
            "media_type": "video" if call.channel == "video" else "audio",
            "direction": None if call.direction == "unknown" else call.direction,
            "language_code": "en-US",
            "owner": _person(call.owner),
            "participants": [_participant(person) for person in call.people],
            "account": None if call.account_name is None else {"name": call.account_name},
            "opportunity": None
            if call.opportunity_id is None
            else {
                "id": call.opportunity_id,
                "name": extras.get("opportunity_name", f"{call.account_name or call.title} deal"),
                "stage": extras.get("deal_stage"),
            },
            "cadence": _named(extras.get("cadence")),
            "step": _step(extras.get("cadence_step")),
            "disposition": extras.get("disposition"),
            "outcome": extras.get("outcome"),
            "recording": {
                "id": int(digits(9, NAME, "recording", call.id)),
                "url": _media_url(call),
            },
            "transcription": {"id": int(digits(9, NAME, "transcription", call.id))}
            if self._world.transcript_state(call) == "ready"
            else None,
        }


def _created_at(call: Call) -> datetime:
    """When the vendor made the record, which is later than the conversation itself."""
    return call.listed_at


def _named(name: Any) -> dict[str, Any] | None:
    if name is None:
        return None
    return {"id": int(digits(6, NAME, "named", str(name))), "name": str(name)}


def _step(step: Any) -> dict[str, Any] | None:
    if not isinstance(step, int):
        return _named(step)
    return {"id": int(digits(6, NAME, "step", str(step))), "name": f"Step {step}", "number": step}


def _person(person: Person) -> dict[str, Any]:
    return {
        "id": int(digits(7, NAME, "person", person.id)),
        "name": person.name,
        "email": person.email,
    }


def _participant(person: Person) -> dict[str, Any]:
    role = _LABEL.get(person.role)
    return {
        **_person(person),
        "role": None if role is None else role.lower(),
        "title": person.title,
    }


def _label(person: Person | None) -> str | None:
    """A speaker as sentences name them: ``Rep (Jane Smith)``, or less where less is known."""
    if person is None:
        return None
    role = _LABEL.get(person.role)
    return person.name if role is None else f"{role} ({person.name})"


def _media_url(call: Call) -> str:
    return f"https://salesloft.sandbox.example/media/{fingerprint(NAME, call.id):032x}"


def standin(world: World) -> Standin:
    """Salesloft, as the server plugs it in."""
    salesloft = _Salesloft(world)
    return Standin(
        name=NAME,
        title="Salesloft",
        routes=(
            Route("POST", "/oauth/token", salesloft.token, public=True),
            Route("GET", "/v2/conversations", salesloft.conversations),
            Route("GET", "/v2/conversations/{id}/transcription/sentences", salesloft.sentences),
            Route("GET", "/v2/conversations/{id}/transcription", salesloft.full_text),
            Route("GET", "/v2/conversations/{id}/media", salesloft.media),
        ),
        credentials=salesloft.credentials,
        refuse=salesloft.refuse,
        limit=salesloft.limit,
        error=_error,
        switches=salesloft.switches,
        expire_tokens=salesloft.expire_tokens,
    )
