"""A kit is published anew while runs of the version before are under way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from bench import DEALS, NOW, QUALITY, call
from faults.site import LATER, Processes, Site, quick, site

from semarize_sandbox.kits import SPARE_BRICKS
from semarize_sandbox.kits.base import Brick

pytestmark = pytest.mark.long

LANDING = "warehouse commit"
# Whatever is finished lands together.
WHOLE = replace(quick().score, batch_conversations=10)


@pytest.fixture
def under_way(processes: Processes, folder: Path) -> Iterator[Site]:
    """Two runs were bought of the first version; killed before an answer has landed. A third
    conversation is new."""
    given = [call("gong", n, NOW - timedelta(hours=3 + n)) for n in range(2)]
    with site(processes, "gong", folder, given, replace(quick(), score=WHOLE)) as made:
        assert made.run("extract").is_done
        assert made.run("score", kill_before=LANDING).ended == "killed"
        assert len(made.paid) == 2
        made.world.add([call("gong", 9, NOW - timedelta(minutes=30))])
        made.finish("extract")
        yield made


def scores(made: Site, table: str = "scores__interaction_quality") -> list[dict[str, Any]]:
    with duckdb.connect(str(made.folder / "warehouse.duckdb")) as connection:
        rows = connection.execute(f"select * from landing.{table} order by conversation_id")
        names = [column[0] for column in rows.description or []]
        return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]


def standing(made: Site) -> dict[str | None, int]:
    held = made.state()
    entries = held.ledger.in_status("gong", ["landed"])
    held.close()
    told = [entry.score_status for entry in entries]
    return {status: told.count(status) for status in told}


def test_a_brick_appears(under_way: Site) -> None:
    added = SPARE_BRICKS["disclosure_given"]
    under_way.semarize.publish(QUALITY.code, add=[added])
    under_way.finish("score")
    found = scores(under_way)
    assert [row["disclosure_given"] for row in found] == [None, None, True]
    assert len(under_way.paid) == 3
    assert standing(under_way) == {"scored": 3}


def test_a_run_whose_answer_was_lost_stays_of_its_version(
    processes: Processes, folder: Path
) -> None:
    """It was recorded before it was sent: the version that was bought is asked for again."""
    with site(processes, "gong", folder, [call("gong", 1, NOW - timedelta(hours=3))]) as made:
        made.finish("extract")
        killed = made.run("score", kill_before="after request POST /semarize/v1/runs")
        assert killed.ended == "killed"
        made.semarize.publish(QUALITY.code, add=[SPARE_BRICKS["disclosure_given"]])
        made.finish("score")
        assert len(made.paid) == 1
        (score,) = scores(made)
        assert score["kit_version_id"] == made.paid[0].kit_version_id


def test_a_brick_disappears(under_way: Site) -> None:
    under_way.semarize.publish(QUALITY.code, without=["topic_primary"])
    under_way.finish("score")
    found = scores(under_way)
    assert [row["topic_primary"] is None for row in found] == [False, False, True]
    assert len(under_way.paid) == 3
    assert standing(under_way) == {"scored": 3}


def retyped(made: Site) -> Brick:
    """A brick that was a number, as a category."""
    kit = made.semarize.kits[QUALITY.code]
    old = next(brick for brick in kit.current.bricks if brick.key == "empathy_score")
    topic = next(brick for brick in kit.current.bricks if brick.key == "topic_primary")
    return replace(topic, key=old.key)


def test_a_bricks_type_changes(under_way: Site) -> None:
    """What was bought lands, nothing more is bought, and the remedy that is named works."""
    under_way.semarize.publish(QUALITY.code, without=["empathy_score"], add=[retyped(under_way)])
    for _ in range(2):
        outcome = under_way.run("score", now=NOW + LATER)
        assert outcome.ended == "error"
        name, message = outcome.what
        assert name == "Misconfigured"
        assert "landing.scores__interaction_quality.empathy_score" in message
        assert "rename the table" in message
        assert len(scores(under_way)) == 2, "what was bought of the version before has landed"
        assert len(under_way.paid) == 2, "nothing is bought that could not land"
        assert standing(under_way) == {"scored": 2, "due": 1}
    with duckdb.connect(str(under_way.folder / "warehouse.duckdb")) as connection:
        connection.execute(
            "alter table landing.scores__interaction_quality "
            "rename to scores__interaction_quality__before"
        )
    under_way.finish("score")
    assert [type(row["empathy_score"]) for row in scores(under_way)] == [str]
    assert len(scores(under_way, "scores__interaction_quality__before")) == 2
    assert len(under_way.paid) == 3
    assert standing(under_way) == {"scored": 3}


def test_a_kit_that_cannot_land_keeps_no_other_waiting(under_way: Site) -> None:
    """Nor does it use up what may be bought in a day."""
    under_way.finish("score")
    under_way.semarize.publish(QUALITY.code, without=["empathy_score"], add=[retyped(under_way)])
    under_way.world.add([call("gong", 10, NOW - timedelta(minutes=20))])
    under_way.finish("extract", until=NOW + LATER)
    both = replace(
        under_way.settings,
        kits=(QUALITY, DEALS),
        score=replace(WHOLE, max_runs_per_day=10),
    )
    for _ in range(3):
        outcome = under_way.run("score", now=NOW + LATER, settings=both)
        assert outcome.ended == "error", outcome
    assert len(scores(under_way, "scores__deal_signals")) == 1
    held = under_way.state()
    assert held.budgets.used("semarize runs", "day") == len(under_way.paid) == 4
    held.close()
