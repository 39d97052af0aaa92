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


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The programs of a machine on which all but the tests' servers and browser are real."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "chmod", "dirname", "find", "head", "mktemp", "readlink", "rm", "tail"):
        (programs / name).symlink_to(str(shutil.which(name)))
    for name in ("initdb", "postgres", "redis-server", "chromium"):
        program(programs / name, "exit 0")
    program(programs / "id", "echo 0")
    return programs


def program(path: Path, text: str) -> None:
    path.write_text(f"#!{shutil.which('sh')}\n{text}\n")
    path.chmod(0o755)


def install_debian(programs: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(ROOT / ".ci/install-debian")],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_where_servers_and_browser_are_there_nothing_is_installed(machine: Path) -> None:
    program(machine / "apt-get", "echo called; exit 1")
    for name in ("chromium", "chromium-browser", "google-chrome"):
        (machine / "chromium").rename(machine / name)
        ended = install_debian(machine)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", ""), name
        (machine / name).rename(machine / "chromium")


def test_a_missing_browser_is_installed(machine: Path, tmp_path: Path) -> None:
    (machine / "chromium").unlink()
    asked = tmp_path / "asked"
    program(
        machine / "apt-get",
        f'echo "$@" >> "{asked}"; echo > "{machine}/chromium"; chmod 755 "{machine}/chromium"',
    )
    ended = install_debian(machine)
    assert ended.returncode == 0, ended.stderr
    update, install = asked.read_text().splitlines()
    assert update == "update"
    assert install.startswith("install --yes --no-install-recommends chromium")
    assert "redis" not in install


def test_a_missing_browser_is_named_where_it_cannot_be_installed(machine: Path) -> None:
    (machine / "chromium").unlink()
    ended = install_debian(machine)
    assert ended.returncode == 1
    assert "not installed: chromium" in ended.stderr
    program(machine / "apt-get", "exit 0")
    program(machine / "id", "echo 1000")
    ended = install_debian(machine)
    assert ended.returncode == 1
    assert "sudo sh .ci/install-debian" in ended.stderr
    program(machine / "id", "echo 0")
    ended = install_debian(machine)
    assert ended.returncode == 1
    assert "no chromium on PATH" in ended.stderr


def test_make_lists_its_commands() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for command in ("demo", "up", "down", "test", "check"):
        assert f"  make {command} " in listed
