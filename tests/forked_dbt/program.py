"""A program that does what dbt's own does, without importing dbt anew for each command."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def plain() -> Path:
    """dbt's own program."""
    return Path(os.environ.get("DBT_BIN") or ROOT / ".venv-dbt" / "bin" / "dbt")


@contextmanager
def forking(dbt: Path) -> Iterator[Path]:
    """The path of such a dbt, which works for as long as the block lasts."""
    python = dbt.with_name("python")
    # A short path: that of a socket may have no more than 100 characters.
    with tempfile.TemporaryDirectory(prefix="dbt-") as made:
        folder = Path(made)
        socket, log, program = (folder / part for part in ("socket", "log", "dbt"))
        call = [sys.executable, "-IS", HERE / "call.py", socket, dbt]
        program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, call))} "$@"\n')
        program.chmod(0o755)
        with (
            log.open("wb") as said,
            subprocess.Popen(
                [python, "-P", HERE / "serve.py", socket],
                # dbt is given its caller's environment later: nothing of this one's belongs there.
                env={"PATH": os.environ["PATH"], "HOME": made},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,
            ) as server,
        ):
            assert server.stdout is not None
            if server.stdout.readline() != b"ready\n":
                raise RuntimeError(f"{python} could not import dbt\n{log.read_text()}")
            yield program
            # Its standard input ends with the block, and it with that.
