"""What the operator's page says at its top: no more than is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import Request

from semarize_pipeline import settings
from semarize_pipeline.overview.findings import Finding, Seen

SEEN = Seen(now=datetime(2026, 3, 2, tzinfo=UTC), vendors=[])
SILENT = replace(SEEN, warehouse_problem="The warehouse is busy; this page is loaded again.")
NEWS = Finding(level="warn", about="Gong", what="Its DAG is paused.", do="Switch it on.")
WRONG = replace(NEWS, level="bad")


@pytest.mark.parametrize(
    ("seen", "found", "heading"),
    [
        (SEEN, [], "Everything is in order"),
        (SEEN, [NEWS], "Nothing is broken; 1 thing to know"),
        (SEEN, [WRONG, NEWS], "1 thing wrong"),
        (SILENT, [], "the warehouse has not answered yet"),
        (SILENT, [NEWS], "the warehouse has not answered yet"),
        (SILENT, [WRONG], "1 thing wrong"),
    ],
)
def test_the_heading_claims_no_more_than_is_known(
    airflow_home: Path, seen: Seen, found: list[Finding], heading: str
) -> None:
    from semarize_airflow.page import showing

    told = {
        "seen": seen,
        "findings": found,
        "settings": settings.Settings(),
        "settings_problem": None,
        "now": seen.now,
        "who": None,
    }
    shown = showing.page(Request({"type": "http", "root_path": "/page"}), "overview.html", told)
    body = bytes(shown.body).decode()
    top = body.partition("<h1")[2].partition("</h1>")[0]
    assert heading in top
    assert ("in order" in top) == (not found and seen is SEEN)
