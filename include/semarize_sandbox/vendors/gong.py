"""Stand-in for Gong: calls and transcripts by POST, Basic authentication, cursors."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from semarize_sandbox.faults import shifted_rows
from semarize_sandbox.limits import Quota, SlidingWindow, day_start
from semarize_sandbox.model import Call, Person, Turn
from semarize_sandbox.paging import Page, cut
from semarize_sandbox.wire import (
    digits,
    fingerprint,
    format_moment,
    hexadecimal,
    json_answer,
    parse_moment,
    read_json,
    sign,
    unsign,
)
from semarize_sandbox.world import Credentials, Route, Standin, World

NAME = "gong"
ACCESS_KEY = "sandbox-gong-key"
ACCESS_KEY_SECRET = "sandbox-gong-secret"
PAGE_SIZE = 100
NOTHING_FOUND = "No calls found corresponding to the provided filters"

_AFFILIATION = {"rep": "Internal", "customer": "External", "unknown": "Unknown"}
_DIRECTION = {"inbound": "Inbound", "outbound": "Outbound", "unknown": "Unknown"}


@dataclass(slots=True, kw_only=True)
class Switches:
    """How Gong's stand-in can behave otherwise.

    ``last_cursor``: whether the cursor is absent from the last page or null there.
    ``merge_monologues``: consecutive turns of one speaker become one monologue with a
    sentence each; off, every turn is its own monologue.
    """

    shape: Literal["metaData", "flat"] = "metaData"
    last_cursor: Literal["absent", "null"] = "absent"
    cursor_lifetime_seconds: float = 3600.0
    requests_per_second: int = 3
    requests_per_day: int = 10_000
    started_utc_offset_minutes: int = 0
    merge_monologues: bool = True


class _Refused(Exception):
    """A request that Gong would answer with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def _error(status: int, message: str) -> Response:
    return json_answer({"requestId": uuid4().hex[:20], "errors": [message]}, status)


class _Gong:
    def __init__(self, world: World) -> None:
        self._world = world
        self.switches = Switches()
        self._second = SlidingWindow(1.0)
        self._day = Quota(day_start)

    # Gates

    def refuse(self, request: Request) -> Response | None:
        pair = base64.b64encode(f"{ACCESS_KEY}:{ACCESS_KEY_SECRET}".encode()).decode()
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic" and given.strip() == pair:
            return None
        return _error(401, "Failed to verify the access key and its secret")

    def limit(self, request: Request) -> Response | None:
        wait = self._second.wait(self.switches.requests_per_second)
        if wait == 0:
            now = self._world.now()
            if self._day.take(self.switches.requests_per_day, now):
                return None
            wait = (day_start(now) + timedelta(days=1) - now).total_seconds()
        response = _error(429, "API rate limit exceeded")
        response.headers["Retry-After"] = str(max(1, math.ceil(wait)))
        return response

    # Routes

    async def extensive(self, request: Request) -> Response:
        """``POST /v2/calls/extensive``: the calls of a window, or those with given ids."""
        return await self._paged(request, "extensive")

    async def transcript(self, request: Request) -> Response:
        """``POST /v2/calls/transcript``: transcripts by id or window, in no special order."""
        return await self._paged(request, "transcript")

    async def _paged(self, request: Request, what: Literal["extensive", "transcript"]) -> Response:
        content = await read_json(request)
        if content is None:
            return _error(400, "The request body is not valid JSON")
        try:
            filters = _object(content, "filter")
            selector = _object(content, "contentSelector")
            exposed = _object(selector, "exposedFields")
            timings = selector.get("contextTiming") or ["Now"]
            if not isinstance(timings, list):
                raise _Refused(400, "contentSelector.contextTiming: must be a list")
            calls = self._filtered(filters, what)
            offset = self._offset(content.get("cursor"), filters, what)
        except _Refused as refused:
            return _error(refused.status, refused.message)
        if not calls:
            return _error(404, NOTHING_FOUND)
        size = self._world.page_limit(NAME, PAGE_SIZE)
        page = cut(calls, offset, size, shifted_rows(request))
        rows: list[dict[str, Any]]
        if what == "extensive":
            if selector.get("context") != "Extended":
                timings = []
            rows = [self._call(call, exposed, timings) for call in page.rows]
        else:
            rows = [self._transcript(call) for call in page.rows]
        return json_answer(
            {
                "requestId": uuid4().hex[:20],
                "records": self._records(page, size, filters, what),
                "calls" if what == "extensive" else "callTranscripts": rows,
            }
        )

    def _filtered(self, filters: Mapping[str, Any], what: str) -> Sequence[Call]:
        ids = filters.get("callIds")
        if ids is not None and (not isinstance(ids, list) or not ids):
            raise _Refused(400, "filter.callIds: must be a list with at least one id")
        start = _moment(filters, "fromDateTime")
        end = _moment(filters, "toDateTime")
        if what == "transcript" and ids is None and start is None and end is None:
            raise _Refused(400, "filter: give callIds, or fromDateTime and toDateTime")
        if start is not None and end is not None and start >= end:
            raise _Refused(400, "filter.toDateTime: must be later than fromDateTime")
        calls = self._world.listed(NAME, start, end)
        if ids is not None:
            wanted = {str(one) for one in ids}
            calls = [call for call in calls if call.id in wanted]
        if what == "transcript":
            # Whoever relies on the order in which ids were asked must notice here.
            calls = sorted(
                (call for call in calls if self._world.transcript_state(call) == "ready"),
                key=lambda call: fingerprint("order", call.id),
            )
        return calls

    # Cursors

    def _records(
        self, page: Page[Call], size: int, filters: Mapping[str, Any], what: str
    ) -> dict[str, Any]:
        records: dict[str, Any] = {
            "totalRecords": page.total,
            "currentPageSize": len(page.rows),
            "currentPageNumber": page.offset // size,
        }
        if page.next_offset is not None:
            ends = time.time() + self.switches.cursor_lifetime_seconds
            records["cursor"] = sign(
                {"offset": page.next_offset, "ends": ends, "of": _identity(filters, what)}
            )
        elif self.switches.last_cursor == "null":
            records["cursor"] = None
        return records

    def _offset(self, cursor: Any, filters: Mapping[str, Any], what: str) -> int:
        if cursor is None:
            return 0
        claims = unsign(str(cursor))
        if claims is None or claims.get("of") != _identity(filters, what):
            raise _Refused(400, "cursor is invalid or belongs to another filter")
        if claims["ends"] <= time.time():
            raise _Refused(400, "cursor has expired")
        return int(claims["offset"])

    # Shapes

    def _call(
        self, call: Call, exposed: Mapping[str, Any], timings: Sequence[str]
    ) -> dict[str, Any]:
        zone = timezone(timedelta(minutes=self.switches.started_utc_offset_minutes))
        started = call.started_at.astimezone(zone).isoformat().replace("+00:00", "Z")
        meta: dict[str, Any] = {
            "id": call.id,
            "url": f"https://gong.sandbox.example/call?id={call.id}",
            "title": call.title,
            "scheduled": None,
            "started": started,
            "duration": round(call.duration_seconds),
            "primaryUserId": _user_id(call.owner),
            "direction": "Conference" if call.channel == "video" else _DIRECTION[call.direction],
            "system": "Sandbox",
            "scope": _scope(call.people),
            "media": "Video" if call.channel == "video" else "Audio",
            "language": "eng",
            "workspaceId": digits(19, NAME, "workspace"),
            "sdrDisposition": call.extras.get("disposition"),
            "clientUniqueId": None,
            "customData": None,
            "purpose": None,
            "meetingUrl": None,
            "isPrivate": call.private,
            "calendarEventId": None,
        }
        shaped: dict[str, Any] = {"metaData": meta} if self.switches.shape == "metaData" else meta
        if timings:
            shaped["context"] = _context(call, timings)
        if exposed.get("parties") is True:
            shaped["parties"] = [_party(call, person) for person in call.people]
        if exposed.get("media") is True:
            link = f"https://gong.sandbox.example/media/{call.id}"
            key = "videoUrl" if call.channel == "video" else "audioUrl"
            # In the flat shape the word is taken by the kind of recording.
            shaped["media" if self.switches.shape == "metaData" else "mediaUrls"] = {key: link}
        return shaped

    def _transcript(self, call: Call) -> dict[str, Any]:
        topics = [str(topic) for topic in call.extras.get("topics", ())]
        monologues: list[dict[str, Any]] = []
        speaking: str | None = None
        for position, turn in enumerate(call.turns):
            joins = self.switches.merge_monologues and monologues and turn.person_id == speaking
            if not joins:
                topic = None
                if topics:
                    topic = topics[position * len(topics) // len(call.turns)]
                monologues.append(
                    {"speakerId": _speaker_id(call, turn), "topic": topic, "sentences": []}
                )
                speaking = turn.person_id
            monologues[-1]["sentences"].append(
                {
                    "start": round(turn.start_seconds * 1000),
                    "end": round(turn.end_seconds * 1000),
                    "text": turn.text,
                }
            )
        return {"callId": call.id, "transcript": monologues}


def _object(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = content.get(name)
    if value is not None and not isinstance(value, dict):
        raise _Refused(400, f"{name}: must be a JSON object")
    return value or {}


def _moment(filters: Mapping[str, Any], name: str) -> datetime | None:
    text = filters.get(name)
    if text is None:
        return None
    try:
        return parse_moment(str(text))
    except ValueError:
        raise _Refused(400, f"filter.{name}: not an ISO 8601 date and time") from None


def _identity(filters: Mapping[str, Any], what: str) -> str:
    parts = [f"{key}={filters[key]}" for key in sorted(filters)]
    return f"{fingerprint(what, *parts):032x}"


def _scope(people: Sequence[Person]) -> str:
    if any(person.role == "customer" for person in people):
        return "External"
    if people and all(person.role == "rep" for person in people):
        return "Internal"
    return "Unknown"


def _user_id(person: Person) -> str:
    return digits(19, NAME, "user", person.id)


def _speaker_id(call: Call, turn: Turn) -> str | None:
    return None if turn.person_id is None else digits(19, NAME, call.id, turn.person_id)


def _party(call: Call, person: Person) -> dict[str, Any]:
    heard = any(turn.person_id == person.id for turn in call.turns)
    return {
        "id": digits(19, NAME, "party", call.id, person.id),
        "emailAddress": person.email,
        "name": person.name,
        "title": person.title,
        "userId": _user_id(person) if person.role == "rep" else None,
        "speakerId": digits(19, NAME, call.id, person.id) if heard else None,
        "context": [],
        "affiliation": _AFFILIATION[person.role],
        "phoneNumber": None,
        "methods": ["Invitee", "Attendee"] if heard else ["Invitee"],
    }


def _context(call: Call, timings: Sequence[str]) -> list[dict[str, Any]]:
    """The CRM objects linked to a call, once for each moment asked for."""
    objects: list[dict[str, Any]] = []
    for timing in timings:
        if call.account_name is not None:
            objects.append(
                {
                    "objectType": "Account",
                    "objectId": call.extras.get("account_id")
                    or f"001{hexadecimal(15, NAME, call.account_name)}",
                    "fields": [
                        {"name": "Name", "value": call.account_name},
                        {"name": "NumberOfEmployees", "value": 10 + len(call.account_name) * 7},
                    ],
                    "timing": timing,
                }
            )
        if call.opportunity_id is not None:
            stage = call.extras.get("deal_stage")
            if timing == "Now":
                stage = call.extras.get("deal_stage_now", stage)
            name = call.extras.get("opportunity_name", f"{call.account_name or call.title} deal")
            closes = call.started_at + timedelta(days=60)
            objects.append(
                {
                    "objectType": "Opportunity",
                    "objectId": call.opportunity_id,
                    "fields": [
                        {"name": "Name", "value": name},
                        {"name": "StageName", "value": stage},
                        {"name": "Probability", "value": 28},
                        {"name": "IsClosed", "value": "false"},
                        {"name": "CloseDate", "value": format_moment(closes)[:10]},
                    ],
                    "timing": timing,
                }
            )
    return [{"system": "Salesforce", "objects": objects}] if objects else []


def standin(world: World) -> Standin:
    """Gong, as the server plugs it in."""
    gong = _Gong(world)
    return Standin(
        name=NAME,
        title="Gong",
        routes=(
            Route("POST", "/v2/calls/extensive", gong.extensive),
            Route("POST", "/v2/calls/transcript", gong.transcript),
        ),
        credentials=lambda base_url: Credentials(login=ACCESS_KEY, password=ACCESS_KEY_SECRET),
        refuse=gong.refuse,
        limit=gong.limit,
        error=_error,
        switches=gong.switches,
    )
