"""A private PostgreSQL server for the tests: made in a temporary folder, gone when they end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

SUPERUSER = "tests"
START_SECONDS = 60
# Only this user reaches the server's folder, and its socket; others have to log in.
ACCESS = """
local all all trust
host all all 127.0.0.1/32 scram-sha-256
"""
SETTINGS = {
    # Nothing in here has to survive a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "listen_addresses": "127.0.0.1",
    # A server's time zone must not matter, nor its default isolation.
    "timezone": "<+0545>-05:45",
    "default_transaction_isolation": "serializable",
}
# The server ends when its standard input closes: also when the tests are killed.
UNTIL_INPUT_CLOSES = '"$@" </dev/null & server=$!; read -r _; kill -INT $server; wait $server'


def binaries() -> Path:
    """Where PostgreSQL's programs are; Debian keeps them off the PATH."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    places += sorted(versions, key=lambda place: float(place.parent.name), reverse=True)
    for place in places:
        if os.access(place / "initdb", os.X_OK) and os.access(place / "postgres", os.X_OK):
            return place
    pytest.fail(
        "PostgreSQL's server is not installed, and the state database is tested on it. "
        "Debian and Ubuntu: sudo sh .ci/install-debian; macOS: brew install postgresql@17, and "
        "its bin on PATH",
        pytrace=False,
    )


def _server_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as its own user, or as nobody."""
    if os.geteuid() != 0:
        return {}
    names = {user.pw_name for user in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Cluster:
    """One server. Each test has schemas of its own in one database."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._numbers = count()

    @classmethod
    @contextmanager
    def running(cls, settings: Mapping[str, str] = SETTINGS) -> Iterator[Cluster]:
        programs, user = binaries(), _server_user()
        folder = Path(tempfile.mkdtemp(prefix="pg-"))
        try:
            if user:
                os.chown(folder, user["user"], user["group"])
            data = folder / "data"
            initdb = f"--no-sync --no-locale --encoding=UTF8 --auth=trust --username={SUPERUSER}"
            made = subprocess.run(
                [programs / "initdb", *initdb.split(), f"--pgdata={data}"],
                capture_output=True,
                text=True,
                check=False,
                cwd=folder,
                **user,
            )
            assert made.returncode == 0, f"initdb failed:\n{made.stdout}{made.stderr}"
            (data / "pg_hba.conf").write_text(ACCESS)
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            told = {**settings, "port": port, "unix_socket_directories": folder}
            command = [programs / "postgres", "-D", data]
            for name, value in told.items():
                command += ["-c", f"{name}={value}"]
            with (folder / "log").open("wb") as log:
                server = subprocess.Popen(
                    ["/bin/sh", "-c", UNTIL_INPUT_CLOSES, "sh", *command],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    cwd=folder,
                    start_new_session=True,  # Ctrl-C is for the tests, which then end it
                    **user,
                )
            try:
                cluster = cls(folder, port)
                cluster._wait(server)
                yield cluster
            finally:
                server.communicate(timeout=START_SECONDS)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
                return
            except psycopg2.OperationalError:
                if server.poll() is not None or time.monotonic() > give_up:
                    log = (self.folder / "log").read_text()
                    pytest.fail(f"PostgreSQL did not start:\n{log}", pytrace=False)
                time.sleep(0.02)

    def url(self, schema: str) -> str:
        """As the superuser, by the socket, with this schema for everything."""
        made = sa.URL.create(
            "postgresql+psycopg2",
            username=SUPERUSER,
            port=self.port,
            database="postgres",
            query={"host": str(self.folder), "options": f"-csearch_path={schema}"},
        )
        return made.render_as_string(hide_password=False)

    def execute(self, *statements: str) -> None:
        connection = psycopg2.connect(
            host=str(self.folder), port=self.port, user=SUPERUSER, dbname="postgres"
        )
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()

    @contextmanager
    def schemas(self) -> Iterator[Callable[[], str]]:
        """Each call makes an empty schema and names its URL; all are gone at the end."""
        made: list[str] = []

        def fresh() -> str:
            made.append(f"s{next(self._numbers)}")
            self.execute(f"CREATE SCHEMA {made[-1]}")
            return self.url(made[-1])

        try:
            yield fresh
        finally:
            # A transaction that a test left open would hold its tables for ever.
            self.execute(
                "SET lock_timeout = '10s'", *(f"DROP SCHEMA {name} CASCADE" for name in made)
            )
