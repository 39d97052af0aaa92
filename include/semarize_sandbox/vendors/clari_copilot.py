"""Stand-in for Clari Copilot: calls with their transcripts inline, paged by offset."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from semarize_sandbox.faults import shifted_rows
from semarize_sandbox.limits import Quota, RecordBucket, week_start
from semarize_sandbox.model import Call, Person
from semarize_sandbox.paging import cut
from semarize_sandbox.wire import (
    digits,
    fingerprint,
    format_moment,
    hexadecimal,
    json_answer,
    parse_moment,
    whole_number,
)
from semarize_sandbox.world import Credentials, Route, Standin, World

NAME = "clari_copilot"
API_KEY = "sandbox-clari-key"
API_PASSWORD = "sandbox-clari-password"
PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 25

_ROLE = {"rep": "rep", "customer": "prospect", "unknown": "unknown"}
_STATUS = {"ready": "POST_PROCESSING_DONE", "pending": "PROCESSING", "never": "NO_DATA_INCALL"}


@dataclass(slots=True, kw_only=True)
class Switches:
    """How Clari Copilot's stand-in can behave otherwise.

    ``header_style``: ``Authorization: ApiKey ...``, or X-Api-Key with X-Api-Password.
    ``absent_guest_every``: about one in so many calls names somebody who was invited and did
    not join; 0 for none.
    """

    header_style: Literal["authorization", "x_api_key"] = "authorization"
    envelope: Literal["array", "calls"] = "array"
    records_per_second: float = 10.0
    requests_per_week: int = 100_000
    farthest_offset: int = 10_000
    absent_guest_every: int = 3


def _error(status: int, message: str) -> Response:
    return json_answer({"errorMessage": message}, status)


class _ClariCopilot:
    def __init__(self, world: World) -> None:
        self._world = world
        self.switches = Switches()
        self._records = RecordBucket()
        self._week = Quota(week_start)

    def credentials(self, base_url: str) -> Credentials:
        if self.switches.header_style == "authorization":
            return Credentials(password=API_KEY)
        return Credentials(password=API_KEY, extra={"api_password": API_PASSWORD})

    # Gates

    def refuse(self, request: Request) -> Response | None:
        headers = request.headers
        if self.switches.header_style == "authorization":
            scheme, _, key = headers.get("authorization", "").partition(" ")
            accepted = scheme.lower() == "apikey" and _same(key.strip(), API_KEY)
        else:
            accepted = _same(headers.get("x-api-key", ""), API_KEY) and _same(
                headers.get("x-api-password", ""), API_PASSWORD
            )
        return None if accepted else _error(401, "Credentials not provided or not known")

    def limit(self, request: Request) -> Response | None:
        """The documented limits; a refusal carries no header that says how long to wait."""
        if not self._records.may_pass(self.switches.records_per_second):
            return _error(429, "Too many records per second")
        if not self._week.take(self.switches.requests_per_week, self._world.now()):
            return _error(429, "The weekly number of requests is used up")
        return None

    def _charge(self, records: int) -> None:
        # Without limits no debt is run up that somebody would have to wait for later.
        if self._world.limited:
            self._records.charge(records)

    # Routes

    async def call_details(self, request: Request) -> Response:
        """``GET /call-details``: one page of a window, or one call by its id."""
        query = request.query_params
        one = query.get("id") or query.get("call_id")
        if one is not None:
            return self._one(one)
        try:
            start = _moment(query, "start_date")
            end = _moment(query, "end_date")
        except ValueError as problem:
            return _error(400, f"{problem}: not an ISO 8601 date or date and time")
        calls = self._world.listed(NAME, start, end)
        calls.reverse()
        size = whole_number(
            query.get("limit"), DEFAULT_PAGE_SIZE, 1, self._world.page_limit(NAME, PAGE_SIZE)
        )
        offset = whole_number(query.get("offset"), 0, 0, 10**9)
        if offset > self.switches.farthest_offset:
            return _error(400, f"offset must not be above {self.switches.farthest_offset}")
        page = cut(calls, offset, size, shifted_rows(request))
        self._charge(len(page.rows))
        rows = [self._call(call) for call in page.rows]
        return json_answer(rows if self.switches.envelope == "array" else {"calls": rows})

    def _one(self, call_id: str) -> Response:
        self._charge(1)
        call = self._world.find(NAME, call_id)
        if call is None or self._world.is_removed(call):
            return json_answer({}, 404)
        return json_answer({"call": self._call(call)})

    # Shapes

    def _call(self, call: Call) -> dict[str, Any]:
        state = self._world.transcript_state(call)
        modified_at = call.listed_at
        if state == "ready" and call.ready_at is not None:
            modified_at = call.ready_at
        linked = call.account_name is not None or call.opportunity_id is not None
        shaped: dict[str, Any] = {
            "call_id": call.id,
            "title": call.title,
            "time": format_moment(call.started_at),
            "last_modified_time": format_moment(modified_at),
            "duration": round(call.duration_seconds),
            "status": _STATUS[state],
            "type": "MEETING" if call.channel == "video" else "DIALER",
            "direction": None if call.direction == "unknown" else call.direction.upper(),
            "disposition": call.extras.get("disposition"),
            "users": [
                {
                    "userId": digits(8, NAME, "user", call.owner.id),
                    "userName": call.owner.name,
                    "userEmail": call.owner.email,
                    "isOrganizer": True,
                }
            ],
            "participants": self._participants(call),
            "account_name": call.account_name,
            "deal_name": call.extras.get(
                "opportunity_name", f"{call.account_name or call.title} deal"
            )
            if call.opportunity_id
            else None,
            # Money comes as text here, as the vendor sends it.
            "deal_value": f"{fingerprint(NAME, call.opportunity_id) % 90_000 + 5_000}.00"
            if call.opportunity_id
            else None,
            "deal_stage_before_call": call.extras.get("deal_stage"),
            "crm_info": {
                "source_crm": "Salesforce",
                "deal_id": call.opportunity_id,
                "account_id": call.extras.get("account_id")
                or (
                    f"001{hexadecimal(15, NAME, call.account_name)}" if call.account_name else None
                ),
                "contact_ids": [],
            }
            if linked
            else None,
            "call_review_page_url": f"https://clari-copilot.sandbox.example/call/{call.id}",
            "analytics": None,
        }
        if state == "ready":
            people = {person.id: person for person in call.people}
            shaped["transcript"] = [
                {
                    "speaker": None
                    if turn.person_id not in people
                    else people[turn.person_id].name,
                    "start": turn.start_seconds,
                    "text": turn.text,
                }
                for turn in call.turns
            ]
            shaped["analytics"] = {
                "talk_ratio": _talk_ratio(call),
                "topics": list(call.extras.get("topics", ())),
            }
        elif state == "pending":
            shaped["transcript"] = []
        return shaped

    def _participants(self, call: Call) -> list[dict[str, Any]]:
        heard = {turn.person_id for turn in call.turns}
        shaped = [
            {
                "name": person.name,
                "role": _ROLE[person.role],
                "email": person.email,
                "title": person.title,
                "joined": not call.turns or person.id in heard or person.id == call.owner.id,
            }
            for person in call.people
        ]
        every = self.switches.absent_guest_every
        guest = _absent_guest(call)
        invited = every > 0 and fingerprint("absent guest", call.id) % every == 0
        if guest is not None and invited and not call.extras.get("verbatim"):
            shaped.append(
                {
                    "name": guest.name,
                    "role": "prospect",
                    "email": guest.email,
                    "title": guest.title,
                    "joined": False,
                }
            )
        return shaped


def _same(given: str, expected: str) -> bool:
    return secrets.compare_digest(given.encode(), expected.encode())


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return parse_moment(text)
    except ValueError:
        raise ValueError(name) from None


def _absent_guest(call: Call) -> Person | None:
    """Somebody from the customer's company who was invited and never came."""
    for person in call.people:
        if person.role == "customer" and person.email is not None:
            domain = person.email.partition("@")[2]
            return Person(
                id=f"{call.id}-guest",
                name="Robin Absent",
                email=f"robin.absent@{domain}",
                role="customer",
            )
    return None


def _talk_ratio(call: Call) -> dict[str, float] | None:
    """Who spoke how much of the time; None where no roles are known."""
    roles = {person.id: person.role for person in call.people}
    spoken = {"rep": 0.0, "customer": 0.0}
    for turn in call.turns:
        role = roles.get(turn.person_id or "", "unknown")
        if role in spoken:
            spoken[role] += max(0.0, turn.end_seconds - turn.start_seconds)
    total = sum(spoken.values())
    if total == 0:
        return None
    rep = round(spoken["rep"] / total, 2)
    return {"rep": rep, "prospect": round(1 - rep, 2)}


def standin(world: World) -> Standin:
    """Clari Copilot, as the server plugs it in."""
    clari = _ClariCopilot(world)
    return Standin(
        name=NAME,
        title="Clari Copilot",
        routes=(Route("GET", "/call-details", clari.call_details),),
        credentials=clari.credentials,
        refuse=clari.refuse,
        limit=clari.limit,
        error=_error,
        switches=clari.switches,
    )
