"""Stand-in for Chorus: calls by offset, newest first, a transcript for each."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from semarize_sandbox.faults import shifted_rows
from semarize_sandbox.limits import SlidingWindow
from semarize_sandbox.model import Call, Person
from semarize_sandbox.paging import cut
from semarize_sandbox.wire import (
    digits,
    format_moment,
    is_day,
    json_answer,
    parse_moment,
    whole_number,
)
from semarize_sandbox.world import Credentials, Route, Standin, World

NAME = "chorus"
TOKEN = "sandbox-chorus-token"
PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 50

_TYPE = {"rep": "rep", "customer": "cust"}
_OTHERS = ("email", "content_viewed", "no_show")


@dataclass(slots=True, kw_only=True)
class Switches:
    """How Chorus's stand-in can behave otherwise.

    - ``token``: ``Authorization: Bearer ...``, or the bare token;
    - ``envelope``: where the array of calls stands;
    - ``dates``: ISO text, or seconds since 1970;
    - ``timestamps``: of an utterance: seconds, or clock text;
    - ``whole_days``: a window counts days only, whatever hour it names;
    - ``others_every``: after so many calls the list holds an e-mail, viewed content or a
      meeting to which nobody came; 0 for none;
    - ``swapped_every``: every so manieth utterance changes places with the one before, where
      their times still tell the order; 0 for none;
    - ``speakerless_every``: every so manieth utterance has no speaker; 0 for none;
    - ``requests_per_second``: nobody documents one.
    """

    token: Literal["bearer", "bare"] = "bearer"
    envelope: Literal["calls", "data", "engagements", "array"] = "calls"
    dates: Literal["iso", "epoch"] = "iso"
    timestamps: Literal["seconds", "clock"] = "seconds"
    whole_days: bool = False
    others_every: int = 0
    swapped_every: int = 0
    speakerless_every: int = 0
    requests_per_second: int = 10


def _error(status: int, message: str) -> Response:
    content = {"errors": [{"status": str(status), "title": "Error", "detail": message}]}
    return json_answer(content, status, media_type="application/vnd.api+json")


class _Chorus:
    def __init__(self, world: World) -> None:
        self._world = world
        self.switches = Switches()
        self._second = SlidingWindow(1.0)

    def credentials(self, base_url: str) -> Credentials:
        bare = {} if self.switches.token == "bearer" else {"token_prefix": ""}
        return Credentials(password=TOKEN, extra=bare)

    # Gates

    def refuse(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "")
        wanted = TOKEN if self.switches.token == "bare" else f"Bearer {TOKEN}"
        if secrets.compare_digest(given.encode(), wanted.encode()):
            return None
        # A refused token gets no body at all.
        return Response(status_code=401)

    def limit(self, request: Request) -> Response | None:
        """A refusal carries no header that says how long to wait."""
        if self._second.wait(self.switches.requests_per_second) == 0:
            return None
        return _error(429, "Too many requests")

    # Routes

    async def calls(self, request: Request) -> Response:
        """``GET /api/v1/calls``: newest first, without a total."""
        query = request.query_params
        try:
            start = self._moment(query, "startDate", end=False)
            end = self._moment(query, "endDate", end=True)
        except ValueError as problem:
            return _error(400, f"{problem} is not an ISO 8601 date or date and time")
        calls = [call for call in self._world.listed(NAME, start, end) if not call.private]
        calls.reverse()
        rows = self._rows(calls)
        size = whole_number(
            query.get("limit"), DEFAULT_PAGE_SIZE, 1, self._world.page_limit(NAME, PAGE_SIZE)
        )
        offset = whole_number(query.get("offset"), 0, 0, 10**9)
        page = [
            self._call(call) if kind is None else self._other(call, kind)
            for call, kind in cut(rows, offset, size, shifted_rows(request)).rows
        ]
        envelope = self.switches.envelope
        return json_answer(page if envelope == "array" else {envelope: page})

    async def transcript(self, request: Request) -> Response:
        """``GET /api/v1/calls/{id}/transcript``; pending, private and unknown look the same."""
        call = self._world.find(NAME, request.path_params["call_id"])
        if call is None or call.private or self._world.transcript_state(call) != "ready":
            return _error(404, "The call has no transcript that you may see")
        people = {person.id: person for person in call.people}
        every = self.switches.speakerless_every
        rows: list[dict[str, Any]] = []
        for number, turn in enumerate(call.turns, 1):
            lost = every > 0 and number % every == 0
            person = None if lost else people.get(turn.person_id or "")
            rows.append(
                {
                    "speaker": None if person is None else person.name,
                    "speaker_type": _type(person),
                    "timestamp": self._timestamp(turn.start_seconds),
                    "text": turn.text,
                }
            )
        return json_answer({"utterances": self._disordered(call, rows)})

    # Shapes

    def _moment(self, query: Mapping[str, str], name: str, *, end: bool) -> datetime | None:
        text = query.get(name)
        if text is None:
            return None
        try:
            moment = parse_moment(text)
        except ValueError:
            raise ValueError(name) from None
        if not is_day(text) and not self.switches.whole_days:
            return moment
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        # The last day belongs to the window, unless the window ends as it begins.
        return day + timedelta(days=1) if end and (is_day(text) or moment > day) else day

    def _disordered(self, call: Call, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        every = self.switches.swapped_every
        for later in range(every, len(rows), every) if every > 0 else ():
            if call.turns[later - 1].start_seconds < call.turns[later].start_seconds:
                rows[later - 1], rows[later] = rows[later], rows[later - 1]
        return rows

    def _timestamp(self, seconds: float) -> float | str:
        if self.switches.timestamps == "seconds":
            return seconds
        # Rounded first, or 59.9996 would become a sixtieth second.
        minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
        hours, minutes = divmod(minutes, 60)
        return f"{hours:02d}:{minutes:02d}:{milliseconds / 1000:06.3f}"

    def _date(self, moment: datetime) -> str | float:
        return moment.timestamp() if self.switches.dates == "epoch" else format_moment(moment)

    def _rows(self, calls: list[Call]) -> list[tuple[Call, str | None]]:
        """What the list holds: a call, or what kind of other engagement followed it."""
        rows: list[tuple[Call, str | None]] = []
        every = self.switches.others_every
        for number, call in enumerate(calls, 1):
            rows.append((call, None))
            if every and number % every == 0:
                rows.append((call, _OTHERS[number // every % len(_OTHERS)]))
        return rows

    def _call(self, call: Call) -> dict[str, Any]:
        state = self._world.transcript_state(call)
        return {
            "id": call.id,
            "title": call.title,
            "date": self._date(call.started_at),
            "duration": call.duration_seconds,
            "engagement_type": "meeting" if call.channel == "video" else "dialer",
            "processing_state": "done" if state == "ready" else "processing",
            "direction": call.direction,
            "no_show": False,
            "owner": {
                "id": digits(7, NAME, call.owner.id),
                "name": call.owner.name,
                "email": call.owner.email,
            },
            "participants": [
                {
                    "person_id": digits(9, NAME, "person", person.id),
                    "name": person.name,
                    "email": person.email,
                    "type": _type(person),
                    "title": person.title,
                }
                for person in call.people
            ],
            "account": {"id": call.extras.get("account_id"), "name": call.account_name},
            "opportunity": {"id": call.opportunity_id, "stage": call.extras.get("deal_stage")}
            if call.opportunity_id
            else None,
            "team": call.extras.get("team"),
            "manager": call.extras.get("manager"),
            "tags": list(call.extras.get("tags", ())),
            "trackers": [
                {"name": name, "count": count}
                for name, count in call.extras.get("trackers", {}).items()
            ],
            "deal_signals": {"next_step_set": "next step" in _words(call)},
            "metrics": _metrics(call) if state == "ready" else None,
            "recording_url": f"https://chorus.sandbox.example/recordings/{call.id}.mp3",
            "url": f"https://chorus.sandbox.example/meeting/{call.id}",
        }

    def _other(self, call: Call, kind: str) -> dict[str, Any]:
        """An engagement that is not a call, listed among the calls."""
        return {
            "id": f"{kind}-{call.id}",
            "title": f"{kind} after {call.title}",
            "date": self._date(call.started_at),
            "duration": None,
            "engagement_type": "meeting" if kind == "no_show" else kind,
            "no_show": kind == "no_show",
            "participants": [],
        }


def _type(person: Person | None) -> str | None:
    return None if person is None else _TYPE.get(person.role)


def _words(call: Call) -> str:
    return " ".join(turn.text for turn in call.turns).lower()


def _metrics(call: Call) -> dict[str, Any]:
    """Engagement as Chorus counts it: the rep's share, the longest turn, the rep's questions."""
    reps = {person.id for person in call.people if person.role == "rep"}
    lengths = [max(0.0, turn.end_seconds - turn.start_seconds) for turn in call.turns]
    by_rep = [
        length for turn, length in zip(call.turns, lengths, strict=True) if turn.person_id in reps
    ]
    total = sum(lengths)
    return {
        "talk_ratio": round(sum(by_rep) / total, 2) if reps and total else None,
        "longest_monologue": round(max(by_rep, default=0.0), 1),
        "question_count": sum(
            turn.text.count("?") for turn in call.turns if turn.person_id in reps
        ),
    }


def standin(world: World) -> Standin:
    """Chorus, as the server plugs it in."""
    chorus = _Chorus(world)
    return Standin(
        name=NAME,
        title="Chorus",
        routes=(
            Route("GET", "/api/v1/calls", chorus.calls),
            Route("GET", "/api/v1/calls/{call_id}/transcript", chorus.transcript),
        ),
        credentials=chorus.credentials,
        refuse=chorus.refuse,
        limit=chorus.limit,
        error=_error,
        switches=chorus.switches,
    )
