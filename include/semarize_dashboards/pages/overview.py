"""How many conversations there were, how they scored, and whether the figures can be relied on."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query

_BY = {"vendor": "vendor", "channel": "channel", "team": "team", "days": "started_on"}
# The team of the people directory: a vendor's own is rarely filled.
_CONVERSATIONS = """
conversations as (
    select
        c.vendor, c.channel, r.team, c.started_on, c.is_scored, c.is_score_failed,
        e.compliance_score_normalised, e.empathy_score_normalised, e.escalation_risk_normalised,
        e.overall_score_normalised,
        e.interaction_quality_kit_version_id, e.deal_signals_kit_version_id
    from marts.fct_conversations as c
    inner join marts.conversation_explorer as e on c.conversation_key = e.conversation_key
    left join marts.dim_reps as r on c.rep_key = r.rep_key
    where not coalesce(c.is_deleted, false)
)
"""
DAYS = Query(
    f"""
with {_CONVERSATIONS}
select
    s.vendor, s.channel, s.started_on, d.week_start,
    count(*) as conversations,
    count(case when s.is_scored then 1 end) as scored,
    count(case when s.is_score_failed then 1 end) as score_failed
from conversations as s
inner join marts.dim_dates as d on s.started_on = d.date_day
where {{filters}}
group by s.vendor, s.channel, s.started_on, d.week_start
order by s.started_on, s.vendor, s.channel
""",
    by={"vendor": "s.vendor", "channel": "s.channel", "team": "s.team", "days": "s.started_on"},
)
_MEASURES = {
    "compliance_score_normalised": ("Compliance", "interaction_quality_kit_version_id"),
    "empathy_score_normalised": ("Empathy", "interaction_quality_kit_version_id"),
    "escalation_risk_normalised": ("Escalation risk", "interaction_quality_kit_version_id"),
    "overall_score_normalised": ("Deal score", "deal_signals_kit_version_id"),
}
_LONG = " union all ".join(
    f"select vendor, channel, team, started_on, '{name}' as measure, {version} as kit_version_id, "
    f"{column} as score from conversations where {column} is not null"
    for column, (name, version) in _MEASURES.items()
)
SCORES = Query(
    f"""
with {_CONVERSATIONS}, scores as ({_LONG})
select
    s.vendor, s.channel, s.measure, s.kit_version_id, d.week_start,
    avg(s.score) as score, count(*) as n
from scores as s
inner join marts.dim_dates as d on s.started_on = d.date_day
where {{filters}}
group by s.vendor, s.channel, s.measure, s.kit_version_id, d.week_start
order by d.week_start, s.vendor, s.channel
""",
    by={"vendor": "s.vendor", "channel": "s.channel", "team": "s.team", "days": "s.started_on"},
)
CHANGES = Query(
    f"""
with {_CONVERSATIONS}, scores as ({_LONG}),

two_weeks as (
    select
        measure, kit_version_id, score,
        case when started_on >= {{week}} then 'now' else 'before' end as week
    from scores
    where {{filters}} and started_on between {{since}} and {{until}}
)

select
    measure, kit_version_id, week,
    avg(score) as mean, coalesce(stddev_samp(score), 0) as deviation, count(*) as n
from two_weeks
group by measure, kit_version_id, week
order by measure, kit_version_id, week
""",
    # The two weeks are its days.
    by={**_BY, "days": None},
)
# Whatever days are chosen: how fresh it is today.
LOADS = Query(
    """
select vendor, max(last_load_at) as last_load_at, max(watermark_at) as watermark_at
from marts.pipeline_health
where {filters}
group by vendor
order by vendor
""",
    by={"vendor": "vendor", "channel": None, "team": None, "days": None},
)
HEALTH = Query(
    """
select
    vendor,
    sum(listed) as listed, sum(landed) as landed, sum(scored) as scored,
    sum(pending) as pending, min(oldest_pending_at) as oldest_pending_at,
    sum(expired) as expired, sum(quarantined) as quarantined,
    sum(score_failed) as score_failed, sum(unaccounted) as unaccounted
from marts.pipeline_health
where {filters}
group by vendor
order by vendor
""",
    # What waits has neither been heard nor scored: days only.
    by={"vendor": "vendor", "channel": None, "team": None, "days": "date_day"},
)


def render(view: View) -> None:
    """Draw the page."""
    days = view.read(DAYS)
    if days.empty:
        parts.nothing_chosen(view, "conversations")
        return
    held, scored = int(days["conversations"].sum()), int(days["scored"].sum())
    _answer(view, days, held, scored)
    scores = view.read(SCORES)
    parts.basis(view, held, "conversations", sorted(set(scores.get("kit_version_id", []))))
    health = view.read(LOADS).merge(view.read(HEALTH), on="vendor", how="left")
    _figures(held, scored, health)
    by = st.segmented_control(
        "Broken down by",
        ["vendor", "channel"],
        default="vendor",
        format_func=style.label,
        key="by",
        bind="query-params",
        required=True,
    )
    _charts(days, scores, by or "vendor")
    _changes(view)
    _health(view, health)


def _answer(view: View, days: pd.DataFrame, held: int, scored: int) -> None:
    last = view.days[1]
    now = days[days["started_on"] > last - timedelta(days=7)]["conversations"].sum()
    earlier = days[
        (days["started_on"] > last - timedelta(days=14))
        & (days["started_on"] <= last - timedelta(days=7))
    ]["conversations"].sum()
    week = f"the last seven days brought {style.number(now)}"
    if earlier:
        change = (now - earlier) / earlier
        week += (
            ", as many as the seven before"
            if now == earlier
            else f", {abs(change) * 100:.0f} % {'more' if change > 0 else 'fewer'} than the seven "
            f"before ({style.number(earlier)})"
        )
    parts.headline(
        f"{style.number(held)} conversations, {style.percent(scored / held)} of them scored; "
        f"{week}\\."
    )


def _figures(held: int, scored: int, health: pd.DataFrame) -> None:
    pending = int(health["pending"].sum()) if len(health) else 0
    failed = int(health[["quarantined", "score_failed"]].sum().sum()) if len(health) else 0
    newest = health["last_load_at"].max() if len(health) else None
    parts.figures(
        [
            Figure("Conversations", style.number(held)),
            Figure("Scored", style.number(scored), help="By at least one kit"),
            Figure("Pending", style.number(pending), help="Waiting for their transcript"),
            Figure("Failed", style.number(failed), help="Quarantined, or not scored by an error"),
            Figure(
                "Last load", style.NONE if pd.isna(newest) else f"{newest:%d %b %H:%M}", help="UTC"
            ),
        ]
    )


def _charts(days: pd.DataFrame, scores: pd.DataFrame, by: str) -> None:
    span = (days["started_on"].max() - days["started_on"].min()).days
    x, each = ("week_start", "week") if span > 45 else ("started_on", "day")
    counted = days.groupby([x, by], as_index=False)["conversations"].sum()
    if by == "vendor":
        counted["vendor"] = counted["vendor"].map(style.vendor_name)
    parts.bars(counted, x, "conversations", by, title=f"Conversations by {each}", kind=by)
    if scores.empty:
        parts.empty(
            "None of these conversations has a score yet.",
            "They are scored by the DAG of their vendor, for the kits in its settings.",
        )
        return
    first, second = st.columns(2)
    for number, (measure, one) in enumerate(scores.groupby("measure", sort=True)):
        weighed = one.assign(sum=one["score"] * one["n"])
        # A line a kit's version: versions are never averaged into one.
        line = weighed.groupby(["week_start", by, "kit_version_id"], as_index=False)[
            ["sum", "n"]
        ].sum()
        line["score"] = line["sum"] / line["n"]
        if by == "vendor":
            line["vendor"] = line["vendor"].map(style.vendor_name)
        versions = line["kit_version_id"].nunique()
        for index, (_, drawn) in enumerate(line.groupby("kit_version_id")):
            with first if number % 2 == 0 else second:
                parts.lines(
                    drawn, "week_start", "score", by, n="n", kind=by, share=True,
                    title=f"{measure} by week, mean"
                    + (f", kit version {index + 1} of {versions}" if versions > 1 else ""),
                )  # fmt: skip


def _changes(view: View) -> None:
    last = view.days[1]
    week, since = last - timedelta(days=6), last - timedelta(days=13)
    told = view.read(CHANGES, week=week, since=since, until=last)
    st.subheader("What changed in the last seven days", anchor=False)
    rows = []
    for (measure, version), one in told.groupby(["measure", "kit_version_id"]) if len(told) else []:
        by_week = {row.week: (row.mean, row.deviation, int(row.n)) for row in one.itertuples()}
        nothing = (float("nan"), 0.0, 0)
        made = parts.compare(by_week.get("now", nothing), by_week.get("before", nothing))
        rows.append(
            {
                "measure": measure, "kit_version_id": version,
                "now": made.now, "n_now": made.n_now, "before": made.before,
                "n_before": made.n_before, "difference_low": made.low,
                "difference_high": made.high, "verdict": made.verdict,
            }
        )  # fmt: skip
    if not rows:
        parts.empty(
            f"No scores between {style.period(since, last)}.", "Choose days that end later."
        )
        return
    parts.table(
        view,
        "changes",
        parts.with_kits(view, pd.DataFrame(rows)),
        {
            "measure": Column("Measure"),
            "now": Column("Last 7 days", "share", 1),
            "n_now": Column("n", "number"),
            "before": Column("7 days before", "share", 1),
            "n_before": Column("n before", "number"),
            "difference_low": Column("Change, from", "share", 1, "95 % interval, in points"),
            "difference_high": Column("Change, to", "share", 1, "95 % interval, in points"),
            "verdict": Column("Verdict", help="A change only where the interval leaves 0 out"),
            "kit": Column("Kit version"),
        },
    )


def _health(view: View, health: pd.DataFrame) -> None:
    st.subheader("Freshness and what is pending", anchor=False)
    if health.empty:
        parts.empty(
            "The pipeline has recorded no load for these days.",
            "Choose more days, or look at the DAGs' last runs in Airflow.",
        )
        return
    parts.table(
        view,
        "freshness",
        health.assign(vendor=health["vendor"].map(style.vendor_name)),
        {
            "vendor": Column("Vendor"),
            "last_load_at": Column("Last load (UTC)", "moment"),
            "watermark_at": Column("Read up to (UTC)", "moment"),
            "listed": Column("Listed", "number"),
            "landed": Column("Landed", "number"),
            "scored": Column("Scored", "number"),
            "pending": Column("Pending", "number"),
            "oldest_pending_at": Column("Oldest pending (UTC)", "moment"),
            "expired": Column("Expired", "number"),
            "quarantined": Column("Quarantined", "number"),
            "score_failed": Column("Score failed", "number"),
            "unaccounted": Column("Unaccounted", "number", help="Anything but 0 is a fault"),
        },
    )


PAGE = Page(
    slug="overview",
    title="Overview",
    question="How much was said, how did it score, and are the figures fresh?",
    filters=("vendor", "channel", "team", "days"),
    render=render,
    section="Summary",
    icon=":material/dashboard:",
    queries={"days": DAYS, "scores": SCORES, "changes": CHANGES, "loads": LOADS, "health": HEALTH},
)
