"""Alerts on single conversations: what was raised, and who is to look at it."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import Page, View
from semarize_dashboards.parts import Column
from semarize_dashboards.query import Query

ALERTS = Query(
    """
select
    a.alert_key, a.rule, a.recipient, a.team as recipient_team, a.conversation_key, a.vendor,
    c.title, c.account_name, c.channel, a.rep_key, r.rep_name as person, r.team,
    a.opportunity_id, o.opportunity_name as deal, a.kit_version_id,
    a.score_normalised, a.threshold_normalised,
    a.is_open, a.times_raised, a.started_on, d.week_start, a.first_raised_at
from marts.alert_queue as a
inner join marts.conversation_explorer as c on a.conversation_key = c.conversation_key
inner join marts.dim_dates as d on a.started_on = d.date_day
left join marts.dim_reps as r on a.rep_key = r.rep_key
left join marts.dim_opportunities as o on a.opportunity_id = o.opportunity_id
where {filters}
order by a.started_on desc, a.score_normalised, a.alert_key
""",
    by={
        "vendor": "a.vendor", "team": "r.team", "rep": "a.rep_key",
        "kit_version": "a.kit_version_id", "days": "a.started_on",
    },
)  # fmt: skip
# What the alerts are a share of: all that the same kits scored.
SCORED = Query(
    """
select count(distinct v.conversation_key) as conversations
from marts.fct_scoring_runs as v
inner join marts.fct_conversations as c on v.conversation_key = c.conversation_key
left join marts.dim_reps as r on c.rep_key = r.rep_key
where v.kit_version_id in ({versions}) and v.is_succeeded and {filters}
""",
    by={
        "vendor": "c.vendor", "team": "r.team", "rep": "c.rep_key",
        "kit_version": "v.kit_version_id", "days": "c.started_on",
    },
)  # fmt: skip


def render(view: View) -> None:
    """Draw the page."""
    every = view.read(ALERTS)
    if every.empty:
        parts.nothing_chosen(view, "alerts")
        return
    alerts = every.assign(rule_title=every["rule"].map(style.label))
    versions = [str(version) for version in alerts["kit_version_id"].dropna().unique()]
    scored = view.read(SCORED, versions=versions)
    conversations = int(scored["conversations"].iloc[0])
    waiting = alerts[alerts["is_open"].astype(bool)]
    last = view.days[1]
    week = waiting[waiting["started_on"] > last - timedelta(days=7)]
    busiest = waiting["recipient"].value_counts()
    share = waiting["conversation_key"].nunique() / conversations if conversations else None
    parts.headline(
        f"{len(week)} alerts of the last seven days are open, {len(waiting)} of all these days: "
        f"{style.percent(share)} of the conversations scored"
        + (f"\\. Most go to {parts.plain(busiest.index[0])}\\." if len(busiest) else "\\.")
    )
    parts.basis(view, conversations, "scored conversations", versions)
    _routes(view, alerts)
    left, right = st.columns(2)
    with left:
        by_week = alerts.groupby(["week_start", "rule_title"], as_index=False).size()
        parts.bars(by_week, "week_start", "size", "rule_title", title="Alerts by week")
    with right:
        _people(alerts)
    st.subheader("The alerts, newest first", anchor=False)
    parts.table(
        view,
        "alerts",
        parts.with_kits(view, alerts).assign(
            open=parts.conversation_links(alerts),
            open_deal=parts.deal_links(alerts),
            vendor=alerts["vendor"].map(style.vendor_name),
        ),
        {
            "open": Column("", "link"),
            "started_on": Column("Day", "day"),
            "rule_title": Column("Alert"),
            "score_normalised": Column("Score", "share"),
            "person": Column("Person"),
            "title": Column("Conversation"),
            "deal": Column("Deal"),
            "open_deal": Column("", "link"),
            "recipient": Column("Sent to"),
            "is_open": Column("Open", "check", help="The newest score still raises it"),
            "vendor": Column("Vendor"),
            "kit": Column("Kit version"),
        },
    )


def _routes(view: View, alerts: pd.DataFrame) -> None:
    routes = alerts.assign(waiting=alerts["is_open"].astype(int)).groupby(
        ["rule_title", "recipient", "recipient_team"], as_index=False
    )
    told = routes.agg(
        alerts=("alert_key", "size"),
        waiting=("waiting", "sum"),
        people=("rep_key", "nunique"),
        threshold=("threshold_normalised", "max"),
        newest=("started_on", "max"),
    )
    parts.table(
        view,
        "routes",
        told,
        {
            "rule_title": Column("Alert"),
            "recipient": Column("Sent to"),
            "recipient_team": Column("Team that looks at it"),
            "waiting": Column("Open", "number"),
            "alerts": Column("All", "number", help="With those that a newer score has closed"),
            "people": Column("People", "number", help="Whose conversations they are"),
            "threshold": Column("Raised below", "share", help="None: by a yes or no"),
            "newest": Column("Newest", "day"),
        },
    )


def _people(alerts: pd.DataFrame) -> None:
    known = alerts.dropna(subset=["person"])
    if known.empty:
        return
    counted = known.groupby(["rep_key", "person"], as_index=False).size()
    most = counted.sort_values("size", ascending=False, kind="stable").head(10)
    parts.ranked(
        most, "person", "size", title="Alerts by person, the ten with most", x_title="alerts"
    )


PAGE = Page(
    slug="alert_queue",
    title="Alert queue",
    question="Which conversations raised an alert, and who looks at them?",
    filters=("vendor", "team", "rep", "kit_version", "days"),
    render=render,
    section="Summary",
    icon=":material/inbox:",
    kits=("deal_signals", "interaction_quality"),
    queries={"alerts": ALERTS, "scored": SCORED},
)
