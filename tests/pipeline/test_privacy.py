"""Redaction and erasure among everything else that goes on: what was bought, what is under way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from bench import NOW, Bench, bench, calls

from semarize_pipeline import connect, pipeline
from semarize_pipeline.privacy.erasure import Request, erase
from semarize_pipeline.privacy.policy import Policy
from semarize_pipeline.semarize.client import RunAnswer, SemarizeClient
from semarize_pipeline.settings import PrivacySettings

ASKED = {"requested_by": "ticket 14", "run": "erase/1/erase"}


@pytest.fixture
def gong(tmp_path: Path) -> Iterator[Bench]:
    with bench("gong", tmp_path, calls("gong", 3)) as made:
        yield made


def redact(made: Bench, place: Any, **more: Any) -> None:
    made.set(privacy=PrivacySettings(policy=Policy(redact=place, **more)))


def ids(made: Bench, table: str) -> set[str]:
    rows = made.query(f"select distinct conversation_id as id from landing.{table}")
    return {row["id"] for row in rows}


@pytest.mark.parametrize("place", ["semarize", "landing"])
def test_turning_it_on_buys_nothing_again(gong: Bench, place: Any) -> None:
    gong.extract()
    assert gong.score().paid == 3
    before = gong.conversations()
    redact(gong, place)
    entries = gong.state.ledger.find("gong", list(before))
    # As if they were listed for the first time, and fetched, landed and scored anew.
    gong.state.ledger.record(
        "gong", [replace(e, status="listed", score_status=None) for e in entries.values()]
    )
    gong.clock.advance(hours=1)
    assert gong.extract().landed == 3
    assert gong.score().paid == 0
    for id_, row in gong.conversations().items():
        assert row["transcript_hash"] == before[id_]["transcript_hash"]
        is_redacted = "[REP 1]: Hello" in row["transcript"]
        assert is_redacted == (place == "landing"), "it landed over the words"


def test_a_run_under_way_is_not_said_to_have_been_redacted(gong: Bench) -> None:
    """It was sent before redaction was on: nobody knows what was in it any more."""
    gong.world.switch("semarize", run_seconds=3600.0, retry_after_seconds=None)
    gong.set(score=replace(gong.settings.score, patience_seconds=0.5))
    gong.extract()
    assert len(gong.score().waiting) == 3
    redact(gong, "semarize")
    gong.clock.advance(hours=2)
    assert gong.score().scored == 3
    told = gong.query("select _redaction from landing.semarize__runs")
    assert [row["_redaction"] for row in told] == [None] * 3


def test_what_cannot_be_read_is_quarantined_without_who_was_there(gong: Bench) -> None:
    redact(gong, "landing")
    odd = gong.world.all_calls("gong")[0].id
    gong.vendor = replace(gong.vendor, translate=_unreadable(gong.vendor.translate, odd))
    report = gong.extract()
    assert (report.landed, report.quarantined) == (2, 1)
    (row,) = gong.query("select conversation_id, stage, raw from landing.quarantine")
    assert (row["conversation_id"], row["stage"]) == (odd, "transcript")
    told = orjson.dumps(row["raw"]).decode()
    assert odd in told
    for secret in ("Dana", "Reyes", "Kim", "Osei", "@"):
        assert secret not in told, secret


def _unreadable(translate: Any, odd: str) -> Any:
    def broken(record: Any, transcript: Any) -> Any:
        made = translate(record, transcript)
        if made.conversation_id == odd and transcript is not None:
            raise ValueError("an unknown shape")
        return made

    return broken


def test_an_erased_conversation_is_listed_again_and_does_not_land(gong: Bench) -> None:
    gong.extract()
    gong.score()
    gone = sorted(gong.conversations())[0]
    asked = Request(vendor="gong", conversation_ids=(gone,))
    erase(asked, gong.warehouse, gong.state, **ASKED, dry_run=False)
    gong.clock.advance(hours=1)
    report = gong.extract()
    assert (report.listed, report.landed, report.known) == (3, 0, 3)
    assert gong.score().requests == 0
    for table in ("gong__conversations", "gong__utterances", "scores__interaction_quality"):
        assert len(ids(gong, table)) == 2
        assert gone not in ids(gong, table)
    (stone,) = gong.query("select * from landing.ledger where status = 'deleted'")
    assert (stone["conversation_id"], stone["reason"]) == (gone, "erased")


def test_what_is_erased_while_it_is_fetched_does_not_land(gong: Bench) -> None:
    gone = gong.world.all_calls("gong")[0].id
    real = gong.vendor.translate

    def meanwhile(record: Any, transcript: Any) -> Any:
        made = real(record, transcript)
        if made.conversation_id == gone and transcript is not None:
            gong.state.ledger.erase("gong", {gone: NOW})
        return made

    gong.vendor = replace(gong.vendor, translate=meanwhile)
    assert gong.extract().landed == 2
    assert gone not in ids(gong, "gong__conversations") | ids(gong, "gong__utterances")
    assert gong.statuses() == {"landed": 2, "deleted": 1}


def test_what_is_erased_while_it_is_scored_gets_no_scores(gong: Bench) -> None:
    gong.extract()
    gone = sorted(gong.conversations())[0]

    class Meanwhile(SemarizeClient):
        """Semarize's client; while it waits for an answer, somebody erases."""

        def submit(self, key: str, kit: Any, transcript: str, mode: str) -> RunAnswer:
            answer = super().submit(key, kit, transcript, mode)
            if gone in key:
                gong.state.ledger.erase("gong", {gone: NOW})
            return answer

    real = connect.semarize_client(gong.credentials("semarize"), gong.state, gong.settings.score)
    report = pipeline.score(
        "gong", Meanwhile(real._api), gong.warehouse, gong.state,
        settings=gong.settings, run="test", sleep=gong.sleep,
    )  # fmt: skip
    assert report.scored == 2
    for table in ("semarize__runs", "semarize__signals", "scores__interaction_quality"):
        assert len(ids(gong, table)) == 2
        assert gone not in ids(gong, table)
    assert gong.state.runs.open("gong") == []
    assert gong.statuses() == {"landed": 2, "deleted": 1}
