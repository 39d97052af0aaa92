"""Which of two ways of selling goes with winning, by kits that score the same calls."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query

# The pair that scored most comes first.
PAIRS = Query(
    """
select
    t.kit_version_id_a || ':' || t.kit_version_id_b as pair,
    max(t.kit_name_a) as kit_name_a, max(t.kit_name_b) as kit_name_b,
    coalesce(max(a.kit_name || ' v' || a.version_number), max(t.kit_version_id_a)) as shown_a,
    coalesce(max(b.kit_name || ' v' || b.version_number), max(t.kit_version_id_b)) as shown_b
from marts.methodology_ab_test as t
left join marts.dim_kits as a on t.kit_version_id_a = a.kit_version_id
left join marts.dim_kits as b on t.kit_version_id_b = b.kit_version_id
group by t.kit_version_id_a, t.kit_version_id_b
order by max(t.call_count) desc, 1
"""
)
TESTS = Query(
    """
select
    scope, segment, kit_version_id_a, kit_version_id_b, call_count, deal_count,
    won_deal_count, lost_deal_count, has_enough_data, verdict,
    win_correlation_a, win_correlation_a_lower, win_correlation_a_upper,
    win_correlation_b, win_correlation_b_lower, win_correlation_b_upper,
    win_correlation_difference, win_correlation_difference_lower,
    win_correlation_difference_upper,
    score_a_normalised, score_b_normalised, score_difference_normalised,
    score_difference_lower, score_difference_upper, positive_at_normalised,
    false_positive_deals_a, false_positive_rate_a, false_positive_rate_a_lower,
    false_positive_rate_a_upper,
    false_positive_deals_b, false_positive_rate_b, false_positive_rate_b_lower,
    false_positive_rate_b_upper
from marts.methodology_ab_test
where kit_version_id_a || ':' || kit_version_id_b = {pair}
order by case scope when 'overall' then 0 else 1 end, deal_count desc, segment
"""
)
_OTHER = {"a": "b", "b": "a"}


def render(view: View) -> None:
    """Draw the page."""
    pairs = view.read(PAIRS)
    if pairs.empty:
        parts.nothing_chosen(view, "calls of closed deals that both kits have scored")
        return
    told = {row.pair: row for row in pairs.itertuples()}
    pair = st.selectbox(
        "Kits and versions compared",
        list(told),
        format_func=lambda key: f"{told[key].shown_a} and {told[key].shown_b}",
        key="versions",
        bind="query-params",
        width=460,
    )
    names = {
        "a": f"{_short(told[pair].kit_name_a)} (A)",
        "b": f"{_short(told[pair].kit_name_b)} (B)",
    }
    rows = _named(view.read(TESTS, pair=pair), names)
    whole = rows.iloc[0]
    _answer(rows, names)
    parts.basis(
        view,
        int(whole["call_count"]),
        f"calls scored by both kits, of {style.number(whole['deal_count'])} closed deals "
        f"({whole['won_deal_count']} won, {whole['lost_deal_count']} lost)",
        [whole["kit_version_id_a"], whole["kit_version_id_b"]],
    )
    parts.figures(
        [
            Figure(row.shown, names.get(row.verdict[0], row.verdict_said))
            for row in rows.itertuples()
        ]
    )
    first, second = st.columns(2)
    with first:
        parts.intervals(
            _each(rows, "win_correlation", names), "shown", "value", "lower", "upper", by="kit",
            n="deal_count", zero=True, title="How closely a kit's score goes with winning",
            x_title="Correlation over deals, from -1 to 1 (line: 95 % interval)",
        )  # fmt: skip
    with second:
        parts.intervals(
            rows, "shown", "win_correlation_difference", "win_correlation_difference_lower",
            "win_correlation_difference_upper", n="deal_count", zero=True,
            title="A's correlation less B's: the verdict rests on this",
            x_title="Difference (right of 0: A is closer; line: 95 % interval)",
        )  # fmt: skip
        st.caption(
            "A kit is named only where the interval of the difference leaves out 0, and where "
            f"at least {MINIMUM_N} deals are closed, enough won and enough lost.  \n"
            "It is an association, not a cause: calls of a deal that goes well score well, too. "
            "Where segments disagree, read them and not the row over all."
        )
    _scores(rows, names)
    _table(view, rows)


def _short(kit: str) -> str:
    bare = kit.removeprefix("methodology_")
    return style.label(kit) if bare == kit else bare.upper()


def _named(rows: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    said = {
        "a_higher": f"{names['a']} is closer",
        "b_higher": f"{names['b']} is closer",
        "no_clear_winner": "No clear winner",
        "not_enough_data": "Not enough data",
    }
    named = rows.assign(
        segment=[
            "All segments" if row.scope == "overall" else style.label(row.segment)
            for row in rows.itertuples()
        ],
        verdict_said=rows["verdict"].map(said),
    )
    return named.assign(
        shown=[f"{row.segment} ({row.deal_count} deals)" for row in named.itertuples()]
    )


def _each(rows: pd.DataFrame, measure: str, names: dict[str, str]) -> pd.DataFrame:
    """A row for each of the two kits, with the measure and its interval."""
    return pd.concat(
        rows.assign(
            kit=name,
            value=rows[f"{measure}_{side}"],
            lower=rows[f"{measure}_{side}_lower"],
            upper=rows[f"{measure}_{side}_upper"],
        )
        for side, name in names.items()
    )


def _answer(rows: pd.DataFrame, names: dict[str, str]) -> None:
    whole = rows.iloc[0]
    n = f"n = {style.number(whole['deal_count'])} closed deals"
    said = {
        "a_higher": f"The scores of {names['a']} go closer with winning than {names['b']}'s ({n})",
        "b_higher": f"The scores of {names['b']} go closer with winning than {names['a']}'s ({n})",
        "no_clear_winner": f"No clear winner between {names['a']} and {names['b']} ({n})",
        "not_enough_data": f"Not enough data to compare {names['a']} and {names['b']} ({n})",
    }[whole["verdict"]]
    differing = rows.iloc[1:][
        rows.iloc[1:]["verdict"].isin({"a_higher", "b_higher"} - {whole["verdict"]})
    ]
    found = []
    for _, row in differing.iterrows():
        side = row["verdict"][0]
        found.append(
            f"{names[side]} in {row['segment']} "
            f"({row[f'win_correlation_{side}']:.2f} against "
            f"{row[f'win_correlation_{_OTHER[side]}']:.2f}, n = {row['deal_count']})"
        )
    but = f". Closer with winning: {' and '.join(found)}" if found else ""
    parts.headline(parts.plain(f"{said}{but}."))


def _scores(rows: pd.DataFrame, names: dict[str, str]) -> None:
    whole = rows.iloc[0]
    st.subheader("How high the two score, and how often they are wrong", anchor=False)
    first, second = st.columns(2)
    with first:
        parts.intervals(
            rows, "shown", "score_difference_normalised", "score_difference_lower",
            "score_difference_upper", n="call_count", zero=True,
            title="A's score less B's, on the same calls",
            x_title="Mean difference, scores from 0 to 1 (line: 95 % interval)",
        )  # fmt: skip
        st.caption(
            "A false positive is a lost deal whose calls had a mean score of at least "
            f"{style.percent(whole['positive_at_normalised'])}, as if it would be won."
        )
    with second:
        parts.intervals(
            _each(rows, "false_positive_rate", names), "shown", "value", "lower", "upper",
            by="kit", n="lost_deal_count", share=True,
            title="False positives", x_title="Share of the lost deals (line: 95 % interval)",
        )  # fmt: skip


def _table(view: View, rows: pd.DataFrame) -> None:
    parts.table(
        view,
        "segments",
        rows,
        {
            "segment": Column("Segment"),
            "verdict_said": Column("Verdict"),
            "call_count": Column("n (calls)", "number", help="Scored by both kits"),
            "deal_count": Column("Deals", "number", help="Closed; the unit of the correlations"),
            "won_deal_count": Column("Won", "number"),
            "lost_deal_count": Column("Lost", "number"),
            "win_correlation_a": Column("Correlation A", "number", 2),
            "win_correlation_b": Column("Correlation B", "number", 2),
            "score_a_normalised": Column("Mean score A", "share"),
            "score_b_normalised": Column("Mean score B", "share"),
            "false_positive_deals_a": Column("False positives A", "number"),
            "false_positive_deals_b": Column("False positives B", "number"),
        },
    )


PAGE = Page(
    slug="methodology_ab",
    title="Methodology A/B",
    question="Which of two ways of selling goes with winning?",
    filters=(),
    render=render,
    section="Methodology",
    icon=":material/balance:",
    queries={"pairs": PAIRS, "tests": TESTS},
    takes=("versions",),
)
