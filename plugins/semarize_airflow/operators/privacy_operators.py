"""Erasure and retention as tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import BaseOperator

from semarize_airflow.assets import ERASURES, SCORES
from semarize_airflow.failures import handled
from semarize_airflow.hooks.state_hook import StateHook
from semarize_airflow.hooks.warehouse_hook import WarehouseHook
from semarize_airflow.run import read_settings, run_name
from semarize_pipeline.privacy import retention
from semarize_pipeline.privacy.erasure import Request, erase, sweep


class EraseOperator(BaseOperator):
    """Erase what the form of the run asks for, or say what would go; returns references, counts.

    The form is read from the run itself: a templated field would be stored once more.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(outlets=[ERASURES], **kwargs)

    def execute(self, context: Any) -> dict[str, Any]:
        given: Mapping[str, Any] = context["params"]
        with handled(self):
            report = erase(
                Request(
                    vendor=_told(given, "vendor"),
                    conversation_ids=tuple((_told(given, "conversation_ids") or "").split()),
                    email=_told(given, "email"),
                    user_id=_told(given, "user_id"),
                ),
                WarehouseHook().get_conn(),
                StateHook().get_conn(),
                requested_by=_told(given, "requested_by") or "",
                run=run_name(context),
                dry_run=bool(given["dry_run"]),
            )
        self.log.info("%s", report)
        if report.removed and not report.dry_run:
            # The marts follow: scorecards runs when this has an event.
            context["outlet_events"][ERASURES].add(SCORES)
        return report.as_dict()


class RetentionOperator(BaseOperator):
    """Blank what is older than the settings allow, and what landed again of the erased.

    Returns the rows by table.
    """

    def execute(self, context: Any) -> dict[str, int]:
        with handled(self):
            days = read_settings().privacy.retention_days
            warehouse, state = WarehouseHook().get_conn(), StateHook().get_conn()
            changed = sweep(warehouse, state, run=run_name(context))
            for table, count in retention.keep(
                days, warehouse, state, run=run_name(context)
            ).items():
                changed[table] = changed.get(table, 0) + count
        self.log.info("rows changed: %s", changed)
        return changed


def _told(given: Mapping[str, Any], name: str) -> str | None:
    """A field of the form; an empty one is none."""
    return str(given.get(name) or "").strip() or None
