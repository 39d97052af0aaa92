"""Keeps dbt imported, and forks a process for each command that call.py hands over.

Importing dbt takes longer than most of what tests have it do. Each command is a process of its
own all the same, with its caller's arguments, environment, folder, umask, input and output; it
only finds dbt's modules in memory. What dbt does when it starts, it does after the fork.

Runs in dbt's environment:  serve.py SOCKET. Says "ready"; ends when its standard input does.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

# What dbt imports for every command, and what its commands and targets import late.
MODULES = (
    "dbt.cli.main", "dbt.compilation", "dbt.task.build", "sqlparse",
    "dbt.adapters.duckdb", "dbt.adapters.snowflake",
)  # fmt: skip
# How the files that it reads may look: each command would work it out, in a quarter of its start.
DESCRIBED = (
    "dbt.contracts.project:ProjectFlags", "dbt.contracts.project:ProfileConfig",
    "dbt.contracts.project:Project", "dbt.contracts.project:PackageConfig",
    "dbt.contracts.project:Configuration", "dbt.contracts.selection:SelectorFile",
    "dbt.adapters.duckdb.credentials:DuckDBCredentials",
    "dbt.adapters.snowflake.connections:SnowflakeCredentials",
)  # fmt: skip
# How many new objects there are before Python looks for garbage. Its own 700 cost a sixth of the
# time, for the sake of memory that a short process gives back soon.
NEW_OBJECTS = 100_000
READ_AT_ONCE_BYTES = 1 << 16
STREAMS = (0, 1, 2)


class Command:
    """What call.py asked for."""

    def __init__(self, request: bytes, streams: list[int]) -> None:
        asked = json.loads(request)
        self.arguments: list[str] = asked["arguments"]
        self.environment: dict[str, str] = asked["environment"]
        self.folder: str = asked["folder"]
        self.umask: int = asked["umask"]
        self.streams = streams

    def take_over(self) -> None:
        """Make this process what the caller's own child would be."""
        os.umask(self.umask)
        os.chdir(self.folder)
        for given, standard in zip(self.streams, STREAMS, strict=True):
            os.dup2(given, standard)
        self.close()
        os.environ.clear()
        os.environ.update(self.environment)
        sys.argv = self.arguments

    def close(self) -> None:
        for stream in self.streams:
            os.close(stream)


def serve(path: str) -> Command:
    """Fork for one caller after the other; returns only in a process that is to be dbt."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        for module in MODULES:
            import_module(module)
        for described in DESCRIBED:
            module, _, name = described.partition(":")
            getattr(import_module(module), name).json_schema()
        if threads() > 1:
            sys.exit("importing dbt started a thread, which no fork would have: call dbt itself")
        # What is there by now stays, and need not be looked through by every command.
        gc.freeze()
        gc.set_threshold(NEW_OBJECTS)
        print("ready", flush=True)
        while True:
            readable, _, _ = select.select([listener, sys.stdin], [], [])
            bury()
            if sys.stdin in readable:
                sys.exit()
            caller, _ = listener.accept()
            with caller:
                if os.fork() == 0:
                    listener.close()
                    return attend(caller)


def threads() -> int:
    """Those of libraries too, of which Python knows nothing, where the system tells of them."""
    tasks = "/proc/self/task"
    return len(os.listdir(tasks)) if os.path.isdir(tasks) else threading.active_count()


def bury() -> None:
    """Take leave of the processes that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def attend(caller: socket.socket) -> Command:
    """Fork dbt, pass it its caller's signals, and tell the caller how it ended."""
    command = received(caller)
    dbt = os.fork()
    if dbt == 0:
        caller.close()
        os.setpgid(0, 0)
        command.take_over()
        return command
    os.setpgid(dbt, dbt)
    command.close()
    threading.Thread(target=pass_signals, args=(caller, dbt), daemon=True).start()
    _, status = os.waitpid(dbt, 0)
    with suppress(BrokenPipeError):
        caller.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    leave()


def received(caller: socket.socket) -> Command:
    request, streams = b"", list[int]()
    while not request.endswith(b"\n"):
        part, with_it, *_ = socket.recv_fds(caller, READ_AT_ONCE_BYTES, len(STREAMS))
        if not part:
            leave()
        request += part
        streams += with_it
    return Command(request, streams)


def pass_signals(caller: socket.socket, dbt: int) -> None:
    """Each byte is the number of a signal. A caller that is gone was killed: so is dbt."""
    with suppress(ProcessLookupError):
        while sent := caller.recv(1):
            os.killpg(dbt, sent[0])
        os.killpg(dbt, signal.SIGKILL)


def leave() -> NoReturn:
    """Without what Python does at its end, which is for dbt alone."""
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
    from dbt.cli.main import cli

    atexit.register(gc.unfreeze)
    sys.exit(cli())
