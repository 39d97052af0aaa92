"""The pages, in the order of the menu. A page that stands here is in the menu and in the tests."""

from __future__ import annotations

from semarize_dashboards.page import Page
from semarize_dashboards.pages import (
    agent_scorecards,
    attrition,
    channels,
    compliance,
    conversation,
    overview,
    territories,
)

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    agent_scorecards.PAGE,
    conversation.PAGE,
    channels.PAGE,
    compliance.PAGE,
    territories.PAGE,
    attrition.PAGE,
)


def path(page: Page) -> str:
    """Its path in the URL: the first page is the one without."""
    return "" if page is PAGES[0] else page.slug
