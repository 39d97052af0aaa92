"""The sandbox's HTTP server: one process, one port, one path prefix per stand-in."""

from __future__ import annotations

import asyncio
import contextlib
import html
import importlib
import importlib.util
import json
import logging
import pkgutil
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from semarize_sandbox import vendors
from semarize_sandbox.faults import Fault
from semarize_sandbox.wire import json_answer, parse_moment, read_form, read_json
from semarize_sandbox.world import Handler, LoggedRequest, Route, Standin, World

logger = logging.getLogger(__name__)

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
STOP_SECONDS = 5.0
DRIPS = 20
_SECRET_FIELDS = frozenset(
    {"client_secret", "refresh_token", "access_token", "code", "password", "api_key"}
)


# Finding the stand-ins


def standin_modules() -> list[ModuleType]:
    """The modules that plug a stand-in in: all of ``vendors/``, and Semarize's."""
    names = sorted(
        f"{vendors.__name__}.{found.name}" for found in pkgutil.iter_modules(vendors.__path__)
    )
    semarize = f"{__package__}.semarize"
    if importlib.util.find_spec(semarize) is not None:
        names.append(semarize)
    return [importlib.import_module(name) for name in names]


def furnish(world: World) -> World:
    """Plug every stand-in into a world that has none yet."""
    if not world.standins:
        for module in standin_modules():
            world.register(module.standin(world))
    return world


# Serving one stand-in


class _DroppedConnection(Response):
    """No answer, or the first half of one, and then a closed connection."""

    def __init__(self, torn: Response | None = None) -> None:
        super().__init__()
        self._torn = torn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport: asyncio.Transport = scope["state"]["transport"]
        if self._torn is None:
            transport.abort()
        else:
            body = bytes(self._torn.body)
            await send(
                {
                    "type": "http.response.start",
                    "status": self._torn.status_code,
                    "headers": self._torn.raw_headers,
                }
            )
            half = body[: len(body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            transport.close()
        # The server takes a return before the connection is down for a mistake.
        while (await receive())["type"] != "http.disconnect":
            pass


class _Slowly(Response):
    """A true answer in pieces, or without ``answer`` text that does not end by itself."""

    def __init__(self, seconds: float, answer: Response | None = None) -> None:
        super().__init__(status_code=200 if answer is None else answer.status_code)
        self._seconds = seconds
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport: asyncio.Transport = scope["state"]["transport"]
        answer = self._answer
        headers = [(b"content-type", b"application/json")] if answer is None else answer.raw_headers
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        until = time.monotonic() + self._seconds
        if answer is None:
            piece = b'"' + b"x" * 65_535
            while time.monotonic() < until and not transport.is_closing():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(0)
            transport.abort()
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        body = bytes(answer.body)
        size = max(1, len(body) // DRIPS)
        for start in range(0, len(body), size):
            await asyncio.sleep(self._seconds / DRIPS)
            piece = body[start : start + size]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class _Door:
    """Takes every request to one stand-in through the log, faults, credentials and limits."""

    def __init__(self, world: World, standin: Standin) -> None:
        self._world = world
        self._standin = standin

    def mount(self) -> Mount:
        by_path: dict[str, dict[str, Route]] = {}
        for route in self._standin.routes:
            by_path.setdefault(route.path, {})[route.method] = route
        routes: list[BaseRoute] = [
            StarletteRoute(path, self._endpoint(methods), methods=METHODS)
            for path, methods in by_path.items()
        ]
        routes.append(StarletteRoute("/{path:path}", self._endpoint({}), methods=METHODS))
        return Mount(f"/{self._standin.name}", routes=routes)

    def _endpoint(self, methods: Mapping[str, Route]) -> Handler:
        async def endpoint(request: Request) -> Response:
            return await self._serve(request, methods)

        return endpoint

    async def _serve(self, request: Request, methods: Mapping[str, Route]) -> Response:
        name = self._standin.name
        path = request.url.path.removeprefix(f"/{name}")
        arrived = time.monotonic()
        status: int | None = None
        fault: Fault | None = None
        raw = b""
        self._world.arrive(name)
        try:
            raw = await request.body()
            fault = self._world.faults.take(name, path)
            if fault is not None and fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            if fault is not None and fault.kind == "shift_rows":
                request.state.shifted_rows = fault.rows
            if fault is not None and fault.kind in {"status", "html", "drop", "endless"}:
                response = _instead(fault, self._standin)
            else:
                response = await self._answer(request, methods)
                if fault is not None:
                    response = _spoilt(fault, response)
            if not isinstance(response, _DroppedConnection):
                status = response.status_code
            return response
        finally:
            self._world.leave(
                LoggedRequest(
                    vendor=name,
                    method=request.method,
                    path=path,
                    query=_blanked(request.query_params),
                    body=await _loggable(request, raw),
                    status=status,
                    arrived=arrived,
                    seconds=time.monotonic() - arrived,
                    fault=None if fault is None else fault.kind,
                    size=len(raw),
                )
            )

    async def _answer(self, request: Request, methods: Mapping[str, Route]) -> Response:
        if not methods:
            return self._standin.error(404, f"no such path: {request.url.path}")
        route = methods.get(request.method)
        if route is None:
            return self._standin.error(405, f"{request.method} is not allowed here")
        try:
            if not route.public:
                stopped = self._standin.refuse(request)
                if stopped is None and self._world.limited:
                    stopped = self._standin.limit(request)
                if stopped is not None:
                    return stopped
            return await route.handler(request)
        except Exception:
            logger.exception("the sandbox itself failed at %s", request.url.path)
            return self._standin.error(500, "the sandbox itself failed; its log says why")


async def _loggable(request: Request, raw: bytes) -> Any:
    """The JSON or form body without its secrets; None when it is neither."""
    if not raw:
        return None
    if "form-urlencoded" in request.headers.get("content-type", ""):
        content: Any = await read_form(request)
    else:
        try:
            content = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return None
    return _blanked(content) if isinstance(content, dict) else content


def _blanked(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: "***" if key in _SECRET_FIELDS else value for key, value in content.items()}


_LOGIN_PAGE = (
    "<!doctype html><html><head><title>Sandbox</title></head>"
    "<body><h1>Sandbox</h1><p>This page stands in for a login or maintenance page.</p></body>"
    "</html>"
)


def _instead(fault: Fault, standin: Standin) -> Response:
    """What a fault answers without asking the stand-in."""
    if fault.kind == "drop":
        return _DroppedConnection()
    if fault.kind == "endless":
        return _Slowly(fault.seconds)
    headers = dict(fault.headers)
    if fault.kind == "html":
        return HTMLResponse(_LOGIN_PAGE, fault.status or 200, headers)
    status = fault.status or 500
    if fault.body is None:
        response = standin.error(status, f"the sandbox was told to answer {status}")
        response.headers.update(headers)
        return response
    if isinstance(fault.body, str):
        return Response(fault.body, status, headers)
    return json_answer(fault.body, status, headers)


def _spoilt(fault: Fault, response: Response) -> Response:
    """What a fault makes of the stand-in's true answer."""
    body = bytes(response.body)
    if fault.kind == "drop_mid_body":
        return _DroppedConnection(response)
    if fault.kind == "drip":
        return _Slowly(fault.seconds, response)
    if fault.kind == "truncated_json":
        return Response(
            body[: len(body) // 2], response.status_code, media_type=response.media_type
        )
    if fault.kind == "not_utf8":
        middle = len(body) // 2
        spoilt = body[:middle] + b"\xff\xfe\xc3" + body[middle:]
        return Response(spoilt, response.status_code, media_type=response.media_type)
    return response


# The control surface


class _Control:
    """Lets a person or a test in another process steer the sandbox."""

    def __init__(self, world: World) -> None:
        self._world = world

    def mount(self) -> Mount:
        return Mount(
            "/control",
            routes=[
                StarletteRoute("/stats", self.stats, methods=["GET"]),
                StarletteRoute("/faults", self._steered(self.faults), methods=["POST"]),
                StarletteRoute("/faults", self.clear_faults, methods=["DELETE"]),
                StarletteRoute("/clock", self._steered(self.clock), methods=["POST"]),
                StarletteRoute("/settings", self._steered(self.settings), methods=["POST"]),
                StarletteRoute("/calls/remove", self._steered(self.remove), methods=["POST"]),
                StarletteRoute(
                    "/tokens/expire", self._steered(self.expire_tokens), methods=["POST"]
                ),
            ],
        )

    def _steered(self, action: Any) -> Handler:
        async def endpoint(request: Request) -> Response:
            content = await read_json(request)
            if content is None:
                return json_answer({"error": "send a JSON object"}, 400)
            try:
                return json_answer(action(content))
            except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as problem:
                name = type(problem).__name__
                return json_answer({"error": f"{name}: {problem}"}, 422)

        return endpoint

    async def stats(self, request: Request) -> Response:
        world = self._world
        return json_answer(
            {
                "sandbox": True,
                "now": world.now().isoformat(),
                "behind_hours": world.behind / timedelta(hours=1),
                "limited": world.limited,
                "faults_waiting": world.faults.waiting(),
                "standins": world.statistics(),
            }
        )

    def faults(self, content: dict[str, Any]) -> dict[str, Any]:
        vendor = content.pop("vendor")
        self._world.fault(vendor, Fault(**content))
        return {"faults_waiting": self._world.faults.waiting()}

    async def clear_faults(self, request: Request) -> Response:
        self._world.faults.clear(request.query_params.get("vendor"))
        return json_answer({"faults_waiting": self._world.faults.waiting()})

    def clock(self, content: dict[str, Any]) -> dict[str, Any]:
        """``behind_hours``, ``advance_hours``, or ``freeze`` (a moment; null lets it run)."""
        known = {"behind_hours", "advance_hours", "freeze"}
        if len(content) != 1 or not known.issuperset(content):
            raise ValueError(f"give one of {', '.join(sorted(known))}")
        if "behind_hours" in content:
            self._world.behind = timedelta(hours=float(content["behind_hours"]))
        elif "advance_hours" in content:
            self._world.advance(timedelta(hours=float(content["advance_hours"])))
        else:
            frozen = content["freeze"]
            self._world.freeze(None if frozen is None else parse_moment(frozen))
        return {"now": self._world.now().isoformat()}

    def settings(self, content: dict[str, Any]) -> dict[str, Any]:
        """``limited`` for all; with ``vendor``: its ``switches`` and its ``page_size``."""
        page_size = content.get("page_size")
        if page_size is not None and int(page_size) < 1:
            raise ValueError("page_size must be at least 1")
        if "limited" in content:
            if not isinstance(content["limited"], bool):
                raise ValueError("limited must be true or false")
            self._world.limited = content["limited"]
        answer: dict[str, Any] = {"limited": self._world.limited}
        if "vendor" in content:
            vendor = content["vendor"]
            self._world.switch(vendor, **content.get("switches", {}))
            if page_size is not None:
                self._world.page_size[vendor] = int(page_size)
            switches = self._world.standin(vendor).switches
            answer["switches"] = {
                item.name: getattr(switches, item.name) for item in fields(switches)
            }
        return answer

    def remove(self, content: dict[str, Any]) -> dict[str, Any]:
        vendor, call_id = content["vendor"], content["call_id"]
        if self._world.find(vendor, call_id) is None:
            raise ValueError(f"{vendor} has listed no call {call_id}")
        self._world.remove(vendor, call_id)
        return {"removed": call_id}

    def expire_tokens(self, content: dict[str, Any]) -> dict[str, Any]:
        self._world.expire_tokens(content.get("vendor"))
        return {"expired": content.get("vendor", "all")}


# The page for people


def _page(world: World, url: str) -> str:
    """What a person sees at ``/``: what this is, what it holds, what to type."""
    now: datetime = world.now()
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Sandbox</title>",
        "<style>body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}",
        "td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}",
        "code{background:#eee;padding:0 .2rem;overflow-wrap:anywhere}</style></head><body>",
        "<h1>This is a sandbox</h1>",
        "<p>Stand-ins for conversation vendors and for Semarize, running on this machine. ",
        "None of them is the real service; people, companies and words are made up, and the ",
        "credentials below open nothing else.</p>",
        f"<p>The sandbox's clock says {html.escape(f'{now:%Y-%m-%d %H:%M} UTC')}. ",
        "<a href='/control/stats'>Statistics as JSON</a></p>",
    ]
    statistics = world.statistics()
    for name, standin in world.standins.items():
        base_url = f"{url}/{name}"
        credentials = standin.credentials(base_url)
        typed = {
            "connection id": f"{name}_default",
            "type": "http",
            "host": base_url,
            "login": credentials.login or "(leave empty)",
            "password": credentials.password,
            **{f"extra: {key}": value for key, value in credentials.extra.items()},
        }
        counts = ", ".join(
            f"{key.replace('_', ' ')}: {value}" for key, value in statistics[name].items()
        )
        rows = "".join(
            f"<tr><th>{html.escape(key)}</th><td><code>{html.escape(value)}</code></td></tr>"
            for key, value in typed.items()
        )
        paths = "".join(
            f"<li><code>{html.escape(f'{route.method} /{name}{route.path}')}</code></li>"
            for route in standin.routes
        )
        parts.append(
            f"<h2 id='{html.escape(name)}'>{html.escape(standin.title)} (sandbox)</h2>"
            f"<p>{html.escape(counts)}</p><table>{rows}</table><ul>{paths}</ul>"
        )
    parts.append("</body></html>")
    return "".join(parts)


def application(world: World) -> Starlette:
    """The ASGI application that serves a world."""
    furnish(world)

    async def page(request: Request) -> Response:
        return HTMLResponse(_page(world, str(request.base_url).rstrip("/")))

    routes: list[BaseRoute] = [StarletteRoute("/", page, methods=["GET"])]
    routes.append(_Control(world).mount())
    routes.extend(_Door(world, standin).mount() for standin in world.standins.values())
    return Starlette(routes=routes)


# Running it


class _Protocol(HttpToolsProtocol):
    """Lets a fault reach the connection itself, which ASGI hides."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """Stops within a hundredth of a second: tests start and stop hundreds of sandboxes."""

    async def main_loop(self) -> None:
        looks = 0
        # A tick of 0 renews the Date header, which is due once a second.
        while not await self.on_tick(0 if looks % 100 == 0 else 1):
            looks += 1
            await asyncio.sleep(0.01)


class Sandbox:
    """A running sandbox, seen from the process that started it."""

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self.url = url

    def base_url(self, name: str) -> str:
        """What stands in for the vendor's own base URL."""
        self.world.standin(name)
        return f"{self.url}/{name}"

    def credentials(self, name: str) -> dict[str, Any]:
        """``login``, ``password`` and ``extra``, as an Airflow connection has them."""
        credentials = self.world.standin(name).credentials(self.base_url(name))
        return {
            "login": credentials.login,
            "password": credentials.password,
            "extra": dict(credentials.extra),
        }

    def connections(self) -> dict[str, str]:
        """Connection id → the JSON text that Airflow reads a connection from."""
        return {
            f"{name}_default": json.dumps(
                {"conn_type": "http", "host": self.base_url(name), **self.credentials(name)}
            )
            for name in self.world.standins
        }


class SandboxServer:
    """A uvicorn server that holds its port from the moment it is made."""

    def __init__(self, world: World, host: str, port: int) -> None:
        # Named TCP, which asyncio wants to see before it switches Nagle's algorithm off: 40 ms a
        # request.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
            # A bound port that nobody listens on can still be taken by another sandbox.
            self._socket.listen()
        except (OSError, OverflowError) as problem:
            self._socket.close()
            reason = getattr(problem, "strerror", None) or problem
            raise OSError(
                f"cannot listen on {host}:{port} ({reason}); choose another port"
            ) from problem
        shown = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host
        self.sandbox = Sandbox(furnish(world), f"http://{shown}:{self._socket.getsockname()[1]}")
        self._server = _Server(
            uvicorn.Config(
                application(world),
                http=_Protocol,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                timeout_graceful_shutdown=1,
            )
        )

    @property
    def started(self) -> bool:
        return self._server.started

    def serve(self) -> None:
        """Serve until told to stop, by ``stop`` or, in the main thread, by a signal."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        self._server.should_exit = True


@contextlib.contextmanager
def running(world: World, port: int = 0, host: str = "127.0.0.1") -> Iterator[Sandbox]:
    """A sandbox served from a thread for the length of a ``with`` block; port 0 takes any."""
    server = SandboxServer(world, host, port)
    thread = threading.Thread(target=server.serve, name="sandbox", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + STOP_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the sandbox did not start; its log above says why")
            time.sleep(0.002)
        yield server.sandbox
    finally:
        server.stop()
        thread.join(STOP_SECONDS)
