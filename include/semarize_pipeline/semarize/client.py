"""Semarize's public API, as far as it is documented (https://semarize.com/developers).

What is not documented is read leniently and kept in this file: the names of the schema's
fields, and whether a run names its kit version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from semarize_pipeline.errors import ContractBroken, Misconfigured
from semarize_pipeline.rest.client import Reply, RestClient, error_code
from semarize_pipeline.rest.paging import Ask
from semarize_pipeline.warehouse.tables import Type

BASE_URL = "https://api.semarize.com"
CONNECTION = "semarize_default"
LONGEST_ID = 200
TERMINAL = frozenset({"succeeded", "failed", "cancelled"})
# A run refused with one of these is that run's own fault: the same request never succeeds.
REFUSALS = (400, 409, 413, 422)

Kind = Literal["boolean", "number", "text", "list"]
KINDS: Mapping[str, Kind] = {
    "boolean": "boolean",
    "bool": "boolean",
    "score": "number",
    "number": "number",
    "float": "number",
    "integer": "number",
    "category": "text",
    "string": "text",
    "text": "text",
    "categorical": "text",
    "string_list": "list",
    "list": "list",
    "string list": "list",
}
COLUMN_TYPES: Mapping[Kind, Type] = {
    "boolean": Type.BOOLEAN,
    "number": Type.FLOAT,
    "text": Type.TEXT,
    "list": Type.TEXT,
}


@dataclass(frozen=True, slots=True)
class Brick:
    """One typed question of a kit. ``kind`` is None for a type that we do not know."""

    key: str
    kind: Kind | None
    declared: str
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KitSchema:
    """A kit version's bricks; ``version_id`` is None where the API does not say it."""

    code: str
    version_id: str | None
    bricks: tuple[Brick, ...]


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """A run as the API shows it. ``refused`` holds the error code of a request never accepted."""

    run_id: str | None
    status: str
    retry_after_seconds: float | None = None
    kit_version_id: str | None = None
    duration_ms: int | None = None
    error_code: str | None = None
    error_message: str | None = field(default=None, repr=False)
    bricks: Mapping[str, Any] | None = field(default=None, repr=False)
    body: Any = field(default=None, repr=False)
    refused: str | None = None

    @property
    def is_terminal(self) -> bool:
        return self.refused is not None or self.status in TERMINAL


class SemarizeClient:
    """Runs and schemas of one workspace.

    :param api: a client that quotes no errors, since they may repeat the transcript.
    """

    def __init__(self, api: RestClient, connection: str = CONNECTION) -> None:
        self._api = api
        self.connection = connection

    @property
    def requests(self) -> int:
        return self._api.sent

    def schema(self, *, code: str | None = None, version_id: str | None = None) -> KitSchema:
        """A kit's bricks and their types. Raises Misconfigured for an unknown kit."""
        named = {"kit_version_id": version_id} if version_id else {"kit_code": code}
        reply = self._api.send("GET", "/v1/kits/schema", Ask(params=named), accept=(404,))
        if reply.status == 404:
            raise Misconfigured(
                f"{self.connection}: there is no kit {version_id or code}; check its code in the "
                "settings file, and that the key belongs to its workspace"
            )
        return _schema(reply.data, code or "", self.connection)

    def submit(self, key: str, kit: Mapping[str, str], transcript: str, mode: str) -> RunAnswer:
        """Create a run, or find the one that this key already created.

        The body depends on nothing but the arguments, so a retry sends the same bytes.
        """
        ask = Ask(json={**kit, "mode": mode, "input": {"transcript": transcript}})
        reply = self._api.send(
            "POST", "/v1/runs", ask, accept=(*REFUSALS, 404), headers={"Idempotency-Key": key}
        )
        if reply.status == 404:
            raise Misconfigured(
                f"{self.connection}: a run was refused because its kit does not exist "
                f"({', '.join(kit.values())}); check the settings file"
            )
        if reply.status in REFUSALS:
            told = reply.data.get("error") if isinstance(reply.data, Mapping) else None
            code = error_code(told) or f"http_{reply.status}"
            return RunAnswer(None, "refused", refused=code)
        return self._run(reply)

    def status(self, run_id: str) -> RunAnswer:
        """A run as it stands. One that Semarize does not know (any more) counts as failed."""
        reply = self._api.send("GET", f"/v1/runs/{quote(run_id, safe='')}", accept=(404,))
        if reply.status == 404:
            return RunAnswer(run_id, "failed", error_code="run_not_found", body=reply.data)
        return self._run(reply)

    def _run(self, reply: Reply) -> RunAnswer:
        body = reply.data
        run_id = body.get("run_id") if isinstance(body, Mapping) else None
        if not isinstance(run_id, str) or not 0 < len(run_id) <= LONGEST_ID:
            raise ContractBroken(
                f"{self.connection}: a run without run_id; Semarize's API has changed"
            )
        found = body.get("output")
        output: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
        bricks = output.get("bricks")
        status = str(body.get("status", ""))
        if status == "succeeded" and not isinstance(bricks, Mapping):
            raise ContractBroken(f"{self.connection}: run {run_id} succeeded without output.bricks")
        version = body.get("kit_version_id") or output.get("kit_version_id")
        return RunAnswer(
            run_id=run_id,
            status=status,
            retry_after_seconds=reply.retry_after_seconds,
            kit_version_id=str(version) if version else None,
            duration_ms=_count(body.get("duration_ms")),
            error_code=_code_of(body),
            error_message=_text(body.get("error_message"), 500),
            bricks=bricks if isinstance(bricks, Mapping) else None,
            body=body,
        )


def _code_of(body: Mapping[str, Any]) -> str | None:
    """The code of a run that failed. One that is prose may repeat the transcript."""
    told = body.get("error_code")
    return None if told is None else error_code(told) or "unreadable_code"


def _count(value: Any) -> int | None:
    """A number as a whole one; None for what is none, or beyond every integer column."""
    number = _number(value)
    return int(number) if number is not None and 0 <= number < 2**53 else None


def _text(value: Any, longest: int) -> str | None:
    return None if value is None else str(value)[:longest]


def _schema(data: Any, code: str, connection: str) -> KitSchema:
    """The schema's answer, whose field names are not documented: read in one place only."""
    told = data if isinstance(data, Mapping) else {}
    body = told["kit"] if isinstance(told.get("kit"), Mapping) else told
    listed = body.get("bricks")
    if isinstance(listed, Mapping) and all(isinstance(b, Mapping) for b in listed.values()):
        listed = [{"key": key, **brick} for key, brick in listed.items()]
    if (
        not isinstance(listed, list)
        or not listed
        or not all(isinstance(brick, Mapping) for brick in listed)
    ):
        raise ContractBroken(f"{connection}: the schema of kit {code} names no bricks")
    bricks = []
    for brick in listed:
        key = brick.get("key") or brick.get("brick_key")
        declared = str(brick.get("type") or brick.get("value_type") or "")[:100]
        if not key:
            raise ContractBroken(f"{connection}: the schema of kit {code} has a brick without key")
        scale = brick["scale"] if isinstance(brick.get("scale"), Mapping) else {}
        allowed = brick.get("allowed_values")
        bricks.append(
            Brick(
                key=str(key),
                kind=KINDS.get(declared.lower()),
                declared=declared,
                minimum=_number(scale.get("min")),
                maximum=_number(scale.get("max")),
                allowed=tuple(map(str, allowed)) if isinstance(allowed, list) else (),
            )
        )
    version = body.get("kit_version_id")
    return KitSchema(
        code=str(body.get("kit_code") or code),
        version_id=str(version) if version else None,
        bricks=tuple(bricks),
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
