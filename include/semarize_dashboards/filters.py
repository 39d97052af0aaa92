"""The filter bar. What is chosen stands in the URL, and a URL restores what was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from semarize_dashboards.page import View
from semarize_dashboards.query import Query, Value
from semarize_dashboards.style import vendor_name

DEFAULT_DAYS = 90
EXTENT = Query(
    "select min(started_on) as first_day, max(started_on) as last_day from marts.fct_conversations"
)


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice of several values; none chosen means all.

    :param options: a query with the columns ``value`` and ``shown``.
    """

    name: str
    label: str
    options: Query
    shown: Callable[[str], str] = str


FILTERS: Mapping[str, Filter] = {
    each.name: each
    for each in (
        Filter(
            "vendor",
            "Vendor",
            Query("select distinct vendor as value from marts.fct_conversations order by 1"),
            vendor_name,
        ),
        Filter(
            "team",
            "Team",
            Query(
                "select distinct team as value from marts.dim_reps "
                "where team is not null order by 1"
            ),
        ),
        Filter(
            "channel",
            "Channel",
            Query("select distinct channel as value from marts.fct_conversations order by 1"),
        ),
        Filter(
            "rep",
            "Person",
            Query(
                "select rep_key as value, rep_name as shown from marts.dim_reps "
                "where conversation_count > 0 order by rep_name, rep_key"
            ),
        ),
        Filter(
            "kit_version",
            "Kit version",
            Query(
                "select kit_version_id as value, kit_name || ' v' || version_number as shown "
                "from marts.dim_kits where {every} = 1 or kit_name in ({kits}) "
                "order by kit_name, version_number desc"
            ),
        ),
    )
}
# The range of days has a widget of its own.
NAMES = (*FILTERS, "days")
# Streamlit forgets a widget, and its part of the URL, with the page that it is on.
_KEPT, _SHOWN, _ARRIVING = "filters_kept", "page_shown", "page_arriving"


def bar(view: View) -> dict[str, Sequence[Value]]:
    """Draw the page's filters in one row; returns filter → values, only where some are chosen."""
    wanted = view.page.filters
    if not wanted:
        return {}
    if st.session_state.get(_SHOWN) != view.page.slug:
        st.session_state[_SHOWN] = st.session_state[_ARRIVING] = view.page.slug
    chosen: dict[str, Sequence[Value]] = {}
    with st.container(key="filters"):
        # Two days take more room than a name.
        widths = [1.5 if name == "days" else 1.0 for name in wanted]
        for name, column in zip(wanted, st.columns(widths), strict=True):
            with column:
                picked = _days(view) if name == "days" else _several(view, FILTERS[name])
            if picked:
                chosen[name] = picked
    st.session_state.pop(_ARRIVING, None)
    return chosen


def _several(view: View, filter_: Filter) -> Sequence[Value]:
    kits = view.page.kits
    told = view.read(filter_.options, every=0 if kits else 1, kits=kits)
    values = [str(value) for value in told["value"]] if len(told) else []
    shown = (
        dict(zip(values, (str(each) for each in told["shown"]), strict=True))
        if "shown" in told
        else {value: filter_.shown(value) for value in values}
    )
    _carry(filter_.name, shown)
    picked = st.multiselect(
        filter_.label,
        values,
        format_func=lambda value: shown.get(value, value),
        key=filter_.name,
        placeholder="All",
        bind="query-params",
    )
    return _kept(filter_.name, list(picked))


def _days(view: View) -> Sequence[Value]:
    told = view.read(EXTENT)
    first, last = (None, None) if told.empty else told.iloc[0][["first_day", "last_day"]]
    if not isinstance(first, date) or not isinstance(last, date):
        return []
    usual = max(first, last - timedelta(days=DEFAULT_DAYS - 1))
    _carry("days", None)
    picked = st.date_input(
        "Days (UTC)",
        (usual, last),
        min_value=first,
        max_value=last,
        key="days",
        format="YYYY-MM-DD",
        bind="query-params",
    )
    # While the second day is still being chosen there is only the first.
    days = picked if isinstance(picked, tuple) else (picked,)
    chosen = (days[0], days[-1]) if days and days[0] else (usual, last)
    _kept("days", () if chosen == (usual, last) else chosen)
    return chosen


def _carry(name: str, shown: Mapping[str, str] | None) -> None:
    """Take along what was chosen on another page, unless the address says something else.

    :param shown: option → how the address names it; without it, the values are days.
    """
    kept = st.session_state.get(_KEPT, {}).get(name, ())
    if shown is not None:
        # The other page may have had other options.
        kept = [value for value in kept if value in shown]
    if kept and _ARRIVING in st.session_state and name not in st.query_params:
        # In the address too, which then goes on saying it.
        st.query_params[name] = [shown[each] if shown else each.isoformat() for each in kept]
        st.session_state[name] = kept


def _kept(name: str, picked: Sequence[Value]) -> Sequence[Value]:
    st.session_state.setdefault(_KEPT, {})[name] = picked
    return picked
