"""The operator's questions: the same answers from DuckDB and from Snowflake's emulator."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bench import NOW, Bench
from operator_world import NUMBERS, UNREADABLE, id_of, operated

from semarize_pipeline.overview import findings as finding
from semarize_pipeline.overview import from_state, story
from semarize_pipeline.overview.from_state import Watermark
from semarize_pipeline.overview.from_warehouse import UNACCOUNTED, Warehouse
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import Usage
from semarize_pipeline.state.ledger import Entry
from semarize_pipeline.state.runs import Run

DAY = NOW.replace(hour=0)


@pytest.fixture(
    scope="module", params=["duckdb", pytest.param("snowflake", marks=pytest.mark.long)]
)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    warehouse: Any = None
    if request.param == "snowflake":
        from unit.warehouse.emulator import emulated

        database = f"OPERATOR_{uuid.uuid4().hex}".upper()
        warehouse = emulated(request.getfixturevalue("emulator"), database)
    with operated(tmp_path_factory.mktemp("operator"), NOW, warehouse) as made:
        with made.warehouse.open("dbt") as session:
            session.query("create schema if not exists marts")
            session.query(
                "create table marts.fct_conversations as select "
                f"'gong:{id_of('scored')}' as conversation_key"
            )
            session.query(
                "create table marts.pipeline_health as select vendor, "
                "max(finished_at) as last_load_at from landing.loads group by vendor"
            )
        yield made


@pytest.fixture
def warehouse(world: Bench) -> Iterator[Warehouse]:
    with world.warehouse.open("the page") as session:
        yield Warehouse(session)


def test_what_waits_and_what_went_wrong(world: Bench) -> None:
    (waits,) = from_state.waiting(world.state, ["gong"], NOW)
    assert (waits.kind, waits.reason, waits.count) == (
        "transcript",
        "the transcript is not ready",
        1,
    )
    assert waits.oldest < NOW < (waits.next_try_at or NOW)
    assert waits.overdue == 0
    (late,) = from_state.waiting(world.state, ["gong"], NOW + timedelta(days=1))
    assert late.overdue == 1
    (wrong,) = from_state.wrong_runs(world.state, ["gong"])
    assert (wrong.kit_name, wrong.status, wrong.reason, wrong.count) == (
        "interaction_quality",
        "failed",
        "evaluation_failed",
        1,
    )
    assert from_state.quarantined(world.state, ["gong"]) == {"gong": {UNREADABLE: 1}}
    assert from_state.waiting(world.state, ["chorus"], NOW) == []
    assert from_state.wrong_runs(world.state, ["chorus"]) == []
    total, (entry,) = from_state.entries(world.state, "gong", "quarantined", UNREADABLE)
    assert (total, entry.conversation_id) == (1, id_of("quarantined"))
    assert from_state.entries(world.state, "gong", "quarantined", "another") == (0, [])


def test_runs_are_counted_by_day(world: Bench) -> None:
    by_day = from_state.runs_by_day(world.state, ["gong"], DAY)
    assert by_day == {f"{NOW:%Y-%m-%d}": {"succeeded": 3, "failed": 1}}


def test_the_account_of_a_day_leads_to_its_conversations(warehouse: Warehouse) -> None:
    today, long_ago = warehouse.days(["gong"], NOW - timedelta(days=25), NOW + timedelta(days=1))
    assert long_ago.counts == {"absent": 1}
    assert dict(today.counts) == {
        "scored": 1,
        "unscored": 1,
        "pending": 1,
        "private": 1,
        "quarantined": 1,
        "deleted": 1,
        UNACCOUNTED: 1,
    }
    assert today.listed == len(NUMBERS) - 1
    assert today.account is not None
    assert today.account["unaccounted"] == 1
    assert (today.unrecorded, today.is_whole, long_ago.is_whole) == (0, False, True)
    behind = {
        what: [row["conversation_id"] for row in warehouse.conversations_of("gong", DAY, what)]
        for what in ("pending", "quarantined", "unscored", UNACCOUNTED, "absent", "listed")
    }
    assert behind.pop("listed") == sorted(id_of(w) for w in NUMBERS if w != "expired")
    assert behind == {
        "pending": [id_of("pending")],
        "quarantined": [id_of("quarantined")],
        "unscored": [id_of("failed")],
        UNACCOUNTED: [id_of("lost")],
        "absent": [],
    }


def test_the_quarantine_and_the_loads(warehouse: Warehouse) -> None:
    (row,) = warehouse.quarantine(["gong"])
    assert (row["stage"], row["reason"], row["n"], row["unreadable"]) == (
        "transcript",
        UNREADABLE,
        1,
        0,
    )
    (record,) = warehouse.quarantined("gong", UNREADABLE)
    assert record["conversation_id"] == id_of("quarantined")
    assert warehouse.quarantined("gong", "another") == []
    loads = warehouse.loads(["gong", "chorus"])
    assert {load["kind"] for load in loads["gong"]} <= {"extract", "score", "reconcile"}
    assert loads["gong"]
    assert loads["chorus"] == []
    known = warehouse.health(["gong", "chorus"])
    assert {vendor: row["last_load_at"] for vendor, row in known.items()} == {
        "gong": loads["gong"][0]["finished_at"]
    }
    assert warehouse.health(["chorus"]) == {}
    assert warehouse.dbt() is None


def told(world: Bench, warehouse: Warehouse, what: str) -> story.Story:
    id_ = id_of(what)
    found = from_state.find(world.state, ["chorus", "gong"], id_)
    assert list(found) == ["gong"] == warehouse.where(["chorus", "gong"], id_)
    facts = story.Facts(
        vendor="gong",
        conversation_id=id_,
        entry=found["gong"],
        runs=world.state.runs.of("gong", [id_]),
        landed=warehouse.landed("gong", id_),
        landed_runs=warehouse.runs("gong", id_),
        scores=warehouse.scores("gong", id_),
        marts=warehouse.in_marts("gong", id_),
        quarantine=warehouse.in_quarantine("gong", id_),
    )
    return story.tell(facts, world.vendor.timing, NOW)


@pytest.mark.parametrize(
    ("what", "tone", "headline", "then"),
    [
        ("scored", "good", "was scored and is in 1 mart", "it is complete"),
        ("failed", "bad", "runs failed: evaluation_failed", "replay"),
        ("pending", "waits", "waits for its transcript, asked for", "asks again. It is given up"),
        ("quarantined", "bad", UNREADABLE, "replay"),
        ("private", "ended", "marks it private", "Nothing"),
        ("expired", "ended", "transcript never came", "reconcile"),
        ("lost", "bad", "does not have its words", "backup"),
        ("erased", "ended", "erased on request", "does not land again"),
    ],
)
def test_a_conversation_s_way_and_where_it_stopped(
    world: Bench, warehouse: Warehouse, what: str, tone: str, headline: str, then: str
) -> None:
    made = told(world, warehouse, what)
    assert made.tone == tone
    assert headline in made.headline
    assert then in made.next
    assert made.replays == (what in ("failed", "quarantined"))
    assert made.steps[0].name == "Listed"
    assert "Hello" not in str(made), "a word of the transcript"
    assert "Acme" not in str(made), "a customer"


def test_a_scored_one_tells_kit_version_run_and_marts(world: Bench, warehouse: Warehouse) -> None:
    made = told(world, warehouse, "scored")
    (run,) = made.runs
    assert run.kit_name == "interaction_quality"
    assert run.kit_version_id
    assert run.run_id
    assert run.status == "succeeded"
    texts = {step.name: step for step in made.steps}
    assert texts["In the marts"].text == "fct_conversations (1)"
    assert "scores__interaction_quality (1)" in texts["Scored"].text
    assert texts["Landed"].by == "test"


def test_an_unknown_one_is_nowhere(world: Bench, warehouse: Warehouse) -> None:
    assert from_state.find(world.state, ["gong"], "0") == {}
    assert warehouse.where(["gong"], "0") == []


# ---------------------------------------------------------------------- pure


def entry(**changes: Any) -> Entry:
    given: dict[str, Any] = {
        "conversation_id": "1",
        "status": "landed",
        "listed_at": NOW,
        "score_status": "scored",
    }
    return Entry(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "runs", "headline"),
    [
        ({"score_status": "due"}, [], "waits for its score"),
        ({"score_status": "due"}, ["running"], "a run is under way"),
        ({"score_status": "refused"}, ["refused"], "refused for scoring: too_long"),
        ({"score_status": "unasked"}, [], "no kit is asked"),
        ({"score_status": None}, [], "no kit is asked"),
        ({"status": "deleted", "reason": "no longer listed"}, [], "no longer has it"),
        ({"status": "listed"}, [], "waits for its transcript, asked for never"),
    ],
)
def test_each_standing_has_its_sentence(
    changes: dict[str, Any], runs: list[Any], headline: str
) -> None:
    facts = story.Facts(
        vendor="gong",
        conversation_id="1",
        entry=entry(**changes),
        runs=[
            Run(
                idempotency_key="k",
                vendor="gong",
                conversation_id="1",
                kit_name="q",
                kit_code="Q",
                kit_version_id=None,
                transcript_hash="h",
                status=status,
                planned_at=NOW,
                error_code="too_long" if status == "refused" else None,
            )
            for status in runs
        ],
        has_warehouse=False,
    )
    from semarize_pipeline.vendors.base import Timing

    made = story.tell(facts, Timing(), NOW)
    assert headline in made.headline
    assert made.steps[-1].text == "The warehouse could not be asked just now."


def vendor(**changes: Any) -> finding.VendorSeen:
    return finding.VendorSeen(name="gong", title="Gong", **changes)


def seen(*vendors: finding.VendorSeen, **changes: Any) -> finding.Seen:
    return finding.Seen(now=NOW, vendors=vendors, **changes)


def dag(*states: str, is_paused: bool = False, waits: bool = True) -> finding.DagSeen:
    return finding.DagSeen(
        dag_id="conversations__gong",
        is_paused=is_paused,
        runs=tuple(
            finding.DagRunSeen(
                run_id=f"scheduled__{n}+00:00",
                state=state,
                started_at=NOW,
                ended_at=NOW,
                failed=("extract",) if state == "failed" else (),
                waiting=("extract",) if state == "running" and waits else (),
            )
            for n, state in enumerate(states)
        ),
    )


def limit(period: Any, used: int = 0, **changes: Any) -> Usage:
    return Usage(
        key="k", period=period, cap=100, used=used, left=100 - used, reserved=30, **changes
    )


def mark(hours: float, moved: float | None = None) -> Watermark:
    reached = NOW - timedelta(hours=hours)
    moved_at = NOW - timedelta(hours=hours if moved is None else moved)
    return Watermark(reached=reached, began=reached, moved_at=moved_at)


def test_where_all_is_well_there_is_nothing_to_say() -> None:
    well = vendor(dag=dag("success"), watermark=mark(1), accounted_at=NOW)
    assert finding.findings(seen(well)) == []


@pytest.mark.parametrize(
    ("about", "level", "what", "to"),
    [
        (
            {"dag": dag("failed"), "watermark": mark(1)},
            "bad",
            "failed at 10 Mar 12:00 UTC in extract",
            "dags/conversations__gong/runs/scheduled__0%2B00%3A00/tasks/extract",
        ),
        ({"dag": dag("success"), "watermark": mark(5)}, "bad", "5 hours ago", None),
        ({"dag": dag("running", "success"), "watermark": mark(5)}, "warn", "5 hours", None),
        (
            {"dag": dag("running", waits=False), "watermark": mark(900, moved=1)},
            "warn",
            "38 days ago",
            None,
        ),
        (
            {"dag": dag("running", waits=False), "watermark": mark(900, moved=4)},
            "bad",
            "38 days ago",
            None,
        ),
        ({"dag": dag(is_paused=True), "watermark": mark(5)}, "warn", "paused", None),
        (
            {"limits": [limit("day", used=95, ends_at=NOW)]},
            "warn",
            "95 of the day's 100 requests are used.",
            None,
        ),
        (
            {"limits": [limit("second", held_until=NOW), limit("day", held_until=NOW)]},
            "warn",
            "told us to wait: no request leaves before",
            None,
        ),
    ],
)
def test_what_is_wrong_is_said(about: dict[str, Any], level: str, what: str, to: str) -> None:
    (found,) = finding.findings(seen(vendor(accounted_at=NOW, **about)))
    assert found.level == level
    assert what in found.what
    assert found.do
    assert to is None or to in [link.to for link in found.links]


def test_the_last_run_that_ended_counts_and_the_worst_comes_first() -> None:
    first = vendor(dag=dag("running", "success", "failed"), watermark=mark(1), accounted_at=NOW)
    assert finding.findings(seen(first)) == []
    late = {"built_at": NOW - timedelta(days=3), "wrong": [], "nodes": 1, "models": 1}
    found = finding.findings(seen(vendor(dag=dag("failed"), accounted_at=NOW), dbt=late))
    assert [(each.level, each.about) for each in found] == [("bad", "Gong"), ("warn", "Scorecards")]
    old = vendor(dag=dag("success"), watermark=mark(60), accounted_at=None)
    assert [each.about for each in finding.findings(seen(old))] == ["Gong", "Account"]
    failed = {**late, "built_at": NOW, "wrong": [{"node_id": "model.p.fct_conversations"}]}
    (about_dbt,) = finding.findings(seen(dbt=failed))
    assert "fct_conversations" in about_dbt.what


def test_moments_of_the_state_are_aware(world: Bench) -> None:
    marks = from_state.watermarks(world.state, ["gong", "chorus"])
    assert list(marks) == ["gong"]
    assert marks["gong"].reached.tzinfo is UTC
    assert isinstance(world.state, State)
    assert from_state.counts(world.state, ["gong"])["gong"]["landed"] == 3
    assert marks["gong"].moved_at <= datetime.now(UTC)
