"""Lines for the person who started a command, while everything else goes to a log file."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


class Console:
    """Writes to the terminal that the command was started from."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        # A line may be written while another thread shows that something goes on.
        self._writing = threading.Lock()

    def line(self, text: str = "") -> None:
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        with self._writing:
            self._stream.write(f"\r\033[K{text}" if self._stream.isatty() else text)
            self._stream.flush()

    @contextmanager
    def progress(self, text: str, detail: Callable[[], str] = lambda: "") -> Iterator[None]:
        """Show that something goes on; only a terminal gets a line that changes."""
        if not self._stream.isatty():
            yield
            return
        ended = threading.Event()
        begun = time.monotonic()

        def tick() -> None:
            while not ended.wait(0.5):
                shown = f"{text} {time.monotonic() - begun:3.0f} s {detail()}"
                self._write(shown[: _width(self._stream) - 1])

        thread = threading.Thread(target=tick, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self._write("")


def _width(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except OSError:
        return 80


@contextmanager
def quiet(log: Path) -> Iterator[Console]:
    """Send what this process and its children print to ``log``; the console alone is shown."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    terminal, errors = os.dup(1), os.dup(2)
    with log.open("wb", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        with os.fdopen(os.dup(terminal), "w") as stream:
            yield Console(stream)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(terminal, 1)
        os.dup2(errors, 2)
        os.close(terminal)
        os.close(errors)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log; nothing where there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
