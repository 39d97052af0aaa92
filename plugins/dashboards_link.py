"""The dashboards' entry in Airflow's menu, where SEMARIZE_DASHBOARDS_URL says where they are."""

from __future__ import annotations

import os
from typing import Any

from airflow.plugins_manager import AirflowPlugin


def views(url: str | None) -> list[dict[str, Any]]:
    """What Airflow's menu is given; nothing without an address."""
    if not url or not url.startswith(("http://", "https://")):
        return []
    return [
        {
            "name": "Dashboards",
            "href": url,
            "destination": "nav",
            # On its own in the menu, Airflow 3.3 makes it a button that does nothing.
            "category": "browse",
        }
    ]


class DashboardsLink(AirflowPlugin):
    """Seen by the API server; the other processes read one variable and are done."""

    name = "semarize_dashboards_link"
    external_views = views(os.environ.get("SEMARIZE_DASHBOARDS_URL"))
