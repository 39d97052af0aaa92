"""``warehouse_default``: its type alone decides which warehouse is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from semarize_airflow.hooks.state_hook import airflow_home
from semarize_pipeline.warehouse import connections
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse

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
        return connections.warehouse(
            self.warehouse_conn_id,
            {
                "conn_type": connection.conn_type,
                "host": connection.host,
                "login": connection.login,
                "password": connection.password,
                "schema": connection.schema,
                "port": connection.port,
                "extra": connection.extra_dejson,
            },
        )
