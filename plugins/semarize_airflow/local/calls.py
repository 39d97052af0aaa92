"""``make calls FILE=…``: any file of calls through each vendor's API and its real DAG.

The file is served by the sandbox in every vendor's own shape; the DAGs extract it, have it
scored and land it; then every count is reconciled with the file, to the last turn. A folder of
its own holds the run, made anew each time.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from semarize_airflow.local import report
from semarize_airflow.local.console import quiet
from semarize_airflow.local.dag_runs import Outcome
from semarize_airflow.local.demo import runner
from semarize_airflow.local.environment import Refused, Runtime
from semarize_airflow.local.processes import ending_children, one_at_a_time
from semarize_pipeline import vendors
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_sandbox import jsonl
from semarize_sandbox.model import Call
from semarize_sandbox.server import running
from semarize_sandbox.world import World

DAYS = 25
HEADINGS = ("vendor", "calls", "landed", "scored", "turns", "landed", "characters", "landed")


@dataclass(frozen=True, slots=True)
class Account:
    """What the file holds and what has landed of it, through one vendor."""

    vendor: str
    calls: int
    landed: int
    scored: int
    turns: int
    utterances: int
    characters: int
    landed_characters: int

    @property
    def adds_up(self) -> bool:
        return (
            self.calls == self.landed == self.scored
            and self.turns == self.utterances
            and self.characters == self.landed_characters
        )

    def cells(self) -> list[str]:
        numbers = (
            self.calls,
            self.landed,
            self.scored,
            self.turns,
            self.utterances,
            self.characters,
            self.landed_characters,
        )
        return [self.vendor, *(f"{number:,}" for number in numbers)]


def calls(runtime: Runtime, variables: Mapping[str, str], file: Path) -> int:
    """Run the file through every vendor; 0 when everything adds up."""
    if not file.is_file():
        raise Refused(f"there is no file {file}; give one: make calls FILE=calls.jsonl")
    runtime = replace(runtime, folder=runtime.folder / "calls")
    with one_at_a_time(runtime), ending_children():
        shutil.rmtree(runtime.airflow_home, ignore_errors=True)
        anchor = datetime.now(UTC) - timedelta(hours=3)
        try:
            lines = jsonl.read(file)
        except ValueError as problem:
            raise Refused(str(problem)) from None
        served = {v: jsonl.as_calls(lines, v, anchor=anchor, days=DAYS) for v in vendors.names()}
        accounts = _run(runtime, variables, served)
    _show(accounts)
    reconciled = report.account(runtime.warehouse)
    print(reconciled)
    print(f"The warehouse: {runtime.warehouse}")
    return 0 if reconciled.adds_up and all(account.adds_up for account in accounts) else 1


def _run(
    runtime: Runtime, variables: Mapping[str, str], served: Mapping[str, list[Call]]
) -> list[Account]:
    world = World(call for calls in served.values() for call in calls)
    logs = runtime.logs / "calls"
    with quiet(logs / "sandbox.log") as console, running(world) as sandbox:

        def ended(outcome: Outcome) -> None:
            told = f"failed: {outcome.error}" if outcome.failed else "done"
            console.line(f"{outcome.dag_id:<30} {outcome.seconds:5.1f} s  {told}")

        # The file is not about the made-up company.
        with runner(console, runtime, variables, sandbox, logs, company=False) as runs:
            with console.progress("conversations"):
                runs.side_by_side([f"conversations__{vendor}" for vendor in vendors.names()], ended)
            for dag_id in ("reconcile", "scorecards"):
                with console.progress(dag_id):
                    runs.side_by_side([dag_id], ended)
    return [account(runtime.warehouse, vendor, given) for vendor, given in served.items()]


def account(warehouse: Path, vendor: str, given: list[Call]) -> Account:
    """One vendor's count of calls, turns and characters, in the file and in the warehouse."""
    with DuckDBWarehouse(warehouse).open("reconcile") as session:
        (conversations,) = session.query(
            f"select count(*) as n from landing.{vendor}__conversations "
            "where transcript_status = 'ready'"
        )
        (said,) = session.query(
            "select count(*) as n, coalesce(sum(length(text)), 0) as characters "
            f"from landing.{vendor}__utterances"
        )
        (scored,) = session.query(
            "select count(*) as n from landing.ledger where vendor = ? and score_status = 'scored'",
            [vendor],
        )
    return Account(
        vendor=vendor,
        calls=len(given),
        landed=conversations["n"],
        scored=scored["n"],
        turns=sum(len(call.turns) for call in given),
        utterances=said["n"],
        characters=sum(len(turn.text) for call in given for turn in call.turns),
        landed_characters=int(said["characters"]),
    )


def _show(accounts: list[Account]) -> None:
    rows = [list(HEADINGS), *(each.cells() for each in accounts)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    print()
    for row in rows:
        first = row[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        print("  ".join([first, *rest]))
    wrong = [each.vendor for each in accounts if not each.adds_up]
    print(f"\nDoes not add up: {', '.join(wrong)}" if wrong else "\nEverything adds up.")
