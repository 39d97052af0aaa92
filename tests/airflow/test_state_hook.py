"""``state_default``: what stands in the connection is what the state database is opened with."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from unit.postgres import Cluster

from semarize_pipeline.errors import Misconfigured, TryAgain

# All that means something in a URL, in a connection string, or to a quoting function.
PASSWORD = "p@ss:w/o?r#d%20&=+ '\"\\ü€[]{}"
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


def told(cluster: Cluster, **more: Any) -> dict[str, Any]:
    """A connection over TCP, where the server asks for the password."""
    return {
        "conn_type": "postgres",
        "host": "127.0.0.1",
        "port": cluster.port,
        "login": "pipe@line",
        "password": PASSWORD,
        "schema": "the state/of things",
        **more,
    }


@pytest.fixture(scope="module")
def account(cluster: Cluster) -> Cluster:
    """A user and a database that are awkward to write into a URL."""
    password = PASSWORD.replace("'", "''")
    cluster.execute(
        f"CREATE ROLE \"pipe@line\" LOGIN PASSWORD '{password}'",
        'CREATE DATABASE "the state/of things" OWNER "pipe@line"',
    )
    return cluster


def connect(monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any]) -> Any:
    from semarize_airflow.hooks.state_hook import StateHook

    monkeypatch.setenv("AIRFLOW_CONN_STATE_DEFAULT", json.dumps(connection))
    return StateHook()


@pytest.mark.parametrize("kind", ["postgres", "postgresql"])
def test_postgres_is_opened_with_any_password(
    kind: str, airflow_home: Path, account: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = told(account, conn_type=kind)
    hook = connect(monkeypatch, connection)
    url = sa.make_url(hook.url(hook.get_connection("state_default")))
    assert url.drivername == "postgresql+psycopg2"
    found = (url.host, url.port, url.username, url.password, url.database)
    names = ("host", "port", "login", "password", "schema")
    assert found == tuple(connection[name] for name in names)
    state = hook.get_conn()
    state.watermarks.begin(kind, NOON)
    state.close()
    again = hook.get_conn()
    assert again.watermarks.reached(kind) == NOON
    again.close()


def test_a_wrong_password_is_not_repeated(
    airflow_home: Path, account: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = connect(monkeypatch, told(account, password="another secret"))
    with pytest.raises(TryAgain, match="state_default") as caught:
        hook.get_conn()
    assert "secret" not in str(caught.value)


def test_another_kind_of_database_is_refused(
    airflow_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = connect(monkeypatch, {"conn_type": "mysql", "host": "db"})
    with pytest.raises(Misconfigured, match="sqlite or postgres"):
        hook.get_conn()


def test_extras_reach_postgres(
    airflow_home: Path, account: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {
        "application_name": "the pipeline & co",
        "options": "-c statement_timeout=12345ms -c work_mem=9MB",
        "connect_timeout": 7,
        "keepalives": True,
        "sslmode": "prefer",
    }
    state = connect(monkeypatch, told(account, extra=extra)).get_conn()
    with state.read() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        given = driver.get_dsn_parameters()
        asked = "select current_setting('{}')"
        settings = {
            name: connection.execute(sa.text(asked.format(name))).scalar_one()
            for name in ("application_name", "statement_timeout", "work_mem", "lock_timeout")
        }
    state.close()
    assert settings == {
        "application_name": "the pipeline & co",
        "statement_timeout": "12345ms",
        "work_mem": "9MB",
        "lock_timeout": "1min",
    }
    assert {name: given[name] for name in ("connect_timeout", "keepalives", "sslmode")} == {
        "connect_timeout": "7",
        "keepalives": "1",
        "sslmode": "prefer",
    }


def test_without_an_extra_a_silent_server_is_not_waited_for_long(
    airflow_home: Path, account: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = connect(monkeypatch, told(account)).get_conn()
    with state.read() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        assert driver.get_dsn_parameters()["connect_timeout"] == "10"
    state.close()


@pytest.mark.parametrize(
    "extra",
    [
        {"sslmode": "require"},
        {"sslmode": "verify-full", "sslrootcert": "/no/such/authority.pem"},
    ],
)
def test_a_server_without_tls_is_refused_where_it_is_required(
    extra: dict[str, str],
    airflow_home: Path,
    account: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(TryAgain, match="state_default"):
        connect(monkeypatch, told(account, extra=extra)).get_conn()


def test_the_options_of_a_url_reach_postgres_too(
    airflow_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from semarize_airflow.hooks.state_hook import StateHook

    url = "postgres://me:secret@db:5432/state?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem"
    monkeypatch.setenv("AIRFLOW_CONN_STATE_DEFAULT", url)
    hook = StateHook()
    made = sa.make_url(hook.url(hook.get_connection("state_default")))
    assert made.query == {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"sslmod": "secret"}, "no connection option 'sslmod'"),
        ({"password": "secret"}, "password is a field"),
        ({"options": ["secret"]}, "options is text or a number"),
    ],
)
def test_an_extra_that_postgres_would_not_take_is_named(
    extra: dict[str, Any],
    message: str,
    airflow_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hook = connect(monkeypatch, {"conn_type": "postgres", "host": "db", "extra": extra})
    with pytest.raises(Misconfigured, match=message) as caught:
        hook.get_conn()
    assert "secret" not in str(caught.value)
