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
