"""``rescore``: kits over conversations that have landed, without asking the vendor again.

The register of runs decides what is still to be bought, so a rescore that was killed goes on
where it stopped, and one that is ordered again buys nothing. The ledger stays as it is: how a
conversation stands there is about the kits of the hourly runs.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from semarize_pipeline import campaigns, landing
from semarize_pipeline.campaigns import Caps, Plan
from semarize_pipeline.model import Window
from semarize_pipeline.rebuild import refuse_lost_state
from semarize_pipeline.scoring import Granted, ScoreReport, Scoring, is_due, of_kit
from semarize_pipeline.semarize.client import SemarizeClient
from semarize_pipeline.settings import Kit, Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.ledger import Entry, ScoreStatus
from semarize_pipeline.state.runs import Run
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Warehouse

PAGE = 500  # conversations looked at in one query: their ids go into one list


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Landed conversations of one vendor: by when they started, by id, or both."""

    vendor: str
    window: Window | None = None
    ids: tuple[str, ...] = ()


def rescore(
    selection: Selection,
    semarize: SemarizeClient,
    warehouse: Warehouse,
    state: State,
    *,
    kits: Sequence[Kit],
    campaign: str,
    caps: Caps,
    settings: Settings,
    run: str,
    kind: str = "rescore",
    renewed_before: datetime | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> ScoreReport:
    """Evaluate the selected conversations by ``kits``, each pinned to a version.

    :param renewed_before: buy runs once more that were planned before this and went wrong.

    Returns with ``waiting`` while runs are slow: call it again later. ``capped`` runs wait for
    tomorrow's cap, ``over_cap`` runs are beyond the campaign's own.
    """
    refuse_lost_state(selection.vendor, warehouse, state, run)
    report = ScoreReport(selection.vendor)
    queue = LandedQueue(selection, warehouse, state, kits, campaign, caps, settings, run, kind)
    queue.renewed_before = renewed_before
    Scoring(
        selection.vendor, semarize, warehouse, state, settings, kits, run, report, queue, sleep
    ).go()
    report.requests = semarize.requests
    return report


def plan(
    selection: Selection,
    warehouse: Warehouse,
    state: State,
    *,
    kits: Sequence[Kit],
    caps: Caps,
    settings: Settings,
    run: str,
) -> Plan:
    """What a rescore would buy now. Reads the warehouse and the register; asks nobody."""
    refuse_lost_state(selection.vendor, warehouse, state, run)
    queue = LandedQueue(selection, warehouse, state, kits, "", caps, settings, run, "rescore")
    calls = runs = 0
    for rows in queue.pages():
        calls += len(rows)
        runs += sum(len(due) for _, due in queue.unfinished(rows, state.clock()))
    runs = runs if caps.runs is None else min(runs, caps.runs)
    return Plan(
        vendor=selection.vendor,
        calls=calls,
        requests=0,
        runs=runs,
        days=campaigns.days_of_runs(runs, settings),
        cost=campaigns.cost(runs, settings),
        currency=settings.score.currency,
    )


class LandedQueue:
    """A campaign's queue: what has landed, and lacks a run of one of its kits."""

    renewed_before: datetime | None = None

    def __init__(
        self,
        selection: Selection,
        warehouse: Warehouse,
        state: State,
        kits: Sequence[Kit],
        campaign: str,
        caps: Caps,
        settings: Settings,
        run: str,
        kind: str,
    ) -> None:
        self._selection = selection
        self._warehouse = landing.VendorWarehouse(warehouse, selection.vendor, run)
        self._state = state
        self._kits = kits
        self.campaign = campaign
        self._caps = caps
        self._settings = settings
        self.kind = kind

    def due(self, now: datetime, limit: int, after: str) -> list[Entry]:
        for rows in self.pages(after):
            found = [entry for entry, _ in self.unfinished(rows, now)]
            if found:
                return found[:limit]
        return []

    def among(self, ids: Sequence[str]) -> list[Entry]:
        return [entry for entry, _ in self.unfinished(self._rows("", ids), self._state.clock())]

    def buy(self, wanted: int) -> Granted:
        return campaigns.buy(self._state, self._settings, self.campaign, self._caps, wanted)

    def settle(self, outcomes: Mapping[str, tuple[ScoreStatus, datetime | None]]) -> None:
        """Nothing: the register of runs knows, and the ledger belongs to the hourly runs."""

    def pages(self, after: str = "") -> Iterator[list[dict[str, Any]]]:
        """The selected conversations, by id, beyond ``after``."""
        ids = sorted(id_ for id_ in set(self._selection.ids) if id_ > after)
        if self._selection.ids:
            for start in range(0, len(ids), PAGE):
                yield self._rows("", ids[start : start + PAGE])
            return
        while rows := self._rows(after):
            yield rows
            after = rows[-1]["conversation_id"]

    def unfinished(
        self, rows: Sequence[Mapping[str, Any]], now: datetime
    ) -> list[tuple[Entry, list[Kit]]]:
        """Of these conversations, those with something to do, and the kits that have it."""
        past: dict[str, list[Run]] = defaultdict(list)
        for run in self._state.runs.of(
            self._selection.vendor, [row["conversation_id"] for row in rows]
        ):
            past[run.conversation_id].append(run)
        found = []
        for row in rows:
            runs, words = past[row["conversation_id"]], row["transcript_hash"]
            tries = [(kit, of_kit(runs, kit, words)) for kit in self._kits]
            due = [
                kit
                for kit, of in tries
                if is_due(of[-1] if of else None, self._settings.score, now, self.renewed_before)
            ]
            if due:
                found.append((_entry(row), due))
        return found

    def _rows(self, after: str, ids: Sequence[str] | None = None) -> list[dict[str, Any]]:
        table = tables.conversations(self._selection.vendor)
        conditions = ["transcript_status = 'ready'", "conversation_id > ?"]
        values: list[Any] = [after]
        if self._selection.window is not None:
            conditions.append("started_at >= ? and started_at < ?")
            values += [self._selection.window.start, self._selection.window.end]
        if ids is not None:
            if not ids:
                return []
            conditions.append(f"conversation_id in ({', '.join('?' * len(ids))})")
            values += ids
        with self._warehouse.open("choose conversations") as session:
            return session.query(
                "select conversation_id, channel, started_at, transcript_hash "
                f"from {table.qualified} where {' and '.join(conditions)} "
                f"order by conversation_id limit {PAGE}",
                values,
            )


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(
        conversation_id=row["conversation_id"],
        status="landed",
        channel=row["channel"],
        started_at=row["started_at"],
        listed_at=row["started_at"],
        transcript_hash=row["transcript_hash"],
    )
