"""Serves the emulator of Snowflake on a free port until its standard input ends.

Runs in .venv-emulator. Prints the port; keeps all in memory, so nothing outlives it.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from typing import Any

import fakesnow.arrow
import pyarrow as pa
import uvicorn
from fakesnow.server import app

as_sent = fakesnow.arrow.timestamp_to_sf_struct


def with_nulls(moments: Any) -> Any:
    """The emulator sends a null moment as 1970-01-01; Snowflake sends a null."""
    sent = as_sent(moments)
    plain = moments.combine_chunks() if isinstance(moments, pa.ChunkedArray) else moments
    sent = sent.combine_chunks() if isinstance(sent, pa.ChunkedArray) else sent
    return pa.StructArray.from_arrays(
        [sent.field(n) for n in range(sent.type.num_fields)],
        fields=list(sent.type),
        mask=plain.is_null(),
    )


fakesnow.arrow.timestamp_to_sf_struct = with_nulls


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    # Whoever started this may be killed: the pipe's end is then the only sign of it.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    main()
