"""Serves the emulator of Snowflake on a free port until its standard input ends.

Runs in .venv-emulator. Prints the port; keeps all in memory, so nothing outlives it. What the
emulator lacks is mended in mends.py; ``/emulated/<database>`` tells what was said to it.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

import mends
import uvicorn
from fakesnow.server import app


def main() -> None:
    mends.apply()
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    # Whoever started this may be killed: the pipe's end is then the only sign of it.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    main()
