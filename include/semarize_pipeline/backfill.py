"""``backfill``: a stretch of the past, read in slices and scored slice by slice, or not.

A slice is marked when it has landed, under the campaign's name; killed anywhere, the same campaign
goes on with the slices that are not marked. The hourly runs' watermark is never touched, and what
lands is not due for their kits: a backfill without kits buys nothing.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from semarize_pipeline import campaigns
from semarize_pipeline.campaigns import Plan
from semarize_pipeline.model import Window
from semarize_pipeline.orders import BackfillOrder
from semarize_pipeline.pipeline import Reading
from semarize_pipeline.rescore import Selection, rescore
from semarize_pipeline.rescore import plan as plan_scores
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.scoring import ScoreReport
from semarize_pipeline.semarize.client import SemarizeClient
from semarize_pipeline.settings import Kit, Settings
from semarize_pipeline.state import State
from semarize_pipeline.vendors.base import Vendor
from semarize_pipeline.warehouse.port import Warehouse
from semarize_pipeline.windows import slices

log = logging.getLogger(__name__)

# What ends a backfill before it is through.
CALLS = "max_calls"
RUNS = "max_runs or max_cost"


@dataclass(slots=True)
class BackfillReport:
    """What a backfill has done in this go. Small, and without content."""

    vendor: str
    slices: int = 0
    slices_done: int = 0
    listed: int = 0
    landed: int = 0
    pending: int = 0
    quarantined: int = 0
    scored: int = 0
    failed: int = 0
    requests: int = 0
    capped: int = 0
    stopped: str | None = None
    """Which cap ended it before it was through."""
    waiting: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backfill of one vendor is, from its marks alone: any process may ask."""

    slices: int
    slices_done: int
    calls: int
    landed: int
    seconds_left: float | None

    @property
    def percent(self) -> float:
        return 100 * self.slices_done / self.slices if self.slices else 100.0

    def __str__(self) -> str:
        left = ""
        if self.seconds_left is not None:
            left = f", about {timedelta(seconds=round(self.seconds_left))} left"
        return (
            f"slice {self.slices_done} of {self.slices} ({self.percent:.0f} %), "
            f"{self.calls:,} calls listed, {self.landed:,} landed{left}"
        )


def backfill(
    vendor: Vendor,
    api: RestClient,
    semarize: SemarizeClient | None,
    warehouse: Warehouse,
    state: State,
    *,
    order: BackfillOrder,
    kits: Sequence[Kit],
    settings: Settings,
    run: str,
    until: datetime,
    tell: Callable[[Progress], None] = lambda progress: None,
    sleep: Callable[[float], None] = time.sleep,
) -> BackfillReport:
    """Read and score what is not done yet.

    Returns with ``waiting`` while runs are slow and with ``capped`` where today's cap on runs is
    used up: call it again then. Raises ``Wait`` where the vendor's limit is used up.
    """
    report = BackfillReport(vendor.name)
    parts = cut(vendor, order, settings, until)
    report.slices = len(parts)
    done = _done(state, order.campaign, vendor.name)
    reading = Reading(
        vendor,
        api,
        warehouse,
        state,
        settings,
        run,
        kind="backfill",
        kits=(),
        allow=lambda wanted: campaigns.take_calls(state, order.campaign, order.caps, wanted),
        campaign=order.campaign,
    )

    def score(window: Window) -> None:
        if semarize is None or not kits or report.capped or report.stopped == RUNS:
            return
        scored = rescore(
            Selection(vendor=vendor.name, window=window),
            semarize,
            warehouse,
            state,
            kits=kits,
            campaign=order.campaign,
            caps=order.caps,
            settings=settings,
            run=run,
            kind="backfill",
            sleep=sleep,
        )
        _add(report, scored)

    for part in parts:
        if part not in done and not report.stopped:
            listed, landed = reading.report.listed, reading.report.landed
            reading.read(part)
            if reading.stopped:
                report.stopped = CALLS
            else:
                state.watermarks.mark_slice(
                    stream(order.campaign, vendor.name),
                    part,
                    listed=reading.report.listed - listed,
                    landed=reading.report.landed - landed,
                )
            score(part)
            tell(progress(state, order.campaign, vendor.name, len(parts)))
    if parts:
        # All of it once more, from the register alone: slow runs, and slices cut off in between.
        report.waiting.clear()
        score(Window(min(p.start for p in parts), max(p.end for p in parts)))
    if report.stopped:
        log.warning(
            "%s: %s of this backfill is used up; start one with the campaign %s and a higher cap "
            "to go on",
            vendor.name,
            report.stopped,
            order.campaign,
        )
    report.slices_done = len(_done(state, order.campaign, vendor.name) & set(parts))
    for name in ("listed", "landed", "pending", "quarantined"):
        setattr(report, name, getattr(reading.report, name))
    report.requests = api.sent
    return report


def _add(report: BackfillReport, scored: ScoreReport) -> None:
    report.scored += scored.scored
    report.failed += scored.failed + scored.refused
    report.capped += scored.capped
    report.waiting += scored.waiting
    if scored.over_cap:
        report.stopped = RUNS


def cut(vendor: Vendor, order: BackfillOrder, settings: Settings, until: datetime) -> list[Window]:
    """The order's slices, in its order; they end at the same moments whenever they are cut."""
    timing = settings.timing_for(vendor.name, vendor.timing)
    window = order.window
    end = None if window is None else min(window.end, until - timing.lag)
    if window is None or end is None or window.start >= end:
        return []
    size = timedelta(hours=settings.history.slice_hours)
    parts = list(slices(Window(window.start, end), size))
    return parts[::-1] if order.newest_first else parts


def stream(campaign: str, vendor: str) -> str:
    """Under which name the slices of a campaign are marked."""
    return f"backfill:{campaign}:{vendor}"


def _done(state: State, campaign: str, vendor: str) -> set[Window]:
    marked = state.watermarks.slices(stream(campaign, vendor))
    return {Window(mark["slice_start"], mark["slice_end"]) for mark in marked}


def progress(state: State, campaign: str, vendor: str, total: int) -> Progress:
    """How far it is; the time left from the pace of the slices so far, waits included."""
    marked = state.watermarks.slices(stream(campaign, vendor))
    done = sorted(mark["done_at"] for mark in marked)
    left = None
    if len(done) > 1:
        pace = (done[-1] - done[0]).total_seconds() / (len(done) - 1)
        left = pace * max(0, total - len(done))
    return Progress(
        slices=total,
        slices_done=len(done),
        calls=sum(mark["listed"] for mark in marked),
        landed=sum(mark["landed"] for mark in marked),
        seconds_left=left,
    )


# ---------------------------------------------------------------------- the plan


def plan(
    vendor: Vendor,
    api: RestClient,
    warehouse: Warehouse,
    state: State,
    *,
    order: BackfillOrder,
    kits: Sequence[Kit],
    settings: Settings,
    run: str,
    until: datetime,
) -> Plan:
    """What a backfill would fetch and buy, from the listings of some of its slices; lands nothing.

    Where there are more slices than ``history.plan_slices`` the rest is projected from these.
    """
    parts = cut(vendor, order, settings, until)
    looked = _spread(parts, settings.history.plan_slices)
    reading = Reading(vendor, api, warehouse, state, settings, run, kind="backfill")
    before = api.sent
    listed = unknown = 0
    for part in looked:
        one, new = reading.look(part)
        listed, unknown = listed + one, unknown + new
    scale = len(parts) / len(looked) if looked else 0.0
    listed, calls = math.ceil(listed * scale), math.ceil(unknown * scale)
    if order.caps.calls is not None:
        calls = min(calls, order.caps.calls)
    listing = math.ceil((api.sent - before) * scale)
    requests = listing + vendor.transcripts.requests_for(calls)
    runs = 0
    if kits and parts:
        window = Window(min(p.start for p in parts), max(p.end for p in parts))
        there = plan_scores(
            Selection(vendor=vendor.name, window=window),
            warehouse,
            state,
            kits=kits,
            caps=order.caps,
            settings=settings,
            run=run,
        )
        runs = there.runs + calls * len(kits)
        runs = runs if order.caps.runs is None else min(runs, order.caps.runs)
    return Plan(
        vendor=vendor.name,
        calls=calls,
        requests=requests,
        runs=runs,
        days=max(_days(vendor, requests, listed, settings), campaigns.days_of_runs(runs, settings)),
        cost=campaigns.cost(runs, settings) if kits else None,
        currency=settings.score.currency,
        exact=len(looked) == len(parts),
    )


def _spread(parts: Sequence[Window], most: int) -> list[Window]:
    """At most so many of the slices: the middle ones of equal stretches."""
    if len(parts) <= most:
        return list(parts)
    return [parts[int((number + 0.5) * len(parts) / most)] for number in range(most)]


def _days(vendor: Vendor, requests: int, records: int, settings: Settings) -> float:
    """How long a vendor's limits make it last, without the share of the hourly runs."""
    share, limits = 1 - settings.history.live_share, vendor.limits
    days = [requests / (limits.requests_per_second * share) / 86_400]
    if limits.records_per_second is not None:
        days.append(records / (limits.records_per_second * share) / 86_400)
    if limits.per_minute is not None:
        days.append(requests / (limits.per_minute * share) / 1440)
    if limits.per_day is not None:
        days.append(requests / (limits.per_day * share))
    if limits.per_week is not None:
        days.append(7 * requests / (limits.per_week * share))
    return max(days)
