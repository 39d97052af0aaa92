"""DAG runs without a scheduler: each in a process of its own, and several side by side."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import multiprocessing.connection
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

from semarize_airflow.local import metadata
from semarize_airflow.local.console import tail
from semarize_airflow.local.environment import Refused

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG
    from fastapi import FastAPI

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


def log_of(dag_id: str, logs: Path) -> Path:
    """Where a run leaves what it and its children print."""
    return logs / f"{dag_id}.log"


# In the process that wants the runs


class DagRunner:
    """A process that knows Airflow, and runs DAGs in processes made from it.

    Airflow takes seconds and 200 MB to start. It does so once, in a program of its own; each
    run is a fork of that one, and so shares both.

    :param environment: of the runs; the metadata database in it is made ready first.
    :param logs: the folder for the log of each run, and of the runner.
    """

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._log = logs / "runner.log"
        with self._log.open("wb") as output:
            # In our session and group: a terminal's interrupt reaches it as it reaches us.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "semarize_airflow.local", "run-dags", str(logs)],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        self._hear()

    def side_by_side(
        self, dag_ids: Sequence[str], ended: Callable[[Outcome], None] = lambda outcome: None
    ) -> list[Outcome]:
        """Run DAGs at the same time; the outcomes in the order given.

        :param ended: is told of each run as it ends.
        """
        self._say(dag_ids)
        outcomes: dict[str, Outcome] = {}
        while len(outcomes) < len(dag_ids):
            outcome = Outcome(**self._hear())
            outcomes[outcome.dag_id] = outcome
            ended(outcome)
        return [outcomes[dag_id] for dag_id in dag_ids]

    def close(self) -> None:
        """Let the runner end: it does when nothing more can be asked of it."""
        self._pipes()[0].close()
        self._process.wait()

    def _say(self, told: Sequence[str]) -> None:
        requests, _ = self._pipes()
        try:
            print(json.dumps(list(told)), file=requests, flush=True)
        except BrokenPipeError:
            raise self._gone() from None

    def _hear(self) -> Any:
        line = self._pipes()[1].readline()
        if not line:
            raise self._gone()
        return json.loads(line)

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        requests, answers = self._process.stdin, self._process.stdout
        if requests is None or answers is None:
            raise RuntimeError("the runner was started without its pipes")
        return requests, answers

    def _gone(self) -> Refused:
        code = self._process.wait()
        return Refused(
            f"the process that runs the DAGs ended with code {code}; see {self._log}\n"
            f"{tail(self._log)}"
        )


# In the runner


def serve_runs(logs: Path) -> None:
    """Run what standard input asks for, a list of DAGs a line, and answer with each outcome."""
    answers = os.fdopen(os.dup(1), "w")
    # All else that is printed belongs to a log.
    os.dup2(2, 1)
    metadata.prepare()
    bag = load_dags()
    _tell(answers, {"ready": True})
    for line in sys.stdin:
        _run_side_by_side(bag, json.loads(line), logs, answers)


def load_dags() -> DagBag:
    """The DAGs, and all that their runs share: made here, before the process is forked."""
    # Airflow reads its configuration when it is first imported.
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk.configuration import conf
    from airflow.sdk.execution_time.supervisor import in_process_api_server

    # The slowest part of a run's start: what is made here is kept, and so made once for all.
    asyncio.run(_first_request(in_process_api_server().app))
    return DagBag(conf.get("core", "dags_folder"))


async def _first_request(app: FastAPI) -> None:
    """Let the API's application make its routes, seconds of work that it puts off until asked.

    In a loop that is gone afterwards: the one that Airflow keeps for it runs in a thread, and no
    thread outlives a fork.
    """
    import httpx

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://in-process") as client:
        (await client.get("/health")).raise_for_status()


def _run_side_by_side(bag: DagBag, dag_ids: Sequence[str], logs: Path, answers: TextIO) -> None:
    from airflow import settings

    # No two processes may use one open database connection.
    settings.dispose_orm(do_log=False)
    begun = time.monotonic()
    # Not spawned: what is loaded here is what the runs are to share.
    fork = multiprocessing.get_context("fork")
    running = []
    for dag_id in dag_ids:
        if dag_id not in bag.dags:
            missing = Outcome(dag_id, 0.0, {"dag": "not loaded"}, _why_missing(bag))
            _tell(answers, asdict(missing))
            continue
        told = bag.dags[dag_id], log_of(dag_id, logs), answers
        process = fork.Process(name=dag_id, target=_run_apart, args=told)
        process.start()
        running.append(process)
    while running:
        multiprocessing.connection.wait([process.sentinel for process in running])
        for process in [each for each in running if not each.is_alive()]:
            running.remove(process)
            if process.exitcode != 0:
                state = f"ended with code {process.exitcode}"
                error = f"its process {state}; see {log_of(process.name, logs)}"
                seconds = time.monotonic() - begun
                broken = Outcome(process.name, seconds, {"process": state}, error)
                _tell(answers, asdict(broken))


def _why_missing(bag: DagBag) -> str:
    for file, error in bag.import_errors.items():
        return f"{file} cannot be read: {error.strip().splitlines()[-1]}"
    return f"the folder {bag.dag_folder} has no DAG of that name"


def _run_apart(dag: DAG, log: Path, answers: TextIO) -> None:
    from airflow import settings

    with log.open("wb", buffering=0) as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    settings.configure_orm()  # type: ignore[no-untyped-call]
    _tell(answers, asdict(run(dag)))


def _tell(answers: TextIO, told: Mapping[str, Any]) -> None:
    # In one write, which several processes may do on one pipe without mixing their lines.
    answers.write(f"{json.dumps(told)}\n")
    answers.flush()


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
