"""What has landed so far, read from the warehouse file and put into tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from semarize_pipeline import reconcile
from semarize_pipeline.model import Window
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import Session

# Each column with the ledger's statuses that it counts: those of the account.
STATUSES = {
    "landed": ("landed",),
    "pending": ("pending",),
    "absent": ("absent", "expired"),
    "quarantined": ("quarantined",),
    "private": ("private",),
}
COLUMNS = ("listed", *STATUSES, "scored", "runs")


@dataclass(frozen=True, slots=True)
class Landed:
    """What stands in the warehouse: vendor → column → count, and the runs bought twice."""

    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    bought_twice: int = 0

    def count(self, vendor: str, column: str) -> int:
        return self.counts.get(vendor, {}).get(column, 0)

    def total(self, column: str) -> int:
        return sum(counts.get(column, 0) for counts in self.counts.values())

    @property
    def empty(self) -> bool:
        return not self.counts


def landed(warehouse: Path) -> Landed:
    """The counts as of now; nothing where no warehouse file is."""
    if not warehouse.exists():
        return Landed()
    counts: dict[str, dict[str, int]] = {}

    def add(rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            told = dict(row)
            vendor = counts.setdefault(told.pop("vendor"), {})
            vendor |= {name: int(value or 0) for name, value in told.items()}

    with DuckDBWarehouse(warehouse).open("count what has landed") as session:
        there = _tables(session)
        if ("landing", "ledger") in there:
            by_status = ", ".join(
                f"count(*) filter (where status in ({', '.join(map(repr, counted))})) as {column}"
                for column, counted in STATUSES.items()
            )
            add(
                session.query(
                    f"select vendor, count(*) as listed, {by_status}, "
                    "count(*) filter (where score_status = 'scored') as scored "
                    "from landing.ledger group by vendor"
                )
            )
        bought_twice = 0
        if ("landing", "semarize__runs") in there:
            add(
                session.query(
                    "select vendor, count(run_id) as runs "
                    "from landing.semarize__runs group by vendor"
                )
            )
            bought_twice = session.query(
                "select count(*) as n from (select 1 from landing.semarize__runs "
                "where status = 'succeeded' group by vendor, conversation_id, kit_code, "
                "kit_version_id, transcript_hash having count(distinct run_id) > 1)"
            )[0]["n"]
    return Landed(counts, bought_twice)


def best_scorecard(warehouse: Path) -> dict[str, Any] | None:
    """The agent's day with the most conversations and the fewest gaps."""
    with DuckDBWarehouse(warehouse).open("show a scorecard") as session:
        if ("marts", "agent_daily_scorecards") not in _tables(session):
            return None
        rows = session.query(
            "select agent_name, agent_id, vendor, scorecard_date, channel, conversations_scored, "
            "compliance_score, empathy_score, escalation_risk, resolution_achieved_share, "
            "topic_primary from marts.agent_daily_scorecards "
            "order by conversations_scored desc, "
            "(compliance_score is null)::int + (empathy_score is null)::int + "
            "(escalation_risk is null)::int + (resolution_achieved_share is null)::int + "
            "(topic_primary is null)::int + (agent_name is null)::int, "
            "scorecard_date desc, agent_id limit 1"
        )
    return rows[0] if rows else None


def _tables(session: Session) -> set[tuple[str, str]]:
    rows = session.query("select table_schema, table_name from information_schema.tables")
    return {(row["table_schema"], row["table_name"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Account:
    """What became of every conversation that was ever listed; wrong days name their vendor."""

    listed: int
    parts: Mapping[str, int]
    wrong: Sequence[str] = ()

    @property
    def adds_up(self) -> bool:
        return self.listed > 0 and not self.wrong and self.listed == sum(self.parts.values())

    def __str__(self) -> str:
        told = " + ".join(f"{count:,} {name}" for name, count in self.parts.items() if count)
        if self.adds_up:
            return f"The account adds up: {self.listed:,} listed = {told}"
        if not self.listed:
            return "The account is empty: no conversation has been listed"
        return (
            f"The account does not add up: {self.listed:,} listed, {told or 'none accounted for'}. "
            f"See landing.ledger and landing.reconciliation on {', '.join(self.wrong[:5])}"
        )


def account(warehouse: Path) -> Account:
    """The account of all vendors and days: what landed counted anew, and what was reconciled."""
    days: list[dict[str, Any]] = []
    with DuckDBWarehouse(warehouse).open("take the account") as session:
        session.ensure([tables.LEDGER, tables.RUNS, tables.RECONCILIATION])
        spans = session.query(
            "select vendor, min(coalesce(started_at, listed_at)) as first, "
            "max(coalesce(started_at, listed_at)) as last "
            f"from {tables.LEDGER.qualified} group by vendor order by vendor"
        )
        for span in spans:
            whole = Window(span["first"], span["last"] + timedelta(days=1))
            session.ensure([tables.conversations(span["vendor"])])
            days += reconcile.account(session, span["vendor"], whole, {}, whole.end)
        listed_again = session.query(f"select * from {tables.RECONCILIATION.qualified}")
    return Account(
        listed=sum(day["listed"] for day in days),
        parts={name: sum(day[name] for day in days) for name in reconcile.CATEGORIES},
        wrong=sorted(
            {
                f"{day['vendor']} {day['day']:%Y-%m-%d}"
                for day in [*days, *listed_again]
                if day["listed"] != sum(day[name] for name in reconcile.CATEGORIES)
            }
        ),
    )


@dataclass(frozen=True, slots=True)
class Effort:
    """What reading and scoring one vendor took this time."""

    requests: int
    seconds: float


def table(before: Landed, after: Landed, efforts: Mapping[str, Effort]) -> list[str]:
    """A line per vendor and a sum; where there was something before, what is new as ``+n``.

    The vendors were read side by side: all of them took as long as the slowest.
    """
    header = ["vendor", *COLUMNS[:-1], "Semarize runs", "requests now", "seconds now"]
    lines = [header]
    for vendor in sorted({*after.counts, *efforts}):
        effort = efforts.get(vendor, Effort(0, 0.0))
        cells = [
            _cell(before.count(vendor, column), after.count(vendor, column), before.empty)
            for column in COLUMNS
        ]
        lines.append([vendor, *cells, str(effort.requests), f"{effort.seconds:.1f}"])
    cells = [_cell(before.total(column), after.total(column), before.empty) for column in COLUMNS]
    requests = sum(effort.requests for effort in efforts.values())
    seconds = max((effort.seconds for effort in efforts.values()), default=0.0)
    lines.append(["all", *cells, str(requests), f"{seconds:.1f}"])
    return aligned(lines)


def _cell(before: int, after: int, first: bool) -> str:
    if first or after == before:
        return str(after)
    return f"{after} ({after - before:+d})"


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Columns under each other, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def scorecard(row: Mapping[str, Any]) -> list[str]:
    """One agent's day as lines for a person."""
    agent = row["agent_name"] or row["agent_id"]

    def share(value: float | None) -> str:
        return "-" if value is None else f"{value:.0%}"

    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    return [
        f"{agent} ({row['vendor']}, {row['channel']}), {row['scorecard_date']:%A %d %B %Y}",
        f"  conversations scored  {row['conversations_scored']}",
        f"  compliance            {number(row['compliance_score'])}",
        f"  empathy               {number(row['empathy_score'])}",
        f"  escalation risk       {number(row['escalation_risk'])}",
        f"  resolved              {share(row['resolution_achieved_share'])}",
        f"  main topic            {row['topic_primary'] or '-'}",
    ]
