"""The rebuild of the state database as a task."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseHook, BaseOperator
from airflow.sdk.exceptions import AirflowNotFoundException

from semarize_airflow.failures import handled
from semarize_airflow.hooks.state_hook import StateHook
from semarize_airflow.hooks.warehouse_hook import WarehouseHook
from semarize_airflow.run import read_settings, run_name
from semarize_pipeline import connect, vendors
from semarize_pipeline.rebuild import rebuild
from semarize_pipeline.semarize.client import CONNECTION


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
    """By connection the key of its budget, for those that there are."""
    keys: dict[str, str] = {}
    for name in (*(vendors.get(each).connection for each in vendors.names()), CONNECTION):
        try:
            keys[name] = connect.budget_key(name, BaseHook.get_connection(name).extra_dejson)
        except AirflowNotFoundException:
            continue
    return keys
