"""The operator's page in Airflow's own UI: its entry in the menu, and where it is served."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

PREFIX = "/semarize"
# Airflow may itself be served below a path.
BELOW = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")


class Page:
    """The page as a web application, loaded when it is first asked for.

    Every process of Airflow imports this file, and only the API server ever calls it.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # In a thread: what it loads takes a moment, and others are served meanwhile.
        loaded = await asyncio.to_thread(importlib.import_module, "semarize_airflow.page.app")
        await loaded.app(scope, receive, send)


class OperatorPage(AirflowPlugin):
    """Seen by the API server; the other processes import a few lines and are done."""

    name = "semarize_operator_page"
    fastapi_apps = [{"name": "Conversations", "url_prefix": PREFIX, "app": Page()}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Conversations",
            "href": f"{BELOW}{PREFIX}/",
            "destination": "nav",
            "url_route": "conversations",
            # On its own in the menu, Airflow 3.3 makes it a button that does nothing.
            "category": "browse",
        }
    ]
