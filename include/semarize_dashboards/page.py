"""What a page is, and what it is given to draw itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from semarize_dashboards.query import Query, Value
from semarize_dashboards.source import WORKFORCE, Rows, Source, State

# As the dbt project's variable `minimum_n`: fewer make no comparison.
MINIMUM_N = 20


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the dashboards.

    :param slug: its path in the URL.
    :param question: what it answers; its headline does so from the data.
    :param filters: names from ``filters.FILTERS``, in the order of the bar.
    :param render: draws it.
    :param section: the heading that it stands under in the menu.
    :param kits: the kits whose versions the filter ``kit_version`` offers; all without.
    :param queries: all its SQL, which tests run by themselves too.
    :param takes: other parameters in its URL, such as the key of what it shows.
    """

    slug: str
    title: str
    question: str
    filters: tuple[str, ...]
    render: Callable[[View], None]
    section: str
    icon: str = ":material/monitoring:"
    kits: tuple[str, ...] = ()
    queries: Mapping[str, Query] = field(default_factory=dict)
    takes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A page that is being shown: what was chosen, and the way to the figures."""

    page: Page
    source: Source
    state: State
    chosen: Mapping[str, Sequence[Value]]
    words: bool
    workforce: bool = False

    @property
    def days(self) -> tuple[date, date]:
        """First and last day chosen."""
        first, last = self.chosen["days"]
        assert isinstance(first, date) and isinstance(last, date)  # noqa: PT018
        return first, last

    def read(self, query: Query, **given: Value | Sequence[Value]) -> pd.DataFrame:
        """The rows of a query, narrowed by the filters; ``given`` fills its other places."""
        sql, values = self._bound(query, given)
        return _frame(self.source, self.page.slug, self.state.version, sql, tuple(values))

    def read_words(self, query: Query, **given: Value | Sequence[Value]) -> pd.DataFrame:
        """As ``read``, for customers' words: only where the switch is on, and never kept."""
        if not self.words:
            raise PermissionError("transcripts are switched off")
        sql, values = self._bound(query, given)
        return _typed(self.source.read(sql, values, self.page.slug))

    def _bound(
        self, query: Query, given: Mapping[str, Value | Sequence[Value]]
    ) -> tuple[str, list[Value]]:
        # Whatever the login may read: on Snowflake it may be the pipeline's own.
        if f"{WORKFORCE}." in query.sql and not self.workforce:
            raise PermissionError("the marts about people at work are switched off")
        return query.bound(self.chosen, **given)


# The oldest answers go first; the version in the key makes all of them old at once.
@st.cache_data(ttl=3600, max_entries=400, show_spinner=False)
def _frame(
    _source: Any, _page: str, version: str, sql: str, values: tuple[Value, ...]
) -> pd.DataFrame:
    return _typed(_source.read(sql, values, _page))


def _typed(rows: Rows) -> pd.DataFrame:
    """The same types from each warehouse: moments in UTC, decimals as numbers, days as days."""
    made = pd.DataFrame(rows)
    for name in made.columns:
        first = next((value for value in made[name] if value is not None), None)
        if isinstance(first, datetime):
            made[name] = pd.to_datetime(made[name], utc=True)
        elif isinstance(first, Decimal):
            made[name] = pd.to_numeric(made[name])
    return made
