"""``make demo``: the whole pipeline once, in this process, against the sandbox.

No port stays open and nothing outside the runtime folder changes. The user's own connections
are ignored, so that nothing is paid for.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psutil

from semarize_airflow.local import metadata, report
from semarize_airflow.local.console import Console, quiet
from semarize_airflow.local.environment import ROOT, Refused, Runtime, environment
from semarize_airflow.local.processes import one_at_a_time, services
from semarize_airflow.local.sandbox import world, worth_hiding
from semarize_pipeline import vendors
from semarize_sandbox.server import Sandbox, running

if TYPE_CHECKING:
    from airflow.sdk import DAG

ERROR_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one DAG run ended: each task's state, and the first error in one line."""

    dag_id: str
    seconds: float
    tasks: Mapping[str, str]
    error: str | None

    @property
    def failed(self) -> list[str]:
        return [task for task, state in self.tasks.items() if state not in ("success", "skipped")]


def demo(runtime: Runtime, variables: Mapping[str, str]) -> int:
    """Run the demo; returns the exit code."""
    with one_at_a_time(runtime):
        service = next(iter(services(runtime)), None)
        if service is not None:
            raise Refused(
                f"`make up` is running ({service.name}, process {service.pid}) and its scheduler "
                "runs the same DAGs on the same files: look at them there, or `make down` first"
            )
        # To be told to end is to be interrupted: what was started must end too.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            return _demo(runtime, variables)
        finally:
            end_children()


def end_children() -> None:
    """End what this process started and has not ended, such as dbt after an interrupt."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        with contextlib.suppress(psutil.Error):
            child.terminate()
    _, left = psutil.wait_procs(children, timeout=5)
    for child in left:
        with contextlib.suppress(psutil.Error):
            child.kill()


def _demo(runtime: Runtime, variables: Mapping[str, str]) -> int:
    begun = time.monotonic()
    now = datetime.now(UTC)
    before = report.landed(runtime.warehouse)
    behind = worth_hiding(now) if before.empty else timedelta(0)
    log = runtime.logs / "demo.log"
    with quiet(log) as console, running(world(now, behind=behind)) as sandbox:
        console.line(f"Sandbox: five vendors and Semarize, all made up, at {sandbox.url}")
        if before.empty:
            hours = behind / timedelta(hours=1)
            console.line(
                f"  First run: the sandbox's clock stays {hours:.0f} hours behind, so that a "
                "second `make demo` finds new calls"
            )
        prepare(console, runtime, variables, sandbox)
        console.line("Airflow: database and pools are ready")
        outcomes, efforts = _run_all(console, sandbox)
    after = report.landed(runtime.warehouse)
    return _tell(runtime, before, after, outcomes, efforts, time.monotonic() - begun)


def prepare(
    console: Console, runtime: Runtime, variables: Mapping[str, str], sandbox: Sandbox
) -> None:
    """Make this process one that runs DAGs against the sandbox, and nothing of the user's own."""
    os.environ.clear()
    os.environ.update(
        environment(runtime, variables=variables, sandbox=sandbox.connections(), isolated=True)
    )
    with console.progress("Airflow: preparing its database"):
        metadata.prepare()


def _run_all(console: Console, sandbox: Sandbox) -> tuple[list[Outcome], dict[str, report.Effort]]:
    found = load_dags()
    outcomes: list[Outcome] = []
    efforts: dict[str, report.Effort] = {}
    for vendor in vendors.names():
        sandbox.world.clear_log()

        def served(name: str = vendor) -> str:
            return (
                f"{_requests(sandbox, name)} requests, {_requests(sandbox, 'semarize')} to Semarize"
            )

        dag = found[f"conversations__{vendor}"]
        with console.progress(dag.dag_id, served):
            outcome = run(dag)
        console.line(f"{_line(outcome)}, {served()}")
        outcomes.append(outcome)
        efforts[vendor] = report.Effort(_requests(sandbox, vendor), outcome.seconds)
    with console.progress("scorecards"):
        outcome = run(found["scorecards"])
    console.line(_line(outcome))
    outcomes.append(outcome)
    return outcomes, efforts


def _requests(sandbox: Sandbox, name: str) -> int:
    return sandbox.world.statistics().get(name, {}).get("requests", 0)


def load_dags() -> dict[str, DAG]:
    """The demo's DAGs by id. Raises Refused for a DAG file that cannot be read."""
    # Airflow reads its configuration when it is first imported.
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(ROOT / "dags")
    for file, error in bag.import_errors.items():
        raise Refused(f"{file} cannot be read: {error.strip().splitlines()[-1]}")
    wanted = [*(f"conversations__{vendor}" for vendor in vendors.names()), "scorecards"]
    missing = [dag_id for dag_id in wanted if dag_id not in bag.dags]
    if missing:
        raise Refused(f"the folder dags/ has no DAG {', '.join(missing)}")
    return {dag_id: bag.dags[dag_id] for dag_id in wanted}


def run(dag: DAG) -> Outcome:
    """One run of a DAG in this process. A task that fails is not tried again."""
    errors: list[BaseException] = []

    def note(context: Any) -> None:
        errors.append(context["exception"])

    for task in dag.tasks:
        task.retries = 0
        task.on_failure_callback = [note]
    begun = time.monotonic()
    dag_run = dag.test()
    # Airflow takes an interrupt for a failure of the task, and would go on.
    if any(isinstance(error, KeyboardInterrupt) for error in errors):
        raise KeyboardInterrupt
    tasks = {ti.task_id: str(ti.state) for ti in dag_run.get_task_instances()}
    ordered = {task.task_id: tasks.get(task.task_id, "none") for task in dag.tasks}
    return Outcome(
        dag.dag_id, time.monotonic() - begun, ordered, _one_line(errors[0]) if errors else None
    )


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= ERROR_CHARACTERS else f"{text[: ERROR_CHARACTERS - 3]}..."


def _line(outcome: Outcome) -> str:
    tasks = ", ".join(f"{task} {state}" for task, state in outcome.tasks.items())
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
    log = _shown(runtime.logs / "demo.log")
    if failed:
        print()
        for outcome in failed:
            print(
                f"{outcome.dag_id} failed at {outcome.failed[0]}: {outcome.error or 'see the log'}"
            )
        print(f"The log: {log}")
        return 1
    row = report.best_scorecard(runtime.warehouse)
    if row is not None:
        print("\nOne scorecard of marts.agent_daily_scorecards:")
        for line in report.scorecard(row):
            print(f"  {line}")
    warehouse = _shown(runtime.warehouse)
    print(f"\nDone in {seconds:.0f} s. What to open next:")
    print("  make up        the same in Airflow's own pages, every hour, until `make down`")
    print("  make demo      again: only what is new since now")
    print(f"  {warehouse}, such as:")
    query = "from marts.agent_daily_scorecards order by scorecard_date desc limit 5"
    program = f"import duckdb; duckdb.connect('{warehouse}').sql('{query}').show()"
    print(f'    .venv/bin/python -c "{program}"')
    print(f"  README.md, dbt/models/marts, and {log}")
    return 0


def _shown(path: os.PathLike[str]) -> str:
    """A path as one would type it in the project's folder."""
    try:
        return os.path.relpath(path) if os.path.commonpath([ROOT, path]) == str(ROOT) else str(path)
    except ValueError:
        return str(path)
