"""The ledger: one row a conversation, whose story is never lost or rewritten by chance."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.support import NOON, Clock

from semarize_pipeline.state import State
from semarize_pipeline.state.ledger import CHUNK, SETTLED, Entry
from semarize_pipeline.warehouse import tables

MINUTE = timedelta(minutes=1)


def entry(id_: str = "c1", **more: Any) -> Entry:
    told: dict[str, Any] = {"conversation_id": id_, "status": "listed", "listed_at": NOON}
    return Entry(**{**told, **more})


def test_an_entry_comes_back_as_it_was(state: State) -> None:
    full = entry(
        "7782342274025937895",
        status="landed",
        channel="voice",
        started_at=NOON - MINUTE,
        landed_at=NOON,
        tries=3,
        next_try_at=NOON + MINUTE,
        reason="ü" * 2000,
        content_hash="a" * 64,
        transcript_hash="b" * 64,
        score_status="due",
        score_after=NOON + MINUTE,
    )
    state.ledger.record("gong", [full, entry("c2")])
    found = state.ledger.find("gong", ["c2", "7782342274025937895", "unknown"])
    assert found == {full.conversation_id: full, "c2": entry("c2")}
    assert state.ledger.find("chorus", ["c2"]) == {}
    assert state.ledger.find("gong", []) == {}


def test_more_ids_than_a_query_takes(state: State) -> None:
    ids = [f"c{n}" for n in range(2 * CHUNK + 7)]
    state.ledger.record("gong", [entry(id_) for id_ in ids])
    assert set(state.ledger.find("gong", ids)) == set(ids)


def test_listing_again_keeps_what_is_known(state: State) -> None:
    known = entry(status="landed", tries=2, reason="x", content_hash="h")
    state.ledger.record("gong", [known])
    state.ledger.record_listed("gong", [entry(), entry("c2")])
    assert state.ledger.find("gong", ["c1", "c2"]) == {"c1": known, "c2": entry("c2")}
    # The same id of another vendor is another conversation.
    state.ledger.record_listed("chorus", [entry()])
    assert state.ledger.counts("gong") == {"landed": 1, "listed": 1}
    assert state.ledger.counts("chorus") == {"listed": 1}


def test_recording_writes_the_entry_whole(state: State) -> None:
    state.ledger.record("gong", [entry(status="pending", tries=4, next_try_at=NOON, reason="x")])
    state.ledger.record("gong", [entry(status="landed", tries=5)])
    assert state.ledger.find("gong", ["c1"])["c1"] == entry(status="landed", tries=5)
    assert state.ledger.counts("gong") == {"landed": 1}
    state.ledger.record("gong", [])
    state.ledger.record_listed("gong", [])


def test_one_id_twice_in_a_listing(state: State) -> None:
    """A vendor's page may repeat what the page before had: the last entry counts."""
    last = entry(status="landed")
    state.ledger.record("gong", [entry(status="pending"), entry("c2"), last])
    assert state.ledger.find("gong", ["c1", "c2"]) == {"c1": last, "c2": entry("c2")}
    state.ledger.record_listed("gong", [entry("c3"), entry("c3"), entry("c1")])
    assert state.ledger.counts("gong") == {"landed": 1, "listed": 2}


def test_no_text_is_too_long(state: State) -> None:
    """How long an id or a channel's name is, is the vendor's business."""
    long = entry("i" * 1000, channel="c" * 1000)
    state.ledger.record("gong", [long])
    assert state.ledger.find("gong", [long.conversation_id]) == {long.conversation_id: long}


PENDING = st.lists(st.integers(-600, 600), max_size=12)


@given(offsets=PENDING, limit=st.integers(1, 15))
def test_the_longest_overdue_come_first(offsets: list[int], limit: int, state: State) -> None:
    vendor = f"v{hash((*offsets, limit))}"
    state.ledger.record(
        vendor,
        [
            entry(f"c{n:02}", status="pending", next_try_at=NOON + timedelta(seconds=offset))
            for n, offset in enumerate(offsets)
        ]
        + [entry(f"x-{s}", status=s, next_try_at=NOON - MINUTE) for s in ("listed", *SETTLED)],
    )
    due = state.ledger.due(vendor, NOON, limit)
    late = sorted((o, f"c{n:02}") for n, o in enumerate(offsets) if o <= 0)
    assert [each.conversation_id for each in due] == [id_ for _, id_ in late][:limit]


def test_due_follows_the_clock(state: State) -> None:
    state.ledger.record("gong", [entry(status="pending", next_try_at=NOON)])
    assert state.ledger.due("gong", NOON - timedelta(microseconds=1), 10) == []
    assert len(state.ledger.due("gong", NOON, 10)) == 1
    assert state.ledger.due("chorus", NOON, 10) == []


@given(total=st.integers(0, 12), size=st.integers(1, 5))
def test_scoring_pages_through_everything_once(total: int, size: int, state: State) -> None:
    vendor = f"v{total}-{size}"
    ids = sorted(f"c{n}" for n in range(total))
    state.ledger.record(vendor, [entry(id_, status="landed", score_status="due") for id_ in ids])
    state.ledger.record(
        vendor,
        [
            entry("later", status="landed", score_status="due", score_after=NOON + MINUTE),
            entry("done", status="landed", score_status="scored"),
            entry("unscored", status="landed"),
        ],
    )
    seen: list[str] = []
    while page := state.ledger.to_score(vendor, NOON, size, seen[-1] if seen else ""):
        assert len(page) <= size
        seen += [each.conversation_id for each in page]
    assert seen == ids
    assert state.ledger.has_to_score(vendor, NOON) == bool(ids)
    assert state.ledger.has_to_score(vendor, NOON + MINUTE), "its time has come"


def test_settling_scores(state: State) -> None:
    state.ledger.record(
        "gong", [entry(f"c{n}", status="landed", score_status="due") for n in range(4)]
    )
    state.ledger.settle_scores(
        "gong",
        {"c0": ("scored", None), "c1": ("due", NOON + MINUTE), "c2": ("refused", None)},
    )
    found = state.ledger.find("gong", [f"c{n}" for n in range(4)])
    assert [found[f"c{n}"].score_status for n in range(4)] == ["scored", "due", "refused", "due"]
    assert found["c1"].score_after == NOON + MINUTE
    assert found["c0"].status == "landed"
    state.ledger.settle_scores("gong", {})
    state.ledger.settle_scores("chorus", {"c3": ("scored", None)})
    assert state.ledger.find("gong", ["c3"])["c3"].score_status == "due"


# ---------------------------------------------------------------------- the mirror


def test_the_mirror_shows_each_change_once(state: State, clock: Clock) -> None:
    state.ledger.record("gong", [entry("c1"), entry("c2")])
    rows = state.ledger.unmirrored("gong")
    assert {row["conversation_id"] for row in rows} == {"c1", "c2"}
    assert set(tables.LEDGER.column_names) - {"_loaded_at", "_loaded_by"} <= set(rows[0])
    state.ledger.mirrored("gong", rows)
    assert state.ledger.unmirrored("gong") == []
    clock.advance(1)
    state.ledger.settle_scores("gong", {"c2": ("scored", None)})
    assert [row["conversation_id"] for row in state.ledger.unmirrored("gong")] == ["c2"]
    state.ledger.mirrored("gong", state.ledger.unmirrored("gong"))
    state.ledger.record_listed("gong", [entry("c1"), entry("c3")])
    assert [row["conversation_id"] for row in state.ledger.unmirrored("gong")] == ["c3"]
    state.ledger.mirrored("gong", [])
    assert state.ledger.unmirrored("chorus") == []


@pytest.mark.parametrize("seconds", [0.000001, 5, -5], ids=["next", "later", "a clock behind"])
def test_a_row_that_changes_while_it_is_mirrored_waits_for_the_next_mirror(
    seconds: float, state: State, clock: Clock
) -> None:
    """Another worker's clock may be behind ours: its change counts all the same."""
    state.ledger.record("gong", [entry("c1"), entry("c2")])
    rows = state.ledger.unmirrored("gong")
    clock.advance(seconds)
    state.ledger.record("gong", [entry("c1", status="landed")])
    state.ledger.mirrored("gong", rows)
    (left,) = state.ledger.unmirrored("gong")
    assert (left["conversation_id"], left["status"]) == ("c1", "landed")


# ---------------------------------------------------------------------- forgetting

COMPLETE: list[dict[str, Any]] = [
    {"status": "landed", "score_status": "scored"},
    {"status": "landed", "score_status": "refused"},
    {"status": "landed", "score_status": None},
    {"status": "absent"},
    {"status": "expired"},
    {"status": "private"},
    {"status": "deleted"},
]
OPEN: list[dict[str, Any]] = [
    {"status": "listed"},
    {"status": "pending", "next_try_at": NOON},
    {"status": "quarantined"},
    {"status": "landed", "score_status": "due"},
    {"status": "landed", "score_status": "failed"},
]


@pytest.mark.parametrize("told", [*COMPLETE, *OPEN], ids=str)
def test_only_what_is_complete_is_forgotten(
    told: dict[str, Any], state: State, clock: Clock
) -> None:
    old = entry(started_at=NOON - timedelta(days=40), **told)
    state.ledger.record("gong", [old])
    before = NOON - timedelta(days=30)
    clock.advance(86400 * 100)
    assert state.ledger.prune("gong", clock() - timedelta(days=1)) == 0, "not mirrored yet"
    state.ledger.mirrored("gong", state.ledger.unmirrored("gong"))
    assert state.ledger.prune("chorus", clock()) == 0
    assert state.ledger.prune("gong", before) == 0, "touched since"
    assert state.ledger.prune("gong", clock() - timedelta(days=1)) == (told in COMPLETE)
    assert bool(state.ledger.find("gong", ["c1"])) == (told in OPEN)


def test_the_young_are_kept(state: State, clock: Clock) -> None:
    young = entry(status="landed", started_at=NOON)
    state.ledger.record(
        "gong", [young, replace(young, conversation_id="no start", started_at=None)]
    )
    state.ledger.mirrored("gong", state.ledger.unmirrored("gong"))
    clock.advance(86400)
    assert state.ledger.prune("gong", NOON) == 0
    assert state.ledger.prune("gong", NOON + MINUTE) == 1
    assert list(state.ledger.find("gong", ["c1", "no start"])) == ["no start"]
