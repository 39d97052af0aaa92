"""Freshness as a task: whoever is told of failures is told of old marts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from semarize_airflow.failures import handled
from semarize_airflow.hooks.state_hook import StateHook
from semarize_airflow.hooks.warehouse_hook import WarehouseHook
from semarize_airflow.run import read_settings, run_name
from semarize_pipeline import freshness, vendors


class CheckFreshnessOperator(BaseOperator):
    """Fail, naming what is older than ``notify.stale_after_hours``; returns ages in hours."""

    def execute(self, context: Any) -> dict[str, Any]:
        with handled(self):
            try:
                return freshness.check(
                    WarehouseHook().get_conn(),
                    StateHook().get_conn(),
                    vendors.names(),
                    now=datetime.now(UTC),
                    stale_after=timedelta(hours=read_settings().notify.stale_after_hours),
                    run=run_name(context),
                )
            except freshness.Stale as stale:
                # Trying again would make nothing newer.
                raise AirflowFailException(str(stale)) from None
