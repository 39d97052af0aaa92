"""One ``dbt build`` in dbt's own environment, and its results per node.

dbt lives in a virtual environment of its own (its pins and Airflow's contradict each other),
so it is called as a program. What each node did is read from dbt's artifact.

A second try builds what the first left (``left_by``), as ``dbt retry`` does. It reads that from
the results that landed, not from dbt's folder: the first try may have had another machine.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semarize_pipeline.errors import Misconfigured, PipelineError
from semarize_pipeline.model import utc

log = logging.getLogger(__name__)

FAILED_TEST = "fail"
BAD = frozenset({"error", FAILED_TEST, "runtime error"})
LEFT = BAD | {"skipped", "partial success"}


class BuildFailed(PipelineError):
    """``dbt build`` ended with errors; the message names the nodes."""


@dataclass(frozen=True, slots=True)
class Build:
    """What a build did: its exit code, and a row of ``landing.dbt_results`` per node."""

    exit_code: int
    results: list[dict[str, Any]]

    @property
    def failed(self) -> list[str]:
        return [row["node_id"] for row in self.results if row["status"] in BAD]

    @property
    def is_of_the_data(self) -> bool:
        """Whether tests failed, and nothing else: the same rows would fail them again."""
        return {row["status"] for row in self.results} & BAD == {FAILED_TEST}

    @property
    def found_nothing(self) -> bool:
        """Whether what was selected is not in the project any more."""
        return self.exit_code == 0 and not self.results

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in self.results:
            found[row["status"]] = found.get(row["status"], 0) + 1
        return found

    def check(self) -> None:
        """Raise BuildFailed unless every node succeeded."""
        if self.failed:
            bad = [row for row in self.results if row["status"] in BAD]
            told = "; ".join(f"{row['node_id']}: {row['message']}" for row in bad[:5])
            raise BuildFailed(f"dbt build: {len(bad)} of {len(self.results)} nodes failed: {told}")
        if self.exit_code != 0:
            ran = f"after {len(self.results)} nodes" if self.results else "before any node ran"
            raise BuildFailed(f"dbt ended with {self.exit_code} {ran}; see its log above")


def left_by(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """What an earlier build left to do, as arguments of dbt's ``--select``.

    What broke or was skipped stands for itself. Before a test that failed, everything is built
    again: only other rows, or other SQL, can make it pass.
    """
    left = []
    for row in results:
        kind, _, name, *rest = row["node_id"].split(".")
        if row["status"] in LEFT:
            # A unit test stands behind its model's name, a generic test before its hash.
            named = rest[-1] if kind == "unit_test" and rest else name
            left.append(f"+{named}" if row["status"] == FAILED_TEST else named)
    return sorted(left)


class DbtBuild:
    """A dbt project and the program that builds it.

    :param binary: dbt's program (DBT_BIN).
    :param project: the folder with ``dbt_project.yml`` and ``profiles.yml``.
    :param work: where dbt may write its target folder and logs.
    """

    def __init__(self, binary: str | Path, project: str | Path, work: str | Path) -> None:
        self._binary = Path(binary)
        self._project = Path(project)
        self._work = Path(work)
        self._process: subprocess.Popen[str] | None = None

    def run(self, target: str, environment: Mapping[str, str], *more: str) -> Build:
        """Build everything; prints dbt's own lines to the log as they come."""
        if not self._binary.exists():
            raise Misconfigured(
                f"there is no dbt at {self._binary}; run make setup, or set DBT_BIN"
            )
        artifact = self._work / "target" / "run_results.json"
        artifact.unlink(missing_ok=True)
        command = [
            str(self._binary),
            "--no-use-colors",
            "build",
            "--project-dir",
            str(self._project),
            "--profiles-dir",
            str(self._project),
            "--target",
            target,
            "--target-path",
            str(self._work / "target"),
            "--log-path",
            str(self._work / "logs"),
            *more,
        ]
        clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        self._process = subprocess.Popen(
            command,
            env={
                # Unit tests prove the SQL on rows of their own: the same each hour, and paid for.
                "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
                **clean,
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            log.info("dbt: %s", line.rstrip())
        return Build(self._process.wait(), _results(artifact))

    def kill(self) -> None:
        """End dbt and whatever it started."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)


def _results(artifact: Path) -> list[dict[str, Any]]:
    try:
        told = json.loads(artifact.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        # Never written, or only half of it: dbt was ended before it was through.
        return []
    return [_row(told["metadata"]["invocation_id"], node) for node in told["results"]]


def _row(invocation: str, node: Mapping[str, Any]) -> dict[str, Any]:
    timing = {step["name"]: step for step in node.get("timing", [])}.get("execute", {})
    return {
        "invocation_id": invocation,
        "node_id": node["unique_id"],
        "resource_type": node["unique_id"].split(".")[0],
        "status": str(node["status"]),
        "failures": node.get("failures"),
        "message": str(node["message"])[:500] if node.get("message") else None,
        "execution_seconds": float(node.get("execution_time") or 0.0),
        "started_at": utc(timing["started_at"]) if timing.get("started_at") else None,
        "finished_at": utc(timing["completed_at"]) if timing.get("completed_at") else None,
    }
