"""Ports: taken or free, and by whom."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from semarize_airflow.local import ports
from semarize_airflow.local.environment import Ports, Refused
from semarize_airflow.local.up import check_ports


@contextmanager
def listening(address: str, family: int = socket.AF_INET) -> Iterator[int]:
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("address", "family"),
    [
        ("127.0.0.1", socket.AF_INET),
        ("0.0.0.0", socket.AF_INET),
        pytest.param(
            "::1",
            socket.AF_INET6,
            marks=pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here"),
        ),
    ],
)
def test_a_listener_takes_its_port_until_it_ends(address: str, family: int) -> None:
    with listening(address, family) as port:
        assert not ports.is_free(port)
        assert f"process {os.getpid()} (" in ports.holder(port)
    assert ports.is_free(port)


def test_a_connection_that_has_just_ended_takes_no_port() -> None:
    with listening("127.0.0.1") as port:
        client = socket.create_connection(("127.0.0.1", port))
        client.close()
    assert ports.is_free(port)


def test_up_names_each_taken_port_who_has_it_and_the_way_out() -> None:
    with listening("127.0.0.1") as airflow, listening("127.0.0.1") as sandbox:
        free = [ports.free_port() for _ in range(3)]
        chosen = Ports(airflow, free[0], free[1], sandbox, free[2])
        with pytest.raises(Refused) as refused:
            check_ports(chosen)
    lines = str(refused.value).splitlines()[1:]
    assert [f"port {airflow} " in lines[0], f"port {sandbox} " in lines[1]] == [True, True]
    assert len(lines) == 2
    assert all(str(os.getpid()) in line and "make up" in line for line in lines)
    assert "UP_PORT=" in lines[0]
    assert "UP_SANDBOX_PORT=" in lines[1]


def test_up_says_nothing_of_free_ports() -> None:
    check_ports(Ports(*(ports.free_port() for _ in range(5))))
