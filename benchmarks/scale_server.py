"""A local server of Gong's shape and Semarize's, fast enough to be no part of what is measured.

It is no sandbox: it knows no limits, no faults and no credentials, answers every run at once, and
makes each answer from a template. What it serves is a pure function of a call's number.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

PAGE = 100
FIRST_ID = 7_782_000_000_000_000_000
REPS = 500
ACCOUNTS = 4_000
WORDS = (
    "We looked at the proposal again and the numbers hold for this quarter",
    "Who else would have to agree before you can sign the contract",
    "Our security team wants to see the questionnaire before the end of the month",
    "The price is fine, what worries us is the time that the change will take",
    "Let me show you how the report looks for a team of your size",
    "We also talk to somebody else, and they promised us a migration for free",
    "I will send the summary on Monday and we meet again next week",
)
KIT = "D3A15160"
KIT_NAME = "deal_signals"
KIT_VERSION = "kv_scale_1"
BRICKS: tuple[tuple[str, str, Any], ...] = (
    ("overall_score", "score", 0.75),
    ("risk_flag", "boolean", False),
    ("pain_point", "string", "The time that the change takes"),
    ("budget_confirmed", "boolean", True),
    ("decision_maker_present", "boolean", False),
    ("pain_severity", "score", 0.5),
    ("competitive_pressure", "score", 0.25),
    ("timeline_urgency", "string", "medium"),
    ("next_step_confirmed", "boolean", True),
    ("competitors_mentioned", "string_list", ["Somebody"]),
)


class Calls:
    """Calls at equal distances: number 0 at ``start``, the last of ``count`` before ``end``.

    ``late`` more follow in the hour before ``end``.
    """

    def __init__(
        self, start: datetime, end: datetime, count: int, late: int, sentences: int
    ) -> None:
        self.count, self.sentences = count, sentences
        hour = end - timedelta(hours=1)
        self._start, self._step = start.timestamp(), (hour - start).total_seconds() / max(count, 1)
        self._late_from, self._late_step = hour.timestamp(), 3500 / max(late, 1)
        self._late = late

    def started(self, number: int) -> float:
        """Seconds since 1970 at which a call began."""
        if number < self.count:
            return self._start + number * self._step
        return self._late_from + (number - self.count) * self._late_step

    def within(self, since: float, until: float) -> list[int]:
        """The numbers of the calls that began in [since, until)."""
        about = max(0, int((since - self._start) / self._step) - 2)
        last = min(self.count, int((until - self._start) / self._step) + 2)
        near = (*range(about, last), *range(self.count, self.count + self._late))
        return [number for number in near if since <= self.started(number) < until]

    def record(self, number: int) -> dict[str, Any]:
        """A call as Gong's listing holds it."""
        rep, account = number % REPS, number * 7 % ACCOUNTS
        at = datetime.fromtimestamp(self.started(number), UTC).isoformat()
        return {
            "metaData": {
                "id": str(FIRST_ID + number),
                "url": f"https://app.gong.example/call?id={FIRST_ID + number}",
                "title": f"Call {number} with Account {account}",
                "scheduled": at,
                "started": at,
                "duration": 900 + number % 1800,
                "primaryUserId": f"u{rep}",
                "direction": "Conference",
                "scope": "External",
                "media": "Video",
                "language": "eng",
                "workspaceId": "1",
                "isPrivate": False,
            },
            "context": [
                {
                    "system": "Salesforce",
                    "objects": [
                        {
                            "objectType": "Opportunity",
                            "objectId": f"006{account:012d}",
                            "timing": "Now",
                            "fields": [{"name": "StageName", "value": "Negotiation"}],
                        },
                        {
                            "objectType": "Account",
                            "objectId": f"001{account:012d}",
                            "timing": "Now",
                            "fields": [{"name": "Name", "value": f"Account {account}"}],
                        },
                    ],
                }
            ],
            "parties": [
                {
                    "id": f"p{number}a",
                    "emailAddress": f"rep{rep}@vendor.example",
                    "name": f"Rep {rep}",
                    "title": "Account Executive",
                    "userId": f"u{rep}",
                    "speakerId": "1",
                    "affiliation": "Internal",
                },
                {
                    "id": f"p{number}b",
                    "emailAddress": f"buyer@account{account}.example",
                    "name": f"Buyer {account}",
                    "speakerId": "2",
                    "affiliation": "External",
                },
            ],
        }

    def transcript(self, number: int) -> dict[str, Any]:
        """Its monologues, one sentence each."""
        said = [
            {
                "speakerId": str(1 + turn % 2),
                "topic": None,
                "sentences": [
                    {"start": turn * 9000, "end": turn * 9000 + 8000, "text": words(number, turn)}
                ],
            }
            for turn in range(self.sentences)
        ]
        return {"callId": str(FIRST_ID + number), "transcript": said}


def words(number: int, turn: int) -> str:
    """What is said in a turn: some 90 characters that no other call has."""
    return f"{WORDS[(number + turn * 3) % len(WORDS)]}, {number * 31 + turn}."


def schema() -> dict[str, Any]:
    scale = {"min": 0, "max": 1}
    listed = [
        {"key": key, "type": kind, "scale": scale if kind == "score" else None}
        for key, kind, _ in BRICKS
    ]
    return {"kit_code": KIT, "kit_version_id": KIT_VERSION, "bricks": listed}


class Answers:
    """What is answered to which path."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._schema = json.dumps(schema()).encode()
        self._bricks = json.dumps(
            {
                key: {
                    "value": value,
                    "confidence": 0.9,
                    "reason": "Said in the second half of the call",
                    "evidence": [WORDS[0]],
                }
                for key, _, value in BRICKS
            }
        ).encode()

    def to(self, path: str, key: bytes, body: bytes) -> bytes:
        if path.startswith("/v2/calls/extensive"):
            return self._listing(json.loads(body))
        if path.startswith("/v2/calls/transcript"):
            ids = json.loads(body)["filter"]["callIds"]
            said = [self._calls.transcript(int(id_) - FIRST_ID) for id_ in ids]
            return json.dumps({"callTranscripts": said, "records": {}}).encode()
        if path.startswith("/v1/runs"):
            run = b"run_" + hashlib.md5(key).hexdigest().encode()
            return (
                b'{"run_id": "%s", "status": "succeeded", "kit_version_id": "%s", '
                b'"duration_ms": 900, "output": {"kit_code": "%s", "bricks": %s}}'
            ) % (run, KIT_VERSION.encode(), KIT.encode(), self._bricks)
        return self._schema

    def _listing(self, asked: dict[str, Any]) -> bytes:
        told = asked["filter"]
        since, until = (
            datetime.fromisoformat(told[name]).timestamp()
            for name in ("fromDateTime", "toDateTime")
        )
        listed = self._calls.within(since, until)
        at = int(asked.get("cursor", 0))
        records: dict[str, Any] = {"totalRecords": len(listed)}
        if at + PAGE < len(listed):
            records["cursor"] = str(at + PAGE)
        rows = [self._calls.record(number) for number in listed[at : at + PAGE]]
        return json.dumps({"calls": rows, "records": records}).encode()


class Http(asyncio.Protocol):
    """As much of HTTP/1.1 as one well-behaved client needs."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while b"\r\n\r\n" in self._held:
            head, _, rest = self._held.partition(b"\r\n\r\n")
            first, *lines = head.split(b"\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (n.partition(b":") for n in lines)
            }
            size = int(headers.get(b"content-length", 0))
            if len(rest) < size:
                return
            body, self._held = rest[:size], rest[size:]
            path = first.split(b" ")[1].decode()
            said = self._answers.to(path, headers.get(b"idempotency-key", b""), body)
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % len(said)
                + said
            )


async def _serve(calls: Calls) -> None:
    answers = Answers(calls)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Http(answers), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve until ended; the first line printed is the address."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=datetime.fromisoformat, required=True)
    parser.add_argument("--end", type=datetime.fromisoformat, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--late", type=int, default=0)
    parser.add_argument("--sentences", type=int, required=True)
    told = parser.parse_args()
    asyncio.run(_serve(Calls(told.start, told.end, told.count, told.late, told.sentences)))


if __name__ == "__main__":
    main()
