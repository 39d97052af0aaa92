"""Which step of which cadence leaks competitors' prices, and how the cadences' calls compare."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query


def _pairs(mart: str, first: str, second: str) -> Query:
    """The pairs of kit versions that a mart holds, that of most calls first."""
    return Query(
        f"""
select
    t.{first} || ':' || t.{second} as pair, t.{first} as first_version,
    t.{second} as second_version,
    coalesce(max(a.kit_name || ' v' || a.version_number), t.{first}) as first_kit,
    coalesce(max(b.kit_name || ' v' || b.version_number), t.{second}) as second_kit
from marts.{mart} as t
left join marts.dim_kits as a on t.{first} = a.kit_version_id
left join marts.dim_kits as b on t.{second} = b.kit_version_id
where t.{first} is not null and t.{second} is not null
group by t.{first}, t.{second}
order by sum(t.calls) desc, 1
"""
    )


AUDIT_PAIRS = _pairs(
    "cadence_step_quality_audit",
    "deal_signals_kit_version_id",
    "messaging_accuracy_kit_version_id",
)
# Every step stands here, also one that these versions have scored no call of.
AUDIT = Query(
    """
select
    s.cadence_name, s.step_number, s.step_name, s.channel, coalesce(t.calls, 0) as calls,
    t.quality_score_normalised, t.quality_score_normalised_lower,
    t.quality_score_normalised_upper, coalesce(t.violations, 0) as violations,
    t.violation_share, t.violation_share_lower, t.violation_share_upper,
    coalesce(t.recommendation, 'not_enough_data') as recommendation,
    t.first_call_on, t.last_call_on
from marts.dim_cadence_steps as s
left join marts.cadence_step_quality_audit as t
    on
        s.cadence_step_key = t.cadence_step_key
        and t.deal_signals_kit_version_id || ':' || t.messaging_accuracy_kit_version_id = {pair}
order by s.cadence_name, s.step_number
"""
)
UNLINKED = Query(
    "select max(calls_unlinked) as calls_unlinked from marts.cadence_step_quality_audit"
)
LEAKS = Query(
    """
select
    c.conversation_key, c.started_at, c.title, c.account_name, c.cadence_name, c.cadence_step,
    coalesce(r.rep_name, c.rep_key) as rep
from marts.fct_brick_values as v
inner join marts.fct_conversations as c on v.conversation_key = c.conversation_key
left join marts.dim_reps as r on c.rep_key = r.rep_key
where
    v.brick_key = 'competitor_pricing_leaked' and v.value_boolean and v.is_latest
    and v.kit_version_id = {version} and c.cadence_name in ({cadences})
order by c.started_at desc
limit 200
"""
)
COMPARISON_PAIRS = _pairs(
    "cadence_quality_comparison", "qualification_kit_version_id", "deal_signals_kit_version_id"
)
COMPARISON = Query(
    """
select
    cadence_name, cadence_source, calls, has_enough_data,
    buying_signal_normalised, buying_signal_normalised_lower, buying_signal_normalised_upper,
    buying_signal_ratio_to_lowest,
    pain_severity_normalised, pain_severity_normalised_lower, pain_severity_normalised_upper,
    pain_severity_ratio_to_lowest,
    pain_specificity_normalised, pain_specificity_normalised_lower,
    pain_specificity_normalised_upper, pain_specificity_ratio_to_lowest,
    discovery_depth_normalised, discovery_depth_normalised_lower,
    discovery_depth_normalised_upper, discovery_depth_ratio_to_lowest
from marts.cadence_quality_comparison
where qualification_kit_version_id || ':' || deal_signals_kit_version_id = {pair}
order by cadence_name
"""
)
_SAID = {
    "rewrite_recommended": "Rewrite",
    "watch": "Watch",
    "clean": "Clean",
    "not_enough_data": "Not enough data",
}
_MEASURES = {
    "buying_signal": "Buying signals",
    "pain_specificity": "Pain told specifically",
    "pain_severity": "Severity of the pain",
    "discovery_depth": "Depth of discovery",
}


def render(view: View) -> None:
    """Draw the page."""
    pairs = view.read(AUDIT_PAIRS)
    if pairs.empty:
        parts.nothing_chosen(view, "scored calls of cadences")
        return
    first, second, third = st.columns(3)
    with second:
        pair = _pair(pairs, "audit_versions", "Kits and versions of the audit")
    with third:
        compared = _compared(view)
    steps = view.read(AUDIT, pair=pair["pair"])
    with first:
        cadence = st.selectbox(
            "Cadence",
            ["", *dict.fromkeys(steps["cadence_name"])],
            format_func=lambda name: name or "All",
            key="cadence",
            bind="query-params",
        )
    if cadence:
        steps = steps[steps["cadence_name"] == cadence]
    steps = steps.assign(
        shown=[
            f"{row.cadence_name}, {row.step_number}: {row.step_name}" for row in steps.itertuples()
        ],
        said=steps["recommendation"].map(_SAID),
    )
    parts.headline(parts.plain(f"{_leaks_told(steps)} {_interest_told(compared)}"))
    parts.basis(
        view,
        int(steps["calls"].sum()),
        f"calls of {len(steps)} steps, scored by both kits",
        [pair["first_version"], pair["second_version"]],
    )
    found = steps["recommendation"].value_counts()
    unlinked = view.read(UNLINKED)["calls_unlinked"].iloc[0]
    parts.figures(
        [
            Figure("Steps to rewrite", style.number(found.get("rewrite_recommended", 0))),
            Figure("Steps to watch", style.number(found.get("watch", 0))),
            Figure("Clean steps", style.number(found.get("clean", 0))),
            Figure("Steps with too few calls", style.number(found.get("not_enough_data", 0))),
            Figure(
                "Calls linked to no step",
                style.number(unlinked),
                help="Scored calls on platforms with cadences that no step is known of; they are "
                "in none of the figures.",
            ),
        ]
    )
    _leaks(view, steps, pair["second_version"])
    _steps(view, steps)
    _comparison(view, compared)


def _pair(pairs: pd.DataFrame, key: str, label: str) -> pd.Series:
    named = {row.pair: f"{row.first_kit} and {row.second_kit}" for row in pairs.itertuples()}
    chosen = st.selectbox(
        label, list(named), format_func=named.__getitem__, key=key, bind="query-params"
    )
    return pairs.iloc[list(named).index(chosen)]


def _compared(view: View) -> pd.DataFrame:
    """The cadences by the versions chosen; no row where nothing has been scored."""
    pairs = view.read(COMPARISON_PAIRS)
    if pairs.empty:
        return pairs
    pair = _pair(pairs, "comparison_versions", "Kits and versions of the comparison")
    return view.read(COMPARISON, pair=pair["pair"])


def _leaks_told(steps: pd.DataFrame) -> str:
    worst = steps.sort_values("violation_share", ascending=False, na_position="last")
    rewrite = worst[worst["recommendation"] == "rewrite_recommended"]
    watch = worst[worst["recommendation"] == "watch"]
    judged = int((steps["recommendation"] != "not_enough_data").sum())
    if not rewrite.empty:
        first = rewrite.iloc[0]
        said = (
            f"A rewrite of step {first['step_number']} of {first['cadence_name']} "
            f"({first['step_name']}) is recommended: a competitor's price was leaked on "
            f"{first['violations']} of {first['calls']} calls "
            f"({style.percent(first['violation_share'])}; 95 % interval "
            f"{style.percent(first['violation_share_lower'])} to "
            f"{style.percent(first['violation_share_upper'])})."
        )
        if len(rewrite) > 1:
            said += f" The same goes for {_steps_told(len(rewrite) - 1)} more."
    elif not watch.empty:
        first = watch.iloc[0]
        said = (
            f"No step needs a rewrite. A competitor's price was leaked most on step "
            f"{first['step_number']} of {first['cadence_name']} ({first['step_name']}): on "
            f"{first['violations']} of {first['calls']} calls."
        )
    elif judged:
        said = f"None of {_steps_told(judged)} with enough calls leaked a competitor's price."
    else:
        said = f"None of {_steps_told(len(steps))} has enough scored calls to be judged."
    return said


def _interest_told(compared: pd.DataFrame) -> str:
    enough = compared[compared["has_enough_data"]] if len(compared) else compared
    if len(enough) < 2:
        return "There is not enough data to compare cadences."
    ordered = enough.sort_values("buying_signal_normalised", ascending=False)
    best, lowest = ordered.iloc[0], ordered.iloc[-1]
    if not best["buying_signal_normalised_lower"] > lowest["buying_signal_normalised_upper"]:
        return "Buying signals differ between no two cadences clearly."
    return (
        f"Buying signals are strongest on calls of {best['cadence_name']} "
        f"(mean {best['buying_signal_normalised']:.2f}, n = {best['calls']}) and weakest on those "
        f"of {lowest['cadence_name']} ({lowest['buying_signal_normalised']:.2f}, "
        f"n = {lowest['calls']})."
    )


def _steps_told(n: int) -> str:
    return f"{n} step{'' if n == 1 else 's'}"


def _leaks(view: View, steps: pd.DataFrame, version: str) -> None:
    leaking = steps[steps["violations"] > 0].sort_values("violation_share", ascending=False)
    if leaking.empty:
        st.caption("No scored call of these steps leaked a competitor's price.")
        return
    first, second = st.columns([3, 2])
    with first:
        parts.intervals(
            leaking, "shown", "violation_share", "violation_share_lower",
            "violation_share_upper", n="calls", share=True,
            title="Steps on which a competitor's price was leaked",
            x_title="Share of the step's calls (line: 95 % interval)",
        )  # fmt: skip
        st.caption(
            "Few calls make wide intervals: they say how much a share is worth. What is "
            "recommended looks at leaks only."
        )
    with second:
        _calls(view, list(dict.fromkeys(leaking["cadence_name"])), version)


def _calls(view: View, cadences: Sequence[str], version: str) -> None:
    calls = view.read(LEAKS, cadences=cadences, version=version)
    st.markdown("**Calls with a leak**")
    if calls.empty:
        st.caption("The vendor gives no cadence with these calls.")
        return
    parts.table(
        view,
        "leaks",
        calls.assign(
            open=parts.conversation_links(calls),
            step=[f"{row.cadence_step}, {row.cadence_name}" for row in calls.itertuples()],
        ),
        {
            "open": Column("", "link"),
            "started_at": Column("Started (UTC)", "moment"),
            "step": Column("Step", help="As the vendor gives it"),
            "rep": Column("Person"),
            "title": Column("Call"),
        },
        height=250,
    )


def _steps(view: View, steps: pd.DataFrame) -> None:
    st.subheader("Every step", anchor=False)
    parts.table(
        view,
        "steps",
        steps,
        {
            "cadence_name": Column("Cadence"),
            "step_number": Column("Step", "number"),
            "step_name": Column("What it is"),
            "channel": Column("Planned as"),
            "said": Column("Recommendation"),
            "calls": Column("n (calls)", "number", help="Scored by both kits"),
            "violations": Column("Leaks", "number"),
            "violation_share": Column("Share", "share"),
            "violation_share_lower": Column("from", "share", help="95 % interval"),
            "violation_share_upper": Column("to", "share", help="95 % interval"),
            "quality_score_normalised": Column("Quality, mean", "share"),
            "quality_score_normalised_lower": Column("from ", "share", help="95 % interval"),
            "quality_score_normalised_upper": Column("to ", "share", help="95 % interval"),
            "last_call_on": Column("Last call", "day"),
        },
    )


def _comparison(view: View, rows: pd.DataFrame) -> None:
    st.subheader("Cadences compared", anchor=False)
    if rows.empty:
        st.caption("No call of a cadence has been scored by both kits that this needs.")
        return
    rows = rows.assign(
        shown=[f"{row.cadence_name} (n = {row.calls})" for row in rows.itertuples()],
        note=["" if enough else parts.NOT_ENOUGH for enough in rows["has_enough_data"]],
    )
    enough = rows[rows["has_enough_data"]]
    for pair_of_measures in (list(_MEASURES)[:2], list(_MEASURES)[2:]):
        for measure, column in zip(pair_of_measures, st.columns(2), strict=True):
            with column:
                parts.intervals(
                    rows.sort_values(f"{measure}_normalised", ascending=False),
                    "shown", f"{measure}_normalised", f"{measure}_normalised_lower",
                    f"{measure}_normalised_upper", n="calls",
                    title=f"{_MEASURES[measure]}{_ratio(enough, measure)}",
                    x_title="Mean score, 0 to 1 (line: 95 % interval)",
                )  # fmt: skip
    st.caption(
        f"Ratios are of the means, among cadences with at least {MINIMUM_N} scored calls. Cadences "
        "differ by their prospects as much as by their steps: no proof of what caused it."
    )
    parts.table(
        view,
        "cadences",
        rows,
        {
            "cadence_name": Column("Cadence"),
            "cadence_source": Column("Prospects from"),
            "calls": Column("n (calls)", "number"),
            **{
                name: column
                for measure, said in _MEASURES.items()
                for name, column in (
                    (f"{measure}_normalised", Column(said, "number", 2)),
                    (f"{measure}_ratio_to_lowest", Column("x lowest", "number", 2)),
                )
            },
            "note": Column("Note"),
        },
    )


def _ratio(rows: pd.DataFrame, measure: str) -> str:
    ratios = rows[f"{measure}_ratio_to_lowest"].dropna()
    return f": the highest is {ratios.max():.2f} times the lowest" if len(ratios) > 1 else ""


PAGE = Page(
    slug="cadences",
    title="Cadences",
    question="Which step leaks competitors' prices, and which cadence meets the most interest?",
    filters=(),
    render=render,
    section="Methodology",
    icon=":material/steps:",
    queries={
        "audit_pairs": AUDIT_PAIRS,
        "audit": AUDIT,
        "unlinked": UNLINKED,
        "leaks": LEAKS,
        "comparison_pairs": COMPARISON_PAIRS,
        "comparison": COMPARISON,
    },
    takes=("cadence", "audit_versions", "comparison_versions"),
)
