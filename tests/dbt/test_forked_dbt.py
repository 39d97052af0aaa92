"""dbt as the other tests call it does what its own program does, only sooner."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from forked_dbt.program import plain

pytestmark = pytest.mark.slow


def test_it_does_what_dbt_does(dbt_program: Path, tmp_path: Path) -> None:
    """Folder, environment, umask, output, errors and code, beside those of dbt's own program."""
    found = []
    for program in (dbt_program, plain()):
        folder = tmp_path / program.parent.name
        (folder / "models").mkdir(parents=True)
        (folder / "dbt_project.yml").write_text(
            "name: here\nprofile: here\nmodel-paths: [\"{{ env_var('MODELS') }}\"]\n"
        )
        (folder / "profiles.yml").write_text(
            "here: {target: a, outputs: {a: {type: duckdb, schema: a, path: ':memory:'}}}\n"
        )
        (folder / "models" / "one.sql").write_text("select 1 as id")
        done = subprocess.run(
            [program, "--quiet", "ls", "--selector", "nonsense"], cwd=folder, umask=0o077,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "MODELS": "models"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        said = re.sub(r"\d\d:\d\d:\d\d", "", done.stdout)
        modes = {str(f.relative_to(folder)): f.stat().st_mode for f in folder.rglob("*")}
        found.append((done.returncode, said, done.stderr, modes))
    assert found[0] == found[1]
    code, said, errors, modes = found[0]
    assert (code, errors) == (2, "")
    assert "Could not find selector named nonsense" in said
    assert modes["target/manifest.json"] & 0o777 == 0o600


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_dbt_ends_with_its_caller(dbt_program: Path, tmp_path: Path, sent: int) -> None:
    project = tmp_path / "dbt_project.yml"
    os.mkfifo(project)
    caller = subprocess.Popen(
        [dbt_program, "ls", "--project-dir", tmp_path, "--profiles-dir", tmp_path]
    )
    reads = opened(project)
    try:
        caller.send_signal(sent)
        assert caller.wait(timeout=60) == -sent
        assert is_left(reads)
    finally:
        caller.kill()
        os.close(reads)


def opened(pipe: Path) -> int:
    """The pipe's other end, as soon as dbt has come to read it."""
    for _ in range(600):
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.1)
    raise AssertionError("dbt never read its project")


def is_left(pipe: int) -> bool:
    """Whether dbt reads it no more: then it takes nothing."""
    for _ in range(600):
        try:
            os.write(pipe, b"#\n")
        except BrokenPipeError:
            return True
        time.sleep(0.1)
    return False
