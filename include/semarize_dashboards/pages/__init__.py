"""The pages, in the order of the menu. A page that stands here is in the menu and in the tests."""

from __future__ import annotations

from semarize_dashboards.page import Page
from semarize_dashboards.pages import (
    adherence,
    agent_scorecards,
    alert_queue,
    attrition,
    battlecard_accuracy,
    cadences,
    certification,
    channels,
    coaching_alerts,
    compliance,
    conversation,
    deals,
    messaging_drift,
    methodology_ab,
    overview,
    pricing_accuracy,
    product_claims,
    ramp,
    territories,
    win_loss,
)

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    alert_queue.PAGE,
    conversation.PAGE,
    agent_scorecards.PAGE,
    coaching_alerts.PAGE,
    ramp.PAGE,
    certification.PAGE,
    attrition.PAGE,
    compliance.PAGE,
    channels.PAGE,
    deals.PAGE,
    win_loss.PAGE,
    territories.PAGE,
    methodology_ab.PAGE,
    adherence.PAGE,
    cadences.PAGE,
    messaging_drift.PAGE,
    product_claims.PAGE,
    pricing_accuracy.PAGE,
    battlecard_accuracy.PAGE,
)


def path(page: Page) -> str:
    """Its path in the URL: the first page is the one without."""
    return "" if page is PAGES[0] else page.slug
