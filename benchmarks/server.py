"""The server that all contenders read from: asyncio, every answer's bytes rendered beforehand.

It speaks Gong's shape, Salesloft's shape and Semarize's runs, as far as a client in good order
needs them. Switches (``POST /control/set``): ``latency_ms`` before each answer, ``run_ms`` that
a run takes, and ``allowed`` requests in any ``within_seconds``, beyond which it answers 429.
``/control/facts`` says what a contender must have landed, ``/control/stats`` what it asked for.

    python server.py --calls 2500     # prints its port, serves until its input is closed
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson
from calls import NEW, Call, calls

from semarize_sandbox.kits import INTERACTION_QUALITY, kits

PAGE = 100
OK, ACCEPTED, NOT_FOUND, TOO_MANY = "200 OK", "202 Accepted", "404 Not Found", "429 Too Many"
# So many different answers of the scored kit; the answer itself is not what is measured.
SAMPLES = 24


class World:
    """The rendered conversations, and what was asked about them."""

    def __init__(self, count: int, shape: str) -> None:
        self.shape = shape
        self.count = count
        self.shown = count
        self.latency = 0.0
        self.run_seconds = 0.0
        self.allowed = 0
        self.within_seconds = 1.0
        self.recent: deque[float] = deque()
        self.started: list[datetime] = []
        self.listed: list[bytes] = []
        self.spoken: list[bytes] = []
        self.sizes: list[tuple[int, int]] = []
        self.by_id: dict[str, int] = {}
        self.samples: list[str] = []
        render = _gong if shape == "gong" else _salesloft
        for call in calls(count):
            id_, listed, spoken = render(call)
            self.by_id[id_] = call.number
            self.started.append(call.started_at)
            self.listed.append(listed)
            self.spoken.append(spoken)
            self.sizes.append(
                (sum(len(s.text) for s in call.said), sum(s.start_ms for s in call.said))
            )
            if len(self.samples) < SAMPLES:
                self.samples.append("\n".join(f"{call.rep}: {s.text}" for s in call.said))
        self.utterances = len(call.said)
        self.schema, self.answers = _kit(self.samples)
        self.reset()

    def reset(self) -> None:
        self.requests: dict[str, int] = {}
        self.refused = 0
        self.runs: dict[str, str] = {}
        self.born: dict[str, float] = {}

    def between(self, start: str | None, end: str | None) -> list[int]:
        """The numbers of the conversations of a window; compared as moments."""
        first = _moment(start) if start else datetime.min.replace(tzinfo=UTC)
        last = _moment(end) if end else datetime.max.replace(tzinfo=UTC)
        shown = range(self.shown)
        return [n for n in shown if first <= self.started[n] < last]

    def facts(self) -> dict[str, int]:
        """What whoever read everything has landed."""
        shown = range(self.shown)
        return {
            "conversations": self.shown,
            "started": sum(int(self.started[n].timestamp()) for n in shown),
            "utterances": self.shown * self.utterances,
            "text": sum(self.sizes[n][0] for n in shown),
            "start_ms": sum(self.sizes[n][1] for n in shown),
        }

    def is_too_soon(self) -> bool:
        if not self.allowed:
            return False
        now = time.monotonic()
        while self.recent and self.recent[0] <= now - self.within_seconds:
            self.recent.popleft()
        if len(self.recent) >= self.allowed:
            return True
        self.recent.append(now)
        return False


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _gong(call: Call) -> tuple[str, bytes, bytes]:
    id_ = str(7782342274025930000 + call.number)
    mail = f"{call.buyer.split()[0].lower()}@{call.company.lower()}.example.com"
    record = {
        "metaData": {
            "id": id_,
            "url": f"https://app.gong.example.com/call?id={id_}",
            "title": f"{call.company}: {call.rep} and {call.buyer}",
            "started": call.started_at.isoformat().replace("+00:00", "Z"),
            "duration": call.said[-1].end_ms // 1000,
            "primaryUserId": f"u-{call.rep.split()[0].lower()}",
            "direction": "Outbound",
            "scope": "External",
            "media": "Video",
            "language": "eng",
            "isPrivate": False,
        },
        "context": [
            {
                "system": "Salesforce",
                "objects": [
                    {
                        "objectType": "Account",
                        "objectId": f"001{call.number:012d}",
                        "timing": "TimeOfCall",
                        "fields": [{"name": "Name", "value": call.company}],
                    },
                    {
                        "objectType": "Opportunity",
                        "objectId": f"006{call.number:012d}",
                        "timing": "TimeOfCall",
                        "fields": [{"name": "StageName", "value": "Discovery"}],
                    },
                ],
            }
        ],
        "parties": [
            {
                "id": f"p1-{id_}",
                "name": call.rep,
                "emailAddress": f"{call.rep.split()[0].lower()}@northwind.example.com",
                "title": "Account Executive",
                "userId": f"u-{call.rep.split()[0].lower()}",
                "speakerId": f"s1-{id_}",
                "affiliation": "Internal",
            },
            {
                "id": f"p2-{id_}",
                "name": call.buyer,
                "emailAddress": mail,
                "speakerId": f"s2-{id_}",
                "affiliation": "External",
            },
        ],
    }
    spoken = {
        "callId": id_,
        "transcript": [
            {
                "speakerId": f"s{1 if said.by_rep else 2}-{id_}",
                "topic": None,
                "sentences": [{"start": said.start_ms, "end": said.end_ms, "text": said.text}],
            }
            for said in call.said
        ],
    }
    return id_, orjson.dumps(record), orjson.dumps(spoken)


def _salesloft(call: Call) -> tuple[str, bytes, bytes]:
    id_ = str(120000 + call.number)
    at = call.started_at.isoformat().replace("+00:00", "Z")
    record = {
        "id": int(id_),
        "title": f"{call.company}: {call.rep} and {call.buyer}",
        "created_at": at,
        "event_start_date": at,
        "duration": call.said[-1].end_ms // 1000,
        "media_type": "audio",
        "owner": {"id": 7, "name": call.rep, "email": "rep@northwind.example.com"},
        "account": {"id": 9, "name": call.company},
        "participants": [
            {"id": 1, "name": call.rep, "email": "rep@northwind.example.com", "role": "rep"},
            {"id": 2, "name": call.buyer, "email": "buyer@example.com", "role": "prospect"},
        ],
        "cadence": {"id": 3, "name": "Outbound Q1"},
        "step": {"id": 4, "name": "Call 2", "number": 2},
        "disposition": "Connected",
    }
    sentences = [
        {
            "speaker": f"Rep ({call.rep})" if said.by_rep else f"Prospect ({call.buyer})",
            "start_time": said.start_ms / 1000,
            "end_time": said.end_ms / 1000,
            "text": said.text,
        }
        for said in call.said
    ]
    return id_, orjson.dumps(record), _framed(OK, orjson.dumps({"data": sentences}))


def _kit(samples: list[str]) -> tuple[bytes, list[bytes]]:
    """The scored kit's schema, and its outputs for a few transcripts."""
    kit = kits()[INTERACTION_QUALITY]
    version = kit.current
    bricks = [
        {
            "key": brick.key,
            "type": brick.type,
            "scale": dict(zip(("min", "max"), brick.scale, strict=True)) if brick.scale else None,
            "allowed_values": brick.allowed_values,
        }
        for brick in version.bricks
    ]
    schema = {"kit_code": kit.code, "kit_version_id": version.id, "bricks": bricks}
    outputs = [
        orjson.dumps(
            {
                "kit_version_id": version.id,
                "duration_ms": 1000,
                "output": {"kit_code": kit.code, "bricks": version.answer(sample)},
            }
        )
        for sample in samples
    ]
    return orjson.dumps(schema), outputs


def _framed(status: str, body: bytes, extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{extra}\r\n".encode() + body


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests may be pipelined."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._kept + data if self._kept else data
        at = 0
        while (end := data.find(b"\r\n\r\n", at)) >= 0:
            head = data[at:end]
            length = 0
            found = head.lower().find(b"content-length:")
            if found >= 0:
                length = int(head[found + 15 :].split(b"\r\n", 1)[0])
            if len(data) < end + 4 + length:
                break
            self._answer(head, data[end + 4 : end + 4 + length])
            at = end + 4 + length
        self._kept = data[at:]

    def _answer(self, head: bytes, body: bytes) -> None:
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        url = urlsplit(target)
        if url.path.startswith("/control/"):
            self._transport.write(control(self._world, url.path, body))
            return
        if self._world.is_too_soon():
            self._world.refused += 1
            self._transport.write(_framed(TOO_MANY, b'{"error":"slow down"}', "Retry-After: 1\r\n"))
            return
        answer, seconds = route(self._world, method, url.path, url.query, head, body)
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._write, answer)
        else:
            self._transport.write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


def control(world: World, path: str, body: bytes) -> bytes:
    """The harness's own questions: never counted, never late."""
    if path == "/control/set":
        for name, value in orjson.loads(body).items():
            if name == "latency_ms":
                world.latency = value / 1000
            elif name == "run_ms":
                world.run_seconds = value / 1000
            elif name in ("allowed", "within_seconds", "shown"):
                setattr(world, name, value)
            else:
                return _framed(NOT_FOUND, b'{"error":"no such switch"}')
        world.recent.clear()
        world.reset()
        return _framed(OK, b"{}")
    if path == "/control/facts":
        return _framed(OK, orjson.dumps(world.facts()))
    used = os.times()
    return _framed(
        OK,
        orjson.dumps(
            {
                "requests": sum(world.requests.values()),
                "by_route": world.requests,
                "refused": world.refused,
                "paid": len(world.runs),
                "cpu_seconds": used.user + used.system,
                "until": world.started[world.shown - 1].isoformat(),
            }
        ),
    )


def route(
    world: World, method: str, path: str, query: str, head: bytes, body: bytes
) -> tuple[bytes, float]:
    """The answer to a request, and the seconds that it takes."""
    name, answer = next((name, made) for name, prefix, made in ROUTES if path.startswith(prefix))
    world.requests[name] = world.requests.get(name, 0) + 1
    return answer(world, method, path, query, head, body)


Answered = tuple[bytes, float]


def gong_calls(
    world: World, method: str, path: str, query: str, head: bytes, body: bytes
) -> Answered:
    asked = orjson.loads(body)
    given = asked.get("filter") or {}
    found = world.between(given.get("fromDateTime"), given.get("toDateTime"))
    if not found:
        none = b'{"errors":["No calls found corresponding to the provided filters"]}'
        return _framed(NOT_FOUND, none), world.latency
    at = int(asked.get("cursor") or 0)
    rows = b",".join(world.listed[n] for n in found[at : at + PAGE])
    cursor = f',"cursor":"{at + PAGE}"' if at + PAGE < len(found) else ""
    records = f'{{"records":{{"totalRecords":{len(found)}{cursor}}},"calls":['.encode()
    return _framed(OK, records + rows + b"]}"), world.latency


def gong_transcripts(
    world: World, method: str, path: str, query: str, head: bytes, body: bytes
) -> Answered:
    ids = orjson.loads(body)["filter"]["callIds"]
    rows = b",".join(world.spoken[world.by_id[id_]] for id_ in ids)
    made = b'{"records":{"totalRecords":' + str(len(ids)).encode()
    return _framed(OK, made + b'},"callTranscripts":[' + rows + b"]}"), world.latency


def salesloft_calls(
    world: World, method: str, path: str, query: str, head: bytes, body: bytes
) -> Answered:
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    found = world.between(asked.get("created_at[gte]"), asked.get("created_at[lt]"))
    page = int(asked.get("page", 1))
    rows = b",".join(world.listed[n] for n in found[(page - 1) * PAGE : page * PAGE])
    following = str(page + 1) if page * PAGE < len(found) else "null"
    tail = f'],"metadata":{{"paging":{{"current_page":{page},"next_page":{following}}}}}}}'
    return _framed(OK, b'{"data":[' + rows + tail.encode()), world.latency


def salesloft_sentences(
    world: World, method: str, path: str, query: str, head: bytes, body: bytes
) -> Answered:
    number = world.by_id.get(unquote(path.split("/")[3]))
    if number is None:
        return _framed(NOT_FOUND, b'{"error":"Conversation not found"}'), world.latency
    return world.spoken[number], world.latency


def token(world: World, method: str, path: str, query: str, head: bytes, body: bytes) -> Answered:
    made = b'{"access_token":"bench-token","refresh_token":"bench-refresh","expires_in":7200}'
    return _framed(OK, made), 0.0


def schema(world: World, method: str, path: str, query: str, head: bytes, body: bytes) -> Answered:
    return _framed(OK, world.schema), 0.0


def runs(world: World, method: str, path: str, query: str, head: bytes, body: bytes) -> Answered:
    """A run: created by POST under its key (sync: answered when done), read by GET."""
    if method == "GET":
        run_id = path.rsplit("/", 1)[1]
        left = world.born[run_id] + world.run_seconds - time.monotonic()
        if left > 0:
            return _framed(OK, _run(run_id, "running", None)), 0.0
        return _framed(OK, _run(run_id, "succeeded", _sample(world, run_id))), 0.0
    key = _header(head, b"idempotency-key:")
    run_id = world.runs.setdefault(key, f"run_{len(world.runs):08d}")
    world.born.setdefault(run_id, time.monotonic())
    if b'"mode":"async"' in body[:400] and world.run_seconds:
        return _framed(ACCEPTED, _run(run_id, "queued", None)), 0.0
    return _framed(OK, _run(run_id, "succeeded", _sample(world, run_id))), world.run_seconds


def _sample(world: World, run_id: str) -> bytes:
    return world.answers[int(run_id[4:]) % len(world.answers)]


def _run(run_id: str, status: str, output: bytes | None) -> bytes:
    head = f'{{"run_id":"{run_id}","status":"{status}"'
    return head.encode() + (b"," + output[1:] if output else b"}")


def _header(head: bytes, name: bytes) -> str:
    at = head.lower().find(name)
    return head[at + len(name) :].split(b"\r\n", 1)[0].strip().decode() if at >= 0 else ""


def unknown(world: World, method: str, path: str, query: str, head: bytes, body: bytes) -> Answered:
    return _framed(NOT_FOUND, b'{"error":"there is no such path"}'), 0.0


ROUTES: tuple[tuple[str, str, Callable[..., Answered]], ...] = (
    ("list", "/v2/calls/extensive", gong_calls),
    ("transcripts", "/v2/calls/transcript", gong_transcripts),
    ("sentences", "/v2/conversations/", salesloft_sentences),
    ("list", "/v2/conversations", salesloft_calls),
    ("token", "/oauth/token", token),
    ("schema", "/v1/kits/schema", schema),
    ("runs", "/v1/runs", runs),
    ("unknown", "/", unknown),
)


async def serve(world: World) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(world), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Whoever started it holds the other end of its input: no server is left behind.
    await loop.run_in_executor(None, sys.stdin.buffer.read)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--calls", type=int, default=2500, help=f"besides {NEW} later ones")
    parser.add_argument("--shape", choices=("gong", "salesloft"), default="gong")
    given = parser.parse_args()
    import uvloop

    uvloop.run(serve(World(given.calls, given.shape)))


if __name__ == "__main__":
    main()
