"""Whether a port is free, and who has it."""

from __future__ import annotations

import socket

import psutil


def is_free(port: int) -> bool:
    """Whether nobody on this machine listens on the port, at any of its addresses."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.settimeout(1)
                if probe.connect_ex((address, port)) == 0:
                    return False
        except OSError:
            continue  # A machine without IPv6.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that ended a moment ago do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Who listens on the port, as far as the system tells."""
    try:
        listening = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "another program"
    for connection in listening:
        address = connection.laddr
        if connection.status == psutil.CONN_LISTEN and address and address.port == port:
            if connection.pid is None:
                return "a program of another user"
            try:
                command = " ".join(psutil.Process(connection.pid).cmdline())
            except psutil.Error:
                continue
            shown = command if len(command) <= 80 else f"{command[:77]}..."
            return f"process {connection.pid} ({shown})"
    return "another program"


def free_port() -> int:
    """A port that is free just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
