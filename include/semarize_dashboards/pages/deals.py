"""What conversations say of the deals: which are at risk, how ready they are, what they come to."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query
from semarize_dashboards.settings import TRANSCRIPTS

_DEALS = """
with coverage as (
    select opportunity_id, max(coverage_share) as coverage_share
    from marts.deal_signal_coverage
    group by opportunity_id
),

risks as (
    select opportunity_id, count(*) as risk_quotes, max(started_on) as last_risk_on
    from marts.deal_risk_evidence
    group by opportunity_id
)

select
    o.opportunity_id, o.opportunity_name as deal, o.account_name, r.rep_name as owner, r.team,
    o.segment, o.stage, o.amount_usd, o.is_closed, o.is_won, o.expected_close_on, o.closed_on,
    s.kit_version_id, s.deal_score_normalised, s.mean_score, s.signal_count,
    s.conversation_count, s.source_count,
    coverage.coverage_share, ready.readiness_share, ready.next_signal_title,
    ready.days_since_last_contact, ready.last_contact_on,
    forecast.is_judged, forecast.risk_flag, forecast.champion_identified, forecast.forecast_month,
    forecast.last_judged_on, forecast.stage_win_probability,
    forecast.conversation_win_probability, forecast.crm_weighted_amount_usd,
    forecast.conversation_weighted_amount_usd, forecast.difference_usd,
    coalesce(risks.risk_quotes, 0) as risk_quotes, risks.last_risk_on
from marts.dim_opportunities as o
left join marts.dim_reps as r on o.owner_user_id = r.user_id
left join marts.unified_deal_scores as s on o.opportunity_id = s.opportunity_id
left join coverage on o.opportunity_id = coverage.opportunity_id
left join marts.deal_readiness as ready on o.opportunity_id = ready.opportunity_id
left join marts.conversation_weighted_forecast as forecast
    on o.opportunity_id = forecast.opportunity_id
left join risks on o.opportunity_id = risks.opportunity_id
where {which}
order by
    case when o.is_closed then 1 else 0 end,
    case when forecast.risk_flag then 0 else 1 end,
    coalesce(forecast.difference_usd, 0), o.amount_usd desc, o.opportunity_id, s.kit_version_id
"""
DEALS = Query(
    _DEALS.format(which="{filters} and (not o.is_closed or s.opportunity_id is not null)"),
    by={"team": "r.team", "rep": "r.rep_key", "kit_version": "s.kit_version_id"},
)
DEAL = Query(_DEALS.format(which="o.opportunity_id = {deal}"))
CONVERSATIONS = Query(
    """
select
    c.conversation_key, c.started_at, c.started_on, c.vendor, c.channel, c.title, c.rep_name,
    c.overall_score_normalised as score, c.risk_flag, c.next_step_confirmed,
    c.deal_signals_kit_version_id as kit_version_id, b.link_method
from marts.bridge_conversation_opportunities as b
inner join marts.conversation_explorer as c on b.conversation_key = c.conversation_key
where b.opportunity_id = {deal} and b.is_linked
order by c.started_at desc, c.conversation_key
"""
)
SIGNALS = Query(
    """
select
    signal_title, is_present, first_seen_on, first_seen_vendor,
    first_seen_conversation_key as conversation_key, conversation_count,
    signals_present, signals_expected
from marts.deal_signal_coverage
where opportunity_id = {deal}
order by case when is_present then 1 else 0 end, signal_title
"""
)
_RISKS = """
select
    conversation_key, started_on, vendor, conversation_title, speaker_name, speaker_title,
    speaker_role, is_speaker_in_crm{quote}
from marts.deal_risk_evidence
where opportunity_id = {{deal}}
order by started_at desc, risk_quote_key
"""
RISKS = Query(_RISKS.format(quote=""))
QUOTES = Query(_RISKS.format(quote=", quote"))


def render(view: View) -> None:
    """Draw the page: the list, or the deal in the address."""
    asked = st.query_params.get("deal")
    if asked:
        _one(view, asked)
        return
    every = view.read(DEALS)
    if every.empty:
        parts.nothing_chosen(view, "deals")
        return
    every = _stated(every)
    running = every[~every["is_closed"].astype(bool)]
    # A deal has a row for each version of the kit; the rest of it is the same in all.
    once = running.drop_duplicates("opportunity_id")
    at_risk = once[once["risk_flag"].eq(True)]
    _answer(once, at_risk)
    parts.basis(
        view,
        len(once),
        "open deals, by what the CRM says today",
        [str(version) for version in every["kit_version_id"].dropna().unique()],
    )
    _figures(once, at_risk)
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        with_closed = st.toggle("Show closed deals too", key="closed_deals", bind="query-params")
    shown = every if with_closed or running.empty else running
    with right:
        _choice(shown)
    _list(view, shown)
    if len(once):
        _forecast(view, once)


def _stated(deals: pd.DataFrame) -> pd.DataFrame:
    return deals.assign(state=[_state(row) for row in deals.itertuples()])


def _state(row: Any) -> str:
    if row.is_closed:
        return "won" if row.is_won else "lost"
    if pd.notna(row.risk_flag) and row.risk_flag:
        return "at risk"
    return "open" if row.is_judged else "not judged yet"


def _money(amount: float | None) -> str:
    """Dollars for people, as short as they are large."""
    if amount is None or amount != amount:
        return style.NONE
    for size, sign in ((1e6, "M"), (1e3, "k")):
        if abs(amount) >= size:
            return f"${amount / size:,.{1 if sign == 'M' else 0}f}{sign}"
    return f"${amount:,.0f}"


def _answer(once: pd.DataFrame, at_risk: pd.DataFrame) -> None:
    if once.empty:
        parts.headline("No deal is open\\.")
        return
    crm = once["crm_weighted_amount_usd"].sum()
    heard = once["conversation_weighted_amount_usd"].sum()
    said = (
        f"{len(at_risk)} of {len(once)} open deals are at risk by their last conversation, "
        f"{parts.plain(_money(at_risk['amount_usd'].sum()))} of "
        f"{parts.plain(_money(once['amount_usd'].sum()))}\\."
    )
    gap = heard - crm
    said += (
        f" By conversations the forecast is {parts.plain(_money(heard))}, "
        f"{parts.plain(_money(abs(gap)))} {'below' if gap < 0 else 'above'} the CRM's stages\\."
    )
    parts.headline(said)


def _figures(once: pd.DataFrame, at_risk: pd.DataFrame) -> None:
    crm = once["crm_weighted_amount_usd"].sum()
    heard = once["conversation_weighted_amount_usd"].sum()
    quiet = once[once["days_since_last_contact"].isna() | (once["days_since_last_contact"] > 14)]
    parts.figures(
        [
            Figure("Open deals", style.number(len(once))),
            Figure("At risk", style.number(len(at_risk)), help="By their last judged conversation"),
            Figure("Forecast, CRM", _money(crm), help="Amounts by the stage's chance"),
            Figure(
                "Forecast, heard",
                _money(heard),
                help="Amounts by the chance heard in conversations",
            ),
            Figure(
                "Silent", style.number(len(quiet)), help="No conversation for more than 14 days"
            ),
        ]
    )


def _answer_for(deal: pd.Series) -> None:
    said = (
        f"{parts.plain(deal['deal'])} \\({parts.plain(_money(deal['amount_usd']))}, "
        f"{parts.plain(deal['stage'])}\\) is {parts.plain(deal['state'])}\\."
    )
    if pd.notna(deal["conversation_win_probability"]):
        said += (
            f" Heard chance {style.percent(deal['conversation_win_probability'])}, by the CRM's "
            f"stage {style.percent(deal['stage_win_probability'])}\\."
        )
    if pd.notna(deal["next_signal_title"]):
        said += f" Missing next: {parts.plain(deal['next_signal_title'].lower())}\\."
    if pd.notna(deal["owner"]):
        said += f" Owner: {parts.plain(deal['owner'])}\\."
    parts.headline(said)


def _list(view: View, deals: pd.DataFrame) -> None:
    parts.table(
        view,
        "deals",
        parts.with_kits(view, deals).assign(open_deal=parts.deal_links(deals)),
        {
            "open_deal": Column("", "link"),
            "deal": Column("Deal"),
            "state": Column("State", help="At risk: by the last conversation that was judged"),
            "owner": Column("Owner"),
            "amount_usd": Column("Amount, USD", "number"),
            "stage": Column("Stage"),
            "stage_win_probability": Column("Chance, CRM", "share"),
            "conversation_win_probability": Column("Chance, heard", "share"),
            "deal_score_normalised": Column("Score", "share", help="All platforms together"),
            "readiness_share": Column("Ready", "share", help="Of what closing takes, weighed"),
            "next_signal_title": Column("Missing next"),
            "days_since_last_contact": Column("Days silent", "number"),
            "risk_quotes": Column("Risk quotes", "number", help="All conversations"),
            "coverage_share": Column("Covered", "share", help="Of the signals expected"),
            "conversation_count": Column("n", "number", help="Scored conversations"),
            "source_count": Column("Platforms", "number"),
            "expected_close_on": Column("Close", "day", help="Expected"),
            "kit": Column("Kit version"),
        },
    )


def _forecast(view: View, once: pd.DataFrame) -> None:
    st.subheader("Forecast: CRM against conversations", anchor=False)
    left, right = st.columns(2)
    by_month = once.groupby("forecast_month", as_index=False).agg(
        deals=("opportunity_id", "nunique"),
        crm=("crm_weighted_amount_usd", "sum"),
        heard=("conversation_weighted_amount_usd", "sum"),
    )
    by_month = by_month.assign(
        difference=by_month["heard"] - by_month["crm"],
        month=[f"{month:%b %Y}" for month in by_month["forecast_month"]],
    )
    with left:
        st.markdown("**Expected to close, by month, USD**")
        parts.table(
            view,
            "forecast",
            by_month,
            {
                "month": Column("Month"),
                "deals": Column("n", "number", help="Open deals"),
                "crm": Column("CRM", "number"),
                "heard": Column("Heard", "number"),
                "difference": Column("Difference", "number"),
            },
        )
    with right:
        moved = once[once["difference_usd"].abs() > 0].copy()
        if moved.empty:
            parts.empty("No conversation moves a forecast.", "Score conversations of open deals.")
            return
        moved["heard"] = moved["difference_usd"].map(
            lambda usd: "less than the CRM" if usd < 0 else "more than the CRM"
        )
        top = moved.reindex(moved["difference_usd"].abs().nlargest(10).index)
        parts.ranked(
            top.sort_values("difference_usd")[["deal", "difference_usd", "heard"]],
            "deal", "difference_usd", x_title="heard minus CRM, USD",
            title="Where conversations differ most from the CRM, weighted USD",
            by="heard", colours={"less than the CRM": style.BAD, "more than the CRM": style.GOOD},
        )  # fmt: skip


def _choice(deals: pd.DataFrame) -> None:
    names = {
        row.opportunity_id: f"{row.deal} · {row.stage} · {row.opportunity_id}"
        for row in deals.itertuples()
    }

    def opened() -> None:
        if st.session_state.get("deal_chosen"):
            st.query_params["deal"] = st.session_state["deal_chosen"]

    st.selectbox(
        "One deal, all about it (riskiest first)",
        list(names),
        index=None,
        format_func=lambda key: names.get(key, key),
        key="deal_chosen",
        placeholder="Choose a deal",
        on_change=opened,
    )


def _back() -> None:
    st.query_params.pop("deal", None)
    st.session_state.pop("deal_chosen", None)


def _one(view: View, picked: str) -> None:
    st.button("All deals", on_click=_back, icon=":material/arrow_back:", key="back")
    rows = view.read(DEAL, deal=picked)
    if rows.empty:
        parts.headline("There is no such deal\\.")
        parts.basis(view, 0, "deals")
        parts.empty("The CRM has no deal with the key in the address.", "Choose it from all deals.")
        return
    rows = _stated(rows)
    deal = rows.iloc[0]
    _answer_for(deal)
    scored = rows["conversation_count"].fillna(0)
    parts.basis(
        view,
        int(scored.max()),
        "scored conversations, whatever is chosen above",
        [str(version) for version in rows["kit_version_id"].dropna().unique()],
    )
    parts.figures(
        [
            # Versions of the kit stay apart.
            *(
                Figure(
                    "Score" if len(rows) == 1 else f"Score, {str(row.kit_version_id)[:8]}",
                    style.percent(row.deal_score_normalised),
                    help=f"n = {style.number(row.conversation_count)} scored conversations",
                )
                for row in rows.itertuples()
            ),
            Figure("Ready", style.percent(deal["readiness_share"]), help="Open deals only"),
            Figure("Signals covered", style.percent(deal["coverage_share"])),
            Figure("Chance, CRM", style.percent(deal["stage_win_probability"])),
            Figure("Chance, heard", style.percent(deal["conversation_win_probability"])),
        ]
    )
    conversations = view.read(CONVERSATIONS, deal=picked)
    left, right = st.columns([3, 2])
    with left:
        _sources(view, conversations)
    with right:
        _signals(view, picked)
    _risks(view, picked)
    if len(conversations):
        st.markdown("**Conversations, newest first**")
        told = parts.with_kits(view, conversations)
        parts.table(
            view,
            "conversations",
            told.assign(
                open=parts.conversation_links(told), vendor=told["vendor"].map(style.vendor_name)
            ),
            {
                "open": Column("", "link"),
                "started_at": Column("Started (UTC)", "moment"),
                "title": Column("Conversation"),
                "vendor": Column("Platform"),
                "channel": Column("Channel"),
                "rep_name": Column("Person"),
                "score": Column("Score", "share"),
                "risk_flag": Column("Risk", "check"),
                "next_step_confirmed": Column("Next step", "check"),
                "link_method": Column("Linked by", help="How it was found to be of this deal"),
                "kit": Column("Kit version"),
            },
        )


def _sources(view: View, conversations: pd.DataFrame) -> None:
    if conversations.empty:
        parts.empty(
            "No conversation is linked to this deal.",
            "Conversations link by the CRM's id, or by the address of a contact.",
        )
        return
    scored = conversations.dropna(subset=["score"])
    told = scored.assign(platform=scored["vendor"].map(style.vendor_name)).iloc[::-1]
    for version, one in told.groupby("kit_version_id"):
        several = told["kit_version_id"].nunique() > 1
        parts.lines(
            one, "started_at", "score", "platform", kind="vendor", share=True,
            title="Score of each conversation, by platform"
            + (f" (kit version {version})" if several else ""),
        )  # fmt: skip
    if scored.empty:
        parts.empty("Its conversations have no score yet.", "Scores follow with the next run.")
        return
    by = told.groupby(["platform", "kit_version_id"], as_index=False).agg(
        conversations=("conversation_key", "nunique"),
        score=("score", "mean"),
        last=("started_on", "max"),
    )
    parts.table(
        view,
        "platforms",
        parts.with_kits(view, by),
        {
            "platform": Column("Platform"),
            "conversations": Column("n", "number", help="Scored conversations"),
            "score": Column("Mean score", "share"),
            "last": Column("Last", "day"),
            "kit": Column("Kit version"),
        },
    )


def _signals(view: View, deal: str) -> None:
    signals = view.read(SIGNALS, deal=deal)
    if signals.empty:
        parts.empty(
            "No signals are expected of deals of this type.",
            "The table qualification_signals has them.",
        )
        return
    first = signals.iloc[0]
    st.markdown(
        f"**Signals heard: {first['signals_present']} of {first['signals_expected']}, "
        "what is missing first**"
    )
    parts.table(
        view,
        "signals",
        signals.assign(
            vendor=[
                style.vendor_name(vendor) if isinstance(vendor, str) else None
                for vendor in signals["first_seen_vendor"]
            ],
            open=[
                f"/conversation?conversation={quote(key)}" if isinstance(key, str) else None
                for key in signals["conversation_key"]
            ],
        ),
        {
            "signal_title": Column("Signal"),
            "is_present": Column("Heard", "check"),
            "first_seen_on": Column("First on", "day"),
            "vendor": Column("Platform"),
            "open": Column("", "link"),
        },
    )


def _risks(view: View, deal: str) -> None:
    risks = view.read_words(QUOTES, deal=deal) if view.words else view.read(RISKS, deal=deal)
    if risks.empty:
        return
    st.markdown(f"**Risk heard: {len(risks)} quote{'s' if len(risks) > 1 else ''}**")
    columns = {
        "open": Column("", "link"),
        "started_on": Column("Day", "day"),
        "speaker_name": Column("Speaker"),
        "speaker_title": Column("Title"),
        "speaker_role": Column("Role"),
        "vendor": Column("Platform"),
        "conversation_title": Column("Conversation"),
    }
    if view.words:
        columns = {"open": columns.pop("open"), "quote": Column("Quote"), **columns}
    parts.table(
        view,
        "risks",
        risks.assign(
            open=parts.conversation_links(risks), vendor=risks["vendor"].map(style.vendor_name)
        ),
        columns,
    )
    if not view.words:
        st.caption(
            f"What was said is switched off; who runs the dashboards can switch it on "
            f"({TRANSCRIPTS}=true)."
        )


PAGE = Page(
    slug="deals",
    title="Deals",
    question="Which open deals are at risk, and what do conversations say they are worth?",
    filters=("team", "rep", "kit_version"),
    render=render,
    section="Deals",
    icon=":material/handshake:",
    kits=("deal_signals",),
    queries={
        "deals": DEALS,
        "deal": DEAL,
        "conversations": CONVERSATIONS,
        "signals": SIGNALS,
        "risks": RISKS,
    },
    takes=("deal", "closed_deals"),
)
