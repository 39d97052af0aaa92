"""Templates and how they write moments, spans and ways on; everything in them is escaped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from semarize_pipeline import vendors
from semarize_pipeline.overview.findings import Link, run_link

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(
    request: Request, template: str, told: Mapping[str, Any], status: int = 200
) -> HTMLResponse:
    """A template with what was found; links know where Airflow is."""
    base = str(request.scope.get("root_path", ""))
    # The page is mounted one level below Airflow's own root.
    airflow = base.rpartition("/")[0]

    def to(path: str = "", **asked: Any) -> str:
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return f"{base}/{path}" + (f"?{query}" if query else "")

    def href(link: Link) -> str:
        return f"{airflow}/{link.to}" if link.in_airflow else f"{base}/{link.to}"

    made = _TEMPLATES.get_template(template).render(
        {
            "refresh": False,
            "sandbox": _is_sandbox(),
            "to": to,
            "href": href,
            "airflow": airflow,
            **told,
        }
    )
    return HTMLResponse(made, status)


def _is_sandbox() -> bool:
    """Whether the conversations are made up, as the dashboards are told too."""
    return os.environ.get("DASHBOARD_SANDBOX_DATA", "").strip().lower() in (
        "true",
        "1",
        "yes",
        "on",
    )


def moment(at: datetime | None) -> str:
    """A moment as text, in UTC."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def span(seconds: float | None) -> str:
    """A duration, or an age, in the largest unit that says enough."""
    if seconds is None:
        return ""
    seconds = abs(seconds)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size or (unit == "h" and seconds >= size):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def ago(at: datetime | None, now: datetime) -> str:
    """How long a moment is away."""
    if at is None:
        return ""
    seconds = (now - at).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(seconds)}"


def wrote(by: str | None) -> Link | None:
    """The way to the task that wrote a row: ``dag/run/task``."""
    parts = (by or "").split("/")
    if len(parts) < 3:
        return None
    # A run's id may hold a slash, a DAG's and a task's cannot.
    return run_link(parts[0], "/".join(parts[1:-1]), parts[-1], "the task that wrote it")


def title(vendor: str) -> str:
    """A vendor's name as it is written."""
    return vendors.get(vendor).title


_TEMPLATES.filters.update(moment=moment, span=span, title_of=title)
_TEMPLATES.globals.update(ago=ago, wrote=wrote, run_link=run_link)
