"""Pain: one odd record ends the load of all others, or vanishes without a word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from bench import NOW, QUALITY, Bench, bench, call

from semarize_sandbox import semarize
from semarize_sandbox.faults import Fault
from semarize_sandbox.model import Turn


@pytest.fixture
def chorus(tmp_path: Path) -> Iterator[Bench]:
    """Five calls: one said by nobody in particular, one whose transcript will be malformed."""
    nobody = (Turn(None, 0.0, 4.0, "Who is there?"), Turn("u-1", 4.5, 9.0, "Me."))
    given = [call("chorus", n, NOW - timedelta(hours=3 + n)) for n in range(4)]
    given.append(call("chorus", 9, NOW - timedelta(hours=9), turns=nobody))
    with bench("chorus", tmp_path, given) as made:
        yield made


def poisoned(made: Bench) -> str:
    """From now on this call's transcript is nonsense in the vendor's envelope. Its id."""
    id_ = made.world.all_calls("chorus")[2].id
    nonsense = Fault(
        kind="status",
        status=200,
        body={"utterances": [{"text": {"not": "a text"}, "start_time": "soon"}]},
        headers={"Content-Type": "application/json"},
        match=f"{id_}/transcript",
        count=None,
    )
    made.world.fault("chorus", nonsense)
    return id_


def of_unknown_type(made: Bench, brick_key: str) -> None:
    """From now on the kit's schema calls this brick something that no page documents."""
    told = made.credentials("semarize")
    schema = requests.get(
        f"{told.host}/v1/kits/schema",
        params={"kit_code": QUALITY.code},
        headers={"Authorization": f"Bearer {told.password}"},
        timeout=10,
    ).json()
    (brick,) = [each for each in schema["bricks"] if each["key"] == brick_key]
    brick["type"] = "unheard_of"
    headers = {"Content-Type": "application/json"}
    fault = Fault(
        kind="status", status=200, body=schema, headers=headers, match="kits/schema", count=None
    )
    made.world.fault("semarize", fault)


def open_rows(made: Bench) -> list[dict[str, Any]]:
    return made.query("select * from landing.quarantine where resolved_at is null order by stage")


def test_the_rest_lands_the_quarantine_says_why_and_after_a_fix_it_is_replayed(
    chorus: Bench,
) -> None:
    poison = poisoned(chorus)
    of_unknown_type(chorus, "topic_primary")
    report = chorus.extract()
    assert (report.landed, report.quarantined) == (4, 1), "the rest lands"
    assert chorus.score().scored == 4, "and is scored, but for the brick of an unknown type"
    wide = chorus.query("select * from landing.scores__interaction_quality")
    assert len(wide) == 4
    assert all(row["empathy_score"] is not None for row in wide)
    # A missing speaker is no poison: the words land, and nobody is made up for them.
    nobody = chorus.world.all_calls("chorus")[0].id
    first, second = (r for r in chorus.utterances() if r["conversation_id"] == nobody)
    assert (first["speaker"], first["speaker_role"]) == (None, "unknown")
    assert second["speaker_role"] == "rep"
    # Why, and what it looked like.
    *bricks, transcript = open_rows(chorus)
    assert (transcript["stage"], transcript["conversation_id"]) == ("transcript", poison)
    assert transcript["reason"]
    assert "not" in str(transcript["raw"])
    assert len(bricks) == 4
    assert all("topic_primary: unknown type" in row["reason"] for row in bricks)
    assert chorus.statuses() == {"landed": 4, "quarantined": 1}
    # Nothing is mended yet: a replay changes nothing and costs nothing.
    chorus.clock.advance(hours=1)
    vain = chorus.replay()
    assert (vain.tried, vain.resolved) == (5, 0)
    assert len(open_rows(chorus)) == 5
    # The vendor mends the transcript, and Semarize the schema of the kit.
    chorus.world.faults.clear("chorus")
    chorus.world.faults.clear("semarize")
    chorus.clock.advance(hours=1)
    healed = chorus.replay()
    assert (healed.tried, healed.resolved, healed.unknown) == (5, 5, 0)
    assert open_rows(chorus) == []
    assert chorus.statuses() == {"landed": 5}
    wide = chorus.query("select * from landing.scores__interaction_quality")
    assert len(wide) == 4
    assert all(isinstance(row["topic_primary"], str) for row in wide)
    assert all(row["agent_id"] and row["channel"] == "voice" for row in wide)
    (told,) = chorus.query(
        "select count(*) as n, count(value_text) as filled from landing.semarize__signals "
        "where brick_key = 'topic_primary'"
    )
    assert told == {"n": 4, "filled": 4}
    assert len(semarize.of(chorus.world).paid) == 4, "typing an answer again buys nothing"
    # What landed late is scored like any other.
    assert chorus.score().scored == 1
    assert semarize.of(chorus.world).duplicates() == []


def test_a_brick_that_the_schema_does_not_know_stays_where_it_is(chorus: Bench) -> None:
    chorus.world.switch("semarize", mistyped=["empathy_score"])
    chorus.extract()
    assert chorus.score().quarantined == 5
    chorus.world.switch("semarize", mistyped=[])
    report = chorus.replay()
    assert (report.tried, report.resolved) == (5, 0), "the answer that was bought stays as it is"
    chorus.query("update landing.semarize__runs set response = null")
    assert chorus.replay().unknown == 5, "and one that retention blanked cannot be read"


def test_words_that_stay_malformed_do_not_come_again_each_hour(chorus: Bench) -> None:
    poison = poisoned(chorus)
    chorus.extract()
    asked = len(chorus.world.requests("chorus", f"{poison}/transcript"))
    chorus.set(timing={"chorus": {"lag": timedelta(0), "lookback": timedelta(days=7)}})
    for _ in range(2):
        chorus.clock.advance(hours=1)
        chorus.extract()
    assert len(chorus.world.requests("chorus", f"{poison}/transcript")) == asked
    assert chorus.statuses() == {"landed": 4, "quarantined": 1}
