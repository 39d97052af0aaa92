"""How transcripts are had, over a real connection: what is empty, gone or nobody's."""

from __future__ import annotations

from typing import Any

import pytest
from unit.support import Clock, Say, Server, rest_client

from semarize_pipeline.errors import ContractBroken
from semarize_pipeline.rest.client import Answer, Endpoint, RestClient
from semarize_pipeline.state import State
from semarize_pipeline.vendors.base import Fetched, Inline, PerConversation, Wanted

SENTENCES = Endpoint(
    method="GET",
    path="/{id}/sentences",
    rows=("data", "rows"),
    empty=(Answer(404, "not ready"),),
    gone=(Answer(404, "purged"), Answer(410)),
)
FULL = Endpoint(method="GET", path="/{id}/full", rows=("data",), empty=(Answer(404, "not ready"),))
ONE = Endpoint(method="GET", path="/one", rows=("call", "calls", ""), gone=(Answer(404),))


@pytest.fixture
def api(server: Server, state: State, clock: Clock) -> RestClient:
    return rest_client(server.url, state, clock)


def fetch(api: RestClient, **endpoints: Endpoint) -> Fetched:
    ((id_, fetched),) = PerConversation(**endpoints).fetch(api, [Wanted("a/b")])
    assert id_ == "a/b"
    return fetched


@pytest.mark.parametrize("nothing", [{"data": []}, {"data": None, "rows": []}, [], {}, None])
def test_nothing_in_the_known_places_is_not_ready(
    api: RestClient, server: Server, nothing: Any
) -> None:
    server.says(Say(body=nothing))
    assert fetch(api, endpoint=SENTENCES) == Fetched(silent=nothing is None)


@pytest.mark.parametrize("something", [{"data": [1]}, {"data": [], "rows": [1]}, {"other": []}])
def test_anything_else_is_for_the_translation_to_read(
    api: RestClient, server: Server, something: Any
) -> None:
    server.says(Say(body=something))
    assert fetch(api, endpoint=SENTENCES) == Fetched(transcript=something)


def test_the_second_endpoint_is_asked_where_the_first_has_nothing(
    api: RestClient, server: Server
) -> None:
    server.says(Say(body={"data": []}), Say(body={"data": {"text": "all"}}))
    fetched = fetch(api, endpoint=SENTENCES, fallback=FULL)
    assert fetched == Fetched(transcript={"data": {"text": "all"}})
    assert [each.path for each in server.seen] == ["/a%2Fb/sentences", "/a%2Fb/full"]


@pytest.mark.parametrize("answer", [Say(404, {"error": "Purged."}), Say(410, {"error": "x"})])
def test_what_is_gone_is_not_asked_for_twice(api: RestClient, server: Server, answer: Say) -> None:
    server.says(answer)
    assert fetch(api, endpoint=SENTENCES, fallback=FULL).gone
    assert len(server.seen) == 1


def one(api: RestClient) -> Fetched:
    ((_, fetched),) = Inline(single=ONE, id_param="id").fetch(api, [Wanted("7")])
    return fetched


@pytest.mark.parametrize(
    "page", [{"call": {"id": 7}}, {"calls": [{"id": 7}]}, [{"id": 7}], {"id": 7}]
)
def test_one_record_in_every_envelope(api: RestClient, server: Server, page: Any) -> None:
    server.says(Say(body=page))
    assert one(api) == Fetched(transcript={"id": 7}, record={"id": 7})
    assert server.seen[0].params == {"id": "7"}


@pytest.mark.parametrize("page", [{"calls": []}, [], {}])
def test_no_record_is_not_ready(api: RestClient, server: Server, page: Any) -> None:
    server.says(Say(body=page))
    assert one(api) == Fetched()


def test_somebody_elses_record_is_never_taken(api: RestClient, server: Server) -> None:
    server.says(Say(body=[{"id": 1}, {"id": 7}]))
    with pytest.raises(ContractBroken, match="ignores id"):
        one(api)


def test_a_record_that_is_gone(api: RestClient, server: Server) -> None:
    server.says(Say(404, {}))
    assert one(api).gone
