"""What the unit tests share: a clock that obeys, and a real HTTP server with scripted answers."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.auth import AuthBase

from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.rest.pace import PacedAdapter
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import Limits, SharedPace

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)  # a Wednesday


class Clock:
    """Time that passes only when somebody sleeps, or when the test says so."""

    def __init__(self, at: datetime = NOON) -> None:
        self._at = at
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self._at

    def timestamp(self) -> float:
        return self._at.timestamp()

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._at += timedelta(seconds=seconds)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


@dataclass(frozen=True)
class Request:
    """A request as the server saw it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Say:
    """An answer. ``promised`` is a Content-Length beyond the body: the connection then drops."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


Answers = Callable[[Request], Say]


class Server:
    """One listening socket; ``answers`` decides what each request gets."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.answers: Answers = lambda request: Say(404, {"error": "nothing was scripted"})
        self.seen: list[Request] = []
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet an answer: no waiting for a delayed acknowledgement

            def _answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    self.command, self.path, dict(self.headers), self.rfile.read(size)
                )
                with outer._lock:
                    outer.seen.append(request)
                    said = outer.answers(request)
                self.send_response(said.status)
                headers = {"Content-Type": "application/json", **said.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(said.promised or len(said.content)))
                self.end_headers()
                self.wfile.write(said.content)
                if said.promised:
                    self.close_connection = True

            do_GET = do_POST = _answer

            def log_message(self, *args: Any) -> None:
                """Quiet: the tests read the log."""

        class Listener(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Quiet: a client that hangs up is part of some tests."""

        self._httpd = Listener(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._httpd.socket = context.wrap_socket(
                self._httpd.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._httpd.server_port}"
        threading.Thread(target=self._httpd.serve_forever, args=(0.005,), daemon=True).start()

    def says(self, *answers: Say) -> None:
        """These answers in turn; the last one again and again."""
        left = list(answers)
        self.answers = lambda request: left.pop(0) if len(left) > 1 else left[0]

    def stop(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    """A server; over TLS with a certificate (key and certificate in one file)."""
    server = Server(certificate)
    try:
        yield server
    finally:
        server.stop()


def paced(state: State, clock: Clock, limits: Limits | None = None) -> SharedPace:
    """The real pace, on the test's clock."""
    return SharedPace(
        state.budgets,
        "a key",
        limits or Limits(requests_per_second=1000),
        sleep=clock.sleep,
        now=clock.timestamp,
    )


def rest_client(
    url: str,
    state: State,
    clock: Clock,
    *,
    auth: AuthBase | None = None,
    limits: Limits | None = None,
    **more: Any,
) -> RestClient:
    """A client as the hooks build one: real session, real pace, no waiting."""
    session = requests.Session()
    session.auth = auth
    pace = paced(state, clock, limits)
    session.mount("http://", PacedAdapter(pace))
    return RestClient(
        session, url, connection="acme_default", pace=pace, clock=clock, sleep=clock.sleep, **more
    )
