"""How newcomers climb to the benchmark, week by week, and who needs what."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query

WEEKS = Query(
    """
select
    w.rep_key, w.rep_name as person, w.team, w.manager, w.hired_on, r.left_on,
    w.skill, w.kit_version_id, w.week_number, w.week_start, w.is_week_over, w.is_latest_week,
    w.calls_in_week, w.calls_in_window, w.has_enough_data, w.score_normalised,
    w.benchmark_normalised, w.benchmark_week, w.points_above_benchmark, w.ramp_status
from marts.rep_ramp_tracker as w
left join marts.dim_reps as r on w.rep_key = r.rep_key
where {filters}
order by w.rep_name, w.rep_key, w.skill, w.week_number, w.kit_version_id
""",
    by={"team": "w.team", "rep": "w.rep_key", "kit_version": "w.kit_version_id"},
)
# Status → how it is called, what to do; the first is the most urgent.
_STATUS = {
    "needs_intervention": ("Needs help", "Coach now: past the week of the benchmark"),
    "early_warning": ("Early warning", "Coach before the week of the benchmark is over"),
    "not_due": ("Not due yet", "Wait"),
    "on_track": ("On track", "Nothing"),
    "not_enough_data": ("Not enough data", "Score more calls"),
}


def render(view: View) -> None:
    """Draw the page."""
    weeks = view.read(WEEKS)
    if weeks.empty:
        parts.headline("No newcomers match what is chosen\\.")
        parts.basis(view, 0, "newcomers")
        parts.empty(
            "Nobody chosen has started since the first conversation known, or their calls have "
            "no score.",
            "Choose another team or person. Days of hiring come from the CRM's people.",
        )
        return
    weeks = weeks.assign(skill_title=weeks["skill"].map(style.label))
    latest = weeks[weeks["is_latest_week"].astype(bool)]
    here = latest[pd.isna(latest["left_on"])]
    _answer(here)
    counted = weeks if here.empty else weeks[pd.isna(weeks["left_on"])]
    parts.basis(
        view,
        int(counted["calls_in_week"].sum()),
        f"scores of calls, one for each skill, by {counted['rep_key'].nunique()} newcomers "
        + ("who have left" if here.empty else "who are still here"),
        [str(version) for version in weeks["kit_version_id"].dropna().unique()],
    )
    parts.figures(
        [
            Figure("Newcomers", style.number(here["rep_key"].nunique()), help="Still here"),
            *(
                Figure(
                    f"{_STATUS[status][0]}, skills",
                    style.number(int((here["ramp_status"] == status).sum())),
                    help=_STATUS[status][1],
                )
                for status in ("needs_intervention", "early_warning", "on_track")
            ),
        ]
    )
    with_left = st.toggle("Show those who have left too", key="left", bind="query-params")
    shown = latest if with_left or here.empty else here
    _needs(view, shown, weeks)
    _curves(weeks[weeks["rep_key"].isin(shown["rep_key"])])


def _answer(here: pd.DataFrame) -> None:
    people = here["rep_key"].nunique()
    if not people:
        parts.headline("None of these newcomers is still here\\.")
        return
    behind = here[here["ramp_status"] == "needs_intervention"]
    if behind.empty:
        parts.headline(f"None of {people} newcomers is behind the benchmark when it is due\\.")
        return
    worst = behind.sort_values("points_above_benchmark", kind="stable").iloc[0]
    common = behind["skill_title"].value_counts()
    parts.headline(
        f"{behind['rep_key'].nunique()} of {people} newcomers need help, most often in "
        f"{parts.plain(common.index[0].lower())} \\({common.iloc[0]} of them\\)\\. Furthest "
        f"behind is {parts.plain(worst['person'])}, in "
        f"{parts.plain(worst['skill_title'].lower())}: "
        f"{style.percent(worst['score_normalised'])} in week {worst['week_number']}, where "
        f"{style.percent(worst['benchmark_normalised'])} are asked by week "
        f"{worst['benchmark_week']}\\."
    )


def _needs(view: View, latest: pd.DataFrame, weeks: pd.DataFrame) -> None:
    kept = weeks[weeks["has_enough_data"].astype(bool)]
    trends = kept.groupby(["rep_key", "skill", "kit_version_id"])["score_normalised"].apply(list)
    order = list(_STATUS)
    told = latest.assign(
        trend=[
            trends.get((row.rep_key, row.skill, row.kit_version_id), [])
            for row in latest.itertuples()
        ],
        urgency=latest["ramp_status"].map(order.index),
        status=latest["ramp_status"].map(lambda status: _STATUS[status][0]),
        to_do=latest["ramp_status"].map(lambda status: _STATUS[status][1]),
    ).sort_values(["urgency", "points_above_benchmark", "person"], kind="stable")
    parts.table(
        view,
        "newcomers",
        parts.with_kits(view, told),
        {
            "person": Column("Person"),
            "skill_title": Column("Skill"),
            "status": Column("Status"),
            "score_normalised": Column("Score", "share", help="Of the last three weeks' calls"),
            "benchmark_normalised": Column("Benchmark", "share"),
            "points_above_benchmark": Column("Points above", "number", 1, "Negative: below"),
            "trend": Column("By week", "line"),
            "week_number": Column("Week", "number", help="Of work; followed for twelve"),
            "calls_in_window": Column("n", "number", help="Calls behind the score"),
            "manager": Column("Coach", help="Manager of the team, from the CRM"),
            "hired_on": Column("Started", "day"),
            "to_do": Column("What to do"),
            "kit": Column("Kit version"),
        },
    )


def _curves(weeks: pd.DataFrame) -> None:
    st.subheader("Week by week against the benchmark", anchor=False)
    told = weeks[weeks["has_enough_data"].astype(bool)]
    if told.empty:
        parts.empty(
            parts.NOT_ENOUGH.capitalize(), "Curves begin with three scored calls in three weeks."
        )
        return
    versions = told["kit_version_id"].nunique()
    columns = st.columns(2)
    for number, ((skill, version), one) in enumerate(
        told.groupby(["skill_title", "kit_version_id"])
    ):
        first = one.iloc[0]
        with columns[number % 2]:
            parts.lines(
                one.rename(columns={"score_normalised": "score"}), "week_number", "score",
                "person", n="calls_in_window", share=True, x_title="week of work",
                title=skill + (f", kit version {version}" if versions > 1 else ""),
                level=(first["benchmark_normalised"], "benchmark"),
                since=(first["benchmark_week"], f"due by week {first['benchmark_week']}"),
            )  # fmt: skip
    st.caption(
        "Each point is the mean of three weeks' calls; weeks with fewer than 3 are left out."
    )


PAGE = Page(
    slug="ramp",
    title="Ramp",
    question="Which newcomers are behind the benchmark, and in what?",
    filters=("team", "rep", "kit_version"),
    render=render,
    section="People",
    icon=":material/trending_up:",
    kits=("coaching_skills",),
    queries={"weeks": WEEKS},
    takes=("left",),
)
