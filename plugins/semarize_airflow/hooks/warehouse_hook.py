"""``warehouse_default``: its type alone decides which warehouse is used."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from semarize_airflow.hooks.state_hook import airflow_home
from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse


class WarehouseHook(BaseHook):
    """Makes the warehouse of a connection; without one, ``$AIRFLOW_HOME/warehouse.duckdb``.

    Nothing is opened here: an hour with nothing new never touches the warehouse.
    """

    conn_name_attr = "warehouse_conn_id"
    default_conn_name = "warehouse_default"

    def __init__(self, warehouse_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.warehouse_conn_id = warehouse_conn_id

    def get_conn(self) -> DuckDBWarehouse:
        try:
            connection = self.get_connection(self.warehouse_conn_id)
        except AirflowNotFoundException:
            return DuckDBWarehouse(airflow_home() / "warehouse.duckdb")
        if connection.conn_type != "duckdb":
            raise Misconfigured(
                f"{self.warehouse_conn_id} has the type {connection.conn_type}; use duckdb with "
                "the file's path as host"
            )
        path = connection.host or connection.schema
        if not path:
            raise Misconfigured(f"{self.warehouse_conn_id}: give the file's path as host")
        return DuckDBWarehouse(Path(path).expanduser().absolute())
