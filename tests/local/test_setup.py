"""Set-up: what it says where it cannot go on, and that it does nothing twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semarize_airflow.local.environment import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The script and lock files, alone in a folder."""
    folder = tmp_path / "a clone"
    for name in (".ci/setup.sh", "requirements.txt", "dbt/requirements.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("*.py"))
    return folder


def setup(folder: Path, *parts: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", ".ci/setup.sh", *parts],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def installed(folder: Path, home: str, name: str, *locks: str) -> None:
    """As if the locks had been installed into ``home``."""
    (folder / home / "bin").mkdir(parents=True)
    (folder / home / "bin/python").symlink_to(sys.executable)
    summed = subprocess.run(
        ["cksum", *locks], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    (folder / home / f".installed-{name}").write_text(summed.rstrip("\n"))


def test_without_a_fitting_python_it_says_what_to_install(clone: Path) -> None:
    ended = setup(clone, "runtime", PYTHON="no-such-python")
    assert ended.returncode != 0
    assert "3.11 to 3.13" in ended.stderr
    assert "make setup PYTHON=" in ended.stderr
    assert not (clone / ".venv").exists()


def test_what_is_installed_is_left_alone_at_once(clone: Path) -> None:
    installed(clone, ".venv", "runtime", "requirements.txt")
    installed(clone, ".venv-dbt", "dbt", "dbt/requirements.txt")
    begun = time.monotonic()
    ended = setup(clone, "runtime", "dbt", PYTHON="no-such-python")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert time.monotonic() - begun < 0.5


def test_the_environment_of_the_tests_will_do_for_the_runtime(clone: Path) -> None:
    installed(clone, ".venv", "tests", "requirements.txt", "tests/requirements.txt")
    installed(clone, ".venv-emulator", "emulator", "tests/emulator/requirements.txt")
    assert setup(clone, "runtime", "tests", PYTHON="no-such-python").returncode == 0


def test_a_changed_lock_is_installed_again(clone: Path) -> None:
    installed(clone, ".venv", "runtime", "requirements.txt")
    with (clone / "requirements.txt").open("a") as lock:
        lock.write("# changed\n")
    ended = setup(clone, "runtime", PYTHON="no-such-python")
    assert ended.returncode != 0
    assert "3.11 to 3.13" in ended.stderr


def test_make_lists_its_commands() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for command in ("demo", "up", "down", "test", "check"):
        assert f"  make {command} " in listed
