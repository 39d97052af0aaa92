"""How each agent's conversations score, how that moves, and which conversations are behind it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column
from semarize_dashboards.query import Query

_BY = {
    "vendor": "s.vendor", "team": "r.team", "channel": "s.channel",
    "kit_version": "s.kit_version_id", "days": "s.scorecard_date",
}  # fmt: skip


def _mean(score: str) -> str:
    """The mean over days, each weighed by its conversations."""
    return (
        f"sum({score} * s.conversations_scored) "
        f"/ nullif(sum(case when {score} is not null then s.conversations_scored end), 0)"
    )


_SCORES = f"""
    sum(s.conversations_scored) as conversations,
    {_mean("s.compliance_score_normalised")} as compliance,
    {_mean("s.empathy_score_normalised")} as empathy,
    {_mean("s.escalation_risk_normalised")} as escalation_risk,
    cast(sum(s.conversations_resolved) as double)
    / nullif(sum(s.conversations_with_resolution), 0) as resolved
"""
AGENTS = Query(
    f"""
select s.rep_key, max(s.agent_name) as agent, max(r.team) as team, s.kit_version_id, {_SCORES}
from marts.agent_daily_scorecards as s
left join marts.dim_reps as r on s.rep_key = r.rep_key
where {{filters}}
group by s.rep_key, s.kit_version_id
order by max(s.agent_name), s.rep_key, s.kit_version_id
""",
    by=_BY,
)
WEEKS = Query(
    f"""
select s.rep_key, s.kit_version_id, d.week_start, {_SCORES}
from marts.agent_daily_scorecards as s
inner join marts.dim_dates as d on s.scorecard_date = d.date_day
left join marts.dim_reps as r on s.rep_key = r.rep_key
where {{filters}}
group by s.rep_key, s.kit_version_id, d.week_start
order by s.rep_key, s.kit_version_id, d.week_start
""",
    by=_BY,
)
DAILY = Query(
    f"""
select s.scorecard_date, s.channel, s.kit_version_id, {_SCORES}
from marts.agent_daily_scorecards as s
left join marts.dim_reps as r on s.rep_key = r.rep_key
where s.rep_key = {{agent}} and {{filters}}
group by s.scorecard_date, s.channel, s.kit_version_id
order by s.scorecard_date, s.channel, s.kit_version_id
""",
    by=_BY,
)
CONVERSATIONS = Query(
    """
select
    s.conversation_key, s.started_at, s.vendor, s.channel, s.title, s.account_name,
    s.compliance_score_normalised as compliance, s.empathy_score_normalised as empathy,
    s.escalation_risk_normalised as escalation_risk, s.resolution_achieved,
    s.topic_primary, s.interaction_quality_kit_version_id as kit_version_id
from marts.conversation_explorer as s
left join marts.dim_reps as r on s.rep_key = r.rep_key
where s.rep_key = {agent} and s.interaction_quality_kit_version_id is not null and {filters}
order by s.started_at desc
limit 200
""",
    by={
        **_BY, "kit_version": "s.interaction_quality_kit_version_id", "days": "s.started_on",
    },
)  # fmt: skip


def render(view: View) -> None:
    """Draw the page."""
    agents = view.read(AGENTS)
    if agents.empty:
        parts.nothing_chosen(view, "scored conversations")
        return
    enough = agents[agents["conversations"] >= MINIMUM_N]
    _answer(agents, enough)
    parts.basis(
        view,
        int(agents["conversations"].sum()),
        "scored conversations",
        list(agents["kit_version_id"].unique()),
    )
    weeks = view.read(WEEKS)
    trends = weeks.groupby(["rep_key", "kit_version_id"])["compliance"].apply(list)
    shown = agents.assign(
        trend=[trends.get((row.rep_key, row.kit_version_id), []) for row in agents.itertuples()],
        enough=[
            "" if row.conversations >= MINIMUM_N else parts.NOT_ENOUGH
            for row in agents.itertuples()
        ],
    ).sort_values(["enough", "compliance"], kind="stable")
    parts.table(
        view,
        "agents",
        parts.with_kits(view, shown),
        {
            "agent": Column("Agent"),
            "team": Column("Team"),
            "conversations": Column("n", "number", help="Scored conversations"),
            "compliance": Column("Compliance", "share", help="Share of the rules kept, mean"),
            "trend": Column("Compliance by week", "line"),
            "empathy": Column("Empathy", "share"),
            "escalation_risk": Column("Escalation risk", "share", help="Lower is better"),
            "resolved": Column("Resolved", "share", help="Of those where that can be told"),
            "enough": Column("Note"),
            "kit": Column("Kit version"),
        },
    )
    _one(view, shown)


def _answer(agents: pd.DataFrame, enough: pd.DataFrame) -> None:
    people = agents["rep_key"].nunique()
    if enough.empty:
        parts.headline(
            f"None of {people} agents has {MINIMUM_N} scored conversations, too few to compare\\."
        )
        return
    ordered = enough.sort_values("compliance", kind="stable")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    parts.headline(
        f"Of {people} agents, {parts.plain(low['agent'])}'s conversations keep the fewest rules "
        f"({style.percent(low['compliance'])}, n = {low['conversations']:.0f}) and "
        f"{parts.plain(high['agent'])}'s the most "
        f"({style.percent(high['compliance'])}, n = {high['conversations']:.0f})\\."
    )


def _one(view: View, agents: pd.DataFrame) -> None:
    st.subheader("One agent", anchor=False)
    # In the order of the table: who needs attention first, is shown first.
    names = dict(zip(agents["rep_key"], agents["agent"], strict=True))
    told = Counter(names.values())
    agent = st.selectbox(
        "Agent",
        list(names),
        # Two people may have one name.
        format_func=lambda key: names[key] if told[names[key]] == 1 else f"{names[key]} ({key})",
        key="agent",
        bind="query-params",
    )
    if agent is None:
        return
    daily = view.read(DAILY, agent=agent)
    span = daily["scorecard_date"].max() - daily["scorecard_date"].min()
    for version, one in daily.groupby("kit_version_id"):
        first, second = st.columns(2)
        by = f" (kit version {version})" if daily["kit_version_id"].nunique() > 1 else ""
        for column, measure in ((first, "compliance"), (second, "empathy")):
            with column:
                parts.lines(
                    one, "scorecard_date", measure, "channel", kind="channel", share=True,
                    n="conversations", title=f"{style.label(measure)} by day, mean{by}",
                )  # fmt: skip
    if span < timedelta(days=1):
        st.caption("One day only: choose more days for a trend.")
    told = view.read(CONVERSATIONS, agent=agent)
    if told.empty:
        parts.empty(
            "None of the agent's conversations has its latest score from this kit version.",
            "Choose another kit version.",
        )
        return
    parts.table(
        view,
        "conversations",
        parts.with_kits(view, told).assign(
            open=parts.conversation_links(told), vendor=told["vendor"].map(style.vendor_name)
        ),
        {
            "open": Column("", "link"),
            "started_at": Column("Started (UTC)", "moment"),
            "title": Column("Conversation"),
            "account_name": Column("Account"),
            "vendor": Column("Vendor"),
            "channel": Column("Channel"),
            "compliance": Column("Compliance", "share"),
            "empathy": Column("Empathy", "share"),
            "escalation_risk": Column("Escalation risk", "share"),
            "resolution_achieved": Column("Resolved", "check"),
            "topic_primary": Column("Topic"),
            "kit": Column("Kit version"),
        },
    )


PAGE = Page(
    slug="agent_scorecards",
    title="Agent scorecards",
    question="Whose conversations need attention, and whose are an example?",
    filters=("vendor", "team", "channel", "kit_version", "days"),
    render=render,
    section="People",
    icon=":material/badge:",
    kits=("interaction_quality",),
    queries={"agents": AGENTS, "weeks": WEEKS, "daily": DAILY, "conversations": CONVERSATIONS},
    takes=("agent",),
)
