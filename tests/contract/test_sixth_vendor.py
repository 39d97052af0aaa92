"""A sixth vendor costs one file of facts and one stand-in: nothing else knows about it.

Its pair of dbt models is tried in ``tests/dbt``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import NOW, bench, call

import semarize_sandbox.vendors
from semarize_pipeline import vendors

FACTS = '''
"""Zoomline: a vendor that is made up for this test."""
from semarize_pipeline import reading as read
from semarize_pipeline.model import Conversation, Utterance
from semarize_pipeline.rest.auth import bearer
from semarize_pipeline.rest.client import Endpoint
from semarize_pipeline.rest.paging import Ask, Offset
from semarize_pipeline.state.budgets import Limits
from semarize_pipeline.vendors.base import PerConversation, Vendor

def conversation(record, transcript):
    return Conversation(
        conversation_id=read.identity(record, "uuid"),
        started_at=read.moment(record, "start"),
        channel="video",
        raw={"record": record, "transcript": transcript},
        owner_id=read.text(record, "host"),
        utterances=tuple(
            Utterance(line["who"], "unknown", line["at"], None, line["said"])
            for line in (transcript or {}).get("lines", [])
        ),
    )

VENDOR = Vendor(
    name="zoomline", title="Zoomline", base_url="https://zoomline.example",
    auth=lambda given, store: bearer(given),
    limits=Limits(requests_per_second=1000),
    listing=Endpoint(method="GET", path="/meetings", rows=("meetings",), paging=Offset()),
    window=lambda window: Ask(params=read.span(window, "from", "to")),
    transcripts=PerConversation(
        endpoint=Endpoint(method="GET", path="/meetings/{id}/lines", rows=("lines",))
    ),
    translate=conversation,
)
'''

STANDIN = '''
"""The sandbox's stand-in for it."""
from types import SimpleNamespace
from semarize_sandbox.wire import bearer, format_moment, json_answer, parse_moment
from semarize_sandbox.world import Credentials, Route, Standin

def standin(world):
    async def meetings(request):
        query = request.query_params
        calls = world.listed("zoomline", parse_moment(query["from"]), parse_moment(query["to"]))
        offset = int(query.get("offset", 0))
        rows = [
            {"uuid": c.id, "start": format_moment(c.started_at), "host": c.owner.id}
            for c in calls[offset : offset + 2]
        ]
        return json_answer({"meetings": rows})

    async def lines(request):
        call = world.find("zoomline", request.path_params["id"])
        said = [
            {"who": t.person_id, "at": t.start_seconds, "said": t.text} for t in call.turns
        ]
        return json_answer({"lines": said})

    return Standin(
        name="zoomline", title="Zoomline",
        routes=(
            Route("GET", "/meetings", meetings), Route("GET", "/meetings/{id}/lines", lines)
        ),
        credentials=lambda url: Credentials(password="sandbox-zoomline"),
        refuse=lambda request: None if bearer(request) else json_answer({}, 401),
        limit=lambda request: None,
        error=lambda status, message: json_answer({"error": message}, status),
        switches=SimpleNamespace(),
    )
'''


@pytest.fixture
def zoomline(tmp_path: Path) -> Iterator[str]:
    """The two files, in folders that both registries look into."""
    places = {vendors: FACTS, semarize_sandbox.vendors: STANDIN}
    for number, (package, text) in enumerate(places.items()):
        folder = tmp_path / f"package-{number}"
        folder.mkdir()
        (folder / "zoomline.py").write_text(text)
        package.__path__.append(str(folder))
    vendors.names.cache_clear()
    yield "zoomline"
    for number, package in enumerate(places):
        package.__path__.remove(str(tmp_path / f"package-{number}"))
        sys.modules.pop(f"{package.__name__}.zoomline", None)
    vendors.names.cache_clear()


def test_two_files_are_all_it_takes(zoomline: str, tmp_path: Path) -> None:
    assert zoomline in vendors.names()
    given = [call(zoomline, n, NOW.replace(hour=n + 1)) for n in range(5)]
    with bench(zoomline, tmp_path, given) as made:
        assert made.extract().landed == 5
        assert made.score().scored == 5
        assert set(made.conversations()) == {each.id for each in given}
        assert len(made.utterances()) == 15
        assert made.extract().landed == 0


def test_it_is_gone_again() -> None:
    assert "zoomline" not in vendors.names()
