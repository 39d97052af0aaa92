"""Semarize's stand-in keeps to what is documented, and each of its switches does what it says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import requests

from semarize_sandbox import semarize
from semarize_sandbox.kits import DEAL_SIGNALS, INTERACTION_QUALITY, SPARE_BRICKS
from semarize_sandbox.server import running
from semarize_sandbox.world import World

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
TALK = (
    "Agent: My name is Ola, this call is recorded.\n"
    "Customer: The invoice is wrong, I want to speak to a manager.\n"
    "Agent: I'm sorry to hear that.\n"
    "Customer: That fixed it."
)


class Client:
    """Plain HTTP against the stand-in, as any client would send it."""

    def __init__(self, url: str, world: World) -> None:
        self.url = f"{url}/semarize"
        self.world = world
        self.semarize = semarize.of(world)
        self.token: str | None = semarize.KEY
        self._session = requests.Session()

    def send(
        self, method: str, path: str, *, data: bytes | None = None, **options: Any
    ) -> requests.Response:
        headers = dict(options.pop("headers", {}))
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if data is not None:
            headers["Content-Type"] = "application/json"
        return self._session.request(
            method, self.url + path, data=data, headers=headers, timeout=5, **options
        )

    def create(self, key: str | None = None, **changed: Any) -> requests.Response:
        body: dict[str, Any] = {
            "kit_code": INTERACTION_QUALITY,
            "input": {"transcript": TALK},
        } | changed
        headers = {} if key is None else {"Idempotency-Key": key}
        sent = {name: value for name, value in body.items() if value is not ...}
        return self.send("POST", "/v1/runs", data=orjson.dumps(sent), headers=headers)

    def run(self, run_id: str) -> dict[str, Any]:
        answer = self.send("GET", f"/v1/runs/{run_id}")
        assert answer.status_code == 200
        content: dict[str, Any] = answer.json()
        return content

    def switch(self, **values: Any) -> None:
        self.world.switch("semarize", **values)


@pytest.fixture(scope="module")
def unsold() -> Iterator[tuple[str, World]]:
    """One sandbox for all the requests that are refused: nothing may ever be bought there."""
    world = World()
    with running(world) as sandbox:
        yield sandbox.url, world
    assert semarize.of(world).paid == []


@pytest.fixture
def refused(unsold: tuple[str, World]) -> Client:
    return Client(*unsold)


@pytest.fixture
def client() -> Iterator[Client]:
    world = World()
    world.freeze(NOON)
    with running(world) as sandbox:
        made = Client(sandbox.url, world)
        made.switch(run_seconds=0.0)
        yield made


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


# Runs


def test_an_async_run_is_accepted_then_queued_running_and_succeeded(client: Client) -> None:
    client.switch(run_seconds=10.0)
    answer = client.create()
    assert answer.status_code == 202
    assert answer.headers["Retry-After"] == "1"
    content = answer.json()
    assert (content["status"], content["run_type"]) == ("queued", "api")
    seen = []
    for _ in range(32):
        run = client.run(content["run_id"])
        seen.append(run["status"])
        assert ("output" in run) == (run["status"] == "succeeded")
        client.world.advance(timedelta(seconds=0.5))
    assert list(dict.fromkeys(seen)) == ["queued", "running", "succeeded"]
    assert run["run_id"] == content["run_id"]
    assert 5000 <= run["duration_ms"] <= 15000
    assert run["output"]["kit_code"] == INTERACTION_QUALITY
    bricks = run["output"]["bricks"]
    assert list(bricks) == [
        "compliance_score", "empathy_score", "resolution_achieved", "escalation_risk",
        "topic_primary",
    ]  # fmt: skip
    assert bricks["topic_primary"]["value"] == "billing"
    assert bricks["resolution_achieved"]["value"] is True
    assert bricks["resolution_achieved"]["evidence"] == ["That fixed it."]


def test_a_run_may_take_no_time(client: Client) -> None:
    content = client.create().json()
    assert content["status"] == "queued"
    assert client.run(content["run_id"])["status"] == "succeeded"


def test_the_advice_to_wait_may_be_left_out(client: Client) -> None:
    client.switch(retry_after_seconds=None)
    assert "Retry-After" not in client.create().headers


def test_a_sync_run_is_answered_inline(client: Client) -> None:
    client.switch(run_seconds=0.02)
    answer = client.create(mode="sync", type="sandbox")
    assert answer.status_code == 200
    content = answer.json()
    assert (content["status"], content["run_type"]) == ("succeeded", "sandbox")
    assert content["output"]["bricks"]
    assert client.run(content["run_id"]) == content


def test_a_slow_sync_run_falls_back_to_polling(client: Client) -> None:
    client.switch(run_seconds=60.0, sync_limit_seconds=0.02)
    answer = client.create(mode="sync")
    assert answer.status_code == 202
    content = answer.json()
    assert content["status"] == "queued"
    assert content["retry_after_seconds"] == int(answer.headers["Retry-After"]) > 20
    client.world.advance(timedelta(minutes=3))
    assert client.run(content["run_id"])["status"] == "succeeded"


def test_a_share_of_runs_can_be_slow(client: Client) -> None:
    client.switch(slow_share=0.5, slow_seconds=3600.0)
    ids = [client.create().json()["run_id"] for _ in range(30)]
    done = sum(client.run(run_id)["status"] == "succeeded" for run_id in ids)
    assert 5 <= done <= 25


def test_runs_fail_and_are_cancelled_on_demand(client: Client) -> None:
    client.switch(fail_next=1, cancel_next=1)
    runs = [client.run(client.create().json()["run_id"]) for _ in range(3)]
    assert [run["status"] for run in runs] == ["failed", "cancelled", "succeeded"]
    assert {"error_code", "error_message", "error_user_message"} <= set(runs[0])
    assert "output" not in runs[0]
    client.switch(fail_matching="wrong")
    assert client.run(client.create().json()["run_id"])["status"] == "failed"
    other = client.create(input={"transcript": "Agent: Hello."}).json()
    assert client.run(other["run_id"])["status"] == "succeeded"
    assert len(client.semarize.paid) == 5


@pytest.mark.parametrize(
    "given",
    [
        {"transcript": [{"speaker": "Agent", "text": "This call is recorded."}]},
        {"messages": [{"speaker": "Agent", "text": "This call is recorded."}]},
        {"transcript": "Agent: This call is recorded.", "account_id": "x", "stage": "Demo"},
    ],
)
def test_inputs_may_be_lines_or_turns_with_context(client: Client, given: dict[str, Any]) -> None:
    content = client.create(mode="sync", input=given).json()
    assert content["output"]["bricks"]["compliance_score"]["value"] == 0.55


@pytest.mark.parametrize("given", [{}, {"transcript": ""}, {"transcript": 7}])
def test_an_empty_input_gives_null_values(client: Client, given: dict[str, Any]) -> None:
    bricks = client.create(mode="sync", input=given).json()["output"]["bricks"]
    assert len(bricks) == 5
    assert all(brick["value"] is None for brick in bricks.values())


def test_the_list_is_newest_first_and_of_one_workspace(client: Client) -> None:
    ids = [client.create().json()["run_id"] for _ in range(60)]
    client.token = semarize.OTHER_KEY
    foreign = client.create().json()["run_id"]
    assert [run["run_id"] for run in client.send("GET", "/v1/runs").json()["runs"]] == [foreign]
    assert error(client.send("GET", f"/v1/runs/{ids[0]}")) == (404, "run_not_found")
    client.token = semarize.KEY
    assert error(client.send("GET", f"/v1/runs/{foreign}")) == (404, "run_not_found")
    runs = client.send("GET", "/v1/runs").json()["runs"]
    assert [run["run_id"] for run in runs] == ids[:-51:-1]
    assert all("output" not in run for run in runs)
    seven = client.send("GET", "/v1/runs?limit=7").json()["runs"]
    assert [run["run_id"] for run in seven] == ids[:-8:-1]


@pytest.mark.parametrize("limit", ["0", "101", "-3", "many"])
def test_a_limit_beyond_1_to_100_is_refused_or_clamped(client: Client, limit: str) -> None:
    client.create()
    assert client.send("GET", "/v1/runs?limit=100").status_code == 200
    assert error(client.send("GET", f"/v1/runs?limit={limit}")) == (400, "invalid_limit")
    client.switch(list_limit_beyond="clamp")
    assert len(client.send("GET", f"/v1/runs?limit={limit}").json()["runs"]) == 1


@pytest.mark.parametrize("wrapper", ["data", "array"])
def test_the_list_may_be_wrapped_otherwise(client: Client, wrapper: str) -> None:
    client.create()
    client.switch(list_wrapper=wrapper)
    content = client.send("GET", "/v1/runs").json()
    assert len(content if wrapper == "array" else content["data"]) == 1


# Keys and errors


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (None, "missing_bearer_token"),
        ("smz_test_unknown", "invalid_api_key"),
        ("smz_live_anything", "invalid_api_key"),
        (semarize.EXPIRED_KEY, "api_key_expired"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/runs", "/v1/runs/run_1", "/v1/kits/schema?kit_code=x"])
def test_every_endpoint_asks_for_a_good_key(
    refused: Client, path: str, token: str | None, code: str
) -> None:
    refused.token = token
    assert error(refused.send("GET", path)) == (401, code)
    assert error(refused.create()) == (401, code)
    assert refused.semarize.paid == []


def test_the_key_of_the_connection_can_expire(client: Client) -> None:
    password = client.semarize.credentials("http://sandbox").password
    assert password == semarize.KEY
    assert password.startswith("smz_test_")
    client.switch(key_expired=True)
    assert error(client.create()) == (401, "api_key_expired")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"kit_code": ...}, 400, "kit_code_or_kit_version_id_required"),
        ({"kit_code": ""}, 400, "kit_code_or_kit_version_id_required"),
        ({"input": ...}, 400, "input_must_be_object"),
        ({"input": "text"}, 400, "input_must_be_object"),
        ({"input": [1]}, 400, "input_must_be_object"),
        ({"type": "live"}, 400, "invalid_run_type"),
        ({"mode": "later"}, 400, "invalid_run_mode"),
        ({"type": ["api"]}, 400, "invalid_run_type"),
        ({"kit_code": "00000000"}, 404, "kit_not_found"),
        ({"kit_code": ["x"]}, 404, "kit_not_found"),
        ({"kit_version_id": "nothing"}, 404, "kit_not_found"),
    ],
)
def test_bad_requests_meet_their_documented_code(
    refused: Client, changed: dict[str, Any], status: int, code: str
) -> None:
    assert error(refused.create(**changed)) == (status, code)
    assert refused.semarize.paid == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"text"'])
def test_a_body_that_is_no_json_object_is_refused(refused: Client, body: bytes) -> None:
    assert refused.send("POST", "/v1/runs", data=body).status_code == 400


def test_unknown_paths_and_runs_are_404(refused: Client) -> None:
    assert error(refused.send("GET", "/v1/runs/run_nothing")) == (404, "run_not_found")
    assert refused.send("GET", "/v1/nothing").status_code == 404
    assert refused.send("DELETE", "/v1/runs").status_code == 405


def test_inputs_can_be_too_large_or_unfit(client: Client) -> None:
    client.switch(max_input_characters=len(TALK))
    assert client.create().status_code == 202
    too_long = {"transcript": f"{TALK}!"}
    assert error(client.create(input=too_long)) == (413, "input_too_large")
    client.switch(refuse_matching="manager")
    assert error(client.create()) == (422, "run_request_failed")
    assert len(client.semarize.paid) == 1


# Limits


@pytest.mark.parametrize(("method", "switch"), [("POST", "creates"), ("GET", "reads")])
def test_creating_and_reading_are_limited_apart(client: Client, method: str, switch: str) -> None:
    client.switch(**{f"{switch}_per_second": 2})

    def once(method: str) -> requests.Response:
        return client.create() if method == "POST" else client.send("GET", "/v1/runs")

    answers = [once(method) for _ in range(3)]
    assert [answer.status_code for answer in answers[:2]] in ([202, 202], [200, 200])
    assert error(answers[2]) == (429, "rate_limited")
    assert answers[2].json()["retry_after_seconds"] == 1
    assert answers[2].headers["Retry-After"] == "1"
    assert once("GET" if method == "POST" else "POST").ok
    client.switch(limit_wait_seconds=10)
    answer = once(method)
    assert answer.json() == {"error": "rate_limited", "retry_after_seconds": 10}
    assert answer.headers["Retry-After"] == "10"
    client.world.limited = False
    assert once(method).ok
    assert len(client.semarize.paid) == (3 if method == "POST" else 1)


# Idempotency and what was paid


@pytest.mark.parametrize("status", [200, 202])
def test_a_replay_returns_the_first_run_and_buys_nothing(client: Client, status: int) -> None:
    client.switch(replay_status=status)
    first = client.create("call-1")
    again = client.create("call-1")
    assert again.status_code == status
    assert again.json()["run_id"] == first.json()["run_id"]
    assert again.json()["status"] == "succeeded"
    assert len(client.semarize.paid) == 1
    assert client.semarize.duplicates() == []
    assert client.semarize.counts()["runs_replayed"] == 1
    assert client.semarize.paid[0].idempotency_key == "call-1"


@pytest.mark.parametrize(
    "changed", [{"input": {"transcript": "Else."}}, {"kit_code": DEAL_SIGNALS}, {"mode": "sync"}]
)
def test_a_key_used_for_another_body_is_a_conflict(client: Client, changed: dict[str, Any]) -> None:
    client.create("call-1")
    assert error(client.create("call-1", **changed)) == (409, "idempotency_key_conflict")
    assert len(client.semarize.paid) == 1
    assert client.create("call-2", **changed).ok


def test_the_same_json_in_other_bytes_is_the_same_body_or_not(client: Client) -> None:
    one = orjson.dumps({"kit_code": INTERACTION_QUALITY, "input": {}})
    other = orjson.dumps({"input": {}, "kit_code": INTERACTION_QUALITY})
    key = {"Idempotency-Key": "k"}
    client.send("POST", "/v1/runs", data=one, headers=key)
    assert client.send("POST", "/v1/runs", data=other, headers=key).status_code == 200
    client.switch(replay_compares="bytes")
    key = {"Idempotency-Key": "l"}
    client.send("POST", "/v1/runs", data=one, headers=key)
    assert client.send("POST", "/v1/runs", data=other, headers=key).status_code == 409
    assert client.send("POST", "/v1/runs", data=one, headers=key).status_code == 200


def test_a_key_is_forgotten_in_time_and_belongs_to_a_workspace(client: Client) -> None:
    first = client.create("call-1").json()["run_id"]
    client.world.advance(timedelta(hours=23))
    assert client.create("call-1").json()["run_id"] == first
    client.world.advance(timedelta(hours=2))
    second = client.create("call-1").json()["run_id"]
    assert second != first
    client.token = semarize.OTHER_KEY
    assert client.create("call-1").json()["run_id"] not in {first, second}
    (group,) = client.semarize.duplicates()
    assert [purchase.run_id for purchase in group] == [first, second]


def test_a_key_has_at_most_254_characters(client: Client) -> None:
    assert client.create("k" * 254).status_code == 202
    assert client.create("k" * 255).status_code == 400
    assert len(client.semarize.paid) == 1


def test_at_once_or_not_one_key_buys_one_run(client: Client) -> None:
    client.switch(run_seconds=0.05)
    answers: list[str] = []

    def buy() -> None:
        other = Client(client.url.removesuffix("/semarize"), client.world)
        answers.append(other.create("call-1").json()["run_id"])

    threads = [threading.Thread(target=buy) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert len(client.semarize.paid) == 1


def test_a_lost_answer_leaves_a_run_that_its_key_finds_again(client: Client) -> None:
    client.switch(lose_next=1)
    with pytest.raises(requests.ConnectionError):
        client.create("call-1")
    (bought,) = client.semarize.paid
    again = client.create("call-1")
    assert again.json()["run_id"] == bought.run_id
    assert len(client.semarize.paid) == 1


def test_what_was_bought_twice_is_told(client: Client) -> None:
    client.create()
    client.create("other key")
    client.create(kit_code=DEAL_SIGNALS)
    client.create(input={"transcript": "Else."})
    assert [len(group) for group in client.semarize.duplicates()] == [2]
    statistics = client.world.statistics()["semarize"]
    assert (statistics["runs_paid"], statistics["runs_bought_again"]) == (4, 1)
    assert statistics["runs_succeeded"] == 4
    client.token = None
    account = client.send("GET", "/sandbox/paid").json()
    assert len(account["paid"]) == 4
    assert [len(group) for group in account["duplicates"]] == [2]


# Kits


@pytest.mark.parametrize("code", [INTERACTION_QUALITY, DEAL_SIGNALS])
def test_the_schema_agrees_with_the_output(client: Client, code: str) -> None:
    schema = client.send("GET", f"/v1/kits/schema?kit_code={code}").json()
    assert (schema["kit_code"], schema["name"]) == (code, client.semarize.kits[code].name)
    bricks = client.create(kit_code=code, mode="sync").json()["output"]["bricks"]
    assert [brick["key"] for brick in schema["bricks"]] == list(bricks)
    types = set()
    for brick in schema["bricks"]:
        types.add(brick["type"])
        assert set(brick["fields"]) <= set(bricks[brick["key"]])
        assert (brick["scale"] is not None) == (brick["type"] == "score")
        assert (brick["allowed_values"] is not None) == (brick["type"] == "category")
    assert types >= {"boolean", "score", "category"}
    by_version = client.send(
        "GET", f"/v1/kits/schema?kit_version_id={schema['kit_version_id']}&kit_code=other"
    )
    assert by_version.json() == schema


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (400, "kit_code_or_kit_version_id_required")),
        ("?kit_code=00000000", (404, "kit_not_found")),
        ("?kit_version_id=no", (404, "kit_not_found")),
    ],
)
def test_a_schema_of_no_kit_is_refused(
    refused: Client, query: str, expected: tuple[int, str]
) -> None:
    assert error(refused.send("GET", f"/v1/kits/schema{query}")) == expected


@pytest.mark.parametrize("values", ["null", "example"])
def test_a_test_shows_the_shape_and_buys_nothing(client: Client, values: str) -> None:
    client.switch(test_values=values)
    body = orjson.dumps({"kit_code": DEAL_SIGNALS, "input": {}})
    tested = client.send("POST", "/v1/test", data=body).json()["output"]["bricks"]
    real = client.create(kit_code=DEAL_SIGNALS, mode="sync").json()["output"]["bricks"]
    assert {key: set(brick) for key, brick in tested.items()} == {
        key: set(brick) for key, brick in real.items()
    }
    assert (tested["risk_flag"]["value"] is None) == (values == "null")
    assert len(client.semarize.paid) == 1
    assert client.semarize.counts()["tests"] == 1
    assert error(client.send("POST", "/v1/test", data=b"{}")) == (
        400,
        "kit_code_or_kit_version_id_required",
    )


def test_a_code_follows_the_published_version_and_an_id_pins_one(client: Client) -> None:
    first = client.semarize.kits[DEAL_SIGNALS].current.id
    body = {"kit_code": DEAL_SIGNALS, "add": ["discovery_depth"], "without": ["pain_point"]}
    published = client.send("POST", "/sandbox/publish", data=orjson.dumps(body)).json()
    assert published["kit_version_id"] != first

    def keys(**named: Any) -> set[str]:
        run = client.create(mode="sync", **named).json()
        assert run["kit_version_id"] == named.get("kit_version_id", published["kit_version_id"])
        return set(run["output"]["bricks"])

    now = keys(kit_code=DEAL_SIGNALS)
    then = keys(kit_code=DEAL_SIGNALS, kit_version_id=first)
    assert now - then == {"discovery_depth"}
    assert then - now == {"pain_point"}
    wrong = orjson.dumps({"kit_code": DEAL_SIGNALS, "add": ["nothing"]})
    refused = client.send("POST", "/sandbox/publish", data=wrong)
    assert refused.status_code == 404
    assert all(key in refused.json()["detail"] for key in SPARE_BRICKS)


@pytest.mark.parametrize("shape", ["kit", "map"])
def test_the_schema_may_have_another_shape(client: Client, shape: str) -> None:
    client.switch(
        schema_shape=shape,
        schema_names_version=False,
        type_names="spaced",
        unknown_type=["risk_flag"],
    )
    content = client.send("GET", f"/v1/kits/schema?kit_code={DEAL_SIGNALS}").json()
    body = content["kit"] if shape == "kit" else content
    assert "kit_version_id" not in body
    listed = body["bricks"]
    if shape == "kit":
        listed = {brick["key"]: brick for brick in listed}
    assert listed["competitors_mentioned"]["type"] == "string list"
    assert listed["risk_flag"]["type"] == "timeline curve"


def test_answers_may_have_another_shape(client: Client) -> None:
    plain = client.create(kit_code=DEAL_SIGNALS, mode="sync").json()
    assert plain["kit_version_id"]
    assert "x_sandbox" in plain
    client.switch(
        evidence_as="string",
        version_in_run=False,
        extra_fields=False,
        no_confidence=["risk_flag"],
        missing_bricks=["pain_point"],
        mistyped=["budget_confirmed", "pain_severity", "competitors_mentioned"],
        unknown_type=["overall_score"],
    )
    content = client.create(kit_code=DEAL_SIGNALS, mode="sync").json()
    assert set(content) == {"run_id", "status", "run_type", "duration_ms", "output"}
    bricks = content["output"]["bricks"]
    assert "pain_point" not in bricks
    assert "confidence" not in bricks["risk_flag"]
    assert bricks["budget_confirmed"]["value"] == "false"
    assert bricks["pain_severity"]["value"] == str(
        plain["output"]["bricks"]["pain_severity"]["value"]
    )
    assert bricks["competitors_mentioned"]["value"] == ""
    assert isinstance(bricks["overall_score"]["value"], dict)
    assert all(isinstance(brick["evidence"], str) for brick in bricks.values())
    untouched = bricks["decision_maker_present"]
    assert set(untouched) == {"value", "confidence", "reason", "evidence"}


def test_the_same_transcript_always_gets_the_same_answer(client: Client) -> None:
    first, second = (client.create(mode="sync").json()["output"] for _ in range(2))
    assert first == second
