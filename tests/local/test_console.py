"""What a person sees while something goes on."""

from __future__ import annotations

import io
import time

from semarize_airflow.local.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(written: str) -> list[str]:
    """The lines that stay: a return and an erase take away what stands on the current one."""
    return [line.rpartition("\r\033[K")[2] for line in written.split("\n")]


def test_lines_stay_whole_while_the_progress_changes() -> None:
    terminal = Terminal()
    console = Console(terminal)
    with console.progress("five DAGs", lambda: "3 requests"):
        time.sleep(0.7)
        console.line("gong is done")
        time.sleep(0.7)
    console.line("all are done")
    assert terminal.getvalue().count("3 requests") >= 2
    assert shown(terminal.getvalue()) == ["gong is done", "all are done", ""]


def test_a_file_gets_lines_and_nothing_else() -> None:
    file = io.StringIO()
    console = Console(file)
    with console.progress("five DAGs"):
        console.line("gong is done")
    assert file.getvalue() == "gong is done\n"
