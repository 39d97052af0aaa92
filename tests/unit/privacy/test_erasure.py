"""What is erased is gone from landing, stays away, and leaves only that it was erased."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from unit.support import NOON, Clock
from unit.warehouse.emulator import emulated

from semarize_pipeline import landing
from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.model import Conversation, Participant, Utterance
from semarize_pipeline.privacy.erasure import Request, erase, sweep
from semarize_pipeline.privacy.policy import Policy
from semarize_pipeline.privacy.redaction import Redactor
from semarize_pipeline.state import State
from semarize_pipeline.state.ledger import Entry
from semarize_pipeline.state.runs import Run
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import Load, Session, Warehouse

QUALITY = tables.scores("interaction_quality", [("empathy_score", tables.Type.FLOAT)])
MARK = landing.stamp(NOON, "conversations__gong/1/extract")
KIM = "kim@acme.example.com"
IN_LANDING = (
    "gong__conversations", "gong__utterances", "chorus__conversations", "chorus__utterances",
    "semarize__signals", "scores__interaction_quality", "quarantine",
)  # fmt: skip


def conversation(name: str, *people: Participant, **changes: Any) -> Conversation:
    facts: dict[str, Any] = {
        "conversation_id": name,
        "started_at": NOON - timedelta(days=2),
        "channel": "voice",
        "title": f"About {name}",
        "owner_id": "u-1",
        "owner_email": "dana@northwind.example.com",
        "participants": people,
        "utterances": (Utterance("Somebody", "unknown", 0.0, 1.0, f"words of {name}"),),
        "raw": {"record": {"id": name}, "transcript": [f"words of {name}"]},
    }
    return Conversation(**{**facts, **changes})


KIM_WAS_THERE = Participant(name="Kim", email="Kim@Acme.example.com", role="customer", id="c-9")
CALLS = {
    "gong": [
        conversation("g1", KIM_WAS_THERE),
        # Only the vendor's own record says that she was invited.
        conversation("g2", raw={"record": {"invited": [{"mail": KIM}]}, "transcript": None}),
        # Others: one who speaks of her, one whose address ends like hers.
        conversation("g3", raw={"record": {"id": "g3"}, "transcript": [KIM]}),
        conversation("g4", Participant(email=f"not-{KIM}", id="c-99")),
    ],
    "chorus": [
        conversation("h1", Participant(name="Kim", email=KIM, role="customer", id="77")),
        conversation("h2", Participant(name="Lee", id="c-9")),
    ],
}


def run_of(vendor: str, name: str, **changes: Any) -> Run:
    facts: dict[str, Any] = {
        "idempotency_key": f"{vendor}:{name}", "vendor": vendor, "conversation_id": name,
        "kit_name": "interaction_quality", "kit_code": "C5A1E07B", "kit_version_id": "v1",
        "transcript_hash": "t", "planned_at": NOON, "run_id": f"run-{name}", "status": "succeeded",
    }  # fmt: skip
    return Run(**{**facts, **changes})


def fill(session: Session, state: State) -> None:
    """Every landing table, with rows of every conversation."""
    session.ensure([t for v in CALLS for t in (*landing.vendor_tables(v), QUALITY)])
    for vendor, calls in CALLS.items():
        names = [call.conversation_id for call in calls]
        of = [{"vendor": vendor, "conversation_id": name} for name in names]
        scored = [
            {**o, "kit_version_id": "v1", "run_id": f"run-{o['conversation_id']}"} for o in of
        ]
        odd = [
            landing.quarantine_row(vendor, "score", "brick x: odd", {"about": n}, NOON, n)
            for n in names
        ]
        if vendor == "gong":
            odd.append(landing.quarantine_row(vendor, "listing", "no id", {"m": KIM}, NOON, "g9"))
        landed = [landing.conversation_row(call, NOON) for call in calls]
        said = [each for call in calls for each in landing.utterance_rows(call)]
        signals = [{**o, "brick_key": "x", "reason": "words"} for o in scored]
        session.land(
            [
                Load(tables.conversations(vendor), rows(landed)),
                Load(tables.utterances(vendor), rows(said)),
                Load(tables.SIGNALS, rows(signals)),
                Load(QUALITY, rows(scored)),
                Load(tables.RUNS, rows({**o, "idempotency_key": f"{vendor}:{o['conversation_id']}",
                                        "status": "succeeded", "error_message": "words",
                                        "response": {"quote": "words"}} for o in scored)),
                Load(tables.QUARANTINE, rows(odd)),
            ]
        )  # fmt: skip
        entries = [
            Entry(
                conversation_id=name, status="landed", listed_at=NOON, landed_at=NOON,
                started_at=NOON - timedelta(days=2), content_hash="c", transcript_hash="t",
                score_status="due",
            )
            for name in names
        ]  # fmt: skip
        state.ledger.record(vendor, entries)
        state.runs.plan([run_of(vendor, name) for name in names])
        landing.mirror(session, state, vendor, MARK)


def rows(given: Any) -> list[dict[str, Any]]:
    return landing.stamped(list(given), MARK)


def left(warehouse: Warehouse) -> dict[str, set[str]]:
    """Which conversations each table still has, and which runs still have an answer."""
    found = {}
    with warehouse.open("test") as session:
        for table in IN_LANDING:
            asked = session.query(f"select conversation_id as id from landing.{table}")
            found[table] = {row["id"] for row in asked}
        told = session.query(
            "select conversation_id as id, response, error_message from landing.semarize__runs"
        )
    assert len(told) == 6, "that a run was paid for stays"
    assert all((row["response"] is None) == (row["error_message"] is None) for row in told)
    found["answers"] = {row["id"] for row in told if row["response"] is not None}
    return found


def record_of(warehouse: Warehouse) -> list[dict[str, Any]]:
    with warehouse.open("test") as session:
        return session.query("select * from landing.erasures order by started_at, erasure_id")


WAREHOUSES: dict[str, Callable[[Path, Callable[[], int]], Warehouse]] = {
    "duckdb": lambda folder, _: DuckDBWarehouse(folder / "warehouse.duckdb", wait_seconds=20),
    "snowflake": lambda _, port: emulated(port(), f"TEST_{uuid.uuid4().hex}"),
}


@pytest.fixture
def warehouse(tmp_path: Path, state: State) -> Warehouse:
    return filled("duckdb", tmp_path, state)


def filled(kind: str, folder: Path, state: State, port: Callable[[], int] = lambda: 0) -> Warehouse:
    made = WAREHOUSES[kind](folder, port)
    with made.open("test") as session:
        fill(session, state)
    return made


ASKED = {"requested_by": "ticket 14", "run": "erase/1/erase"}


@pytest.mark.parametrize("kind", ["duckdb", pytest.param("snowflake", marks=pytest.mark.slow)])
def test_everything_of_a_person_s_conversations_goes(
    kind: str, tmp_path: Path, state: State, request: pytest.FixtureRequest
) -> None:
    warehouse = filled(kind, tmp_path, state, lambda: request.getfixturevalue("emulator"))
    before = left(warehouse)
    dry = erase(Request(email=f" {KIM.upper()} "), warehouse, state, **ASKED)
    assert (dry.dry_run, dry.conversations, dry.erasure_id) == (True, 4, None)
    assert sorted(dry.found) == ["chorus:h1", "gong:g1", "gong:g2", "gong:g9"]
    assert left(warehouse) == before
    assert record_of(warehouse) == []
    done = erase(Request(email=KIM), warehouse, state, **ASKED, dry_run=False)
    assert done.removed == dry.removed
    after = left(warehouse)
    for table, ids in before.items():
        assert after[table] == ids - {"g1", "g2", "g9", "h1"}, table
    assert after["gong__conversations"] == {"g3", "g4"}
    # What remains of it: a stone in the ledger, and a record without a name.
    with warehouse.open("test") as session:
        (stone,) = session.query("select * from landing.ledger where conversation_id = 'g1'")
    assert (stone["status"], stone["reason"]) == ("deleted", "erased")
    assert (stone["content_hash"], stone["transcript_hash"], stone["score_status"]) == (None,) * 3
    assert stone["started_at"] == NOON - timedelta(days=2), "its day stays, for the counts"
    (record,) = record_of(warehouse)
    assert record["status"] == "finished"
    assert record["requested_by"] == "ticket 14"
    assert record["conversations"] == 4
    assert record["removed"] == done.removed
    assert "kim" not in str(record).lower()
    assert "g1" not in str(record)
    with warehouse.open("test") as session:
        told = str([session.query(f"select * from {t.qualified}") for t in tables.SHARED])
    assert KIM not in told.lower()


@pytest.mark.parametrize(
    ("request_", "gone"),
    [
        (Request(vendor="gong", conversation_ids=("g1", "g4")), {"g1", "g4"}),
        (Request(vendor="gong", user_id="c-9"), {"g1"}),
        (Request(vendor="chorus", user_id="77"), {"h1"}),
        (Request(vendor="chorus", email=KIM), {"h1"}),
        (Request(email="dana@northwind.example.com"), {"g1", "g2", "g3", "g4", "h1", "h2"}),
        (Request(email="nobody@x.example"), set()),
    ],
    ids=lambda value: getattr(value, "subject", ""),
)
def test_whose_it_is(request_: Request, gone: set[str], warehouse: Warehouse, state: State) -> None:
    erase(request_, warehouse, state, **ASKED, dry_run=False)
    after = left(warehouse)
    kept = {"g1", "g2", "g3", "g4", "h1", "h2"} - gone
    assert after["semarize__signals"] == kept == after["answers"]
    assert len(record_of(warehouse)) == 1, "that nothing was found is on record too"


def test_what_was_redacted_before_it_landed_is_found_while_it_is_pending(
    warehouse: Warehouse, state: State
) -> None:
    redactor = Redactor(Policy(redact="landing"), state.tokens)
    pending = conversation(
        "g5", raw={"record": {"mail": KIM}, "transcript": None}, utterances=()
    )  # fmt: skip
    with warehouse.open("test") as session:
        row = landing.conversation_row(redactor.conversation(pending), NOON)
        assert KIM not in str(row)
        session.land([Load(tables.conversations("gong"), rows([row]))])
    assert "gong:g5" in erase(Request(email=KIM), warehouse, state, **ASKED).found


def test_it_does_not_land_again(warehouse: Warehouse, state: State, clock: Clock) -> None:
    never_listed = "g77"
    asked = Request(vendor="gong", conversation_ids=("g1", never_listed))
    erase(asked, warehouse, state, **ASKED, dry_run=False)
    found = state.ledger.find("gong", ["g1", never_listed])
    assert {e.status for e in found.values()} == {"deleted"}
    assert state.ledger.erased("gong", ["g1", "g2", never_listed]) == {"g1", never_listed}
    assert state.ledger.erased("chorus") == set()
    # Whatever a task says that was under way meanwhile.
    late = Entry(conversation_id="g1", status="landed", listed_at=NOON, score_status="due")
    state.ledger.record("gong", [late, replace(late, conversation_id="g2", started_at=NOON)])
    state.ledger.record_listed("gong", [replace(late, status="listed")])
    state.ledger.settle_scores("gong", {"g1": ("due", None), "g2": ("scored", None)})
    assert state.ledger.find("gong", ["g1"])["g1"] == found["g1"]
    assert state.ledger.find("gong", ["g2"])["g2"].score_status == "scored"
    # However long ago.
    state.ledger.mirrored("gong", state.ledger.unmirrored("gong"))
    clock.advance(seconds=400 * 86400)
    state.ledger.prune("gong", clock() - timedelta(days=30))
    assert set(state.ledger.find("gong", ["g1", "g2", never_listed])) == {"g1", never_listed}


def test_its_runs_end(warehouse: Warehouse, state: State) -> None:
    open_ = run_of("gong", "g1", idempotency_key="k", status="running", run_id="r")
    state.runs.plan([open_, replace(open_, idempotency_key="k2", conversation_id="g3")])
    erase(
        Request(vendor="gong", conversation_ids=("g1",)), warehouse, state, **ASKED, dry_run=False
    )
    assert [run.conversation_id for run in state.runs.open("gong")] == ["g3"]
    state.runs.accepted("k", "late", NOON)
    state.runs.polled("k", NOON)
    (ended,) = [r for r in state.runs.of("gong", ["g1"]) if r.idempotency_key == "k"]
    assert (ended.status, ended.error_code, ended.run_id) == ("cancelled", "erased", "r")


def test_what_landed_all_the_same_is_swept_away(warehouse: Warehouse, state: State) -> None:
    assert sweep(DuckDBWarehouse("/nowhere/at/all"), state, run="retention") == {}
    erase(Request(email=KIM), warehouse, state, **ASKED, dry_run=False)
    gone = left(warehouse)
    with warehouse.open("test") as session:
        row = landing.conversation_row(CALLS["gong"][0], NOON)
        session.land([Load(tables.conversations("gong"), rows([row]))])
    assert sweep(warehouse, state, run="retention") == {"gong__conversations": 1}
    assert left(warehouse) == gone
    assert sweep(warehouse, state, run="retention") == {}


# ---------------------------------------------------------------------- killed


class Killed(BaseException):
    """The process ends here."""


class _Dying(Session):
    """A session that dies before, or after, its n-th change."""

    def __init__(self, real: Session, steps: Iterator[int], at: int, after: bool) -> None:
        self._real, self._steps, self._at, self._after = real, steps, at, after

    def _step(self, change: Callable[[], Any]) -> Any:
        now = next(self._steps)
        if now == self._at and not self._after:
            raise Killed
        made = change()
        if now == self._at:
            raise Killed
        return made

    def ensure(self, tables: Any) -> None:
        self._real.ensure(tables)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        return self._real.query(sql, parameters)

    def land(self, loads: Any) -> None:
        self._step(lambda: self._real.land(loads))

    def remove(self, removals: Any, *, dry_run: bool = False) -> list[int]:
        if dry_run:
            return self._real.remove(removals, dry_run=True)
        made: list[int] = self._step(lambda: self._real.remove(removals))
        return made


class DyingWarehouse:
    def __init__(self, real: Warehouse, at: int, after: bool) -> None:
        self._real, self._at, self._after = real, at, after

    @contextmanager
    def open(self, purpose: str) -> Iterator[Session]:
        with self._real.open(purpose) as session:
            yield _Dying(session, iter(range(100)), self._at, self._after)

    for_dbt: Any = None


@pytest.mark.slow
def test_killed_anywhere_and_run_again_comes_to_the_same_end(
    tmp_path: Path, clock: Clock, fernet_key: str
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    state = State(f"sqlite:///{kept}/state.db", fernet_key=fernet_key, clock=clock)
    filled("duckdb", kept, state)
    state.close()
    ends, deaths = set(), 0
    # Also right after a change where something else than the warehouse is written next.
    for at, after in [*((n, False) for n in range(9)), *((n, True) for n in range(3))]:
        folder = tmp_path / f"{at}-{after}"
        shutil.copytree(kept, folder)
        state = State(f"sqlite:///{folder}/state.db", fernet_key=fernet_key, clock=clock)
        warehouse = DuckDBWarehouse(folder / "warehouse.duckdb")
        dying = DyingWarehouse(warehouse, at, after)
        try:
            erase(Request(email=KIM), dying, state, **ASKED, dry_run=False)
        except Killed:
            deaths += 1
            erase(Request(email=KIM), warehouse, state, **ASKED, dry_run=False)
        (record,) = record_of(warehouse)
        with warehouse.open("test") as session:
            ledger = session.query(
                "select vendor, conversation_id, status, reason from landing.ledger order by all"
            )
        ends.add(
            str(
                [
                    left(warehouse),
                    ledger,
                    record["status"],
                    record["removed"],
                    record["conversations"],
                ]
            )
        )
        state.close()
    assert deaths == 8 + 3, "it died at each of its eight changes"
    assert len(ends) == 1


# ---------------------------------------------------------------------- requests


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({}, "one way"),
        ({"email": KIM, "user_id": "1", "vendor": "gong"}, "one way"),
        ({"user_id": "1"}, "need the vendor"),
        ({"conversation_ids": ("1",)}, "need the vendor"),
        ({"email": KIM, "vendor": "gnog"}, "gnog"),
        ({"email": "Kim"}, "user_id"),
    ],
)
def test_a_request_that_says_too_little_is_refused(told: dict[str, Any], named: str) -> None:
    with pytest.raises(Misconfigured, match=named) as caught:
        Request(**told)
    assert KIM not in str(caught.value)


def test_it_wants_somebody_who_asked_and_a_key(warehouse: Warehouse, state: State) -> None:
    asked = Request(email=KIM)
    with pytest.raises(Misconfigured, match="requested_by"):
        erase(asked, warehouse, state, requested_by=" ", run="r")
    with pytest.raises(Misconfigured, match="FERNET_KEY"):
        erase(asked, warehouse, State("sqlite://"), **ASKED)
