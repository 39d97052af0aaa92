"""Plain HTTP against each vendor's stand-in, as any client would send it."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from semarize_sandbox.model import Call, Person, Turn
from semarize_sandbox.server import Sandbox

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
WINDOW = (NOON - timedelta(days=30), NOON + timedelta(days=1))

REP = Person(id="7001", name="Ada Rep", email="ada@northwind.example", role="rep", title="AE")
CUSTOMER = Person(id="8001", name="Bo Buyer", email="bo@buyer.example", role="customer")
TURNS = (
    Turn("7001", 0.0, 4.25, "Hello <b>Bo</b>, this is Ada."),
    Turn("7001", 4.5, 9.0, "Is now a good time?"),
    Turn("8001", 9.5, 12.0, "It is — schön, ask away."),
)
_IDS: dict[str, Callable[[int], str]] = {
    "gong": lambda number: str(7_782_342_274_025_937_000 + number),
    "salesloft": lambda number: str(12_345 + number),
    "clari_copilot": lambda number: f"cc-{9_847_231 + number}",
    "callminer": lambda number: f"INT-20260310-{number:05d}",
    "chorus": lambda number: f"{number:032x}",
}


def call(vendor: str, number: int = 0, **changes: Any) -> Call:
    """A call that ended two hours before noon and is ready; later numbers began earlier."""
    made = Call(
        id=_IDS[vendor](number),
        vendor=vendor,
        started_at=NOON - timedelta(hours=2 + number),
        duration_seconds=60.0,
        title=f"Call {number}",
        owner=REP,
        people=(REP, CUSTOMER),
        turns=TURNS,
        account_name="Buyer & Sons",
        opportunity_id="006000000000001",
        extras={"deal_stage": "Discovery", "topics": ["Pricing", "Legal"]},
    )
    return replace(made, **changes)


def calls(vendor: str, count: int) -> list[Call]:
    return [call(vendor, number) for number in range(count)]


class Client(ABC):
    """What the stand-ins have in common, seen from outside."""

    name: str

    def __init__(self, sandbox: Sandbox) -> None:
        self.url = sandbox.base_url(self.name)
        self.world = sandbox.world
        self.given = sandbox.credentials(self.name)
        self.headers: dict[str, str] = {}
        self._session = requests.Session()

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return self._session.request(
            method, self.url + path, headers=headers, timeout=5, allow_redirects=False, **options
        )

    @abstractmethod
    def log_in(self) -> None:
        """Find the headers that the stand-in asks for."""

    @abstractmethod
    def page(self, **changes: Any) -> requests.Response:
        """The first page of the window."""

    @abstractmethod
    def pages(self, size: int) -> Iterator[list[dict[str, Any]]]:
        """Every page, walked as the vendor documents."""

    def identity(self, row: dict[str, Any]) -> str:
        return str(row["id"])

    def listed(self, size: int = 100) -> list[str]:
        """The ids of all pages, in the order served."""
        return [self.identity(row) for rows in self.pages(size) for row in rows]

    @abstractmethod
    def transcript(self, call_id: str) -> requests.Response:
        """What answers for one transcript."""

    def ready(self, answer: requests.Response) -> bool:
        return answer.status_code == 200

    @abstractmethod
    def texts(self, answer: requests.Response) -> list[str]:
        """The words of a transcript, one text for each turn."""


class Gong(Client):
    name = "gong"

    def log_in(self) -> None:
        pair = f"{self.given['login']}:{self.given['password']}".encode()
        self.headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def page(self, **changes: Any) -> requests.Response:
        window = {
            "fromDateTime": WINDOW[0].isoformat(),
            "toDateTime": WINDOW[1].isoformat(),
        }
        return self.send(
            "POST", "/v2/calls/extensive", json={"filter": window, "cursor": None} | changes
        )

    def pages(self, size: int) -> Iterator[list[dict[str, Any]]]:
        cursor = None
        while True:
            answer = self.page(cursor=cursor)
            if answer.status_code == 404:
                return
            assert answer.status_code == 200, answer.text
            yield answer.json()["calls"]
            cursor = answer.json()["records"].get("cursor")
            if cursor is None:
                return

    def identity(self, row: dict[str, Any]) -> str:
        return str(row["metaData"]["id"])

    def transcript(self, call_id: str) -> requests.Response:
        return self.transcripts([call_id])

    def transcripts(self, call_ids: list[str], **more: Any) -> requests.Response:
        body = {"filter": {"callIds": call_ids}} | more
        return self.send("POST", "/v2/calls/transcript", json=body)

    def texts(self, answer: requests.Response) -> list[str]:
        (told,) = answer.json()["callTranscripts"]
        return [
            sentence["text"]
            for monologue in told["transcript"]
            for sentence in monologue["sentences"]
        ]


class Salesloft(Client):
    name = "salesloft"

    def log_in(self) -> None:
        answer = self.token(
            grant_type="refresh_token", refresh_token=self.given["extra"]["refresh_token"]
        )
        assert answer.status_code == 200, answer.text
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def token(self, **fields: str) -> requests.Response:
        client = {"client_id": self.given["login"], "client_secret": self.given["password"]}
        return requests.post(self.given["extra"]["token_url"], json={**client, **fields}, timeout=5)

    def page(self, **changes: Any) -> requests.Response:
        return self.send("GET", "/v2/conversations", params=changes)

    def pages(self, size: int) -> Iterator[list[dict[str, Any]]]:
        number: int | None = 1
        while number is not None:
            answer = self.page(per_page=size, page=number)
            assert answer.status_code == 200, answer.text
            yield answer.json()["data"]
            number = answer.json()["metadata"]["paging"]["next_page"]

    def transcript(self, call_id: str) -> requests.Response:
        return self.send("GET", f"/v2/conversations/{call_id}/transcription/sentences")

    def texts(self, answer: requests.Response) -> list[str]:
        return [row["text"] for row in answer.json()["data"]]


class ClariCopilot(Client):
    name = "clari_copilot"

    def log_in(self) -> None:
        self.headers = {"Authorization": f"ApiKey {self.given['password']}"}

    def page(self, **changes: Any) -> requests.Response:
        window = {"start_date": WINDOW[0].isoformat(), "end_date": WINDOW[1].isoformat()}
        return self.send("GET", "/call-details", params=window | changes)

    def pages(self, size: int) -> Iterator[list[dict[str, Any]]]:
        offset = 0
        while True:
            answer = self.page(offset=offset, limit=size)
            assert answer.status_code == 200, answer.text
            rows = answer.json()
            if not rows:
                return
            yield rows
            offset += len(rows)

    def identity(self, row: dict[str, Any]) -> str:
        return str(row["call_id"])

    def transcript(self, call_id: str) -> requests.Response:
        return self.send("GET", "/call-details", params={"id": call_id})

    def ready(self, answer: requests.Response) -> bool:
        return (
            answer.status_code == 200 and answer.json()["call"]["status"] == "POST_PROCESSING_DONE"
        )

    def texts(self, answer: requests.Response) -> list[str]:
        return [row["text"] for row in answer.json()["call"]["transcript"]]


class CallMiner(Client):
    name = "callminer"

    def log_in(self) -> None:
        answer = self.token()
        assert answer.status_code == 200, answer.text
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def token(self, **changes: str) -> requests.Response:
        fields = {
            "grant_type": "client_credentials",
            "client_id": self.given["login"],
            "client_secret": self.given["password"],
        }
        return requests.post(self.given["extra"]["token_url"], data=fields | changes, timeout=5)

    def page(self, **changes: Any) -> requests.Response:
        window = {"startDate": WINDOW[0].isoformat(), "endDate": WINDOW[1].isoformat()}
        return self.send("GET", "/v1/interactions", params=window | changes)

    def pages(self, size: int) -> Iterator[list[dict[str, Any]]]:
        more: dict[str, Any] = {}
        while True:
            answer = self.page(limit=size, **more)
            assert answer.status_code == 200, answer.text
            yield answer.json()["interactions"]
            more = {"nextPage": answer.json()["nextPage"]}
            if more["nextPage"] is None:
                return

    def transcript(self, call_id: str) -> requests.Response:
        return self.send("GET", f"/v1/interactions/{call_id}/transcript")

    def texts(self, answer: requests.Response) -> list[str]:
        return [row["text"] for row in answer.json()["utterances"]]


class Chorus(Client):
    name = "chorus"

    def log_in(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.given['password']}"}

    def page(self, **changes: Any) -> requests.Response:
        window = {"startDate": WINDOW[0].isoformat(), "endDate": WINDOW[1].isoformat()}
        return self.send("GET", "/api/v1/calls", params=window | changes)

    def pages(self, size: int) -> Iterator[list[dict[str, Any]]]:
        offset = 0
        while True:
            answer = self.page(offset=offset, limit=size)
            assert answer.status_code == 200, answer.text
            rows = answer.json()["calls"]
            if not rows:
                return
            yield rows
            offset += len(rows)

    def transcript(self, call_id: str) -> requests.Response:
        return self.send("GET", f"/api/v1/calls/{call_id}/transcript")

    def texts(self, answer: requests.Response) -> list[str]:
        return [row["text"] for row in answer.json()["utterances"]]


CLIENTS: dict[str, type[Client]] = {
    each.name: each for each in (Gong, Salesloft, ClariCopilot, CallMiner, Chorus)
}
