"""Test files start by how long they took, in the commands that `make test` runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import longest_first
import pytest

ROOT = Path(__file__).resolve().parents[2]
HOOKS = (
    "from longest_first import pytest_collection_modifyitems, pytest_configure_node, "
    "pytest_runtest_logreport, pytest_sessionfinish\n"
)
# The one that takes long is last in the alphabet and has the fewest tests.
FILES = {
    "test_a.py": "def test_1(): pass\ndef test_2(): pass\ndef test_3(): pass\n",
    "test_b.py": "def test_1(): pass\ndef test_2(): pass\n",
    "test_c.py": "import time\ndef test_1(): time.sleep(1)\ndef test_quick(): pass\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(HOOKS)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def files_in_order(project: Path, *arguments: str) -> list[str]:
    """The files as one process of `make test` begins them."""
    (line,) = re.findall(r"^SIDE_BY_SIDE := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    options = line.replace("-n 2", "-n 1").split()
    assert "-n 1" in " ".join(options)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "xdist", *options, *arguments],
        cwd=project, capture_output=True, text=True, check=False, timeout=60,
        env={
            "PATH": os.environ["PATH"], "HOME": str(project), "PYTHONPATH": str(ROOT / "tests"),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    began = re.findall(r"PASSED.* (test_\w\.py)::", ended.stdout)
    return list(dict.fromkeys(began))


@pytest.mark.slow
def test_what_took_long_starts_first_the_next_time(project: Path) -> None:
    assert files_in_order(project) == ["test_a.py", "test_b.py", "test_c.py"]
    # A run of the quick part of a file does not make it a quick file.
    assert files_in_order(project, "-k", "quick") == ["test_c.py"]
    assert files_in_order(project)[0] == "test_c.py"


def test_the_files_that_a_clean_clone_starts_with_are_there() -> None:
    assert len(longest_first.SECONDS) > 10
    assert [name for name in longest_first.SECONDS if not (ROOT / name).is_file()] == []
