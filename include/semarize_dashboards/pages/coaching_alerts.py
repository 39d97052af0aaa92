"""Who needs a coach now, in which skill, and the calls that say so."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query

ALERTS = Query(
    """
select
    a.rep_key, a.rep_name as person, a.team, a.manager, a.skill, a.kit_version_id,
    a.calls_below, a.score_normalised, a.threshold_normalised, a.discovery_technique_depth,
    a.is_open, a.first_call_on, a.last_call_on, a.last_training_on, a.calls_since_training,
    a.score_before_training_normalised, a.is_regression, r.left_on
from marts.coaching_alerts as a
left join marts.dim_reps as r on a.rep_key = r.rep_key
where {filters}
order by a.calls_below desc, a.score_normalised, a.alert_key
""",
    by={
        "team": "a.team", "rep": "a.rep_key", "kit_version": "a.kit_version_id",
        "days": "a.last_call_on",
    },
)  # fmt: skip
# A skill's score is the kit's brick whose key begins with the skill's name.
CALLS = Query(
    """
select
    c.conversation_key, c.started_at, c.started_on, c.vendor, c.channel, c.title, c.account_name,
    v.brick_key, v.value_normalised as score
from marts.fct_brick_values as v
inner join marts.conversation_explorer as c on v.conversation_key = c.conversation_key
where
    v.is_latest and v.value_normalised is not null
    and v.kit_version_id = {version} and v.brick_key like {skill} || '%'
    and c.rep_key = {person}
order by c.started_at, c.conversation_key
"""
)
_MEAN_OF = 5


def render(view: View) -> None:
    """Draw the page."""
    alerts = view.read(ALERTS)
    if alerts.empty:
        parts.nothing_chosen(view, "coaching alerts")
        return
    gone = pd.to_datetime(alerts["left_on"]) <= pd.Timestamp(view.days[1])
    alerts = alerts.assign(
        skill_title=alerts["skill"].map(style.label),
        gap=alerts["threshold_normalised"] - alerts["score_normalised"],
        regression=alerts["is_regression"].map(_regression),
        left_company=gone,
    )
    is_open = alerts["is_open"].astype(bool)
    due, closed = alerts[is_open & ~gone], alerts[~is_open]
    _answer(due)
    parts.basis(
        view,
        len(alerts),
        "alerts, open or closed, whose last call was in these days",
        list(alerts["kit_version_id"].unique()),
    )
    parts.figures(
        [
            Figure("People to coach now", style.number(due["rep_key"].nunique())),
            Figure(
                "Open alerts", style.number(len(due)), help="No call at the threshold has followed"
            ),
            Figure(
                "Below pre-training",
                style.number(int((due["regression"] == "yes").sum())),
                help="Open alerts that score below the calls before the last training",
            ),
            Figure("Closed alerts", style.number(len(closed)), help="A better call has followed"),
            Figure(
                "Open, but has left",
                style.number(int((is_open & gone).sum())),
                help="Nobody is left to coach",
            ),
        ]
    )
    if due.empty:
        parts.empty(
            "No alert is open among those who still work here.",
            "Below, closed alerts can be shown; more days reach further back.",
        )
    else:
        _table(view, "open", due)
    with_closed = st.toggle(
        f"Show closed alerts too ({len(closed)})", key="closed_alerts", bind="query-params"
    )
    if with_closed and len(closed):
        _table(view, "closed", closed.sort_values("last_call_on", ascending=False))
    shown = pd.concat([due, closed]) if with_closed or due.empty else due
    if len(shown):
        _one(view, shown)


def _regression(told: object) -> str:
    if told is None or told != told:
        return ""
    return "yes" if told else "no"


def _answer(due: pd.DataFrame) -> None:
    people = due["rep_key"].nunique()
    if not people:
        parts.headline("Nobody needs a coach now: no alert is open\\.")
        return
    first = due.iloc[0]
    said = f"{people} people need a coach now\\. First" if people > 1 else "One to coach now:"
    parts.headline(
        f"{said} {parts.plain(first['person'])}, "
        f"in {parts.plain(style.label(first['skill']).lower())}: "
        f"{first['calls_below']:.0f} calls in a row below "
        f"{style.percent(first['threshold_normalised'])}, "
        f"{style.percent(first['score_normalised'])} on average\\."
    )


def _table(view: View, name: str, rows: pd.DataFrame) -> None:
    parts.table(
        view,
        name,
        parts.with_kits(view, rows),
        {
            "person": Column("Person"),
            "skill_title": Column("Skill"),
            "manager": Column("Coach", help="Manager of the team, from the CRM"),
            "calls_below": Column("In a row", "number", help="Calls below the threshold"),
            "score_normalised": Column("Score", "share", help="Mean of these calls"),
            "threshold_normalised": Column("Threshold", "share"),
            "first_call_on": Column("Since", "day"),
            "last_call_on": Column("Last call", "day"),
            "last_training_on": Column("Last training", "day"),
            "calls_since_training": Column("Calls since it", "number", help="Since that training"),
            "score_before_training_normalised": Column("Before it", "share", help="Mean score"),
            "regression": Column("Worse", help="Than before training; no proof of why"),
            "kit": Column("Kit version"),
        },
    )


def _one(view: View, alerts: pd.DataFrame) -> None:
    st.subheader("The calls behind an alert", anchor=False)
    # The worst alert of each person and skill tells which version of the kit.
    first = alerts.drop_duplicates(["rep_key", "skill"])
    choices = {f"{row.rep_key}:{row.skill}": row for row in first.itertuples()}
    picked = st.selectbox(
        "Person and skill",
        list(choices),
        format_func=lambda key: (
            f"{choices[key].person}: {choices[key].skill_title} ({choices[key].rep_key})"
        ),
        key="alert",
        bind="query-params",
    )
    if picked is None:
        return
    alert = choices[picked]
    calls = view.read(CALLS, person=alert.rep_key, skill=alert.skill, version=alert.kit_version_id)
    if calls.empty:
        parts.empty(
            "The calls behind this alert cannot be told.",
            "Its skill has another name than the kit's brick; name it after the brick's key in "
            "the table skill_thresholds.",
        )
        return
    mean = calls["score"].rolling(_MEAN_OF, min_periods=_MEAN_OF).mean()
    drawn = pd.concat(
        [
            calls.assign(line="each call"),
            calls.assign(score=mean, line=f"mean of {_MEAN_OF} calls").dropna(subset=["score"]),
        ]
    )
    training = alert.last_training_on
    parts.lines(
        drawn, "started_at", "score", "line", share=True,
        title=f"{alert.person}, {alert.skill_title.lower()}: score of each call (n = {len(calls)})",
        dots="each call", level=(alert.threshold_normalised, "threshold"),
        since=None if pd.isna(training) else (training, "last training"),
    )  # fmt: skip
    newest = calls.iloc[::-1].head(50)
    parts.table(
        view,
        "calls",
        newest.assign(
            open=parts.conversation_links(newest),
            vendor=newest["vendor"].map(style.vendor_name),
            below=newest["score"] < alert.threshold_normalised,
        ),
        {
            "open": Column("", "link"),
            "started_at": Column("Started (UTC)", "moment"),
            "score": Column("Score", "share"),
            "below": Column("Below threshold", "check"),
            "title": Column("Conversation"),
            "account_name": Column("Account"),
            "vendor": Column("Vendor"),
            "channel": Column("Channel"),
        },
    )


PAGE = Page(
    slug="coaching_alerts",
    title="Coaching alerts",
    question="Who needs a coach now, and in what?",
    filters=("team", "rep", "kit_version", "days"),
    render=render,
    section="People",
    icon=":material/notification_important:",
    kits=("coaching_skills",),
    queries={"alerts": ALERTS, "calls": CALLS},
    takes=("alert", "closed_alerts"),
)
