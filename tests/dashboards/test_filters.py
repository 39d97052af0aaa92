"""Filters in a real browser: they change the figures, and stand in the URL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from semarize_dashboards.filters import FILTERS
from semarize_dashboards.page import Page
from semarize_dashboards.pages import PAGES, path

pytestmark = [pytest.mark.slow, pytest.mark.long]

FILTERED = [page for page in PAGES if set(page.filters) - {"days"}]
Visitor = Callable[[Any], Any]
Looker = Callable[[str], Any]


@pytest.mark.parametrize("page", FILTERED, ids=lambda page: page.slug)
def test_a_filter_changes_figures_and_stands_in_the_url(
    page: Page, served: Any, visit: Visitor, look: Looker
) -> None:
    whole = look(path(page)).figures
    seen = visit(served)
    seen.open(path(page))
    name = next(name for name in page.filters if name != "days")
    seen.page.locator(f".st-key-{name} input").click()
    seen.page.locator("[data-testid=stMultiSelectDropdown] [role=option]").last.click()
    seen.page.wait_for_url(re.compile(rf"[?&]{name}="))
    seen.page.keyboard.press("Escape")
    seen.settle()
    seen.page.wait_for_function(
        "before => document.querySelector('.st-key-basis').innerText !== before",
        arg=whole.split(" | ")[1],
    )
    seen.settle()
    narrowed = seen.figures()
    assert narrowed != whole
    asked = urlsplit(seen.page.url)
    assert set(parse_qs(asked.query)) == {name}

    again = visit(served)
    again.open(f"{path(page)}?{asked.query}")
    assert again.figures() == narrowed, "the address restores what was chosen"
    assert again.page.url == seen.page.url


@pytest.mark.parametrize("page", FILTERED, ids=lambda page: page.slug)
def test_other_filters_of_the_url_change_figures_too(
    page: Page,
    served: Any,
    visit: Visitor,
    look: Looker,
    query: Callable[..., list[tuple[Any, ...]]],
) -> None:
    whole = look(path(page)).figures
    # The first is tried by hand above.
    first = next(name for name in page.filters if name != "days")
    for name in set(page.filters) - {"days", "kit_version", first}:
        filter_ = FILTERS[name]
        sql, values = filter_.options.bound({})
        options = [row[-1] for row in query(sql, *values)]
        assert len(options) > 1, name
        option = filter_.shown(options[-1])
        seen = visit(served)
        seen.open(f"{path(page)}?{name}={quote(option)}")
        assert f"{name}=" in seen.page.url, "an option that the page does not know"
        assert seen.page.locator("[data-testid=stException]").count() == 0
        assert seen.figures() != whole, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_fewer_days_change_figures(page: Page, served: Any, visit: Visitor, look: Looker) -> None:
    if "days" not in page.filters:
        assert page.takes, "a page without days shows one thing"
        return
    fewer = visit(served)
    fewer.open(f"{path(page)}?days=2026-06-01&days=2026-06-14")
    assert "1 Jun 2026 to 14 Jun 2026" in fewer.text("basis")
    assert fewer.figures() != look(path(page)).figures
    assert fewer.page.locator("[data-testid=stException]").count() == 0


def test_filters_stay_from_page_to_page(served: Any, visit: Visitor) -> None:
    seen = visit(served)
    seen.open("?vendor=CallMiner")
    seen.page.get_by_role("link", name="Agent scorecards").click()
    seen.page.wait_for_url(re.compile("agent_scorecards"))
    seen.settle()
    assert "vendor=CallMiner" in seen.page.url
