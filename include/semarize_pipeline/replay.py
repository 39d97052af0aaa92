"""``replay``: what went wrong, once more: records that could not be read, runs that failed.

A record comes from the quarantine as the vendor listed it then; only its transcript is asked for.
An answer with bricks that did not fit is typed again as it landed; nothing is bought for that.
A run is bought once more, by the same version of the same kit, whoever had bought it.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from semarize_pipeline import campaigns, landing
from semarize_pipeline.campaigns import Plan
from semarize_pipeline.errors import Misconfigured, Unreadable
from semarize_pipeline.orders import ReplayOrder
from semarize_pipeline.pipeline import Reading
from semarize_pipeline.rescore import Selection, rescore
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.semarize import rows as typing_of
from semarize_pipeline.semarize.client import KitSchema, RunAnswer, SemarizeClient
from semarize_pipeline.settings import Kit, Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.runs import Run
from semarize_pipeline.vendors.base import Vendor
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Load, Warehouse

Row = Mapping[str, Any]
log = logging.getLogger(__name__)


@dataclass(slots=True)
class ReplayReport:
    """What one replay did to a vendor's records and runs."""

    vendor: str
    tried: int = 0
    resolved: int = 0
    unknown: int = 0
    """Without a raw record, or with a redacted one: a backfill of their days reads them. Of an
    answer, or its kit, that is there no more."""
    requeued: int = 0
    """Refused before anything was sent; due again for the hourly runs."""
    scored: int = 0
    failed: int = 0
    requests: int = 0
    capped: int = 0
    over_cap: int = 0
    waiting: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def replay(
    vendor: Vendor,
    api: RestClient,
    semarize: SemarizeClient,
    warehouse: Warehouse,
    state: State,
    *,
    order: ReplayOrder,
    began: datetime,
    settings: Settings,
    run: str,
    sleep: Callable[[float], None] = time.sleep,
) -> ReplayReport:
    """Try what the order names once more.

    :param began: when the replay was ordered; only what went wrong before is tried, so that one
        that goes on after a kill buys nothing twice.
    """
    report = ReplayReport(vendor.name)
    if "quarantined" in order.what:
        _records(vendor, api, warehouse, state, order, settings, run, report)
        _answers(vendor.name, semarize, warehouse, state, order, run, report)
    if "failed" in order.what:
        report.requeued = _requeue(vendor.name, state, order)
        for kit, ids in _wrong(vendor.name, state, order, began).items():
            scored = rescore(
                Selection(vendor=vendor.name, ids=tuple(ids)),
                semarize,
                warehouse,
                state,
                kits=(kit,),
                campaign=order.campaign,
                caps=order.caps,
                settings=settings,
                run=run,
                kind="replay",
                renewed_before=began,
                sleep=sleep,
            )
            report.scored += scored.scored
            report.failed += scored.failed + scored.refused
            report.capped += scored.capped
            report.over_cap += scored.over_cap
            report.waiting += scored.waiting
            _stand_anew(vendor.name, state, ids)
    report.requests = api.sent
    return report


def plan(
    vendor: Vendor,
    warehouse: Warehouse,
    state: State,
    *,
    order: ReplayOrder,
    began: datetime,
    settings: Settings,
    run: str,
) -> Plan:
    """How many records and runs a replay would try. Reads state and warehouse; asks nobody."""
    records = runs = answered = 0
    if "quarantined" in order.what:
        places = landing.VendorWarehouse(warehouse, vendor.name, run)
        records = len(_quarantined(vendor.name, places, order))
        odd = _quarantined(vendor.name, places, order, ("score",))
        answered = len({row["conversation_id"] for row in odd if _is_of_a_brick(row)})
    if "failed" in order.what:
        runs = sum(len(ids) for ids in _wrong(vendor.name, state, order, began).values())
        runs = runs if order.caps.runs is None else min(runs, order.caps.runs)
    return Plan(
        vendor=vendor.name,
        calls=records + answered,
        requests=vendor.transcripts.requests_for(records),
        runs=runs,
        days=campaigns.days_of_runs(runs, settings),
        cost=campaigns.cost(runs, settings),
        currency=settings.score.currency,
    )


# ---------------------------------------------------------------------- records


def _quarantined(
    vendor: str,
    places: landing.VendorWarehouse,
    order: ReplayOrder,
    stages: Sequence[str] = ("listing", "transcript"),
) -> list[dict[str, Any]]:
    """The rows of the quarantine that the order names, of these stages."""
    marks = ", ".join("?" * len(stages))
    with places.open("look into the quarantine") as session:
        rows = session.query(
            f"select * from {tables.QUARANTINE.qualified} where vendor = ? "
            f"and stage in ({marks}) and resolved_at is null order by quarantine_id",
            [vendor, *stages],
        )
    return [row for row in rows if _is_meant(order, row["reason"], row["quarantined_at"])]


def _is_meant(order: ReplayOrder, reason: str | None, at: datetime) -> bool:
    inside = order.window is None or order.window.start <= at < order.window.end
    return inside and order.reason.lower() in (reason or "").lower()


def _records(
    vendor: Vendor,
    api: RestClient,
    warehouse: Warehouse,
    state: State,
    order: ReplayOrder,
    settings: Settings,
    run: str,
    report: ReplayReport,
) -> None:
    places = landing.VendorWarehouse(warehouse, vendor.name, run)
    rows = _quarantined(vendor.name, places, order)
    reading = Reading(vendor, api, warehouse, state, settings, run, kind="replay")
    size = settings.extract.batch_conversations
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        # One that was redacted no longer says whose names to leave out of its transcript.
        whole = [row for row in batch if row["raw"] is not None and row["_redaction"] is None]
        report.unknown += len(batch) - len(whole)
        batch = whole
        report.tried += len(batch)
        # Those that were resolved before a kill, and not marked yet, are not read again.
        open_ = [row for row in batch if not _is_resolved(vendor, state, row)]
        reading.again([_record(row["raw"]) for row in open_])
        resolved = [row for row in batch if _is_resolved(vendor, state, row)]
        _resolve(vendor.name, places, state, run, resolved)
        report.resolved += len(resolved)


def _record(raw: Any) -> Any:
    """The listing's record; a row about a transcript holds both."""
    if isinstance(raw, Mapping) and set(raw) == {"record", "transcript"}:
        return raw["record"]
    return raw


def _is_resolved(vendor: Vendor, state: State, row: Row) -> bool:
    """Whether the record can be read now, and the ledger no longer calls it quarantined."""
    try:
        id_ = vendor.read(_record(row["raw"])).conversation_id
    except Unreadable:
        return False
    entry = state.ledger.find(vendor.name, [id_]).get(id_)
    return entry is not None and entry.status not in ("quarantined", "listed")


def _resolve(
    vendor: str,
    places: landing.VendorWarehouse,
    state: State,
    run: str,
    rows: Sequence[Row],
) -> None:
    """Mark rows as resolved, and the names of records that had no id as replayed."""
    if not rows:
        return
    now = state.clock()
    named = [row["conversation_id"] for row in rows if row["conversation_id"]]
    nameless = [
        replace(entry, status="replayed", reason="it could be read when it was replayed")
        for entry in state.ledger.find(vendor, named).values()
        if entry.status == "quarantined"
    ]
    state.ledger.record(vendor, nameless)
    mark = landing.stamp(now, run)
    with places.open("resolve quarantined records") as session:
        landing.mirror(session, state, vendor, mark)
        done = [{**row, "resolved_at": now, **mark} for row in rows]
        session.land([Load(tables.QUARANTINE, done)])


# ---------------------------------------------------------------------- answers


def _is_of_a_brick(row: Row) -> bool:
    """Whether it is about one value of an answer; else it is about a transcript unsent."""
    return isinstance(row["raw"], Mapping) and "brick_key" in row["raw"]


def _answers(
    vendor: str,
    semarize: SemarizeClient,
    warehouse: Warehouse,
    state: State,
    order: ReplayOrder,
    run: str,
    report: ReplayReport,
) -> None:
    """Bricks that fit by now, by the kit's schema or by ours, from the answers that landed."""
    places = landing.VendorWarehouse(warehouse, vendor, run)
    bricks: dict[str, list[Row]] = defaultdict(list)
    for row in _quarantined(vendor, places, order, ("score",)):
        if _is_of_a_brick(row):
            bricks[str(row["raw"].get("run_id"))].append(row)
    schemas: dict[tuple[str, str | None], KitSchema | None] = {}
    for run_id, odd in bricks.items():
        report.tried += len(odd)
        with places.open("read an answer again") as session:
            found = session.query(
                f"select * from {tables.RUNS.qualified} where vendor = ? and run_id = ?",
                [vendor, run_id],
            )
        if not found or not isinstance(found[0]["response"], Mapping):
            report.unknown += len(odd)
            continue
        paid = found[0]
        kit = paid["kit_code"], paid["kit_version_id"]
        if kit not in schemas:
            schemas[kit] = _schema(semarize, kit)
        schema = schemas[kit]
        if schema is None:
            report.unknown += len(odd)
        else:
            report.resolved += _typed_again(paid, odd, schema, places, state, run)


def _schema(semarize: SemarizeClient, kit: tuple[str, str | None]) -> KitSchema | None:
    """The bricks of a kit's version; None where Semarize has it no more."""
    try:
        return semarize.schema(code=kit[0], version_id=kit[1])
    except Misconfigured as error:
        log.warning("%s", error)
        return None


def _typed_again(
    paid: Row,
    odd: Sequence[Row],
    schema: KitSchema,
    places: landing.VendorWarehouse,
    state: State,
    run: str,
) -> int:
    """Land the bricks of one answer that fit now; how many of the odd ones do."""
    answer = RunAnswer(
        run_id=paid["run_id"],
        status=paid["status"],
        bricks=paid["response"].get("output", {}).get("bricks"),
    )
    # Typed when it landed, and still the same score.
    made = typing_of.typed(answer, schema, paid["finished_at"])
    still = {key for key, _, _ in made.odd}
    fit = [row for row in odd if row["raw"]["brick_key"] not in still]
    if not fit:
        return 0
    now = state.clock()
    mark = landing.stamp(now, run)
    of = {
        "run_id": paid["run_id"],
        "vendor": paid["vendor"],
        "conversation_id": paid["conversation_id"],
        "kit_version_id": paid["kit_version_id"] or "unversioned",
    }
    kit_of = {"kit_code": paid["kit_code"], "kit_name": paid["kit_name"]}
    table = typing_of.scores_table(paid["kit_name"], schema)
    with places.open("land an answer again", [table]) as session:
        # Gone where a later run of the same version has taken its place.
        wide = session.query(f"select * from {table.qualified} where run_id = ?", [of["run_id"]])
        session.land(
            [
                Load(tables.SIGNALS, [{**s, **of, **kit_of, **mark} for s in made.signals]),
                Load(table, [{**row, **made.score, **mark} for row in wide]),
                Load(tables.QUARANTINE, [{**row, "resolved_at": now, **mark} for row in fit]),
            ]
        )
    return len(fit)


# ---------------------------------------------------------------------- runs


def _wrong(vendor: str, state: State, order: ReplayOrder, began: datetime) -> dict[Kit, list[str]]:
    """Conversations with a run that went wrong before the replay began, by kit version.

    A run that this replay bought already counts as long as it is open: it is gone on with.
    """
    found: dict[Kit, list[str]] = defaultdict(list)
    for run in [*state.runs.went_wrong(vendor), *_begun(vendor, state, began)]:
        meant = run.status in ("planned", "running") or (
            run.planned_at < began and _is_meant(order, run.error_code, run.planned_at)
        )
        kit = Kit(name=run.kit_name, code=run.kit_code, version_id=run.kit_version_id, vendors=())
        if meant and run.conversation_id not in found[kit]:
            found[kit].append(run.conversation_id)
    return {kit: sorted(ids) for kit, ids in found.items() if ids}


def _begun(vendor: str, state: State, began: datetime) -> list[Run]:
    """Runs of a second or later attempt that are under way since then: a replay's own."""
    return [r for r in state.runs.open(vendor) if r.attempt > 1 and r.planned_at >= began]


def _stand_anew(vendor: str, state: State, ids: Sequence[str]) -> None:
    """Let the hourly run say how these stand: it looks at the runs, and buys nothing for them."""
    known = state.ledger.find(vendor, ids).values()
    state.ledger.settle_scores(
        vendor,
        {
            e.conversation_id: ("due", None)
            for e in known
            if e.score_status in ("failed", "refused")
        },
    )


def _requeue(vendor: str, state: State, order: ReplayOrder) -> int:
    """Those that were refused before a run was recorded, such as transcripts that were too long."""
    refused = [
        entry
        for entry in state.ledger.in_status(vendor, (), ("refused",))
        if entry.score_status == "refused"
        and (
            order.window is None
            or entry.started_at is None
            or order.window.start <= entry.started_at < order.window.end
        )
    ]
    bought = {
        run.conversation_id for run in state.runs.of(vendor, [e.conversation_id for e in refused])
    }
    ids = [e.conversation_id for e in refused if e.conversation_id not in bought]
    if order.reason:
        return 0  # their reason stands in the quarantine, not in the register of runs
    state.ledger.settle_scores(vendor, {id_: ("due", None) for id_ in ids})
    return len(ids)
