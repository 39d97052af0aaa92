"""The rebuild of the state database as a task."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseHook, BaseOperator
from airflow.sdk.exceptions import AirflowNotFoundException

from semarize_airflow.failures import handled
from semarize_airflow.hooks.state_hook import StateHook
from semarize_airflow.hooks.warehouse_hook import WarehouseHook
from semarize_airflow.run import read_settings, run_name
from semarize_pipeline import vendors
from semarize_pipeline.rebuild import SEMARIZE, rebuild


class RebuildStateOperator(BaseOperator):
    """Restore what the warehouse knows, or say what that would be; returns counts and names."""

    def execute(self, context: Any) -> dict[str, Any]:
        form = context["params"]
        with handled(self):
            report = rebuild(
                WarehouseHook().get_conn(),
                StateHook().get_conn(),
                settings=read_settings(),
                run=run_name(context),
                keys=_budget_keys(),
                dry_run=bool(form["dry_run"]),
                merge=bool(form["merge"]),
            )
        self.log.info("%s", report)
        return report.as_dict()


def _budget_keys() -> dict[str, str]:
    """By vendor the key that its connection shares with others, where its extra names one."""
    keys: dict[str, str] = {}
    for name in (*vendors.names(), SEMARIZE):
        try:
            extra = BaseHook.get_connection(f"{name}_default").extra_dejson
        except AirflowNotFoundException:
            continue
        if extra.get("budget_key"):
            keys[name] = str(extra["budget_key"])
    return keys
