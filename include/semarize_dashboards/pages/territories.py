"""What customers say in each sales territory, and what the declared rules advise there."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column
from semarize_dashboards.query import Query

_NOT_ENOUGH = "not_enough_data"
_NOTHING = "Nothing by these rules"
MONTHS = Query(
    """
select
    t.territory, t.month_start, t.qualification_kit_version_id, t.deal_signals_kit_version_id,
    t.calls, t.has_enough_data, t.discovery_depth, t.discovery_depth_normalised,
    t.discovery_depth_normalised_lower, t.discovery_depth_normalised_upper,
    t.competitive_mention_share, t.competitive_mention_share_lower,
    t.competitive_mention_share_upper, t.baseline_territory, t.competitive_mention_ratio,
    t.competitive_mention_ratio_lower, t.competitive_mention_ratio_upper,
    t.calls_with_competitor, t.pricing_hesitation_share, t.pricing_hesitation_share_lower,
    t.pricing_hesitation_share_upper, t.pricing_hesitation_level, t.deals_closed, t.deals_won,
    t.win_rate, t.win_rate_lower, t.win_rate_upper, t.has_enough_deals, t.recommendation,
    t.calls_without_territory
from marts.territory_intelligence as t
order by t.month_start, t.territory, t.qualification_kit_version_id, t.deal_signals_kit_version_id
"""
)
# The deals of a month stand on each of its rows, whatever versions scored its calls.
DEALS = Query(
    """
with months as (
    select t.territory, t.month_start, max(t.deals_closed) as closed, max(t.deals_won) as won
    from marts.territory_intelligence as t
    group by t.territory, t.month_start
)
select territory, sum(closed) as deals_closed, sum(won) as deals_won
from months
group by territory
order by territory
"""
)


def render(view: View) -> None:
    """Draw the page."""
    told = view.read(MONTHS)
    if told.empty:
        parts.nothing_chosen(view, "calls with accounts of a territory")
        return
    told = _versions_apart(view, told).assign(month=told["month_start"].map(_month))
    months = sorted(told["month_start"].unique(), reverse=True)
    month = st.selectbox(
        "Month",
        [_month(each) for each in months],
        index=_last_whole(view, told, months),
        key="month",
        bind="query-params",
    )
    now = told[told["month"] == month].sort_values(
        ["has_enough_data", "competitive_mention_ratio"], ascending=[False, False], kind="stable"
    )
    _answer(now, str(month))
    parts.basis(
        view,
        int(now["calls"].sum()),
        f"calls in {month}",
        sorted({*now["qualification_kit_version_id"], *now["deal_signals_kit_version_id"]}),
    )
    first, second, third = st.columns(3)
    with first:
        _bars(now, "discovery_depth_normalised", "Discovery depth, mean")
    with second:
        _bars(now, "competitive_mention_share", "Calls that name a competitor")
    with third:
        _bars(now, "pricing_hesitation_share", "Calls that hesitate at the price")
    _table(view, now)
    _months(told)
    _deals(view)


def _month(start: date) -> str:
    return f"{start:%B %Y}"


def _last_whole(view: View, told: pd.DataFrame, months: list[date]) -> int:
    """The place of the newest month that is over and says something, else of the newest."""
    enough = set(told.loc[told["has_enough_data"].astype(bool), "month_start"])
    running = view.state.as_of.date().replace(day=1)
    return next((at for at, each in enumerate(months) if each < running and each in enough), 0)


def _versions_apart(view: View, told: pd.DataFrame) -> pd.DataFrame:
    """``shown`` names the territory, with the kits' versions where a month has several."""
    kits = [
        parts.with_kits(view, told[[column]].rename(columns={column: "kit_version_id"}))["kit"]
        for column in ("qualification_kit_version_id", "deal_signals_kit_version_id")
    ]
    told = told.assign(kit=[f"{first}, {second}" for first, second in zip(*kits, strict=True)])
    several = told["kit"].nunique() > 1
    return told.assign(
        shown=[
            f"{row.territory} ({row.kit})" if several else row.territory
            for row in told.itertuples()
        ]
    )  # fmt: skip


def _answer(now: pd.DataFrame, month: str) -> None:
    enough = now[now["has_enough_data"].astype(bool)]
    if enough.empty:
        parts.headline(
            f"In {parts.plain(month)} no territory has {MINIMUM_N} scored calls, too few to tell\\."
        )
        return
    advised = enough[~enough["recommendation"].isin([_NOTHING, _NOT_ENOUGH])]
    if advised.empty:
        parts.headline(
            f"In {parts.plain(month)} the rules advise nothing for any of {len(enough)} "
            "territories with enough calls\\."
        )
        return
    first = advised.iloc[0]
    said = (
        f"{parts.plain(first['shown'])}: {parts.plain(first['recommendation'])}\\. In "
        f"{parts.plain(month)} {style.percent(first['competitive_mention_share'])} of its "
        f"{style.number(first['calls'])} calls name a competitor"
    )
    ratio = first["competitive_mention_ratio"]
    if pd.notna(ratio) and ratio > 1:
        said += f", {ratio:.1f} times the share in {parts.plain(first['baseline_territory'])}"
    said += f"; price hesitation is {parts.plain(first['pricing_hesitation_level'])}\\."
    parts.headline(said)


def _bars(now: pd.DataFrame, measure: str, title: str) -> None:
    shown = now.assign(
        territory=[
            row.shown if row.has_enough_data else f"{row.shown} (n < {MINIMUM_N})"
            for row in now.itertuples()
        ]
    ).rename(columns={measure: "share", f"{measure}_lower": "low", f"{measure}_upper": "high"})
    parts.ranked(
        shown, "territory", "share", share=True, interval=("low", "high"), n="calls",
        title=f"{title}, with 95 % interval",
    )  # fmt: skip


def _table(view: View, now: pd.DataFrame) -> None:
    st.subheader("What the rules advise", anchor=False)
    shown = now.assign(
        level=now["pricing_hesitation_level"].replace(_NOT_ENOUGH, parts.NOT_ENOUGH),
        advice=now["recommendation"].replace(_NOT_ENOUGH, parts.NOT_ENOUGH),
        deals=[f"{row.deals_won} of {row.deals_closed}" for row in now.itertuples()],
    )
    parts.table(
        view,
        "territories",
        shown,
        {
            "shown": Column("Territory"),
            "advice": Column("Advice by rule"),
            "calls": Column("Calls", "number", help="n of the figures beside it"),
            "discovery_depth_normalised": Column("Discovery", "share"),
            "competitive_mention_share": Column("Competitor", "share", help="Calls that name one"),
            "competitive_mention_ratio": Column(
                "Times least", "number", 1, "Against the territory that names them least"
            ),
            "competitive_mention_ratio_lower": Column("From", "number", 1, "95 % interval"),
            "competitive_mention_ratio_upper": Column("To", "number", 1, "95 % interval"),
            "level": Column("Hesitation", help="At the price, by the declared shares"),
            "deals": Column("Deals won", help="Of those closed in the month; rates are below"),
        },
    )
    st.caption(
        "Advice is chosen by declared thresholds. A win rate that stands beside a score is no "
        "proof that one caused the other."
    )


def _months(told: pd.DataFrame) -> None:
    st.subheader("Month by month", anchor=False)
    first, second = st.columns(2)
    short = told.assign(
        month=[f"{each:%b %y}" for each in told["month_start"]],
        discovery=told["discovery_depth_normalised"] * 100,
    )
    with first:
        parts.heat(
            short, "month", "shown", "competitive_mention_share", n="calls", share=True,
            title="Calls that name a competitor, % of calls",
        )  # fmt: skip
    with second:
        parts.heat(
            short, "month", "shown", "discovery", n="calls",
            title="Discovery depth, mean, 0 to 100",
        )  # fmt: skip


def _deals(view: View) -> None:
    deals = view.read(DEALS)
    deals = deals[pd.to_numeric(deals["deals_closed"]) > 0]
    st.subheader("Deals won, all months together", anchor=False)
    if deals.empty:
        parts.empty("No deal of these territories has closed.", "Deals come from the CRM.")
        return
    bounds = [
        parts.share_interval(int(row.deals_won), int(row.deals_closed))
        for row in deals.itertuples()
    ]
    parts.table(
        view,
        "win_rates",
        deals.assign(
            win_rate=deals["deals_won"] / deals["deals_closed"],
            win_rate_low=[low for low, _ in bounds],
            win_rate_high=[high for _, high in bounds],
            note=["" if n >= MINIMUM_N else parts.NOT_ENOUGH for n in deals["deals_closed"]],
        ),
        {
            "territory": Column("Territory"),
            "deals_closed": Column("Deals closed", "number"),
            "deals_won": Column("Won", "number"),
            "win_rate": Column("Win rate", "share"),
            "win_rate_low": Column("From", "share", 0, "95 % interval"),
            "win_rate_high": Column("To", "share", 0, "95 % interval"),
            "note": Column("Note"),
        },
    )


PAGE = Page(
    slug="territories",
    title="Territories",
    question="Where do customers name competitors or hesitate at the price, and what to do there?",
    filters=(),
    render=render,
    section="Deals",
    icon=":material/map:",
    kits=("qualification", "deal_signals"),
    queries={"months": MONTHS, "deals": DEALS},
    takes=("month",),
)
