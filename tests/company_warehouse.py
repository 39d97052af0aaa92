"""A quarter of the sandbox company, landed and built by dbt: once for all tests that read it.

It is kept between runs, under a name that says what it was made of.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import filelock
from company_landing import landed, write

ROOT = Path(__file__).resolve().parents[1]
UNTIL = datetime(2026, 6, 30, 15, 30, tzinfo=UTC)
DAYS = 91
CALLS_PER_DAY = 4
# What the built warehouse depends on.
_SOURCES = ("dbt", "include/semarize_pipeline", "include/semarize_sandbox", "tests")
_WRITTEN = {"target", "logs", "dbt_packages"}
_KINDS = {".sql", ".yml", ".csv", ".py"}


def built(folder: Path = ROOT / ".runtime" / "test" / "company") -> Path:
    """The built file in a folder that several test processes may share; never written to later."""
    folder.mkdir(parents=True, exist_ok=True)
    warehouse = folder / f"company-{_content()}" / "warehouse.duckdb"
    with filelock.FileLock(folder / "company.lock", timeout=300):
        if not warehouse.exists():
            # Under its own name: what dbt notes about its tables names the file.
            draft = folder / "draft" / warehouse.name
            shutil.rmtree(draft.parent, ignore_errors=True)
            draft.parent.mkdir()
            write(draft, landed(UNTIL, DAYS, CALLS_PER_DAY, transcripts=True))
            _dbt_build(draft)
            for older in folder.glob("company-*"):
                shutil.rmtree(older)
            draft.parent.rename(warehouse.parent)
    return warehouse


def _content() -> str:
    digest = hashlib.sha256()
    for folder in _SOURCES:
        # Of the tests, only what makes the rows.
        files = (ROOT / folder).glob("company_*.py") if folder == "tests" else (
            file for file in (ROOT / folder).rglob("*")
            if file.suffix in _KINDS and not _WRITTEN.intersection(file.relative_to(ROOT).parts)
        )  # fmt: skip
        for file in sorted(files):
            digest.update(file.as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _dbt_build(warehouse: Path) -> None:
    binary = os.environ.get("DBT_BIN") or str(ROOT / ".venv-dbt" / "bin" / "dbt")
    project = str(ROOT / "dbt")
    target = warehouse.parent / "target"
    ended = subprocess.run(
        [
            binary, "--no-use-colors", "build", "--exclude-resource-type", "test", "unit_test",
            "--vars", f'{{as_of: "{UNTIL:%Y-%m-%d}"}}',
            "--project-dir", project, "--profiles-dir", project,
        ],
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", str(target)),
            "DBT_TARGET": "duckdb",
            "DBT_DUCKDB_PATH": str(warehouse),
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(target / "logs"),
            "DBT_LOG_LEVEL_FILE": "none",
            "SANDBOX_REFERENCE": "true",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    if ended.returncode:
        raise RuntimeError(f"dbt could not build the company\n{ended.stdout}{ended.stderr}")
