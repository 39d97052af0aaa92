"""What an address chooses: each filter of each page changes its figures.

In this process, as Streamlit runs a page's script; the browser's part is in ``test_pages``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from semarize_dashboards.filters import FILTERS
from semarize_dashboards.page import Page
from semarize_dashboards.pages import PAGES

pytestmark = pytest.mark.slow

CHOICES = [
    (page.slug, name)
    for page in PAGES
    for name in page.filters
    # Each kit has one version yet.
    if name not in ("days", "kit_version")
]


@pytest.mark.parametrize(("slug", "name"), CHOICES)
def test_a_filter_of_the_address_changes_figures(
    slug: str, name: str, drawn: Callable[..., Any], query: Callable[..., list[tuple[Any, ...]]]
) -> None:
    filter_ = FILTERS[name]
    sql, values = filter_.options.bound({})
    options = query(sql, *values)
    assert len(options) > 1
    value, shown = options[-1][0], options[-1][-1]
    narrowed = drawn(slug, f"{name}={quote(filter_.shown(shown))}")
    assert narrowed.problems == []
    assert narrowed.chosen[name] == [value], "an option that the page does not know"
    whole = drawn(slug)
    assert set(map(tuple, whole.chosen.values())) == {()}
    assert narrowed.answer != whole.answer


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_fewer_days_change_figures(page: Page, drawn: Callable[..., Any]) -> None:
    if "days" not in page.filters:
        assert page.takes, "a page without days shows one thing"
        return
    fewer = drawn(page.slug, "days=2026-06-01&days=2026-06-14")
    assert fewer.problems == []
    assert "1 Jun 2026 to 14 Jun 2026" in fewer.basis
    assert fewer.answer != drawn(page.slug).answer
