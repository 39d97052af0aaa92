"""``make demo``: the whole pipeline once, against the sandbox.

The sandbox is served from here. The vendors' DAGs run side by side, each in a process of its
own; when they have ended, the last weeks are reconciled, and dbt builds. No port stays
open and nothing outside the runtime folder changes. The user's own connections are ignored, so
that nothing is paid for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from semarize_airflow.local import report
from semarize_airflow.local.console import Console, quiet
from semarize_airflow.local.dag_runs import DagRunner, Outcome, log_of
from semarize_airflow.local.environment import ROOT, Refused, Runtime, environment
from semarize_airflow.local.processes import ending_children, one_at_a_time, services
from semarize_airflow.local.sandbox import world, worth_hiding
from semarize_pipeline import vendors
from semarize_sandbox.server import Sandbox, running


def demo(runtime: Runtime, variables: Mapping[str, str]) -> int:
    """Run the demo; returns the exit code."""
    with one_at_a_time(runtime):
        service = next(iter(services(runtime)), None)
        if service is not None:
            raise Refused(
                f"`make up` is running ({service.name}, process {service.pid}) and its scheduler "
                "runs the same DAGs on the same files: look at them there, or `make down` first"
            )
        with ending_children():
            return _demo(runtime, variables)


def _demo(runtime: Runtime, variables: Mapping[str, str]) -> int:
    begun = time.monotonic()
    now = datetime.now(UTC)
    before = report.landed(runtime.warehouse)
    behind = worth_hiding(now) if before.empty else timedelta(0)
    logs = _logs(runtime)
    with quiet(logs / "sandbox.log") as console, running(world(now, behind=behind)) as sandbox:
        console.line(f"Sandbox: five vendors and Semarize, all made up, at {sandbox.url}")
        if before.empty:
            hours = behind / timedelta(hours=1)
            console.line(
                f"  First run: the sandbox's clock stays {hours:.0f} hours behind, so that a "
                "second `make demo` finds new calls"
            )
        with runner(console, runtime, variables, sandbox, logs) as runs:
            console.line("Airflow: database, pools and DAGs are ready")
            outcomes, efforts = _run_all(console, sandbox, runs)
    after = report.landed(runtime.warehouse)
    return _tell(runtime, before, after, outcomes, efforts, time.monotonic() - begun)


@contextmanager
def runner(
    console: Console,
    runtime: Runtime,
    variables: Mapping[str, str],
    sandbox: Sandbox,
    logs: Path,
    *,
    company: bool = True,
) -> Iterator[DagRunner]:
    """Runs DAGs against the sandbox, with nothing of the user's own."""
    made = environment(
        runtime,
        variables=variables,
        sandbox=sandbox.connections(),
        isolated=True,
        company=company,
    )
    with console.progress("Airflow: preparing its database"):
        started = DagRunner(made, logs)
    yield started
    started.close()


def _run_all(
    console: Console, sandbox: Sandbox, runs: DagRunner
) -> tuple[list[Outcome], dict[str, report.Effort]]:
    by_dag = {f"conversations__{vendor}": vendor for vendor in vendors.names()}
    efforts: dict[str, report.Effort] = {}

    def served() -> str:
        asked = ", ".join(f"{vendor} {_requests(sandbox, vendor)}" for vendor in by_dag.values())
        return f"requests: {asked}, semarize {_requests(sandbox, 'semarize')}"

    def ended(outcome: Outcome) -> None:
        vendor = by_dag[outcome.dag_id]
        efforts[vendor] = report.Effort(_requests(sandbox, vendor), outcome.seconds)
        console.line(f"{_line(outcome)}, {efforts[vendor].requests} requests")

    with console.progress("conversations", served):
        outcomes = runs.side_by_side([*by_dag], ended)
    console.line(
        f"  {len(by_dag)} vendors side by side, each at its own pace; "
        f"{_requests(sandbox, 'semarize')} requests to Semarize"
    )
    # The last weeks listed once more, and counted against what has landed.
    for dag_id in ("reconcile", "scorecards"):
        with console.progress(dag_id):
            outcomes += runs.side_by_side([dag_id])
        console.line(_line(outcomes[-1]))
    return outcomes, efforts


def _requests(sandbox: Sandbox, name: str) -> int:
    return sandbox.world.statistics().get(name, {}).get("requests", 0)


def _line(outcome: Outcome) -> str:
    tasks = ", ".join(f"{task} {state}" for task, state in outcome.tasks.items())
    if len(outcome.tasks) > 2 and not outcome.failed:
        tasks = f"{len(outcome.tasks)} tasks success"
    return f"{outcome.dag_id:<30} {outcome.seconds:5.1f} s  {tasks}"


def _tell(
    runtime: Runtime,
    before: report.Landed,
    after: report.Landed,
    outcomes: list[Outcome],
    efforts: Mapping[str, report.Effort],
    seconds: float,
) -> int:
    print()
    for line in report.table(before, after, efforts):
        print(line)
    print("Each Semarize run is one that a real key would pay for; the sandbox's cost nothing.")
    if not before.empty:
        gained = {name: after.total(name) - before.total(name) for name in report.COLUMNS}
        print(
            f"New since the last run: {gained['listed']} listed, {gained['landed']} landed, "
            f"{gained['scored']} scored, {gained['runs']} Semarize runs; "
            f"{after.bought_twice} transcripts were bought twice"
        )
    failed = [outcome for outcome in outcomes if outcome.failed]
    if failed:
        print()
        for outcome in failed:
            print(
                f"{outcome.dag_id} failed at {outcome.failed[0]}: {outcome.error or 'see the log'}"
            )
            print(f"  its log: {_shown(log_of(outcome.dag_id, _logs(runtime)))}")
        return 1
    account = report.account(runtime.warehouse)
    print(account)
    if not account.adds_up:
        return 1
    row = report.best_scorecard(runtime.warehouse)
    if row is not None:
        print("\nOne scorecard of marts.agent_daily_scorecards:")
        for line in report.scorecard(row):
            print(f"  {line}")
    warehouse = _shown(runtime.warehouse)
    print(f"\nDone in {seconds:.0f} s. What to open next:")
    print("  make up        dashboards of it, and Airflow's own pages, until `make down`")
    print("  make demo      again: only what is new since now")
    print(f"  {warehouse}, such as:")
    query = "from marts.agent_daily_scorecards order by scorecard_date desc limit 5"
    program = f"import duckdb; duckdb.connect('{warehouse}').sql('{query}').show()"
    print(f'    .venv/bin/python -c "{program}"')
    print(f"  README.md, dbt/models/marts, and {_shown(_logs(runtime))}")
    return 0


def _logs(runtime: Runtime) -> Path:
    return runtime.logs / "demo"


def _shown(path: os.PathLike[str]) -> str:
    """A path as one would type it in the project's folder."""
    try:
        return os.path.relpath(path) if os.path.commonpath([ROOT, path]) == str(ROOT) else str(path)
    except ValueError:
        return str(path)
