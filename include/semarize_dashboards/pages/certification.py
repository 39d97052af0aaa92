"""Who is certified by the rubric, who is close, and which skills stand in the way."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query

PEOPLE = Query(
    """
select
    t.rep_key, t.rep_name as person, t.team, t.manager, t.rubric_version, t.kit_version_id,
    t.kit_version_count, t.calls_scored_least, t.calls_scored_most, t.readiness_normalised,
    t.weak_areas, t.weak_area_count, t.calls_until_certified, t.improvement_per_week,
    t.certification_status, t.last_call_on, r.left_on
from marts.rep_certification_tracker as t
left join marts.dim_reps as r on t.rep_key = r.rep_key
where {filters}
order by t.rubric_version desc, t.readiness_normalised desc, t.rep_name, t.rep_key
""",
    by={"team": "t.team", "rep": "t.rep_key"},
)
SKILLS = Query(
    """
select
    s.rep_key, s.rep_name as person, s.rubric_version, s.skill, s.skill_title, s.kit_version_id,
    s.is_last_version, s.calls_scored, s.score_normalised, s.threshold_percent, s.is_weak,
    s.calls_needed, s.calls_qualifying, s.calls_until_certified, s.has_enough_data,
    s.improvement_per_week, s.first_call_on, s.last_call_on
from marts.rep_certification_skills as s
where {filters}
order by s.rep_name, s.rep_key, s.skill, s.kit_version_id
""",
    by={"team": "s.team", "rep": "s.rep_key"},
)
_STATUS = {
    "certified": ("Certified", style.GOOD),
    "close": ("Close", "#E69F00"),
    "needs_coaching": ("Needs coaching", style.BAD),
    "not_enough_data": ("Not enough data", style.QUIET),
}


def render(view: View) -> None:
    """Draw the page."""
    every, skills = view.read(PEOPLE), view.read(SKILLS)
    if every.empty:
        parts.nothing_chosen(view, "people with scored calls under a rubric")
        return
    # Rubrics are never mixed: one version is shown.
    versions = list(dict.fromkeys(every["rubric_version"]))
    rubric = versions[0]
    if len(versions) > 1:
        rubric = st.selectbox("Rubric", versions, key="rubric", bind="query-params") or rubric
    people = every[every["rubric_version"] == rubric]
    people = people.assign(
        status=people["certification_status"].map(lambda status: _STATUS[status][0]),
        has_left=people["left_on"].notna(),
    )
    skills = skills[skills["rubric_version"] == rubric]
    here = people[~people["has_left"]]
    _answer(here, skills, str(rubric))
    told = skills if here.empty else skills[skills["rep_key"].isin(here["rep_key"])]
    parts.basis(
        view,
        int(told["calls_scored"].sum()),
        f"scores of calls, one for each skill, by {told['rep_key'].nunique()} people "
        + ("who have left" if here.empty else "who are still here"),
        [str(version) for version in skills["kit_version_id"].dropna().unique()],
    )
    parts.figures(
        [
            Figure(shown, style.number(int((here["certification_status"] == status).sum())))
            for status, (shown, _) in _STATUS.items()
        ]
    )
    with_left = st.toggle(
        f"Show those who have left too ({int(people['has_left'].sum())})",
        key="left_certification",
        bind="query-params",
    )
    shown = people if with_left or here.empty else here
    _everybody(view, shown, skills)
    _one(view, shown, skills)


def _answer(here: pd.DataFrame, skills: pd.DataFrame, rubric: str) -> None:
    counted = here["certification_status"].value_counts()
    if here.empty:
        parts.headline("None of these people is still here\\.")
        return
    last = skills[skills["is_last_version"] & skills["rep_key"].isin(here["rep_key"])]
    weak = last[last["is_weak"].eq(True)]["skill_title"].value_counts()
    coached = counted.get("needs_coaching", 0)
    said = (
        f"{counted.get('certified', 0)} of {len(here)} people are certified by rubric "
        f"{parts.plain(rubric)}, {counted.get('close', 0)} are close and "
        f"{coached} {'needs' if coached == 1 else 'need'} coaching\\."
    )
    if len(weak):
        said += (
            f" The skill most often below its threshold is {parts.plain(weak.index[0].lower())} "
            f"\\({weak.iloc[0]} people\\)\\."
        )
    parts.headline(said)


def _everybody(view: View, people: pd.DataFrame, skills: pd.DataFrame) -> None:
    last = skills[skills["is_last_version"].astype(bool)]
    each = last.pivot_table(index="rep_key", columns="skill", values="score_normalised")
    titles = dict(zip(last["skill"], last["skill_title"], strict=True))
    limits = dict(zip(last["skill"], last["threshold_percent"], strict=True))
    ordered = people.sort_values(
        ["readiness_normalised", "person"], kind="stable", na_position="last"
    )
    table = ordered.join(each, on="rep_key")
    left, right = st.columns([2, 3])
    with left:
        drawn = ordered.dropna(subset=["readiness_normalised"])
        drawn = drawn.rename(columns={"readiness_normalised": "readiness"})
        parts.ranked(
            drawn[["person", "readiness", "status", "calls_scored_least"]], "person", "readiness",
            title="Readiness, mean of the skills", share=True, n="calls_scored_least",
            by="status", colours={s: c for s, c in _STATUS.values() if s in set(drawn["status"])},
        )  # fmt: skip
    with right:
        parts.table(
            view,
            "people",
            table,
            {
                "person": Column("Person"),
                "status": Column("Status"),
                "readiness_normalised": Column("Ready", "share", help="Mean of the skills"),
                **{
                    skill: Column(
                        titles[skill], "share", help=f"Mean score; asked: {limits[skill]:.0f} %"
                    )
                    for skill in each.columns
                },
                "calls_scored_least": Column("n", "number", help="In the skill with the fewest"),
                "calls_until_certified": Column(
                    "Missing", "number", help="Qualifying calls still needed, at least"
                ),
                "improvement_per_week": Column("Per week", "share", 1, "Change, in points"),
                "manager": Column("Coach"),
                "last_call_on": Column("Last call", "day"),
            },
            height=min(38 + 35 * len(table), 520),
        )


def _one(view: View, people: pd.DataFrame, skills: pd.DataFrame) -> None:
    st.subheader("One person, skill by skill", anchor=False)
    ordered = people.sort_values(["readiness_normalised", "person"], kind="stable")
    names = dict(zip(ordered["rep_key"], ordered["person"], strict=True))
    picked = st.selectbox(
        "Person (furthest from ready first)",
        list(names),
        format_func=lambda key: f"{names[key]} ({key})",
        key="person",
        bind="query-params",
    )
    if picked is None:
        return
    one = skills[skills["rep_key"] == picked]
    told = parts.with_kits(view, one).assign(
        asked=one["threshold_percent"] / 100,
        state=[
            "not enough data" if not row.has_enough_data
            else "below the threshold" if row.is_weak
            else "good enough"
            for row in one.itertuples()
        ],
    )  # fmt: skip
    parts.table(
        view,
        "skills",
        told,
        {
            "skill_title": Column("Skill"),
            "score_normalised": Column("Score", "share", 1, "Mean"),
            "asked": Column("Asked", "share"),
            "state": Column("State"),
            "calls_qualifying": Column("Qualifying calls", "number", help="At what is asked"),
            "calls_needed": Column("Needed", "number"),
            "calls_until_certified": Column("Missing", "number"),
            "improvement_per_week": Column("Per week", "share", 1, "Change, in points"),
            "calls_scored": Column("n", "number", help="Scored calls"),
            "first_call_on": Column("First call", "day"),
            "last_call_on": Column("Last call", "day"),
            "kit": Column("Kit version"),
        },
    )


PAGE = Page(
    slug="certification",
    title="Certification",
    question="Who is certified, who is close, and what is missing?",
    filters=("team", "rep"),
    render=render,
    section="People",
    icon=":material/verified:",
    queries={"people": PEOPLE, "skills": SKILLS},
    takes=("person", "rubric", "left_certification"),
)
