"""What the wire can do while Semarize is asked: each transcript is paid for once all the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hurried
import pytest
from bench import Bench
from faults_wire.wire import CASES, Case, Served, picture, quick
from unit.support import Say, serving

from semarize_pipeline.errors import BadCredentials, ContractBroken, Misconfigured, Wait
from semarize_sandbox import semarize
from semarize_sandbox.faults import Fault

pytestmark = pytest.mark.usefixtures("quick")
__all__ = ["quick"]
CALLS = 4
CREATED = "/v1/runs$"
POLLED = "/v1/runs/"
# With these the run is created, and the answer is lost.
LOST = {"half an answer", "half a JSON", "not UTF-8", "drips"}
# An answer of Semarize's own about that run, and no fault of the wire.
OF_THE_RUN = {"no cursor", "a page, 404", "another 404"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served("gong", tmp_path, CALLS).open() as made:
        yield made


@pytest.fixture
def bench(served: Served) -> Bench:
    made = served.bench()
    hurried.extract(made)
    # One at a time: which runs are under way when a fault is met is then known.
    made.set(score=replace(made.settings.score, at_once=1))
    return made


@pytest.fixture
def calm(tmp_path: Path) -> dict[str, Any]:
    with Served("gong", tmp_path / "calm", CALLS).open() as served:
        made = served.bench()
        hurried.extract(made)
        assert hurried.score(made).scored == CALLS
        return picture(made)


def store(bench: Bench) -> semarize.Semarize:
    return semarize.of(bench.world)


def stays(bench: Bench, case: Case, match: str) -> None:
    bench.world.fault("semarize", case.met_at(match))
    assert case.raises is not None
    with pytest.raises(case.raises) as caught:
        hurried.score(bench)
    assert "semarize_default" in str(caught.value), case.name
    if isinstance(caught.value, Wait):
        bench.clock.advance(seconds=(caught.value.until - bench.clock()).total_seconds())
    bench.world.faults.clear("semarize")
    assert bench.query("select run_id from landing.semarize__runs") == [], case.name


def passes(bench: Bench, calm: dict[str, Any]) -> None:
    bench.set(score=replace(bench.settings.score, at_once=4))
    hurried.score(bench)
    assert len(store(bench).paid) == CALLS
    assert store(bench).duplicates() == []
    assert picture(bench) == calm


@pytest.mark.long
def test_every_fault_in_turn_where_runs_are_created(bench: Bench, calm: dict[str, Any]) -> None:
    bench.world.switch("semarize", key_hours=24.0 * 30)
    lost = 0
    for case in CASES:
        if case.name not in OF_THE_RUN:
            before = len(store(bench).paid)
            stays(bench, case, CREATED)
            lost += len(store(bench).paid) > before
            assert case.name in LOST or len(store(bench).paid) == before
    assert lost >= 1, "the guard: some runs were paid for and their answers lost"
    assert len(store(bench).paid) <= CALLS
    passes(bench, calm)


@pytest.mark.long
def test_every_fault_in_turn_where_runs_are_polled(bench: Bench, calm: dict[str, Any]) -> None:
    bench.world.switch("semarize", run_seconds=3600.0 * 24 * 30, key_hours=1e5)
    bench.set(score=replace(bench.settings.score, patience_seconds=3600.0))
    for case in CASES:
        if case.name not in OF_THE_RUN:
            stays(bench, case, POLLED)
    assert 1 <= len(store(bench).paid) <= CALLS
    bench.clock.advance(days=300)
    bench.world.switch("semarize", run_seconds=0.0)
    passes(bench, calm)


@pytest.mark.parametrize("case", [c for c in CASES if c.name in OF_THE_RUN], ids=lambda c: c.name)
def test_an_unknown_answer_about_creating_names_what_to_look_at(bench: Bench, case: Case) -> None:
    """404 and 400 are Semarize's own words: for the kit, and for that one run."""
    bench.world.fault("semarize", case.met_at(CREATED))
    if case.name == "no cursor":
        assert hurried.score(bench).refused == CALLS
        codes = bench.query("select distinct error_code from landing.semarize__runs")
        assert codes == [{"error_code": "http_400"}]
    else:
        with pytest.raises(Misconfigured, match=r"kit does not exist .*check the settings file"):
            hurried.score(bench)
    assert store(bench).paid == []


def test_a_redirect_carries_no_key_anywhere(bench: Bench, calm: dict[str, Any]) -> None:
    with serving() as elsewhere:
        elsewhere.says(Say(200, {"run_id": "run_elsewhere", "status": "succeeded"}))
        for status in (302, 307, 308):
            headers = {"Location": f"{elsewhere.url}/v1/runs"}
            fault = Fault(kind="status", status=status, headers=headers, body={}, count=None)
            bench.world.fault("semarize", fault)
            with pytest.raises(BadCredentials, match="credentials are not carried there"):
                hurried.score(bench)
            bench.world.faults.clear("semarize")
        assert elsewhere.seen == []
    passes(bench, calm)


def test_a_status_that_nobody_knows_is_waited_for_like_a_slow_run(bench: Bench) -> None:
    """``paused`` may end some day: the run is noted, polled again, and never bought again."""
    bench.world.switch("semarize", run_seconds=7200.0)
    bench.set(score=replace(bench.settings.score, patience_seconds=0.01))
    paused = Fault(
        kind="status",
        status=200,
        body={"run_id": "run_1", "status": "paused"},
        headers={"Content-Type": "application/json"},
        match=POLLED,
        count=None,
    )
    assert len(hurried.score(bench).waiting) == CALLS
    bench.world.fault("semarize", paused)
    report = hurried.score(bench)
    assert (len(report.waiting), report.scored, report.failed) == (CALLS, 0, 0)
    bench.world.faults.clear("semarize")
    bench.clock.advance(hours=3)
    assert hurried.score(bench).scored == CALLS
    assert len(store(bench).paid) == CALLS


def test_bricks_that_are_missing_or_of_another_type_lose_nothing_else(bench: Bench) -> None:
    bench.world.switch("semarize", missing_bricks=["empathy_score"], mistyped=["compliance_score"])
    report = hurried.score(bench)
    assert (report.scored, report.quarantined) == (CALLS, CALLS)
    wide = bench.query("select * from landing.scores__interaction_quality")
    assert len(wide) == CALLS
    for row in wide:
        assert row["empathy_score"] is None
        assert row["compliance_score"] is None
        assert row["topic_primary"]
    odd = bench.query("select raw, reason from landing.quarantine where stage = 'score'")
    assert {row["raw"]["brick_key"] for row in odd} == {"compliance_score"}
    assert hurried.score(bench).paid == 0


def test_a_success_without_its_bricks_lands_nothing_and_is_polled_again(
    bench: Bench, calm: dict[str, Any]
) -> None:
    bench.world.switch("semarize", run_seconds=60.0)
    bench.set(score=replace(bench.settings.score, patience_seconds=0.01))
    assert len(hurried.score(bench).waiting) == CALLS
    bench.clock.advance(hours=1)
    for output in (None, {}, {"bricks": []}):
        empty = {"run_id": "run_1", "status": "succeeded", "output": output}
        headers = {"Content-Type": "application/json"}
        fault = Fault(kind="status", status=200, body=empty, headers=headers, match=POLLED)
        bench.world.fault("semarize", fault)
        bench.set(score=replace(bench.settings.score, batch_conversations=1))
        with pytest.raises(ContractBroken, match=r"without output\.bricks"):
            hurried.score(bench)
    bench.set(score=replace(bench.settings.score, patience_seconds=10.0))
    passes(bench, calm)
