"""Which battlecards are said from memory: claims about competitors that hold no more."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query

_BY = {
    "vendor": "c.vendor", "team": "c.team", "rep": "c.rep_key",
    "kit_version": "c.kit_version_id", "days": "c.started_on",
}  # fmt: skip
_COUNTS = """
    count(*) as claims,
    count(distinct c.conversation_key) as conversations,
    count(case when c.is_accurate then 1 end) as accurate,
    count(case when c.is_outdated then 1 end) as outdated
"""
COMPETITORS = Query(
    f"""
select c.competitor, c.kit_version_id, {_COUNTS}, max(c.started_on) as last_heard_on
from marts.battlecard_claims_checked as c
where {{filters}}
group by c.competitor, c.kit_version_id
order by c.competitor, c.kit_version_id
""",
    by=_BY,
)
MONTHS = Query(
    """
select d.month_start, c.competitor, c.outcome, count(*) as claims
from marts.battlecard_claims_checked as c
inner join marts.dim_dates as d on c.started_on = d.date_day
where {filters}
group by d.month_start, c.competitor, c.outcome
order by d.month_start, c.competitor, c.outcome
""",
    by=_BY,
)
# What the mart says of each competitor's last month by then.
ACTIONS = Query(
    """
select
    b.competitor, b.kit_version_id, b.month_start, b.action, b.claims_checked,
    b.battlecard_version, b.battlecard_updated_on
from marts.battlecard_accuracy as b
where
    b.scope = 'competitor'
    and b.month_start = (
        select max(n.month_start) from marts.battlecard_accuracy as n
        where
            n.scope = 'competitor' and n.competitor = b.competitor
            and n.kit_version_id = b.kit_version_id and n.month_start <= {last}
    )
order by b.competitor, b.kit_version_id
"""
)
CLAIMS = Query(
    """
select
    c.claim_key, c.conversation_key, c.started_on, c.rep_name, c.team, c.vendor, c.competitor,
    c.claim, c.outcome, c.verdict_since_version, c.battlecard_version, c.battlecard_updated_on,
    c.kit_version_id
from marts.battlecard_claims_checked as c
where not c.is_accurate and {filters}
order by c.started_on desc, c.claim_key
limit 500
""",
    by=_BY,
)
QUOTES = Query(
    """
select c.claim_key, c.quote
from marts.battlecard_claims_checked as c
where not c.is_accurate and {filters}
order by c.started_on desc, c.claim_key
limit 500
""",
    by=_BY,
)
_ACTION = {"up_to_date": "Up to date", "update": "Update", "urgent_update": "Urgent update"}


def render(view: View) -> None:
    """Draw the page."""
    told = view.read(COMPETITORS)
    if told.empty:
        parts.nothing_chosen(view, "claims about competitors")
        return
    told = _with_shares(told).sort_values(
        ["outdated", "holds_share"], ascending=[False, True], kind="stable"
    )
    n = int(told["claims"].sum())
    parts.headline(_answer(told, n))
    parts.basis(view, n, "claims about competitors", list(told["kit_version_id"].unique()))
    low, high = parts.share_interval(int(told["accurate"].sum()), n)
    parts.figures(
        [
            Figure(
                "Claims that hold",
                style.percent(told["accurate"].sum() / n) if n >= MINIMUM_N else parts.NOT_ENOUGH,
                help=f"95 % interval {style.percent(low)} to {style.percent(high)}",
            ),
            Figure(
                "Outdated claims",
                style.number(told["outdated"].sum()),
                help="By a battlecard that there was on the day of the conversation",
            ),
            Figure(
                "Competitors with outdated claims",
                f"{told.loc[told['outdated'] > 0, 'competitor'].nunique()} of "
                f"{told['competitor'].nunique()}",
            ),
        ]
    )
    _competitors(view, told)
    _months(view)
    _claims(view)


def _with_shares(rows: pd.DataFrame) -> pd.DataFrame:
    bounds = [
        parts.share_interval(int(k), int(n))
        for k, n in zip(rows["accurate"], rows["claims"], strict=True)
    ]
    return rows.assign(
        holds_share=rows["accurate"] / rows["claims"],
        lower=[low for low, _ in bounds],
        upper=[high for _, high in bounds],
        note=["" if n >= MINIMUM_N else parts.NOT_ENOUGH for n in rows["claims"]],
    )


def _answer(told: pd.DataFrame, n: int) -> str:
    outdated = int(told["outdated"].sum())
    if not outdated:
        return f"None of {style.number(n)} claims about competitors was out of date\\."
    first = told.iloc[0]
    return (
        f"{style.number(outdated)} of {style.number(n)} claims about competitors were out of "
        f"date, {style.number(first['outdated'])} of them about {parts.plain(first['competitor'])} "
        f"({style.number(first['outdated'])} of its {style.number(first['claims'])} claims"
        + (")\\." if first["claims"] >= MINIMUM_N else f"; n < {MINIMUM_N}, too few for a rate)\\.")
    )


def _competitors(view: View, told: pd.DataFrame) -> None:
    actions = view.read(ACTIONS, last=view.days[1]).rename(columns={"claims_checked": "month_n"})
    keys = ["competitor", "kit_version_id"]
    shown = told.merge(actions, on=keys, how="left")
    parts.table(
        view,
        "competitors",
        parts.with_kits(view, shown).assign(
            action=[_ACTION.get(each, style.NONE) for each in shown["action"]],
            month=[f"{each:%b %Y}" if each else "" for each in shown["month_start"]],
        ),
        {
            "competitor": Column("Competitor"),
            "action": Column("Action", help="By the battlecard's last month with claims"),
            "month": Column("by claims of"),
            "month_n": Column("n in that month", "number", help="Of everybody, whatever is chosen"),
            "outdated": Column("Outdated claims", "number"),
            "claims": Column("n", "number", help="Claims that a battlecard knows"),
            "holds_share": Column("Hold", "share"),
            "lower": Column("95 % interval, from", "share"),
            "upper": Column("to", "share"),
            "battlecard_version": Column("Battlecard"),
            "battlecard_updated_on": Column("of", "day"),
            "note": Column("Note", width="medium"),
            "kit": Column("Kit version"),
        },
    )


def _months(view: View) -> None:
    months = view.read(MONTHS)
    left, right = st.columns(2)
    with left:
        outcomes = months.groupby(["month_start", "outcome"], as_index=False)["claims"].sum()
        parts.bars(
            outcomes, "month_start", "claims", "outcome", kind="outcome", title="Claims by month"
        )
    with right:
        outdated = months[months["outcome"] == "outdated"]
        if outdated.empty:
            parts.empty("No claim was out of date.", "Choose more days to see others.")
        else:
            parts.bars(
                outdated, "month_start", "claims", "competitor",
                title="Outdated claims by month and competitor",
            )  # fmt: skip


def _claims(view: View) -> None:
    st.subheader("Outdated claims", anchor=False)
    found = view.read(CLAIMS)
    if found.empty:
        parts.empty("Every claim held.", "Choose more days to see others.")
        return
    shown = parts.with_kits(view, found).assign(
        open=parts.conversation_links(found), claim=found["claim"].map(style.label)
    )
    columns = {
        "open": Column("", "link"),
        "started_on": Column("Day (UTC)", "day"),
        "rep_name": Column("Person"),
        "team": Column("Team"),
        "competitor": Column("Competitor"),
        "claim": Column("Claim"),
        **({"quote": Column("What was said")} if view.words else {}),
        "outcome": Column("Outcome"),
        "verdict_since_version": Column("Outdated since"),
        "battlecard_version": Column("Battlecard of the day"),
        "battlecard_updated_on": Column("of", "day"),
        "kit": Column("Kit version"),
    }
    if view.words:
        shown = shown.merge(view.read_words(QUOTES), on="claim_key", how="left")
    parts.table(view, "claims", shown, columns)
    if not view.words:
        st.caption("What was said is hidden while transcripts are switched off.")


PAGE = Page(
    slug="battlecard_accuracy",
    title="Battlecards",
    question="Which battlecards need work, and what is said of competitors that holds no more?",
    filters=("vendor", "team", "rep", "kit_version", "days"),
    render=render,
    section="Messaging",
    icon=":material/shield:",
    kits=("battlecards",),
    queries={
        "competitors": COMPETITORS, "months": MONTHS, "actions": ACTIONS, "claims": CLAIMS,
        "quotes": QUOTES,
    },
)  # fmt: skip
