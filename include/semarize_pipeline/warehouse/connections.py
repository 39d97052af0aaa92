"""From a connection's fields to the warehouse; its type alone decides which one it is.

The fields are those of an Airflow connection, whoever read them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.tables import SCHEMA

if TYPE_CHECKING:
    from semarize_pipeline.warehouse.snowflake import SnowflakeWarehouse


def warehouse(
    name: str, fields: Mapping[str, Any], *, query_seconds: int | None = None
) -> DuckDBWarehouse | SnowflakeWarehouse:
    """The warehouse of a connection; nothing is opened.

    :param name: the connection's id, for what errors say.
    :param fields: ``conn_type``, ``host``, ``login``, ``password``, ``schema``, ``port`` and
        ``extra``.
    :param query_seconds: after which Snowflake ends a statement.
    """
    if fields.get("conn_type") == "snowflake":
        return _snowflake(name, fields, query_seconds)
    if fields.get("conn_type") != "duckdb":
        raise Misconfigured(
            f"{name} has the type {fields.get('conn_type')}; use duckdb with "
            "the file's path as host, or snowflake"
        )
    path = fields.get("host") or fields.get("schema")
    if not path:
        raise Misconfigured(f"{name}: give the file's path as host")
    return DuckDBWarehouse(Path(path).expanduser().absolute())


def _snowflake(
    name: str, fields: Mapping[str, Any], query_seconds: int | None
) -> SnowflakeWarehouse:
    """From the fields that Airflow's own Snowflake connections have."""
    # Imported here: the connector is large, and only this connection type needs it.
    from semarize_pipeline.warehouse.snowflake import SnowflakeConnection, SnowflakeWarehouse

    extra = fields.get("extra") or {}
    account, database = extra.get("account"), extra.get("database")
    if not (account and database and fields.get("login")):
        raise Misconfigured(f"{name}: give login, and account and database as extras")
    if (fields.get("schema") or SCHEMA).lower() != SCHEMA:
        raise Misconfigured(f"{name}: the schema is always {SCHEMA}; leave the field empty")
    authenticator = str(extra.get("authenticator") or "snowflake").lower()
    if authenticator not in ("snowflake", "snowflake_jwt", "oauth"):
        raise Misconfigured(
            f"{name}: the authenticator {authenticator} wants a person; use "
            "a password, a private key or oauth with a token"
        )
    key = _pem(extra.get("private_key_content")) or extra.get("private_key_file")
    is_oauth = authenticator == "oauth"
    if (is_oauth and not extra.get("token")) or (authenticator == "snowflake_jwt" and not key):
        raise Misconfigured(
            f"{name}: the authenticator {authenticator} needs "
            + ("token" if is_oauth else "private_key_file or private_key_content")
        )
    region = extra.get("region")
    return SnowflakeWarehouse(
        SnowflakeConnection(
            account=f"{account}.{region}" if region and "." not in account else account,
            user=str(fields["login"]),
            database=database,
            warehouse=extra.get("warehouse"),
            dbt_warehouse=extra.get("dbt_warehouse"),
            role=extra.get("role"),
            # Beside a key, Airflow keeps the key's passphrase in the field of the password.
            password=None if key or is_oauth else fields.get("password"),
            private_key=None if is_oauth else key,
            private_key_passphrase=(fields.get("password") or None) if key else None,
            oauth_token=extra.get("token") if is_oauth else None,
            host=fields.get("host") or None,
            port=fields.get("port"),
            protocol=extra.get("protocol"),
            query_seconds=query_seconds,
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
