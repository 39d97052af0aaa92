"""``warehouse_default``: its type alone decides which warehouse is used."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from semarize_airflow.hooks.state_hook import airflow_home
from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.tables import SCHEMA

if TYPE_CHECKING:
    from semarize_pipeline.warehouse.snowflake import SnowflakeWarehouse


class WarehouseHook(BaseHook):
    """Makes the warehouse of a connection; without one, ``$AIRFLOW_HOME/warehouse.duckdb``.

    Nothing is opened here: an hour with nothing new never touches the warehouse.
    """

    conn_name_attr = "warehouse_conn_id"
    default_conn_name = "warehouse_default"

    def __init__(self, warehouse_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.warehouse_conn_id = warehouse_conn_id

    def get_conn(self) -> DuckDBWarehouse | SnowflakeWarehouse:
        try:
            connection = self.get_connection(self.warehouse_conn_id)
        except AirflowNotFoundException:
            return DuckDBWarehouse(airflow_home() / "warehouse.duckdb")
        if connection.conn_type == "snowflake":
            return self._snowflake(connection)
        if connection.conn_type != "duckdb":
            raise Misconfigured(
                f"{self.warehouse_conn_id} has the type {connection.conn_type}; use duckdb with "
                "the file's path as host, or snowflake"
            )
        path = connection.host or connection.schema
        if not path:
            raise Misconfigured(f"{self.warehouse_conn_id}: give the file's path as host")
        return DuckDBWarehouse(Path(path).expanduser().absolute())

    def _snowflake(self, connection: Any) -> SnowflakeWarehouse:
        """From the fields that Airflow's own Snowflake connections have."""
        # Imported here: the connector is large, and only this connection type needs it.
        from semarize_pipeline.warehouse.snowflake import SnowflakeConnection, SnowflakeWarehouse

        extra = connection.extra_dejson
        account, database = extra.get("account"), extra.get("database")
        if not (account and database and connection.login):
            raise Misconfigured(
                f"{self.warehouse_conn_id}: give login, and account and database as extras"
            )
        if (connection.schema or SCHEMA).lower() != SCHEMA:
            raise Misconfigured(
                f"{self.warehouse_conn_id}: the schema is always {SCHEMA}; leave the field empty"
            )
        authenticator = str(extra.get("authenticator") or "snowflake").lower()
        if authenticator not in ("snowflake", "snowflake_jwt", "oauth"):
            raise Misconfigured(
                f"{self.warehouse_conn_id}: the authenticator {authenticator} wants a person; use "
                "a password, a private key or oauth with a token"
            )
        key = _pem(extra.get("private_key_content")) or extra.get("private_key_file")
        is_oauth = authenticator == "oauth"
        if (is_oauth and not extra.get("token")) or (authenticator == "snowflake_jwt" and not key):
            raise Misconfigured(
                f"{self.warehouse_conn_id}: the authenticator {authenticator} needs "
                + ("token" if is_oauth else "private_key_file or private_key_content")
            )
        region = extra.get("region")
        return SnowflakeWarehouse(
            SnowflakeConnection(
                account=f"{account}.{region}" if region and "." not in account else account,
                user=connection.login,
                database=database,
                warehouse=extra.get("warehouse"),
                dbt_warehouse=extra.get("dbt_warehouse"),
                role=extra.get("role"),
                # Beside a key, Airflow keeps the key's passphrase in the field of the password.
                password=None if key or is_oauth else connection.password,
                private_key=None if is_oauth else key,
                private_key_passphrase=(connection.password or None) if key else None,
                oauth_token=extra.get("token") if is_oauth else None,
                host=connection.host or None,
                port=connection.port,
                protocol=extra.get("protocol"),
            )
        )


def _pem(content: str | None) -> str | None:
    """A key as PEM; Airflow's newer providers want it in base64 once more."""
    if not content or content.lstrip().startswith("-----BEGIN"):
        return content
    try:
        return base64.b64decode(content, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Misconfigured(
            "private_key_content of the warehouse's connection is neither PEM nor PEM in base64"
        ) from None
