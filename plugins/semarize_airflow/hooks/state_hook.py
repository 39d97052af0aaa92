"""``state_default``: the state database, SQLite (a file) or PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from airflow.sdk import BaseHook
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowNotFoundException

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.state import State

# What a connection has fields for. As an extra it would lose to them, or win unseen.
FIELDS = frozenset({"host", "port", "user", "password", "dbname", "database", "dsn"})


def airflow_home() -> Path:
    """Airflow's own folder: where the files of a single machine lie by default."""
    return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()


class StateHook(BaseHook):
    """Opens the state database of a connection; without one, ``$AIRFLOW_HOME/state.db``."""

    conn_name_attr = "state_conn_id"
    default_conn_name = "state_default"

    def __init__(self, state_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.state_conn_id = state_conn_id

    def get_conn(self) -> State:
        try:
            connection = self.get_connection(self.state_conn_id)
        except AirflowNotFoundException:
            connection = None
        return self.opened(connection)

    async def aget_conn(self) -> State:
        """The same where an event loop runs: in the triggerer."""
        try:
            connection = await self.aget_connection(self.state_conn_id)
        except AirflowNotFoundException:
            connection = None
        return self.opened(connection)

    def opened(self, connection: Any) -> State:
        return State(self.url(connection), fernet_key=conf.get("core", "fernet_key", fallback=None))

    def url(self, connection: Any) -> str:
        """The SQLAlchemy URL that a connection stands for."""
        if connection is None:
            return f"sqlite:///{airflow_home() / 'state.db'}"
        if connection.conn_type == "sqlite":
            path = connection.host or connection.schema
            if not path:
                raise Misconfigured(f"{self.state_conn_id}: give the file's path as host")
            return f"sqlite:///{Path(path).expanduser().absolute()}"
        if connection.conn_type in ("postgres", "postgresql"):
            url = sa.URL.create(
                "postgresql+psycopg2",
                username=connection.login,
                password=connection.password,
                host=connection.host,
                port=connection.port,
                database=connection.schema,
                query=self._options(connection.extra_dejson),
            )
            return url.render_as_string(hide_password=False)
        raise Misconfigured(
            f"{self.state_conn_id} has the type {connection.conn_type}; use sqlite or postgres"
        )

    def _options(self, extra: Mapping[str, Any]) -> dict[str, str]:
        """The extras of a PostgreSQL connection as its driver takes them, such as ``sslmode``."""
        # Imported here: a task whose state is in SQLite need not load the driver.
        import psycopg2
        from psycopg2.extensions import make_dsn

        made: dict[str, str] = {}
        for name, value in extra.items():
            if name in FIELDS:
                raise Misconfigured(f"{self.state_conn_id}: {name} is a field, not an extra")
            try:
                # PostgreSQL's own library knows which options there are.
                make_dsn(**{name: "1"})
            except psycopg2.ProgrammingError:
                raise Misconfigured(
                    f"{self.state_conn_id}: PostgreSQL knows no connection option {name!r}; "
                    "correct or remove that extra"
                ) from None
            if not isinstance(value, str | int):
                raise Misconfigured(f"{self.state_conn_id}: the extra {name} is text or a number")
            made[name] = str(int(value)) if isinstance(value, bool) else str(value)
        return made
