"""Scoring against the sandbox's Semarize, which counts what was paid."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from bench import DEALS, QUALITY, Bench, bench, call, calls
from pipeline.counting import counted

from semarize_pipeline.errors import BadCredentials, Misconfigured, TryAgain, Wait
from semarize_pipeline.model import text_digest
from semarize_pipeline.settings import Kit
from semarize_sandbox import semarize
from semarize_sandbox.faults import Fault
from semarize_sandbox.semarize import Semarize

COACHING = Kit(name="coaching_skills", code="C0AC4152")


@pytest.fixture
def gong(tmp_path: Path) -> Iterator[Bench]:
    """Six calls, landed and not scored."""
    with bench("gong", tmp_path, calls("gong", 6)) as made:
        assert made.extract().landed == 6
        yield made


def store(made: Bench) -> Semarize:
    return semarize.of(made.world)


def runs(made: Bench) -> list[dict[str, Any]]:
    return made.query("select * from landing.semarize__runs order by idempotency_key")


def standing(made: Bench) -> dict[str, int]:
    rows = made.query("select score_status, count(*) n from landing.ledger group by all")
    return {row["score_status"]: row["n"] for row in rows}


def test_every_transcript_is_scored_once_by_every_kit(gong: Bench) -> None:
    gong.set(kits=(QUALITY, DEALS))
    report = gong.score()
    assert (report.scored, report.paid, report.failed, report.waiting) == (12, 12, 0, [])
    assert len(store(gong).paid) == 12
    assert store(gong).duplicates() == []
    assert standing(gong) == {"scored": 6}
    again = gong.score()
    assert (again.scored, again.requests) == (0, 0), "nothing due: not one request"
    assert len(store(gong).paid) == 12


def test_answers_land_typed(gong: Bench) -> None:
    gong.set(kits=(QUALITY, DEALS))
    gong.score()
    (one,) = gong.query(
        "select * from landing.scores__interaction_quality order by conversation_id limit 1"
    )
    assert isinstance(one["compliance_score"], float)
    assert isinstance(one["resolution_achieved"], bool)
    assert isinstance(one["topic_primary"], str)
    (owner,) = {row["owner_id"] for row in gong.conversations().values()}
    assert (one["agent_id"], one["channel"]) == (owner, "voice")
    signals = gong.query(
        "select * from landing.semarize__signals where run_id = ?", [one["run_id"]]
    )
    assert {row["brick_key"]: row["value_type"] for row in signals} == {
        "compliance_score": "number",
        "empathy_score": "number",
        "escalation_risk": "number",
        "resolution_achieved": "boolean",
        "topic_primary": "text",
    }
    (transcript,) = gong.query(
        "select transcript from landing.gong__conversations where conversation_id = ?",
        [one["conversation_id"]],
    )
    quotes = [quote for row in signals for quote in row["evidence"]]
    assert quotes
    assert all(quote in transcript["transcript"] for quote in quotes)
    (deal,) = gong.query(
        "select * from landing.scores__deal_signals order by conversation_id limit 1"
    )
    assert deal["budget_confirmed"] is True
    assert isinstance(orjson.loads(deal["competitors_mentioned"]), list)
    for run in runs(gong):
        assert run["response"]["output"]["bricks"]
        assert run["kit_version_id"]


def test_a_lost_answer_is_found_again_and_not_bought_again(gong: Bench) -> None:
    gong.world.switch("semarize", lose_next=3)
    report = gong.score()
    assert report.scored == 6
    assert len(store(gong).paid) == 6
    assert store(gong).duplicates() == []


@pytest.mark.parametrize("status", [200, 202])
def test_a_task_that_died_after_sending_resumes_its_runs(gong: Bench, status: int) -> None:
    """The run is recorded before it is sent; nobody wrote down its id before the kill."""
    gong.world.switch("semarize", lose_next=100, replay_status=status)
    gong.world.fault("semarize", Fault(kind="drop", match="runs", count=None))
    with pytest.raises(TryAgain, match="semarize_default"):
        gong.score()
    gong.world.faults.clear("semarize")
    gong.world.switch("semarize", lose_next=0)
    assert gong.score().scored == 6
    assert len(store(gong).paid) == 6


@pytest.mark.parametrize("mode", ["async", "sync"])
def test_both_modes(gong: Bench, mode: str) -> None:
    gong.set(score=replace(gong.settings.score, mode=mode))
    assert gong.score().scored == 6
    assert {r.body["mode"] for r in gong.world.requests("semarize", "/v1/runs") if r.body} == {mode}


def test_sync_falls_back_to_polling(gong: Bench) -> None:
    gong.world.switch("semarize", run_seconds=4.0, sync_limit_seconds=0.05)
    gong.set(score=replace(gong.settings.score, mode="sync"))
    assert gong.score().scored == 6
    assert gong.slept, "it polled"


def test_advised_waits_are_obeyed(gong: Bench) -> None:
    gong.world.switch("semarize", run_seconds=2.0, retry_after_seconds=3)
    gong.score()
    assert gong.slept
    assert min(gong.slept) >= 3


@pytest.mark.parametrize("path", ["/v1/runs", "/v1/runs/run_"])
def test_a_429_is_waited_for_on_creating_and_on_polling(gong: Bench, path: str) -> None:
    gong.world.switch("semarize", run_seconds=1.0)
    body = {"error": "rate_limited", "retry_after_seconds": 1}
    gong.world.fault("semarize", Fault(kind="status", status=429, body=body, match=path, count=1))
    began = time.monotonic()
    assert gong.score().scored == 6
    assert time.monotonic() - began >= 0.9
    assert store(gong).duplicates() == []


def test_a_long_429_hands_the_worker_back_with_what_was_finished_landed(gong: Bench) -> None:
    gong.set(score=replace(gong.settings.score, at_once=1))
    body = {"error": "rate_limited", "retry_after_seconds": 3600}
    for _ in range(3):
        gong.world.fault("semarize", Fault(kind="delay", match="/v1/runs"))
    gong.world.fault("semarize", Fault(kind="status", status=429, body=body, match="/v1/runs"))
    with pytest.raises(Wait):
        gong.score()
    landed = len(runs(gong))
    assert 1 <= landed < 6


def test_slow_runs_are_left_and_gone_on_with(gong: Bench) -> None:
    gong.world.switch("semarize", run_seconds=0.0, slow_share=0.5, slow_seconds=3600.0)
    gong.set(score=replace(gong.settings.score, patience_seconds=0.5))
    report = gong.score()
    assert report.waiting
    assert report.scored + len(report.waiting) == 6
    assert report.scored == len(runs(gong)), "what was finished has landed"
    paid = len(store(gong).paid)
    gong.clock.advance(hours=2)
    more = gong.score()
    assert more.scored == len(report.waiting)
    assert more.waiting == []
    assert len(store(gong).paid) == paid == 6
    assert standing(gong) == {"scored": 6}


def test_failed_runs_are_recorded_and_bought_again_by_policy_only(gong: Bench) -> None:
    gong.world.switch("semarize", fail_next=2)
    report = gong.score()
    assert (report.scored, report.failed) == (4, 2)
    failed = [run for run in runs(gong) if run["status"] == "failed"]
    assert [run["error_code"] for run in failed] == ["evaluation_failed"] * 2
    gong.clock.advance(minutes=10)
    assert gong.score().scored == 0, "not before the pause"
    gong.clock.advance(minutes=30)
    assert gong.score().scored == 2
    assert standing(gong) == {"scored": 6}
    assert {run["attempt"] for run in runs(gong)} == {1, 2}


def test_a_run_that_fails_every_time_ends(gong: Bench) -> None:
    gong.world.switch("semarize", fail_matching="Call number 3.")
    for _ in range(5):
        gong.score()
        gong.clock.advance(hours=3)
    assert standing(gong) == {"scored": 5, "failed": 1}
    assert len(store(gong).paid) == 5 + gong.settings.score.attempts


def test_a_run_that_semarize_forgot_is_a_failed_one(gong: Bench) -> None:
    gong.world.switch("semarize", slow_share=1.0, slow_seconds=3600.0)
    gong.set(score=replace(gong.settings.score, patience_seconds=0.3))
    assert len(gong.score().waiting) == 6
    gong.world.fault("semarize", Fault(kind="status", status=404, body={}, match="run_", count=6))
    gong.clock.advance(hours=2)
    report = gong.score()
    assert (report.failed, report.waiting) == (6, [])
    assert {run["error_code"] for run in runs(gong)} == {"run_not_found"}


def test_a_refused_input_is_not_tried_again(gong: Bench) -> None:
    gong.world.switch("semarize", refuse_matching="Call number 3.")
    report = gong.score()
    assert (report.scored, report.refused) == (5, 1)
    asked = len(gong.world.requests("semarize"))
    gong.clock.advance(days=1)
    gong.score()
    assert len(gong.world.requests("semarize")) == asked
    assert standing(gong) == {"scored": 5, "refused": 1}


def test_a_transcript_that_is_too_long_is_refused_with_its_length(gong: Bench) -> None:
    gong.set(score=replace(gong.settings.score, max_transcript_characters=20))
    report = gong.score()
    assert (report.refused, report.paid) == (6, 0)
    rows = gong.query("select * from landing.quarantine")
    assert len(rows) == 6
    assert all("max_transcript_characters is 20" in row["reason"] for row in rows)
    assert all(set(row["raw"]) == {"conversation_id", "characters"} for row in rows)
    assert gong.world.requests("semarize", "/v1/runs") == []


def test_a_413_is_refused(gong: Bench) -> None:
    gong.world.switch("semarize", max_input_characters=20)
    assert gong.score().refused == 6
    assert {run["error_code"] for run in runs(gong)} == {"input_too_large"}


def test_the_daily_cap_holds_and_goes_on_tomorrow(gong: Bench) -> None:
    gong.set(score=replace(gong.settings.score, max_runs_per_day=4))
    report = gong.score()
    assert (report.scored, report.capped) == (4, 2)
    assert gong.score().scored == 0
    assert len(store(gong).paid) == 4
    gong.clock.advance(days=1)
    assert gong.score().scored == 2
    assert store(gong).duplicates() == []


def test_beyond_the_cap_only_what_was_bought_is_gone_on_with(gong: Bench) -> None:
    """A long queue behind a used-up cap is not read again each hour."""
    gong.world.switch("semarize", slow_share=1.0, slow_seconds=3600.0)
    last = sorted(gong.conversations())[-1]
    gong.set(score=replace(gong.settings.score, patience_seconds=0.3, batch_conversations=1))
    held = [e for e in gong.state.ledger.to_score("gong", gong.clock(), 10)]
    others = [e for e in held if e.conversation_id != last]
    gong.state.ledger.record("gong", [replace(e, score_status=None) for e in others])
    assert len(gong.score().waiting) == 1, "the last by id is bought and slow"
    gong.state.ledger.record("gong", others)
    gong.clock.advance(hours=2)
    gong.set(score=replace(gong.settings.score, max_runs_per_day=1))
    report = gong.score()
    assert report.scored == 1, "it lands, though nothing new may be bought"
    assert report.capped == 1, "and no more than one of the others was looked at"
    assert len(store(gong).paid) == 1


def test_odd_values_are_quarantined_and_the_run_is_kept(gong: Bench) -> None:
    gong.world.switch("semarize", mistyped=["compliance_score"], unknown_type=["topic_primary"])
    report = gong.score()
    assert (report.scored, report.quarantined) == (6, 12)
    odd = gong.query("select * from landing.quarantine where stage = 'score'")
    assert len(odd) == 12
    assert {row["raw"]["brick_key"] for row in odd} == {"compliance_score", "topic_primary"}
    wide = gong.query("select * from landing.scores__interaction_quality")
    assert len(wide) == 6
    assert all(row["compliance_score"] is None and row["empathy_score"] is not None for row in wide)
    assert len(runs(gong)) == 6


@pytest.mark.parametrize(
    "switches",
    [
        {"evidence_as": "string"},
        {"no_confidence": ["empathy_score"]},
        {"missing_bricks": ["empathy_score"]},
        {"version_in_run": False},
        {"schema_shape": "kit"},
        {"schema_shape": "map"},
        {"schema_names_version": False},
        {"type_names": "spaced"},
        {"retry_after_seconds": None},
    ],
    ids=str,
)
def test_what_is_undocumented_may_be_otherwise(gong: Bench, switches: dict[str, Any]) -> None:
    gong.world.switch("semarize", **switches)
    report = gong.score()
    assert (report.scored, report.quarantined) == (6, 0)
    assert len(gong.query("select * from landing.scores__interaction_quality")) == 6
    gong.clock.advance(hours=1)
    assert gong.score().paid == 0


def test_a_changed_transcript_is_new_work(gong: Bench) -> None:
    gong.score()
    id_ = gong.world.all_calls("gong")[0].id
    with gong.warehouse.open("test") as session:
        session.query(
            "update landing.gong__conversations set transcript = transcript || ' More.', "
            "transcript_hash = ? where conversation_id = ?",
            [text_digest("More."), id_],
        )
    (entry,) = gong.state.ledger.find("gong", [id_]).values()
    gong.state.ledger.record("gong", [replace(entry, score_status="due")])
    assert gong.score().scored == 1
    assert len(store(gong).paid) == 7
    assert store(gong).duplicates() == []


def test_a_new_version_scores_new_conversations_only(gong: Bench) -> None:
    gong.score()
    store(gong).publish(QUALITY.code, without=["topic_primary"])
    gong.world.add([call("gong", 60, gong.clock() - timedelta(hours=1))])
    gong.clock.advance(hours=1)
    gong.extract()
    assert gong.score().scored == 1
    wide = gong.query(
        "select kit_version_id, count(*) n from landing.scores__interaction_quality group by all"
    )
    assert sorted(row["n"] for row in wide) == [1, 6]


def test_a_pinned_version_is_asked_for_by_its_id(gong: Bench) -> None:
    first = store(gong).kits[QUALITY.code].current.id
    store(gong).publish(QUALITY.code, without=["topic_primary"])
    gong.set(kits=(replace(QUALITY, version_id=first),))
    gong.score()
    assert {run["kit_version_id"] for run in runs(gong)} == {first}


def test_a_new_brick_is_a_new_column(gong: Bench) -> None:
    kit = store(gong).kits[QUALITY.code]
    whole = list(kit.current.bricks)
    store(gong).publish(QUALITY.code, without=["topic_primary"])
    gong.score()
    added = [brick for brick in whole if brick.key == "topic_primary"]
    store(gong).publish(QUALITY.code, add=added)
    gong.world.add([call("gong", 60, gong.clock() - timedelta(hours=1))])
    gong.clock.advance(hours=1)
    gong.extract()
    gong.score()
    wide = gong.query("select topic_primary from landing.scores__interaction_quality")
    assert sum(row["topic_primary"] is not None for row in wide) == 1
    assert len(wide) == 7


def test_an_unknown_kit_names_the_remedy(gong: Bench) -> None:
    gong.set(kits=(replace(QUALITY, code="FFFFFFFF"),))
    with pytest.raises(Misconfigured, match="settings file"):
        gong.score()


def test_room_for_all_kits_is_made_in_one_opening_and_a_bad_one_keeps_no_other_waiting(
    gong: Bench,
) -> None:
    """On Snowflake each opening is a login, hour after hour."""
    gong.set(kits=(DEALS, COACHING, QUALITY))
    with gong.warehouse.open("test") as session:
        session.query("create table landing.scores__coaching_skills (conversation_id integer)")
    openings = counted(gong)
    with pytest.raises(Misconfigured, match="scores__coaching_skills"):
        gong.score()
    room = "test: make room for scores"
    assert [each.purpose for each in openings].count(room) == 1
    assert len(store(gong).paid) == 12, "nothing is bought that could not land"
    for kit in (DEALS, QUALITY):
        assert len(gong.query(f"select * from landing.scores__{kit.name}")) == 6
        asked = [each.purpose for each in openings if f"scores__{kit.name}" in each.ensured]
        assert asked == [room], "what is in place is not asked for again when scores land"


def test_what_is_finished_lands_where_the_next_transcripts_are_read(gong: Bench) -> None:
    gong.set(score=replace(gong.settings.score, at_once=1, batch_conversations=2))
    openings = counted(gong)
    assert gong.score().scored == 6
    assert len(runs(gong)) == 6
    asked = [each.purpose for each in openings if each.purpose != "test"]
    reading = [purpose for purpose in asked if "read transcripts" in purpose]
    assert len(reading) == 3, "the guard: three batches"
    assert ["land" in purpose for purpose in reading] == [False, True, True]
    assert len(asked) == 3 + 2, "beside them, room for scores, and the last answers"


def test_a_refused_key_names_the_connection(gong: Bench) -> None:
    gong.world.switch("semarize", key_expired=True)
    with pytest.raises(BadCredentials, match="semarize_default"):
        gong.score()


def test_runs_at_once_are_bounded(gong: Bench) -> None:
    gong.world.add(calls("gong", 40))
    gong.set(timing={"gong": {"lag": timedelta(0), "lookback": timedelta(days=7)}})
    gong.extract()
    gong.world.clear_log()
    gong.world.switch("semarize", run_seconds=0.0)
    gong.set(score=replace(gong.settings.score, at_once=5))
    gong.score()
    assert 1 <= gong.world.statistics()["semarize"]["most_at_once"] <= 5


def test_words_never_reach_the_log(gong: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    gong.world.switch("semarize", fail_next=1, refuse_matching="Call number 3.")
    gong.score()
    assert caplog.text
    assert "budget is approved" not in caplog.text
    assert gong.sandbox.credentials("semarize")["password"] not in caplog.text
