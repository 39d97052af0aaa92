"""Which steps of the way of selling are skipped, by whom, and what that goes with."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query

_BY = {"team": "r.team", "vendor": "s.vendor", "rep": "s.rep_key", "days": "s.started_on"}
# Whatever is filtered, so that the first choice stays the first.
FRAMEWORKS = Query(
    """
select
    c.framework, c.kit_version_id,
    coalesce(max(k.kit_name || ' v' || k.version_number), c.kit_version_id) as kit
from marts.framework_adherence_calls as c
left join marts.dim_kits as k on c.kit_version_id = k.kit_version_id
group by c.framework, c.kit_version_id
order by count(*) desc, c.framework, c.kit_version_id
"""
)
_CHOSEN = "s.framework = {framework} and s.kit_version_id = {version} and {filters}"
# By call, since weeks know neither teams nor people; over all of them it is the weekly mart's sum.
STEPS = Query(
    f"""
select
    s.element_number as step_number, s.element as step, max(s.element_title) as step_title,
    d.week_start, s.rep_key, coalesce(max(r.rep_name), max(s.rep_key), 'unknown') as rep,
    max(r.team) as team,
    count(*) as calls,
    count(case when not s.is_covered then 1 end) as skipped,
    count(case when lower(s.deal_stage) = 'discovery' then 1 end) as discovery_calls,
    count(case when lower(s.deal_stage) = 'discovery' and not s.is_covered then 1 end)
        as discovery_skipped
from marts.methodology_adherence as s
inner join marts.dim_dates as d on s.started_on = d.date_day
left join marts.dim_reps as r on s.rep_key = r.rep_key
where s.is_covered is not null and {_CHOSEN}
group by s.element_number, s.element, d.week_start, s.rep_key
order by s.element_number, s.element, d.week_start, s.rep_key
""",
    by=_BY,
)
WHOLE = Query(
    f"""
select
    count(*) as calls, avg(s.step_share) as step_share, avg(s.score_normalised) as score,
    count(s.score_normalised) as scored
from marts.framework_adherence_calls as s
left join marts.dim_reps as r on s.rep_key = r.rep_key
where {_CHOSEN}
""",
    by=_BY,
)
COVERAGE = Query(
    """
select
    element_number, element, element_title, outcome, deal_count, deals_without_coverage,
    zero_coverage_share, zero_coverage_share_lower, zero_coverage_share_upper,
    zero_coverage_difference, zero_coverage_difference_lower, zero_coverage_difference_upper,
    call_count, call_coverage_share, comparison
from marts.methodology_coverage_by_outcome
where framework = {framework} and kit_version_id = {version}
order by element_number, outcome
"""
)
CALLS = Query(
    f"""
select
    s.conversation_key, c.started_at, s.started_on, c.title, c.account_name,
    coalesce(r.rep_name, s.rep_key) as rep, s.deal_stage,
    s.steps_followed, s.steps_expected, s.skipped_steps, s.step_share,
    s.score_normalised as score
from marts.framework_adherence_calls as s
inner join marts.fct_conversations as c on s.conversation_key = c.conversation_key
left join marts.dim_reps as r on s.rep_key = r.rep_key
where
    {_CHOSEN}
    and s.conversation_key in (
        select a.conversation_key from marts.methodology_adherence as a
        where
            a.framework = {{framework}} and a.kit_version_id = {{version}}
            and not a.is_covered and a.element in ({{steps}})
    )
order by c.started_at desc
limit 200
""",
    by=_BY,
)

_SAID = {
    "higher": "missing more often",
    "lower": "missing less often",
    "no_clear_difference": "no clear difference",
    "not_enough_data": parts.NOT_ENOUGH,
}


def render(view: View) -> None:
    """Draw the page."""
    known = view.read(FRAMEWORKS)
    if known.empty:
        parts.nothing_chosen(view, "calls held against a framework")
        return
    named = {
        f"{row.framework}:{row.kit_version_id}": f"{row.framework} ({row.kit})"
        for row in known.itertuples()
    }
    framework = st.selectbox(
        "Framework and version of its kit",
        list(named),
        format_func=named.__getitem__,
        key="framework",
        bind="query-params",
        width=460,
    )
    row = known.iloc[list(named).index(framework)]
    asked = {"framework": row["framework"], "version": row["kit_version_id"]}
    told = view.read(STEPS, **asked)
    if told.empty:
        parts.nothing_chosen(view, "calls held against this framework")
        return
    steps = _summed(told, ["step_number", "step", "step_title"]).sort_values(
        ["share", "step_number"], ascending=[False, True]
    )
    coverage = view.read(COVERAGE, **asked)
    whole = view.read(WHOLE, **asked).iloc[0]
    _answer(steps, coverage)
    parts.basis(view, int(whole["calls"]), "calls held against it", [row["kit_version_id"]])
    most = steps.iloc[0]
    discovery = most["discovery_calls"]
    parts.figures(
        [
            Figure("Steps followed, mean per call", style.percent(whole["step_share"])),
            Figure(
                f"Score by the kit itself (n = {whole['scored']:.0f})",
                style.percent(whole["score"]),
                help="Mean; a kit may weigh steps and their order.",
            ),
            Figure(
                f"Skipped most (n = {most['calls']:.0f})",
                style.percent(most["share"]),
                help=parts.plain(most["step_title"]),
            ),
            Figure(
                f"In discovery calls (n = {discovery:.0f})",
                style.percent(most["discovery_skipped"] / discovery if discovery else None),
                help="The same step, where the vendor gave the deal's stage as Discovery.",
            ),
        ]
    )
    first, second = st.columns(2)
    with first:
        parts.intervals(
            steps, "step_title", "share", "lower", "upper", n="calls", share=True,
            title="How often each step is skipped",
            x_title="Share of calls (line: 95 % interval)",
        )  # fmt: skip
    with second:
        _trend(told, most)
    _coverage(view, coverage)
    _steps(view, told, steps)
    _people(view, told, steps)
    _calls(view, steps, asked)


def _summed(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Counts summed, and their share with its interval: shares are never averaged."""
    counts = ["calls", "skipped", "discovery_calls", "discovery_skipped"]
    made = rows.groupby(by, dropna=False, sort=False)[counts].sum().reset_index()
    bounds = [parts.share_interval(k, n) for k, n in zip(made.skipped, made.calls, strict=True)]
    return made.assign(
        share=made["skipped"] / made["calls"],
        lower=[low for low, _ in bounds],
        upper=[high for _, high in bounds],
    )


def _answer(steps: pd.DataFrame, coverage: pd.DataFrame) -> None:
    most = steps.iloc[0]
    if most["calls"] < MINIMUM_N:
        parts.headline(
            parts.plain(
                f"{most['calls']} calls are too few to say which step is skipped most: "
                f"{parts.NOT_ENOUGH}."
            )
        )
        return
    parts.headline(
        parts.plain(
            f"The step most skipped is {most['step_title']}: on {style.percent(most['share'])} of "
            f"calls ({most['skipped']} of {most['calls']}). {_coverage_told(coverage)}"
        )
    )


def _coverage_told(coverage: pd.DataFrame) -> str:
    lost = coverage[(coverage["outcome"] == "lost") & (coverage["comparison"] != "not_enough_data")]
    if lost.empty:
        return "Too few deals are closed to compare lost with won ones."
    clear = lost[lost["comparison"] == "higher"]
    shown = lost if clear.empty else clear
    most = shown.sort_values("zero_coverage_difference", ascending=False).iloc[0]
    of_won = coverage[coverage["outcome"] == "won"].set_index("element")
    won = of_won.loc[most["element"]]
    deals = f"{most['deal_count']} lost and {won['deal_count']} won deals"
    if clear.empty:
        return f"Between {deals}, no step is clearly missing more often in the lost ones."
    return (
        f"No call covered {most['element_title']} in {style.percent(most['zero_coverage_share'])} "
        f"of all {most['deal_count']} lost deals and {style.percent(won['zero_coverage_share'])} "
        f"of all {won['deal_count']} won ones."
    )


def _over_time(told: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Rows with the column ``period``: weeks, or months where weeks have too few calls."""
    weeks = told.assign(period=told["week_start"])
    calls = weeks.groupby(["step", "period"])["calls"].sum()
    if (calls >= MINIMUM_N).mean() >= 0.5:
        return "week", weeks
    return "month", told.assign(period=[day.replace(day=1) for day in told["week_start"]])


def _trend(told: pd.DataFrame, most: Any) -> None:
    unit, told = _over_time(told)
    one = _summed(told[told["step"] == most["step"]], ["period"])
    every = _summed(told, ["period"])
    enough = one[one["calls"] >= MINIMUM_N]
    title = f"Share skipped, by {unit}"
    if enough.empty:
        st.markdown(f"**{title}**")
        st.caption(f"No {unit} has {MINIMUM_N} calls: choose fewer filters.")
        return
    drawn = pd.concat(
        [
            enough.assign(step=most["step_title"]),
            every[every["period"].isin(enough["period"])].assign(step="All steps"),
        ]
    ).sort_values("period")
    parts.lines(drawn, "period", "share", "step", n="calls", share=True, title=title)
    if len(enough) < len(one):
        st.caption(f"Without {unit}s of fewer than {MINIMUM_N} calls.")


def _coverage(view: View, coverage: pd.DataFrame) -> None:
    st.subheader("Lost deals against won ones", anchor=False)
    if coverage.empty:
        st.caption("No deal with such a call is closed yet.")
        return
    counts = coverage.groupby("outcome")["deal_count"].max()
    shown = coverage.assign(
        deals=[f"{o.capitalize()} (n = {counts[o]} deals)" for o in coverage["outcome"]],
        said=coverage["comparison"].map(_SAID),
    )
    lost = shown[shown["outcome"] == "lost"]
    won = shown[shown["outcome"] == "won"].set_index("element")
    first, second = st.columns([3, 2])
    with first:
        parts.intervals(
            shown, "element_title", "zero_coverage_share", "zero_coverage_share_lower",
            "zero_coverage_share_upper", by="deals", n="deal_count", share=True,
            title="Deals in which no call covered the step",
            x_title="Share of closed deals (line: 95 % interval)",
        )  # fmt: skip
    with second:
        parts.table(
            view,
            "coverage",
            lost.assign(
                won_deals=lost["element"].map(won["deal_count"]),
                won_share=lost["element"].map(won["zero_coverage_share"]),
            ),
            {
                "element_title": Column("Step"),
                "said": Column("In lost deals"),
                "zero_coverage_share": Column("Never, lost", "share"),
                "won_share": Column("Never, won", "share"),
            },
        )
        st.caption(
            "All closed deals, whatever is chosen above; calls up to the day of closing. An "
            "association, not a cause: a deal that goes well goes on to talk about more."
        )


def _steps(view: View, told: pd.DataFrame, steps: pd.DataFrame) -> None:
    st.subheader("Step by step", anchor=False)
    unit, told = _over_time(told)
    periods = _summed(told, ["step", "period"]).sort_values("period")
    trends = periods[periods["calls"] >= MINIMUM_N].groupby("step")["share"].apply(list)
    parts.table(
        view,
        "steps",
        steps.sort_values("step_number").assign(
            trend=[trends.get(step, []) for step in steps.sort_values("step_number")["step"]],
            discovery_share=steps["discovery_skipped"]
            / steps["discovery_calls"].where(steps["discovery_calls"] > 0),
        ),
        {
            "step_number": Column("", "number"),
            "step_title": Column("Step"),
            "calls": Column("n (calls)", "number"),
            "skipped": Column("Skipped", "number"),
            "share": Column("Share skipped", "share"),
            "lower": Column("from", "share", help="95 % interval"),
            "upper": Column("to", "share", help="95 % interval"),
            "trend": Column(f"By {unit}", "line", help=f"Those of {MINIMUM_N} calls or more"),
            "discovery_calls": Column("Discovery calls", "number"),
            "discovery_share": Column("Skipped in these", "share"),
        },
    )


def _people(view: View, told: pd.DataFrame, steps: pd.DataFrame) -> None:
    most = steps.iloc[0]
    people = _summed(told[told["step"] == most["step"]], ["rep_key", "rep", "team"])
    every = _summed(told, ["rep_key"]).set_index("rep_key")["share"]
    st.subheader(f"Who skips {most['step_title']}", anchor=False)
    parts.table(
        view,
        "people",
        people.assign(
            every=[every.get(key) for key in people["rep_key"]],
            note=["" if n >= MINIMUM_N else parts.NOT_ENOUGH for n in people["calls"]],
        ).sort_values(["note", "share"], ascending=[True, False]),
        {
            "rep": Column("Person"),
            "team": Column("Team"),
            "calls": Column("n (calls)", "number"),
            "share": Column("Share skipped", "share"),
            "lower": Column("from", "share", help="95 % interval"),
            "upper": Column("to", "share", help="95 % interval"),
            "every": Column("Share skipped, all steps", "share"),
            "note": Column("Note"),
        },
    )


def _calls(view: View, steps: pd.DataFrame, asked: dict[str, Any]) -> None:
    st.subheader("Calls", anchor=False)
    titles = {row.step: row.step_title for row in steps.sort_values("step_number").itertuples()}
    step = st.selectbox(
        "Calls that skip",
        ["", *titles],
        format_func=lambda key: titles.get(key, "any step"),
        key="step",
        bind="query-params",
        width=460,
    )
    calls = view.read(
        CALLS,
        **asked,
        steps=[step] if step else list(titles),
    )
    if calls.empty:
        st.caption("No call chosen skips it.")
        return
    parts.table(
        view,
        "calls",
        calls.assign(
            open=parts.conversation_links(calls),
            followed=[
                f"{row.steps_followed} of {row.steps_expected}" for row in calls.itertuples()
            ],
        ),
        {
            "open": Column("", "link"),
            "started_at": Column("Started (UTC)", "moment"),
            "title": Column("Call"),
            "rep": Column("Person"),
            "deal_stage": Column("Stage"),
            "followed": Column("Followed"),
            "skipped_steps": Column("Skipped"),
            "score": Column("Score by the kit", "share"),
        },
    )
    if len(calls) == 200:
        st.caption("The newest 200.")


PAGE = Page(
    slug="adherence",
    title="Adherence",
    question="Which steps of the framework are skipped, and does it go with losing?",
    filters=("team", "vendor", "rep", "days"),
    render=render,
    section="Methodology",
    icon=":material/checklist:",
    queries={
        "frameworks": FRAMEWORKS,
        "steps": STEPS,
        "whole": WHOLE,
        "coverage": COVERAGE,
        "calls": CALLS,
    },
    takes=("framework", "step"),
)
