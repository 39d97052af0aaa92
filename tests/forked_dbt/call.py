"""Has serve.py run dbt, and is to whoever calls it what dbt's own program would be.

call.py SOCKET PROGRAM ARGUMENT...   Imports little, since it is started for every command.
"""

import json
import os
import signal
import socket
import sys

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def main(path: str, arguments: list[str]) -> int:
    umask = os.umask(0)
    os.umask(umask)
    request = {
        "arguments": arguments,
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "umask": umask,
    }
    ended = b""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        said = json.dumps(request).encode() + b"\n"
        sent = socket.send_fds(server, [said], [0, 1, 2])
        server.sendall(said[sent:])
        for number in PASSED_ON:
            signal.signal(number, lambda number, _: server.sendall(bytes([number])))
        while part := server.recv(16):
            ended += part
    if not ended:
        sys.exit("what was to run dbt ended before it")
    code = int(ended)
    if code < 0:
        # Ended by a signal: whoever waits for this one shall see the same.
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
