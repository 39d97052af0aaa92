"""Stand-in for Semarize: runs, kit schemas, idempotency, limits, and an account of what was paid.

It follows what Semarize documents. Where nothing is documented there is a switch whose default
is stated in ``Switches``. Answers come from the rules in ``kits.py``: nothing here is an AI.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from semarize_sandbox.kits import SPARE_BRICKS, Brick, KitVersion, kits
from semarize_sandbox.limits import SlidingWindow
from semarize_sandbox.wire import bearer, fingerprint, format_moment, json_answer, read_json
from semarize_sandbox.world import Credentials, Route, Standin, World

NAME = "semarize"
KEY = "smz_test_northwind_signal_sandbox"
OTHER_KEY = "smz_test_another_workspace_sandbox"
EXPIRED_KEY = "smz_test_expired_sandbox"
LONGEST_IDEMPOTENCY_KEY = 254
LIST_DEFAULT = 50
LIST_MOST = 100
QUEUED_SHARE = 0.3

_WORKSPACES = {KEY: "northwind-signal", OTHER_KEY: "another-workspace"}
_UNKNOWN_TYPE = "timeline_curve"


@dataclass(slots=True, kw_only=True)
class Switches:
    """How Semarize's stand-in can behave otherwise.

    Time, by the sandbox's clock:

    - ``run_seconds``: how long a run takes on average, 0 for at once; the real one is unknown;
    - ``slow_share``, ``slow_seconds``: that share of runs takes so long instead;
    - ``sync_limit_seconds``: a sync run that takes longer is answered 202 then; undocumented;
    - ``retry_after_seconds``: on a 202 for a run; None leaves it out, which is allowed.

    Limits (no numbers are documented):

    - ``creates_per_second`` and ``reads_per_second``;
    - ``limit_wait_seconds``: what a 429 asks for; None is the true wait;
    - ``max_input_characters``: a longer input meets 413; None is no limit.

    Idempotency (all undocumented but the 409 and the 254 characters):

    - ``replay_status`` and ``replay_compares``: the status of a replayed creation, and whether
      "the same body" means the same bytes or the same JSON;
    - ``key_hours``: how long a key is remembered.

    Shapes (undocumented, or documented in two ways):

    - ``evidence_as``, ``version_in_run``, ``list_wrapper``, ``list_limit_beyond``;
    - ``schema_shape``: bricks flat beside the code, below ``kit``, or as a map by key;
    - ``schema_names_version``, ``type_names``; ``test_values``: what ``/v1/test`` puts in;
    - ``extra_fields``: fields that no page documents, which clients must ignore.

    Trouble:

    - ``no_confidence``, ``missing_bricks``, ``mistyped``, ``unknown_type``: keys of bricks that
      come without confidence, not at all, with a value of another JSON type, or with a type
      that no page documents;
    - ``fail_matching``, ``refuse_matching``: runs whose input contains this text fail, or are
      refused with 422;
    - ``fail_next``, ``cancel_next``: so many of the next runs end so;
    - ``lose_next``: after so many of the next creations the connection breaks instead of
      answering, though the run exists;
    - ``key_expired``: the key in the connection has expired.
    """

    run_seconds: float = 0.3
    slow_share: float = 0.0
    slow_seconds: float = 30.0
    sync_limit_seconds: float = 10.0
    retry_after_seconds: int | None = 1

    creates_per_second: int = 1000
    reads_per_second: int = 2000
    limit_wait_seconds: int | None = None
    max_input_characters: int | None = None

    replay_status: Literal[200, 202] = 200
    replay_compares: Literal["json", "bytes"] = "json"
    key_hours: float = 24.0

    evidence_as: Literal["list", "string"] = "list"
    version_in_run: bool = True
    list_wrapper: Literal["runs", "data", "array"] = "runs"
    list_limit_beyond: Literal["400", "clamp"] = "400"
    schema_shape: Literal["flat", "kit", "map"] = "flat"
    schema_names_version: bool = True
    type_names: Literal["snake_case", "spaced"] = "snake_case"
    test_values: Literal["null", "example"] = "null"
    extra_fields: bool = True

    no_confidence: Sequence[str] = ()
    missing_bricks: Sequence[str] = ()
    mistyped: Sequence[str] = ()
    unknown_type: Sequence[str] = ()
    fail_matching: str = ""
    refuse_matching: str = ""
    fail_next: int = 0
    cancel_next: int = 0
    lose_next: int = 0
    key_expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One run that was created, and so paid for."""

    run_id: str
    workspace: str
    kit_code: str
    kit_version_id: str
    transcript_hash: str
    idempotency_key: str | None
    run_type: str
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class _Run:
    purchase: Purchase
    version: KitVersion
    seconds: float
    ends: Literal["succeeded", "failed", "cancelled"]
    transcript: Any
    settled: bool = False
    bricks: dict[str, dict[str, Any]] | None = None

    def status(self, now: datetime) -> str:
        passed = (now - self.purchase.created_at).total_seconds()
        if self.settled or passed >= self.seconds:
            return self.ends
        return "queued" if passed < self.seconds * QUEUED_SHARE else "running"

    def output(self) -> dict[str, dict[str, Any]]:
        """The bricks' answers, worked out when first asked for."""
        if self.bricks is None:
            self.bricks = self.version.answer(self.transcript)
            self.transcript = None
        return self.bricks


@dataclass(frozen=True, slots=True)
class _Remembered:
    body: bytes
    run: _Run
    at: datetime


class _LostAnswer(Response):
    """The connection breaks where the answer should have come."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["transport"].abort()
        # The server takes a return before the connection is down for a mistake.
        while (await receive())["type"] != "http.disconnect":
            pass


class _Refused(Exception):
    """A request that is answered with an error of the documented flat shape."""

    def __init__(self, status: int, error: str, **more: Any) -> None:
        super().__init__(error)
        self.response = json_answer({"error": error, **more}, status)


def _error(status: int, message: str) -> Response:
    codes = {404: "not_found", 405: "method_not_allowed", 429: "rate_limited"}
    return json_answer({"error": codes.get(status, "internal_error"), "message": message}, status)


class Semarize:
    """The stand-in's memory, and what tests ask of it; reached by ``of(world)``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.switches = Switches()
        self.kits = kits()
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self._keys: dict[tuple[str, str], _Remembered] = {}
        self._replays = 0
        self._tests = 0
        self._creates = SlidingWindow(1.0)
        self._reads = SlidingWindow(1.0)

    # What was paid

    @property
    def paid(self) -> list[Purchase]:
        """Every run created, oldest first: each one costs, whatever became of it."""
        with self._lock:
            return [run.purchase for run in self._runs.values()]

    def duplicates(self) -> list[list[Purchase]]:
        """Runs of one kit version over one transcript in one workspace, bought more than once."""
        bought: defaultdict[tuple[str, str, str], list[Purchase]] = defaultdict(list)
        for purchase in self.paid:
            same = (purchase.workspace, purchase.kit_version_id, purchase.transcript_hash)
            bought[same].append(purchase)
        return [purchases for purchases in bought.values() if len(purchases) > 1]

    def counts(self) -> Mapping[str, int]:
        now = self._world.now()
        with self._lock:
            runs = list(self._runs.values())
        by_status = Counter(run.status(now) for run in runs)
        return {
            "runs_paid": len(runs),
            "runs_bought_again": sum(len(group) - 1 for group in self.duplicates()),
            "runs_replayed": self._replays,
            "tests": self._tests,
            **{f"runs_{status}": count for status, count in sorted(by_status.items())},
        }

    def publish(
        self, kit_code: str, *, add: Iterable[Brick] = (), without: Iterable[str] = ()
    ) -> KitVersion:
        """Publish a kit anew, with more bricks or fewer; its code then means the new version."""
        kit = self.kits[kit_code]
        left_out = set(without)
        kept = [brick for brick in kit.current.bricks if brick.key not in left_out]
        return kit.publish([*kept, *add])

    # Gates

    def credentials(self, base_url: str) -> Credentials:
        return Credentials(password=KEY)

    def refuse(self, request: Request) -> Response | None:
        token = bearer(request)
        if token is None:
            return json_answer({"error": "missing_bearer_token"}, 401)
        if token == EXPIRED_KEY or (token in _WORKSPACES and self.switches.key_expired):
            return json_answer({"error": "api_key_expired"}, 401)
        if token not in _WORKSPACES:
            detail = "This is a sandbox: it takes the smz_test_ key that its page shows"
            return json_answer({"error": "invalid_api_key", "detail": detail}, 401)
        return None

    def limit(self, request: Request) -> Response | None:
        switches = self.switches
        if request.method == "POST":
            wait = self._creates.wait(switches.creates_per_second)
        else:
            wait = self._reads.wait(switches.reads_per_second)
        if wait == 0:
            return None
        seconds = switches.limit_wait_seconds
        if seconds is None:
            seconds = max(1, math.ceil(wait))
        return json_answer(
            {"error": "rate_limited", "retry_after_seconds": seconds},
            429,
            {"Retry-After": str(seconds)},
        )

    # Routes

    async def create(self, request: Request) -> Response:
        """``POST /v1/runs``: a run of a kit over one conversation."""
        try:
            asked = await self._asked(request)
            run_type, mode = _type_and_mode(asked)
            version = self._version(asked.get("kit_version_id"), asked.get("kit_code"))
            key = request.headers.get("idempotency-key")
            if key is not None and not 0 < len(key) <= LONGEST_IDEMPOTENCY_KEY:
                raise _Refused(
                    400,
                    "invalid_idempotency_key",
                    detail=f"An Idempotency-Key has 1 to {LONGEST_IDEMPOTENCY_KEY} characters",
                )
            transcript = _transcript(asked["input"])
            text = transcript if isinstance(transcript, str) else orjson.dumps(transcript).decode()
            run, replayed, lost = self._buy(
                workspace=_workspace(request),
                key=key,
                body=await self._comparable(request, asked),
                version=version,
                run_type=run_type,
                transcript=transcript,
                text=text,
            )
        except _Refused as refused:
            return refused.response
        if lost:
            return _LostAnswer(status_code=202)
        if replayed:
            return json_answer(self._shown(run), self.switches.replay_status)
        if mode == "sync":
            return await self._answer_in_sync(run)
        return self._accepted(run, "queued")

    async def read(self, request: Request) -> Response:
        """``GET /v1/runs/{run_id}``: one run as it stands."""
        run = self._runs.get(request.path_params["run_id"])
        if run is None or run.purchase.workspace != _workspace(request):
            return json_answer({"error": "run_not_found"}, 404)
        return json_answer(self._shown(run))

    async def listed(self, request: Request) -> Response:
        """``GET /v1/runs``: the workspace's runs, newest first, without their output."""
        given = request.query_params.get("limit", str(LIST_DEFAULT))
        limit = int(given) if given.lstrip("-").isdigit() else 0
        if not 1 <= limit <= LIST_MOST:
            if self.switches.list_limit_beyond == "400":
                detail = f"limit is a number from 1 to {LIST_MOST}"
                return json_answer({"error": "invalid_limit", "detail": detail}, 400)
            limit = min(max(limit, 1), LIST_MOST)
        workspace = _workspace(request)
        with self._lock:
            newest = [
                run for run in reversed(self._runs.values()) if run.purchase.workspace == workspace
            ][:limit]
        runs = [self._shown(run, output=False) for run in newest]
        wrapper = self.switches.list_wrapper
        return json_answer(runs if wrapper == "array" else {wrapper: runs})

    async def schema(self, request: Request) -> Response:
        """``GET /v1/kits/schema``: a kit's bricks, their types and the fields that they give."""
        query = request.query_params
        try:
            version = self._version(query.get("kit_version_id"), query.get("kit_code"))
        except _Refused as refused:
            return refused.response
        switches = self.switches
        bricks = [self._described(brick) for brick in version.bricks]
        content: dict[str, Any] = {"kit_code": version.kit_code}
        if switches.schema_names_version:
            content["kit_version_id"] = version.id
        content["name"] = self.kits[version.kit_code].name
        content["bricks"] = bricks
        if switches.schema_shape == "map":
            content["bricks"] = {brick.pop("key"): brick for brick in bricks}
        if switches.schema_shape == "kit":
            content = {"kit": content}
        return json_answer(content)

    async def test(self, request: Request) -> Response:
        """``POST /v1/test``: the shape of a kit's output; creates no run and costs nothing."""
        try:
            asked = await self._asked(request, needs_input=False)
            version = self._version(asked.get("kit_version_id"), asked.get("kit_code"))
        except _Refused as refused:
            return refused.response
        with self._lock:
            self._tests += 1
        example = self.switches.test_values == "example"
        bricks: dict[str, dict[str, Any]] = {}
        for brick in version.bricks:
            blank: dict[str, Any] = {
                "value": _example(brick) if example else None,
                "confidence": 0.5 if example else None,
                "reason": "An example." if example else None,
                "evidence": [],
            }
            bricks[brick.key] = {name: blank[name] for name in brick.fields}
        return json_answer(
            {
                "kit_code": version.kit_code,
                "kit_version_id": version.id,
                "output": {"kit_code": version.kit_code, "bricks": self._dressed(version, bricks)},
            }
        )

    async def account(self, request: Request) -> Response:
        """``GET /sandbox/paid``: what was bought and what was bought again; not Semarize's."""
        return json_answer(
            {
                "paid": [_purchase_shown(purchase) for purchase in self.paid],
                "duplicates": [
                    [purchase.run_id for purchase in group] for group in self.duplicates()
                ],
            }
        )

    async def publish_route(self, request: Request) -> Response:
        """``POST /sandbox/publish``: a new version of ``kit_code``; not Semarize's.

        ``add`` names spare bricks to take in, ``without`` bricks to leave out.
        """
        asked = await read_json(request) or {}
        code = asked.get("kit_code")
        if code not in self.kits:
            return json_answer({"error": "kit_not_found"}, 404)
        try:
            add = [SPARE_BRICKS[key] for key in asked.get("add", ())]
        except KeyError as unknown:
            known = ", ".join(SPARE_BRICKS)
            detail = f"There is no spare brick {unknown}; there are: {known}"
            return json_answer({"error": "brick_not_found", "detail": detail}, 404)
        version = self.publish(code, add=add, without=asked.get("without", ()))
        return json_answer({"kit_code": code, "kit_version_id": version.id})

    # Reading requests

    async def _asked(self, request: Request, needs_input: bool = True) -> dict[str, Any]:
        asked = await read_json(request)
        if asked is None:
            raise _Refused(400, "invalid_json", detail="The body has to be a JSON object")
        if not asked.get("kit_code") and not asked.get("kit_version_id"):
            raise _Refused(400, "kit_code_or_kit_version_id_required")
        if (needs_input or "input" in asked) and not isinstance(asked.get("input"), dict):
            raise _Refused(400, "input_must_be_object")
        return asked

    async def _comparable(self, request: Request, asked: Mapping[str, Any]) -> bytes:
        """What of a body is remembered with its key, to know the same request again."""
        if self.switches.replay_compares == "bytes":
            plain = await request.body()
        else:
            plain = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(plain).digest()

    def _version(self, version_id: Any, code: Any) -> KitVersion:
        """The version that a request names; an id wins over a code."""
        if version_id:
            for kit in self.kits.values():
                for version in kit.versions:
                    if version.id == version_id:
                        return version
        elif isinstance(code, str) and code in self.kits:
            return self.kits[code].current
        elif not code:
            raise _Refused(400, "kit_code_or_kit_version_id_required")
        raise _Refused(404, "kit_not_found")

    # Creating runs

    def _buy(
        self,
        *,
        workspace: str,
        key: str | None,
        body: bytes,
        version: KitVersion,
        run_type: str,
        transcript: Any,
        text: str,
    ) -> tuple[_Run, bool, bool]:
        """The run, whether it is a replay, and whether its answer is to be lost."""
        switches = self.switches
        now = self._world.now()
        with self._lock:
            known = None if key is None else self._keys.get((workspace, key))
            if known is not None and now - known.at < timedelta(hours=switches.key_hours):
                if known.body != body:
                    raise _Refused(
                        409,
                        "idempotency_key_conflict",
                        detail="This Idempotency-Key belongs to another request",
                    )
                self._replays += 1
                return known.run, True, False
            if switches.max_input_characters is not None:
                most = switches.max_input_characters
                if len(text) > most:
                    raise _Refused(
                        413, "input_too_large", detail=f"The input has more than {most} characters"
                    )
            if switches.refuse_matching and switches.refuse_matching in text:
                raise _Refused(422, "run_request_failed", message="The input cannot be processed")
            number = len(self._runs)
            run = _Run(
                purchase=Purchase(
                    run_id=f"run_{int(now.timestamp() * 1000):011x}{number:07x}",
                    workspace=workspace,
                    kit_code=version.kit_code,
                    kit_version_id=version.id,
                    transcript_hash=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),
                    idempotency_key=key,
                    run_type=run_type,
                    created_at=now,
                ),
                version=version,
                seconds=self._run_seconds(number),
                ends=self._ending(text),
                transcript=transcript,
            )
            self._runs[run.purchase.run_id] = run
            if key is not None:
                self._keys[workspace, key] = _Remembered(body, run, now)
            lost = switches.lose_next > 0
            switches.lose_next -= lost
            return run, False, lost

    def _run_seconds(self, number: int) -> float:
        """How long the run of that number takes: between half and one and a half of the mean."""
        switches = self.switches
        draw = fingerprint("run seconds", str(number)) % 1000 / 1000
        if draw < switches.slow_share:
            return switches.slow_seconds
        return switches.run_seconds * (0.5 + fingerprint("spread", str(number)) % 1000 / 1000)

    def _ending(self, text: str) -> Literal["succeeded", "failed", "cancelled"]:
        switches = self.switches
        if switches.fail_matching and switches.fail_matching in text:
            return "failed"
        if switches.fail_next > 0:
            switches.fail_next -= 1
            return "failed"
        if switches.cancel_next > 0:
            switches.cancel_next -= 1
            return "cancelled"
        return "succeeded"

    async def _answer_in_sync(self, run: _Run) -> Response:
        limit = self.switches.sync_limit_seconds
        if run.seconds <= limit:
            await asyncio.sleep(run.seconds)
            run.settled = True
            return json_answer(self._shown(run))
        await asyncio.sleep(limit)
        status = run.status(self._world.now())
        if status == run.ends:
            return json_answer(self._shown(run))
        return self._accepted(run, status, max(1, math.ceil(run.seconds - limit)))

    # Writing answers

    def _accepted(self, run: _Run, status: str, wait_seconds: int | None = None) -> Response:
        content: dict[str, Any] = {
            "run_id": run.purchase.run_id,
            "status": status,
            "run_type": run.purchase.run_type,
        }
        advised = self.switches.retry_after_seconds
        if wait_seconds is not None:
            content["retry_after_seconds"] = advised = wait_seconds
        if self.switches.extra_fields:
            content["x_sandbox"] = True
        return json_answer(content, 202, None if advised is None else {"Retry-After": str(advised)})

    def _shown(self, run: _Run, output: bool = True) -> dict[str, Any]:
        status = run.status(self._world.now())
        purchase = run.purchase
        content: dict[str, Any] = {
            "run_id": purchase.run_id,
            "status": status,
            "run_type": purchase.run_type,
        }
        if self.switches.version_in_run:
            content["kit_version_id"] = purchase.kit_version_id
        if self.switches.extra_fields:
            content["x_sandbox"] = True
        if status == "failed":
            content["error_code"] = "evaluation_failed"
            content["error_message"] = "The sandbox was told to let this run fail"
            content["error_user_message"] = "The conversation could not be evaluated."
        if status == run.ends:
            content["duration_ms"] = round(run.seconds * 1000)
        if status == "succeeded" and output:
            content["output"] = {
                "kit_code": purchase.kit_code,
                "bricks": self._dressed(run.version, run.output()),
            }
        return content

    def _dressed(
        self, version: KitVersion, answers: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, dict[str, Any]]:
        """The bricks' outputs in the shape, and with the trouble, that the switches say."""
        switches = self.switches
        dressed: dict[str, dict[str, Any]] = {}
        for brick in version.bricks:
            if brick.key in switches.missing_bricks:
                continue
            answer = dict(answers[brick.key])
            if brick.key in switches.no_confidence:
                answer.pop("confidence", None)
            if brick.key in switches.mistyped:
                answer["value"] = _mistyped(answer["value"])
            if brick.key in switches.unknown_type:
                answer["value"] = {"points": [answer["value"]]}
            if switches.evidence_as == "string" and "evidence" in answer:
                answer["evidence"] = next(iter(answer["evidence"]), "")
            if switches.extra_fields:
                answer["x_sandbox"] = True
            dressed[brick.key] = answer
        return dressed

    def _described(self, brick: Brick) -> dict[str, Any]:
        switches = self.switches
        kind: str = _UNKNOWN_TYPE if brick.key in switches.unknown_type else brick.type
        if switches.type_names == "spaced":
            kind = kind.replace("_", " ")
        described: dict[str, Any] = {
            "key": brick.key,
            "type": kind,
            "fields": list(brick.fields),
            "scale": None,
            "allowed_values": None,
        }
        if brick.scale is not None:
            described["scale"] = {"min": brick.scale[0], "max": brick.scale[1]}
        if brick.allowed_values is not None:
            described["allowed_values"] = list(brick.allowed_values)
        if switches.extra_fields:
            described["x_rule"] = brick.describe
        return described


def _workspace(request: Request) -> str:
    return _WORKSPACES[bearer(request) or ""]


def _type_and_mode(asked: Mapping[str, Any]) -> tuple[str, str]:
    run_type, mode = asked.get("type", "api"), asked.get("mode", "async")
    if run_type not in ("api", "sandbox"):
        raise _Refused(400, "invalid_run_type")
    if mode not in ("async", "sync"):
        raise _Refused(400, "invalid_run_mode")
    return run_type, mode


def _transcript(given: Mapping[str, Any]) -> Any:
    """The conversation in an input, as text or as a list of turns; empty when there is none."""
    for name in ("transcript", "messages"):
        if isinstance(given.get(name), str | list):
            return given[name]
    return ""


def _mistyped(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return ", ".join(value)
    return [value]


def _example(brick: Brick) -> Any:
    if brick.type == "boolean":
        return False
    if brick.type == "score":
        return 0.0 if brick.scale is None else brick.scale[0]
    if brick.type == "string_list":
        return []
    return brick.allowed_values[0] if brick.allowed_values else ""


def _purchase_shown(purchase: Purchase) -> dict[str, Any]:
    return {
        "run_id": purchase.run_id,
        "workspace": purchase.workspace,
        "kit_code": purchase.kit_code,
        "kit_version_id": purchase.kit_version_id,
        "transcript_hash": purchase.transcript_hash,
        "idempotency_key": purchase.idempotency_key,
        "run_type": purchase.run_type,
        "created_at": format_moment(purchase.created_at),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class SemarizeStandin(Standin):
    """The stand-in with what tests ask of it."""

    semarize: Semarize = field(repr=False)


def standin(world: World) -> SemarizeStandin:
    """Semarize's stand-in for this world."""
    semarize = Semarize(world)
    return SemarizeStandin(
        name=NAME,
        title="Semarize",
        routes=(
            Route("POST", "/v1/runs", semarize.create),
            Route("GET", "/v1/runs", semarize.listed),
            Route("GET", "/v1/runs/{run_id}", semarize.read),
            Route("GET", "/v1/kits/schema", semarize.schema),
            Route("POST", "/v1/test", semarize.test),
            Route("GET", "/sandbox/paid", semarize.account, public=True),
            Route("POST", "/sandbox/publish", semarize.publish_route, public=True),
        ),
        credentials=semarize.credentials,
        refuse=semarize.refuse,
        limit=semarize.limit,
        error=_error,
        switches=semarize.switches,
        counts=semarize.counts,
        semarize=semarize,
    )


def of(world: World) -> Semarize:
    """The Semarize of a world, to ask what was paid or to publish a kit."""
    found = world.standin(NAME)
    if not isinstance(found, SemarizeStandin):
        raise TypeError(f"the stand-in named {NAME} in this world is not Semarize's")
    return found.semarize
