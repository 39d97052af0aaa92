"""One ``dbt build`` in dbt's own environment, and its results per node.

dbt lives in a virtual environment of its own (its pins and Airflow's contradict each other),
so it is called as a program. What each node did is read from dbt's artifact.

A second try builds what the first left (``left_by``), as ``dbt retry`` does. It reads that from
the results that landed, not from dbt's folder: the first try may have had another machine.

A warehouse's error quotes the value that it stumbled over, which may be what a customer said. Words
belong in the warehouse alone, so ``without_values`` cuts them out of everything that dbt says,
before it reaches a log, a row or an exception; dbt writes no log of its own.
"""

from __future__ import annotations

import json
import logging
import os
import re
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
LONGEST_MESSAGE = 500
CUT = "[...]"
# Where it went wrong: "Runtime Error in model fct_claims (models/marts/fct_claims.sql)".
_WHERE = re.compile(
    r"(?:[A-Z]\w+ Error|Failure|Warning|Error)(?: in \w+ [\w.-]+ \([\w./-]+\))?\s*:?"
)
# What is found before a row is read, or counts rows: it names relations, columns and files alone.
_OF_CODE = re.compile(
    r"(?:(?:Binder|Catalog|Parser|IO|Out of Memory) Error: |\d{6} \(\w{5}\):[^:]*: ?SQL compilation"
    r" error|\d{6} \(\w{5}\): SQL compilation error|This model has an enforced contract|"
    r"Got \d+ results?, configured to |Depends on |Nothing to do)"
)
_QUOTED_FROM = re.compile(r"[\"'`\[{\u2018\u201c]|(?<=\bvalue)\s|(?<=\bvalues)\s")
# Snowflake's own number of an error, with the standard's: the only long numbers that are kept.
_NUMBER = re.compile(r"\d{6} \(\w{5}\): ")
_LONG_NUMBER = re.compile(r"(?<!\w)\d{5,}")
_SQL_LINE = re.compile(r"^\s*LINE (\d{1,6}):", re.MULTILINE)
_FRAME = re.compile(r"\s*File \"[^\"]+\", line \d+|[\w.]*(?:Error|Exception)\b")
_COLUMN = re.compile(r"from source column (\w+)")


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
        """Build everything; what dbt says goes to the log as it comes, without values."""
        if not self._binary.exists():
            raise Misconfigured(
                f"there is no dbt at {self._binary}; run make setup, or set DBT_BIN"
            )
        artifact = self._work / "target" / "run_results.json"
        artifact.unlink(missing_ok=True)
        command = [
            str(self._binary),
            "--no-use-colors",
            # One record an event: a line of text could be the second half of somebody's sentence.
            "--log-format",
            "json",
            "--log-level-file",
            "none",
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
        begun = False
        for line in self._process.stdout:
            event = _said(line)
            begun = begun or event is not None
            for said in _outside(line, begun) if event is None else event:
                log.info("dbt: %s", said)
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
    for node in told["results"]:
        if node.get("message"):
            node["message"] = without_values(str(node["message"]), node.get("compiled_code") or "")
    # Whoever reads the artifact later finds no values either.
    artifact.write_text(json.dumps(told), encoding="utf-8")
    return [_row(told["metadata"]["invocation_id"], node) for node in told["results"]]


def _row(invocation: str, node: Mapping[str, Any]) -> dict[str, Any]:
    timing = {step["name"]: step for step in node.get("timing", [])}.get("execute", {})
    return {
        "invocation_id": invocation,
        "node_id": node["unique_id"],
        "resource_type": node["unique_id"].split(".")[0],
        "status": str(node["status"]),
        "failures": node.get("failures"),
        "message": node.get("message") or None,
        "execution_seconds": float(node.get("execution_time") or 0.0),
        "started_at": utc(timing["started_at"]) if timing.get("started_at") else None,
        "finished_at": utc(timing["completed_at"]) if timing.get("completed_at") else None,
    }


def without_values(message: str, code: str = "") -> str:
    """What went wrong and where, without a value of any row.

    Kept are node, kind of error, number of the error and of the line; a message that only speaks
    of the code is kept whole. ``code`` is the node's SQL: a column that it names may be named.
    """
    lines = [line.strip() for line in message.strip().splitlines()]
    told: list[str] = []
    while lines and _WHERE.fullmatch(lines[0]):
        told.append(lines.pop(0))
    rest = "\n".join(lines)
    if _OF_CODE.match(rest) or any(line.startswith("Compilation Error") for line in told):
        told.append(re.split(r"\n\s*LINE \d+:", rest)[0])
    elif lines:
        said = lines[0]
        quoted = _QUOTED_FROM.search(said)
        short = said if quoted is None else said[: quoted.start()].rstrip() + f" {CUT}"
        number = _NUMBER.match(short)
        begins = number.end() if number else 0
        told.append(short[:begins] + _LONG_NUMBER.sub(CUT, short[begins:]))
        if column := _COLUMN.search(rest):
            named = re.search(rf"\b{re.escape(column[1])}\b", code)
            told.append(f"(column {column[1]})" if named else "")
        if line := _SQL_LINE.search(rest):
            told.append(f"(line {line[1]} of the compiled code)")
    return "\n".join(filter(None, told))[:LONGEST_MESSAGE]


def _said(line: str) -> list[str] | None:
    """An event of dbt as lines of the log; None for a line that is no event."""
    try:
        event = json.loads(line)["info"]
        text, level, name = str(event["msg"]), str(event["level"]), str(event["name"])
    except (ValueError, KeyError, TypeError):
        return None
    # Those that begin with Log say which node ended how.
    if level not in ("debug", "info") and not (name.startswith("Log") or "Deprecat" in name):
        text = without_values(text)
    return [part.rstrip() for part in text.splitlines() if part.strip()]


def _outside(line: str, has_begun: bool) -> list[str]:
    """A line that is no event: how dbt was called wrongly, or where Python gave up.

    Once it has begun, such a line may be the second half of a value: its frame or the kind of its
    error is all that is kept.
    """
    if has_begun and (frame := _FRAME.match(line)):
        return [frame[0]]
    return [] if has_begun else without_values(line).splitlines()
