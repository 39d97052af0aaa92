"""Pain: a crash between two writes leaves rows twice, or state that differs from the data.

Killed at any moment by SIGKILL, as a whole process: pipeline/test_scoring.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bench import NOW, Bench, bench, calls
from pipeline.breaking import Killed, OtherSessions

from semarize_pipeline.warehouse.duckdb import DuckDBSession
from semarize_sandbox import semarize

# What one run has and another has not: when it was, and what it was called.
PASSING = {
    "load_id", "run_id", "response", "submitted_at", "finished_at", "scored_at", "duration_ms",
    "updated_at", "_extracted_at", "_loaded_at", "landed_at",
}  # fmt: skip
# A log of what was done: what is done twice is there twice.
LOG = "loads"


@dataclass
class Moment:
    """At which commit the process ends, and whether that commit comes through."""

    commit: int
    after: bool
    seen: int = 0

    @property
    def is_here(self) -> bool:
        return self.seen == self.commit


class _Connection:
    """DuckDB's connection, which ends the process before the commit chosen."""

    def __init__(self, whole: Any, moment: Moment) -> None:
        self._whole = whole
        self._moment = moment

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    def execute(self, sql: str, *given: Any) -> Any:
        if sql != "commit":
            return self._whole.execute(sql, *given)
        self._moment.seen += 1
        if self._moment.is_here and not self._moment.after:
            raise Killed
        return self._whole.execute(sql, *given)


class _Session(DuckDBSession):
    def __init__(self, connection: Any, moment: Moment) -> None:
        super().__init__(connection)
        self._moment = moment

    def land(self, loads: Any) -> None:
        whole = self._connection
        self._connection = _Connection(whole, self._moment)  # type: ignore[assignment]
        try:
            super().land(loads)
        finally:
            self._connection = whole
        if self._moment.is_here:
            raise Killed


def ended(made: Bench) -> dict[str, Any]:
    """Every landing table and the watermark, without what differs from run to run."""
    found: dict[str, Any] = {
        name: sorted(
            repr({key: value for key, value in row.items() if key not in PASSING}) for row in rows
        )
        for name, rows in made.landed().items()
        if name != LOG
    }
    marks = made.state.watermarks
    found["watermark"] = (marks.began("gong"), marks.reached("gong"))
    found["windows"] = made.query(
        f"select distinct kind, window_start, window_end from landing.{LOG} order by all"
    )
    found["paid"] = len(semarize.of(made.world).paid)
    return found


def work(made: Bench) -> None:
    made.extract(until=NOW)
    made.score()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with bench("gong", tmp_path_factory.mktemp("undisturbed"), calls("gong", 3)) as made:
        work(made)
        return ended(made)


# extract: the batch, then the ledger's mirror. score: the answers, then the mirror.
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("commit", [1, 2, 3, 4])
def test_killed_around_a_commit_and_run_again_the_tables_are_the_same(
    tmp_path: Path, undisturbed: dict[str, Any], commit: int, after: bool
) -> None:
    with bench("gong", tmp_path, calls("gong", 3)) as made:
        moment = Moment(commit, after)
        made.warehouse = OtherSessions(made, partial(_Session, moment=moment))
        with pytest.raises(Killed):
            work(made)
        if commit == 1:
            assert made.state.watermarks.reached("gong") != NOW, "the data first, then the mark"
        moment.commit = 0  # the next process: nothing ends it
        work(made)
        again = ended(made)
    assert again.keys() == undisturbed.keys()
    for name, rows in undisturbed.items():
        assert again[name] == rows, name
    assert again["watermark"][1] == NOW
    assert semarize.of(made.world).duplicates() == []
