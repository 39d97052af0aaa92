"""Serves the emulator of Snowflake on a free port until its standard input ends.

Runs in .venv-emulator. Prints the port; keeps all in memory, so nothing outlives it. What the
emulator lacks is mended in mends.py; ``/emulated/<database>`` tells what was said to it.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading

import mends
import uvicorn
from fakesnow.server import app

# How many new objects there are before Python looks for garbage: a statement is thousands of them.
NEW_OBJECTS = 100_000


def main() -> None:
    mends.apply()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
    # Named TCP, which asyncio wants to see before it switches Nagle's algorithm off: 40 ms a
    # statement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    # Whoever started this may be killed: the pipe's end is then the only sign of it.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    main()
