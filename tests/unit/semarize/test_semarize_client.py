"""Semarize's answers: what is documented, and every reading of what is not."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from unit.support import Clock, Say, Server, rest_client

from semarize_pipeline import connect
from semarize_pipeline.errors import (
    BadCredentials,
    ContractBroken,
    Misconfigured,
    PipelineError,
    TryAgain,
    Wait,
)
from semarize_pipeline.rest.auth import Credentials, bearer
from semarize_pipeline.semarize.client import REFUSALS, Brick, SemarizeClient
from semarize_pipeline.settings import ScoreSettings
from semarize_pipeline.state import State

KIT = {"kit_code": "A1B2C3D4"}
OUTPUT = {"kit_code": "A1B2C3D4", "bricks": {"pain": {"value": 64, "confidence": 0.9}}}


@pytest.fixture
def semarize(server: Server, state: State, clock: Clock) -> SemarizeClient:
    given = Credentials("semarize_default", password="smz_test_secret")
    api = rest_client(server.url, state, clock, auth=bearer(given), secrets=given.secrets)
    return SemarizeClient(api)


# ---------------------------------------------------------------------- runs


def test_a_run_as_it_leaves(semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(202, {"run_id": "run_1", "status": "queued", "run_type": "api"}))
    semarize.submit("key-1", KIT, "Rep: Hi", "async")
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/v1/runs")
    assert seen.headers["Authorization"] == "Bearer smz_test_secret"
    assert seen.headers["Idempotency-Key"] == "key-1"
    assert seen.json == {
        "kit_code": "A1B2C3D4",
        "mode": "async",
        "input": {"transcript": "Rep: Hi"},
    }
    assert semarize.requests == 1


def test_accepted(semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(202, {"run_id": "run_1", "status": "queued"}, {"Retry-After": "4"}))
    answer = semarize.submit("k", KIT, "x", "async")
    assert (answer.run_id, answer.status, answer.is_terminal) == ("run_1", "queued", False)
    assert answer.retry_after_seconds == 4
    assert answer.refused is None


@pytest.mark.parametrize("status", [200, 202])
def test_the_answer_at_once_or_a_replay(
    status: int, semarize: SemarizeClient, server: Server
) -> None:
    body = {"run_id": "run_1", "status": "succeeded", "output": OUTPUT, "duration_ms": 1200}
    server.says(Say(status, {**body, "kit_version_id": "kv_2.3", "a_new_field": [1]}))
    answer = semarize.submit("k", KIT, "x", "sync")
    assert answer.is_terminal
    assert answer.bricks == OUTPUT["bricks"]
    assert (answer.kit_version_id, answer.duration_ms) == ("kv_2.3", 1200)
    assert answer.body == {**body, "kit_version_id": "kv_2.3", "a_new_field": [1]}


def test_a_run_without_a_version(semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(200, {"run_id": "r", "status": "succeeded", "output": OUTPUT}))
    assert semarize.status("r").kit_version_id is None
    inside = {**OUTPUT, "kit_version_id": 7}
    server.says(Say(200, {"run_id": "r", "status": "succeeded", "output": inside}))
    assert semarize.status("r").kit_version_id == "7"


def test_a_retry_sends_the_same_bytes(semarize: SemarizeClient, server: Server) -> None:
    """The answer was lost on the way, and the run may exist: only the key tells."""
    server.says(
        Say(body=b'{"run_id"', promised=500),
        Say(500, {"error": "internal"}),
        Say(429, {"error": "rate_limited", "retry_after_seconds": 3}, {"Retry-After": "3"}),
        Say(202, {"run_id": "run_1", "status": "queued"}),
    )
    assert semarize.submit("k", KIT, "Rep: é 👋", "async").run_id == "run_1"
    assert len(server.seen) == 4
    assert len({(r.body, r.headers["Idempotency-Key"]) for r in server.seen}) == 1


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_is_the_run_s_own(status: int, semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(status, {"error": "idempotency_key_conflict", "message": "…"}))
    answer = semarize.submit("k", KIT, "x", "async")
    assert answer.refused == "idempotency_key_conflict"
    assert answer.is_terminal
    assert answer.run_id is None
    assert len(server.seen) == 1


@pytest.mark.parametrize("body", [None, {}, [], b"<html>too large</html>"])
def test_a_refusal_without_a_code(body: Any, semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(413, body))
    assert semarize.submit("k", KIT, "x", "async").refused == "http_413"


def test_an_unknown_kit(semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(404, {"error": "kit_not_found"}))
    with pytest.raises(Misconfigured, match="A1B2C3D4") as caught:
        semarize.submit("k", KIT, "the transcript", "async")
    assert "settings file" in str(caught.value)
    assert "the transcript" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Say(401, {"error": "api_key_expired"}), BadCredentials),
        (Say(403, {"error": "x"}), BadCredentials),
        (Say(503), TryAgain),
        (Say(429, {"retry_after_seconds": 9999}), Wait),
        (Say(418), ContractBroken),
        (Say(200, b"<html>", {"Content-Type": "text/html"}), ContractBroken),
    ],
)
def test_trouble_that_is_not_the_run_s_own(
    said: Say, error: type[Exception], semarize: SemarizeClient, server: Server
) -> None:
    server.says(said)
    with pytest.raises(error) as caught:
        semarize.submit("k", KIT, "the transcript", "async")
    assert "the transcript" not in str(caught.value)
    assert "smz_test_secret" not in str(caught.value)


@pytest.mark.parametrize("body", [None, [], "x", {}, {"run_id": 5}, {"id": "run_1"}])
def test_an_answer_without_a_run(body: Any, semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(202, body))
    with pytest.raises(ContractBroken, match="run_id"):
        semarize.submit("k", KIT, "x", "async")


@pytest.mark.parametrize(
    ("status", "terminal"),
    [
        ("queued", False),
        ("running", False),
        ("succeeded", True),
        ("failed", True),
        ("cancelled", True),
        ("paused", False),
        ("SUCCEEDED", False),
        ("", False),
    ],
)
def test_statuses(status: str, terminal: bool, semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(200, {"run_id": "run_1", "status": status, "output": OUTPUT}))
    assert semarize.status("run_1").is_terminal is terminal
    assert server.seen[0].path == "/v1/runs/run_1"


def test_a_failed_run(semarize: SemarizeClient, server: Server) -> None:
    server.says(
        Say(
            200,
            {
                "run_id": "r",
                "status": "failed",
                "error_code": "e" * 900,
                "error_message": "m" * 900,
            },
        )
    )
    answer = semarize.status("r")
    assert answer.error_code == "e" * 100, "as long as its column in the state database"
    assert answer.error_message == "m" * 500
    assert answer.bricks is None


@pytest.mark.parametrize("output", [None, {}, {"bricks": None}, {"bricks": []}, "x"])
def test_success_without_output(output: Any, semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(200, {"run_id": "run_1", "status": "succeeded", "output": output}))
    with pytest.raises(ContractBroken, match=r"run_1.*bricks"):
        semarize.status("run_1")


def test_an_answer_s_repr_holds_no_content(semarize: SemarizeClient, server: Server) -> None:
    body = {"run_id": "r", "status": "queued", "input": {"transcript": "the transcript"}}
    server.says(Say(200, body))
    assert "the transcript" not in repr(semarize.status("r"))


# ---------------------------------------------------------------------- schemas

PAIN = {"key": "pain", "type": "score", "scale": {"min": 1, "max": 5}}
READ = (
    Brick("pain", "number", "score", 1.0, 5.0),
    Brick("next", "boolean", "Boolean"),
    Brick("why", "text", "category", allowed=("price", "5")),
    Brick("who", "list", "string_list"),
    Brick("new", None, "tensor"),
)


@pytest.mark.parametrize("wrapped", [False, True], ids=["flat", "in a kit"])
@pytest.mark.parametrize("shape", ["list", "map", "other names"])
def test_readings_of_a_schema(
    shape: str, wrapped: bool, semarize: SemarizeClient, server: Server
) -> None:
    bricks: Any = [
        PAIN,
        {"key": "next", "type": "Boolean", "scale": None},
        {"key": "why", "type": "category", "allowed_values": ["price", 5]},
        {"key": "who", "type": "string_list", "allowed_values": None, "output_fields": []},
        {"key": "new", "type": "tensor"},
    ]
    if shape == "map":
        bricks = {brick.pop("key"): brick for brick in map(dict, bricks)}
    if shape == "other names":
        bricks = [
            {{"key": "brick_key", "type": "value_type"}.get(k, k): v for k, v in b.items()}
            for b in bricks
        ]
    body = {"kit_code": "A1B2C3D4", "kit_version_id": "kv_1", "bricks": bricks}
    server.says(Say(200, {"kit": body} if wrapped else body))
    schema = semarize.schema(code="A1B2C3D4")
    assert (schema.code, schema.version_id) == ("A1B2C3D4", "kv_1")
    assert schema.bricks == READ
    assert server.seen[0].params == {"kit_code": "A1B2C3D4"}


def test_a_version_that_is_not_said(semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(200, {"bricks": [PAIN], "kit": "A1B2C3D4"}))
    schema = semarize.schema(code="A1B2C3D4")
    assert (schema.code, schema.version_id) == ("A1B2C3D4", None)


def test_a_pinned_version_is_asked_for_alone(semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(200, {"bricks": [PAIN]}))
    semarize.schema(code="A1B2C3D4", version_id="kv_2")
    assert server.seen[0].params == {"kit_version_id": "kv_2"}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        {},
        {"bricks": []},
        {"bricks": "pain"},
        {"bricks": [{"type": "score"}]},
        {"bricks": ["pain"]},
        {"bricks": {"pain": "score"}},
        {"bricks": {}},
        {"kit": None},
    ],
    ids=str,
)
def test_a_schema_that_cannot_be_read(body: Any, semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(200, body))
    with pytest.raises(ContractBroken, match="semarize_default"):
        semarize.schema(code="A1B2C3D4")


@pytest.mark.parametrize(
    "more",
    [
        {"scale": [0, 5]},
        {"scale": "1-5"},
        {"scale": {"min": "1", "max": True}},
        {"allowed_values": 5},
    ],
    ids=str,
)
def test_a_scale_in_another_shape_is_no_scale(
    more: dict[str, Any], semarize: SemarizeClient, server: Server
) -> None:
    server.says(Say(200, {"bricks": [{"key": "pain", "type": "score", **more}]}))
    (brick,) = semarize.schema(code="A").bricks
    assert brick == Brick("pain", "number", "score")


def test_a_schema_of_an_unknown_kit(semarize: SemarizeClient, server: Server) -> None:
    server.says(Say(404, {"error": "kit_not_found"}))
    with pytest.raises(Misconfigured, match="NOSUCHKT"):
        semarize.schema(code="NOSUCHKT")


WORDS = "our quokka budget of seventeen lanterns"


@pytest.mark.parametrize("status", [400, 401, 403, 409, 413, 418, 422])
def test_no_answer_of_semarize_carries_the_transcript_further(
    status: int, server: Server, state: State, caplog: pytest.LogCaptureFixture
) -> None:
    """Wherever it repeats what it was sent, at most the error's code is told."""
    given = Credentials("semarize_default", password="smz_test_secret", host=server.url)
    semarize = connect.semarize_client(given, state, ScoreSettings(requests_per_second=1000))
    for body in (
        {"error": f"cannot read {WORDS}", "message": WORDS},
        {"error": {"code": "odd_input", "message": WORDS}},
        {"errors": [WORDS]},
        {"message": WORDS},
    ):
        server.says(*[Say(status, body)] * 5)
        try:
            told = repr(semarize.submit("k", KIT, WORDS, "async"))
        except PipelineError as error:
            told = "".join(traceback.format_exception(error))
        assert "quokka" not in told
        if "error" in body and isinstance(body["error"], dict):
            assert "odd_input" in told, "its code is"
    failed = {"run_id": "r", "status": "failed", "error_code": WORDS, "error_message": WORDS}
    server.says(Say(200, failed))
    answer = semarize.status("r")
    assert answer.error_code == "unreadable_code"
    assert "quokka" not in repr(answer) + caplog.text
    assert answer.error_message == WORDS, "for the warehouse"
