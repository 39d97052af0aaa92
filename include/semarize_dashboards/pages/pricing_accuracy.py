"""Which deals prices and discounts put at risk, what they are worth, and in which conversations."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query

_BY = {
    "vendor": "p.vendor", "team": "p.team", "rep": "p.rep_key",
    "kit_version": "p.kit_version_id", "days": "p.started_on",
}  # fmt: skip
_CALLS = """
    count(*) as calls_checked,
    count(case when p.has_pricing then 1 end) as calls_with_pricing,
    count(case when p.is_at_risk then 1 end) as calls_at_risk,
    count(case when p.pricing_misstated then 1 end) as misstated,
    count(case when p.prices_outdated > 0 then 1 end) as price_outdated,
    count(case when p.packaging_outdated then 1 end) as packaging_outdated,
    count(case when p.is_authority_exceeded then 1 end) as authority_exceeded,
    count(case when p.is_at_risk and not p.is_linked then 1 end) as unlinked
"""
CALLS = Query(
    f"""
select p.kit_version_id, {_CALLS}
from marts.pricing_accuracy as p
where {{filters}}
group by p.kit_version_id
order by p.kit_version_id
""",
    by=_BY,
)
PEOPLE = Query(
    f"""
select
    p.rep_key, max(p.rep_name) as rep_name, max(p.team) as team, p.kit_version_id, {_CALLS}
from marts.pricing_accuracy as p
where {{filters}}
group by p.rep_key, p.kit_version_id
order by 2, 1, 4
""",
    by=_BY,
)
# Deals, not conversations: each counts once in whatever is summed up.
DEALS = Query(
    """
select
    p.opportunity_id, p.rep_key, p.team, d.week_start, p.kit_version_id,
    max(p.amount_at_risk_usd) as amount_usd, max(case when p.is_deal_closed then 0 else 1 end)
        as is_open
from marts.pricing_accuracy as p
inner join marts.dim_dates as d on p.started_on = d.date_day
where p.is_at_risk and p.is_linked and {filters}
group by p.opportunity_id, p.rep_key, p.team, d.week_start, p.kit_version_id
order by d.week_start, p.team, p.opportunity_id, p.rep_key, p.kit_version_id
""",
    by=_BY,
)
CONVERSATIONS = Query(
    """
select
    p.conversation_key, p.started_on, p.rep_name, p.team, p.vendor, p.opportunity_name,
    p.amount_at_risk_usd, p.is_linked, p.is_deal_closed, p.commercial_risk_level,
    coalesce(p.pricing_misstated, false) as misstated,
    coalesce(p.prices_outdated, 0) > 0 as price_outdated,
    coalesce(p.packaging_outdated, false) as packaging_outdated,
    coalesce(p.is_authority_exceeded, false) as authority_exceeded,
    p.lowest_price_deviation_usd, p.discount_percent, p.discount_limit_percent,
    p.rate_card_version, p.kit_version_id
from marts.pricing_accuracy as p
where p.is_at_risk and {filters}
order by
    case when p.is_linked and not p.is_deal_closed then 0 else 1 end,
    coalesce(p.amount_at_risk_usd, 0) desc, p.started_on desc, p.conversation_key
limit 500
""",
    by=_BY,
)
_DEAL = ["opportunity_id", "kit_version_id"]


def render(view: View) -> None:
    """Draw the page."""
    calls = view.read(CALLS)
    if calls.empty:
        parts.nothing_chosen(view, "conversations checked for prices")
        return
    whole = calls.drop(columns="kit_version_id").sum()
    deals = view.read(DEALS)
    each = _once(deals, ["opportunity_id"])
    parts.headline(_answer(whole, each))
    parts.basis(
        view, int(whole["calls_checked"]), "conversations checked for prices",
        list(calls["kit_version_id"]),
    )  # fmt: skip
    _figures(whole, each)
    if deals.empty:
        parts.empty("No deal is at risk by what was said of prices.", "Choose more days.")
    else:
        _weeks(deals)
    _people(view, deals)
    _conversations(view)


def _once(deals: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Each deal once in each group, with what it is worth."""
    if deals.empty:
        return pd.DataFrame(columns=[*by, "amount_usd", "is_open"])
    return deals.groupby(by, as_index=False).agg(
        amount_usd=("amount_usd", "max"), is_open=("is_open", "max")
    )


def _answer(whole: pd.Series[int], each: pd.DataFrame) -> str:
    if not whole["calls_at_risk"]:
        return (
            f"None of {style.number(whole['calls_with_pricing'])} conversations with prices was "
            "off the rate card or beyond authority\\."
        )
    still = each[each["is_open"] == 1]
    return (
        f"{usd(still['amount_usd'].sum())} a year is at risk in {style.number(len(still))} open "
        f"deal{'' if len(still) == 1 else 's'}, by prices off the rate card of the day or "
        f"discounts beyond authority; with closed deals {usd(each['amount_usd'].sum())} in "
        f"{style.number(len(each))}\\."
    )


def usd(amount: float) -> str:
    """US dollars, for headlines and figures."""
    if amount >= 1e6:
        return f"{amount / 1e6:,.2f} million USD"
    return f"{amount:,.0f} USD"


def _figures(whole: pd.Series[int], each: pd.DataFrame) -> None:
    n = int(whole["calls_with_pricing"])
    low, high = parts.share_interval(int(whole["calls_at_risk"]), n)
    share = whole["calls_at_risk"] / n if n else None
    parts.figures(
        [
            Figure(
                "Calls at risk",
                style.percent(share) if n >= MINIMUM_N else parts.NOT_ENOUGH,
                help=f"{whole['calls_at_risk']} of {n} with prices; 95 % interval "
                f"{style.percent(low)} to {style.percent(high)}",
            ),
            Figure(
                "Outdated rate card",
                style.number(whole["price_outdated"]),
                help="Conversations with a price of an earlier rate card than that of the day",
            ),
            Figure(
                "Misstated",
                style.number(whole["misstated"]),
                help="Conversations with a price on no rate card, or a retired package",
            ),
            Figure(
                "Beyond authority",
                style.number(whole["authority_exceeded"]),
                help="Conversations with a discount that the person might not grant",
            ),
            Figure(
                "Linked to no deal",
                style.number(whole["unlinked"]),
                help="Conversations at risk whose amount is missing from the sums here",
            ),
        ]
    )


def _weeks(deals: pd.DataFrame) -> None:
    weeks = _once(deals, ["week_start", "team", "opportunity_id"])
    weeks = weeks.groupby(["week_start", "team"], as_index=False)["amount_usd"].sum()
    parts.bars(
        weeks, "week_start", "amount_usd", "team",
        title="Deals at risk by week of the conversation, USD a year",
    )  # fmt: skip
    st.caption(
        "The whole deal by the CRM, not the loss that is to be expected. A deal spoken about in "
        "two weeks stands in both bars, and once in the sentence above."
    )


def _people(view: View, deals: pd.DataFrame) -> None:
    st.subheader("By person", anchor=False)
    people = view.read(PEOPLE)
    amounts = _once(deals, ["rep_key", "opportunity_id", "kit_version_id"])
    amounts = amounts.assign(open_usd=amounts["amount_usd"] * amounts["is_open"])
    sums = amounts.groupby(["rep_key", "kit_version_id"], as_index=False).agg(
        deals=("opportunity_id", "nunique"),
        amount_usd=("amount_usd", "sum"),
        open_amount_usd=("open_usd", "sum"),
    )
    people = people.merge(sums, on=["rep_key", "kit_version_id"], how="left")
    told = ["deals", "amount_usd", "open_amount_usd"]
    people[told] = people[told].astype(float).fillna(0.0)
    bounds = [
        parts.share_interval(int(row.calls_at_risk), int(row.calls_with_pricing))
        for row in people.itertuples()
    ]
    people = people.assign(
        share=people["calls_at_risk"]
        / people["calls_with_pricing"].where(people["calls_with_pricing"] > 0),
        lower=[low for low, _ in bounds],
        upper=[high for _, high in bounds],
        note=["" if n >= MINIMUM_N else parts.NOT_ENOUGH for n in people["calls_with_pricing"]],
    ).sort_values(["open_amount_usd", "amount_usd"], ascending=False, kind="stable")
    parts.table(
        view,
        "people",
        parts.with_kits(view, people),
        {
            "rep_name": Column("Person"),
            "team": Column("Team"),
            "open_amount_usd": Column("Open deals at risk, USD", "number"),
            "amount_usd": Column("All deals at risk, USD", "number"),
            "deals": Column("Deals", "number"),
            "calls_with_pricing": Column("n", "number", help="Conversations with prices"),
            "share": Column("At risk", "share"),
            "lower": Column("95 % interval, from", "share"),
            "upper": Column("to", "share"),
            "note": Column("Note", width="medium"),
            "price_outdated": Column("Outdated rate card", "number"),
            "misstated": Column("Misstated", "number"),
            "authority_exceeded": Column("Beyond authority", "number"),
            "unlinked": Column("No deal", "number"),
            "kit": Column("Kit version"),
        },
    )


def _conversations(view: View) -> None:
    st.subheader("Conversations at risk", anchor=False)
    found = view.read(CONVERSATIONS)
    if found.empty:
        parts.empty("No conversation is at risk.", "Choose more days or fewer filters.")
        return
    parts.table(
        view,
        "conversations",
        parts.with_kits(view, found).assign(
            open=parts.conversation_links(found),
            deal=[
                ("closed" if row.is_deal_closed else "open") if row.is_linked else "no deal linked"
                for row in found.itertuples()
            ],
            what=[_what(row) for row in found.itertuples()],
        ),
        {
            "open": Column("", "link"),
            "started_on": Column("Day (UTC)", "day"),
            "rep_name": Column("Person"),
            "opportunity_name": Column("Deal"),
            "amount_at_risk_usd": Column("USD a year", "number"),
            "deal": Column("State"),
            "what": Column("What is wrong"),
            "lowest_price_deviation_usd": Column(
                "Off the list price", "number", 2, help="USD a seat and month, the lowest named"
            ),
            "discount_percent": Column("Discount, %", "number", 0),
            "discount_limit_percent": Column("Limit, %", "number", 0),
            "rate_card_version": Column("Rate card of the day"),
            "commercial_risk_level": Column("Risk by the kit"),
            "kit": Column("Kit version"),
        },
    )


def _what(row: Any) -> str:
    told = (
        (row.price_outdated, "outdated rate card"),
        (row.packaging_outdated, "retired package"),
        # Misstated is either of the two.
        (row.misstated and not row.packaging_outdated, "price on no rate card"),
        (row.authority_exceeded, "beyond authority"),
    )
    return ", ".join(said for it_is, said in told if it_is)


PAGE = Page(
    slug="pricing_accuracy",
    title="Pricing",
    question="What is at risk in US dollars because of prices and discounts that were named?",
    filters=("vendor", "team", "rep", "kit_version", "days"),
    render=render,
    section="Messaging",
    icon=":material/sell:",
    kits=("commercial_accuracy",),
    queries={
        "calls": CALLS, "people": PEOPLE, "deals": DEALS, "conversations": CONVERSATIONS,
    },
)  # fmt: skip
