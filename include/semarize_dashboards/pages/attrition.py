"""Which agents may need a talk, what says so, and how often that was right. HR: off by default."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query
from semarize_dashboards.settings import WORKFORCE
from semarize_pipeline.errors import PipelineError

_NOT_ENOUGH = "not_enough_data"
_STATUS = {
    "intervention": "Intervention",
    "watch": "Watch",
    "healthy": "Healthy",
    _NOT_ENOUGH: "Not enough data",
}
_BY = {"team": "w.team"}
RISKS = Query(
    """
select
    w.rep_key, w.rep_name as agent, w.team, w.month_start, w.risk_status, w.risk_score,
    w.risk_source, w.model_name, w.scored_on, w.conversation_count, w.frustration_frequency,
    w.frustration_frequency_normalised, w.frustration_trend, w.frustration_trend_slope,
    w.receptivity_conversation_count, w.coaching_receptivity, w.coaching_receptivity_normalised,
    w.customer_escalation_rate, w.performance_trend_slope, w.kit_version_id
from workforce.agent_attrition_risk as w
where {filters}
order by w.risk_score desc nulls last, w.rep_name, w.rep_key
""",
    by=_BY,
)
HISTORY = Query(
    """
select
    w.rep_key, w.rep_name as agent, w.team, w.month_start, w.risk_status, w.risk_score,
    w.risk_source, w.model_name, w.conversation_count, w.left_on, w.kit_version_id
from workforce.agent_attrition_risk_history as w
where {filters}
order by w.rep_name, w.rep_key, w.month_start
""",
    by=_BY,
)
BACKTEST = Query(
    """
select
    b.risk_source, b.model_name, b.backtest_state, b.agent_month_count, b.agent_count,
    b.open_agent_month_count, b.flagged_count, b.left_count, b.flagged_and_left_count,
    b.precision_share, b.precision_share_lower, b.precision_share_upper, b.recall_share,
    b.recall_share_lower, b.recall_share_upper, b.left_share, b.early_warning_weeks,
    b.kit_version_id
from workforce.agent_attrition_backtest as b
order by b.risk_source, b.model_name, b.kit_version_id
"""
)
MONTHS = Query(
    """
select
    f.month_start, f.conversation_count, f.frustration_frequency,
    f.frustration_frequency_normalised, f.receptivity_conversation_count, f.coaching_receptivity,
    f.coaching_receptivity_normalised, f.energy_level, f.energy_level_normalised,
    f.customer_escalation_rate, f.performance_conversation_count, f.performance_normalised,
    f.tenure_days, f.kit_version_id
from workforce.agent_attrition_features as f
where f.rep_key = {agent}
order by f.month_start, f.kit_version_id
"""
)


def render(view: View) -> None:
    """Draw the page."""
    if not view.workforce:
        _off(
            f"Who runs the dashboards can switch it on: {WORKFORCE}=true in the environment, then "
            "a restart. On Snowflake their role needs the schema workforce too."
        )
        return
    try:
        risks, history, backtest = view.read(RISKS), view.read(HISTORY), view.read(BACKTEST)
    except PipelineError:
        parts.headline("Attrition risk cannot be read\\.")
        parts.empty(
            "The dashboards' login may not read the schema workforce.",
            "On Snowflake, whoever HR agrees to grants it to their role.",
        )
        return
    if history.empty:
        parts.nothing_chosen(view, "agents with a month that is over")
        return
    _answer(risks, _leavers(history))
    rests_on = int(risks["conversation_count"].sum()) if len(risks) else 0
    parts.basis(
        view,
        rests_on,
        "conversations, of each agent's latest whole month",
        sorted(set(history["kit_version_id"])),
    )
    _figures(risks)
    st.caption(
        "What agents say in conversations, beside who left: an association, and no reason why "
        "anybody leaves. The rule's score is a weighted mean of signs, not a probability."
    )
    _agents(view, risks, history)
    _charts(history)
    _left(view, _leavers(history))
    _backtest(view, backtest)
    _one(view, history)


def _off(remedy: str) -> None:
    parts.headline("Attrition risk is about people at work, and switched off\\.")
    with st.container(key="empty"):
        st.info(
            f"{parts.plain(remedy)}  \nEverybody who can open the dashboards then sees it: whether "
            "that may be is for HR and the law to say.",
            icon=":material/lock:",
        )


def _leavers(history: pd.DataFrame) -> pd.DataFrame:
    """The last month with a score of each agent who has left; the last to leave first."""
    gone = history[history["left_on"].notna() & history["risk_score"].notna()]
    return (
        gone.sort_values("month_start", kind="stable")
        .groupby("rep_key", as_index=False)
        .tail(1)
        .sort_values(["left_on", "agent"], ascending=[False, True], kind="stable")
    )


def _answer(risks: pd.DataFrame, leavers: pd.DataFrame) -> None:
    scored = risks[risks["risk_score"].notna()] if len(risks) else risks
    if scored.empty:
        said = "No agent has enough conversations for a score\\."
    else:
        first = scored.iloc[0]
        flagged = int((risks["risk_status"] == "intervention").sum())
        said = (
            f"{flagged or 'None'} of {len(scored)} agents with a score "
            f"{'is' if flagged < 2 else 'are'} flagged for intervention; the highest is "
            f"{parts.plain(first['agent'])} ({first['risk_score']:.2f}, "
            f"{parts.plain(_STATUS[first['risk_status']].lower())}, "
            f"n = {first['conversation_count']:.0f})\\."
        )
    warned = leavers[leavers["risk_status"] == "intervention"]
    if len(warned):
        last = warned.iloc[0]
        said += (
            f" {parts.plain(last['agent'])}, flagged for {last['month_start']:%B %Y}, left on "
            f"{style.day(last['left_on'])}\\."
        )
    parts.headline(said)


def _figures(risks: pd.DataFrame) -> None:
    statuses = risks["risk_status"].value_counts() if len(risks) else {}
    help_ = {
        "intervention": "By the declared threshold (dbt variable attrition)",
        "watch": "By the declared threshold",
        _NOT_ENOUGH: "Fewer conversations in the month than the rule needs",
    }
    parts.figures(
        [
            Figure(name, style.number(int(statuses.get(status, 0))), help=help_.get(status))
            for status, name in _STATUS.items()
        ]
    )


def _agents(view: View, risks: pd.DataFrame, history: pd.DataFrame) -> None:
    st.subheader("Agents", anchor=False)
    if risks.empty:
        parts.empty("Every agent of this choice has left.", "Choose another team.")
        return
    trends = history.dropna(subset=["risk_score"]).groupby("rep_key")["risk_score"].apply(list)
    parts.table(
        view,
        "agents",
        parts.with_kits(view, risks).assign(
            trend=[trends.get(key, []) for key in risks["rep_key"]],
            status=risks["risk_status"].map(_STATUS),
            frustration=risks["frustration_trend"].str.replace("_", " "),
        ),
        {
            "agent": Column("Agent"),
            "team": Column("Team"),
            "status": Column("Status"),
            "risk_score": Column("Risk, 0 to 1", "number", 2),
            "trend": Column("By month", "line"),
            "risk_source": Column("From", help="A model of yours, or the declared rule"),
            "conversation_count": Column("n", "number", help="Conversations of the month"),
            "frustration": Column("Frustration"),
            "frustration_frequency": Column(
                "Per 10 turns", "number", 2, "Sentences of frustration"
            ),
            "coaching_receptivity_normalised": Column("Receptivity", "share"),
            "receptivity_conversation_count": Column(
                "n", "number", help="Conversations that show it"
            ),
        },
    )


def _charts(history: pd.DataFrame) -> None:
    scored = history[history["risk_score"].notna()]
    if scored.empty:
        return
    drawn = scored.assign(
        agent=[
            f"{row.agent} (left)" if pd.notna(row.left_on) else row.agent
            for row in scored.itertuples()
        ]
    )
    parts.lines(
        drawn, "month_start", "risk_score", "agent", n="conversation_count",
        title="Risk by month, from 0 to 1",
    )  # fmt: skip


def _left(view: View, leavers: pd.DataFrame) -> None:
    if leavers.empty:
        return
    st.subheader("Agents who have left: their last score", anchor=False)
    parts.table(
        view,
        "leavers",
        leavers.assign(status=leavers["risk_status"].map(_STATUS)),
        {
            "agent": Column("Agent"),
            "team": Column("Team"),
            "month_start": Column("Month", "day"),
            "status": Column("Status"),
            "risk_score": Column("Risk, 0 to 1", "number", 2),
            "risk_source": Column("From"),
            "conversation_count": Column("n", "number", help="Conversations of the month"),
            "left_on": Column("Left on", "day"),
        },
    )


def _backtest(view: View, backtest: pd.DataFrame) -> None:
    st.subheader("How the flagged months turned out", anchor=False)
    if backtest.empty:
        parts.empty("No month can be judged yet.", "It takes until a month's horizon is over.")
        return
    few = backtest[backtest["backtest_state"] == _NOT_ENOUGH]
    for row in few.itertuples():
        st.caption(
            f"Not enough data for the {parts.plain(row.risk_source)}: "
            f"{style.number(row.agent_month_count)} months can be judged, {MINIMUM_N} are needed. "
            "No rate is given, and nothing is said about how good the score is."
        )
    parts.table(
        view,
        "backtest",
        parts.with_kits(view, backtest).assign(
            state=backtest["backtest_state"].str.replace("_", " ")
        ),
        {
            "risk_source": Column("From"),
            "model_name": Column("Model"),
            "state": Column("State"),
            "agent_month_count": Column("Months judged", "number"),
            "open_agent_month_count": Column("Too early", "number"),
            "agent_count": Column("Agents", "number"),
            "flagged_count": Column("Flagged", "number"),
            "left_count": Column("Left", "number"),
            "flagged_and_left_count": Column("Both", "number"),
            "precision_share": Column("Of flagged, left", "share"),
            "precision_share_lower": Column("From", "share", 0, "95 % interval"),
            "precision_share_upper": Column("To", "share", 0, "95 % interval"),
            "left_share": Column("Of all, left", "share", help="What it has to beat"),
        },
    )


def _one(view: View, history: pd.DataFrame) -> None:
    st.subheader("One agent: what the score rests on", anchor=False)
    names = dict(zip(history["rep_key"], history["agent"], strict=True))
    agent = st.selectbox(
        "Agent",
        list(names),
        format_func=lambda key: f"{names[key]} ({key})",
        key="agent",
        bind="query-params",
    )
    if agent is None:
        return
    months = view.read(MONTHS, agent=agent)
    if months.empty:
        parts.empty("Nothing is known of this agent's months.", "Choose another agent.")
        return
    parts.table(
        view,
        "months",
        parts.with_kits(view, months),
        {
            "month_start": Column("Month", "day"),
            "conversation_count": Column("n", "number", help="Conversations scored"),
            "frustration_frequency": Column("Frustration per 10 turns", "number", 2),
            "coaching_receptivity_normalised": Column("Receptivity", "share"),
            "receptivity_conversation_count": Column(
                "n", "number", help="Conversations that show it"
            ),
            "energy_level": Column("Energy, 1 to 5", "number", 1),
            "customer_escalation_rate": Column("Escalated", "share"),
            "performance_normalised": Column("Performance", "share"),
            "performance_conversation_count": Column("n", "number"),
            "tenure_days": Column("Days since hired", "number"),
            "kit": Column("Kit version"),
        },
    )


PAGE = Page(
    slug="attrition",
    title="Attrition risk",
    question="Which agents may need a talk, and how far can the score be relied on?",
    filters=("team",),
    render=render,
    section="People",
    icon=":material/diversity_3:",
    kits=("agent_wellbeing",),
    queries={"risks": RISKS, "history": HISTORY, "backtest": BACKTEST, "months": MONTHS},
    takes=("agent",),
)
