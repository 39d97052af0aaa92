"""What the operator's page asks the state database, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from unit.support import Clock

from semarize_pipeline.overview import from_state
from semarize_pipeline.state import State
from semarize_pipeline.state.ledger import Entry
from semarize_pipeline.state.runs import Run


def run(clock: Clock, key: str, **changes: Any) -> Run:
    given: dict[str, Any] = {
        "idempotency_key": key,
        "vendor": "gong",
        "conversation_id": "1",
        "kit_name": "quality",
        "kit_code": "Q",
        "kit_version_id": None,
        "transcript_hash": "h",
        "planned_at": clock(),
        "submitted_at": clock(),
    }
    return Run(**{**given, **changes})


def test_only_the_last_attempt_counts_as_wrong(state: State, clock: Clock) -> None:
    state.runs.plan(
        [
            run(clock, "a", status="failed", error_code="e"),
            run(clock, "b", status="succeeded", attempt=2),
            run(clock, "c", conversation_id="2", status="failed", error_code="e"),
            run(clock, "d", conversation_id="3", status="failed", kit_version_id="v1"),
            run(clock, "e", conversation_id="3", status="succeeded", kit_version_id="v2"),
            run(clock, "f", conversation_id="4", status="cancelled", error_code="erased"),
            run(clock, "g", vendor="chorus", status="failed", error_code="e"),
        ]
    )
    found = from_state.wrong_runs(state, ["gong"])
    assert {(each.reason, each.count) for each in found} == {("e", 1), ("no error code", 1)}
    assert found[0].newest == clock()


def test_runs_are_counted_by_the_day_of_utc(state: State, clock: Clock) -> None:
    midnight = clock().replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [
        midnight,
        midnight - timedelta(seconds=1),
        midnight + timedelta(hours=23, minutes=59),
    ]
    state.runs.plan(
        [run(clock, str(n), submitted_at=at, status="running") for n, at in enumerate(moments)]
    )
    state.runs.plan([run(clock, "unsent", submitted_at=None)])
    by_day = from_state.runs_by_day(state, ["gong"], midnight - timedelta(days=1))
    yesterday = midnight - timedelta(days=1)
    assert by_day == {
        f"{midnight:%Y-%m-%d}": {"running": 2},
        f"{yesterday:%Y-%m-%d}": {"running": 1},
    }


def test_what_waits_is_counted_by_reason_with_its_oldest(state: State, clock: Clock) -> None:
    now = clock()

    def entry(id_: str, **changes: Any) -> Entry:
        given: dict[str, Any] = {"status": "pending", "reason": "not ready", "listed_at": now}
        return Entry(**{"conversation_id": id_, **given, **changes})

    state.ledger.record(
        "gong",
        [
            entry("1", started_at=now - timedelta(days=3), next_try_at=now - timedelta(hours=5)),
            entry("2", started_at=now - timedelta(days=1), next_try_at=now + timedelta(hours=5)),
            entry("3", status="listed", reason=None),
            entry("4", status="landed", reason=None, score_status="due", score_after=now),
            entry("5", status="landed", reason=None, score_status="scored"),
            entry("6", status="quarantined", reason=None),
        ],
    )
    state.ledger.record("chorus", [entry("1")])
    waiting = from_state.waiting(state, ["gong"], now)
    told = {(each.kind, each.reason): (each.count, each.overdue) for each in waiting}
    assert told == {
        ("transcript", "not ready"): (2, 1),
        ("transcript", "it was listed and nothing was asked yet"): (1, 0),
        ("score", "a run is to be tried again"): (1, 0),
    }
    assert waiting[0].oldest == now - timedelta(days=3)
    assert waiting[0].next_try_at == now - timedelta(hours=5)
    total, first = from_state.entries(state, "gong", "transcript")
    assert (total, [each.conversation_id for each in first]) == (3, ["1", "3", "2"])
    assert from_state.counts(state, ["gong"])["gong"]["pending"] == 2
    assert from_state.quarantined(state, ["gong"]) == {"gong": {"no reason was recorded": 1}}
    assert list(from_state.find(state, ["chorus", "gong", "salesloft"], "1")) == ["chorus", "gong"]
