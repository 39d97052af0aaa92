"""Which signals of conversations go with deals that are won, and how sure that is."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column
from semarize_dashboards.query import Query

_RATES = """
    deal_count, deals_with, wins_with, win_rate_with, win_rate_with_lower, win_rate_with_upper,
    deals_without, wins_without, win_rate_without, win_rate_without_lower,
    win_rate_without_upper, win_rate_difference, win_rate_difference_lower,
    win_rate_difference_upper, win_rate_ratio, win_rate_ratio_lower, win_rate_ratio_upper,
    has_enough_data, comparison
"""
SETS = Query(
    f"""
select condition_set, conditions, kit_version_id, deals_unknown, {_RATES}
from marts.win_loss_analysis
order by has_enough_data desc, win_rate_difference desc, condition_set, kit_version_id
"""
)
SIGNALS = Query(
    f"""
select signal, value_band, kit_version_id, cadence_name, segment, {_RATES}
from marts.qualification_signal_win_rates
where cadence_name = {{cadence}} and segment = {{segment}}
order by has_enough_data desc, win_rate_difference desc, signal, value_band, kit_version_id
"""
)
SCOPES = Query(
    """
select distinct cadence_name, segment
from marts.qualification_signal_win_rates
order by cadence_name, segment
"""
)
# The mart's word for what is not narrowed.
_ALL = "all"
_VERDICTS = {
    "higher_with": "won more often with it",
    "lower_with": "won less often with it",
    "no_clear_difference": "no clear difference",
    "not_enough_data": parts.NOT_ENOUGH,
}
_NOT_CAUSE = (
    "What goes together need not be cause and effect: deals that go well may simply show more of "
    f"these signals. Lines are 95 % intervals; with fewer than {MINIMUM_N} deals on either side "
    "nothing is said of a difference."
)


def render(view: View) -> None:
    """Draw the page."""
    sets = view.read(SETS)
    if sets.empty:
        parts.headline("No closed deal has scored conversations yet\\.")
        parts.basis(view, 0, "closed deals")
        parts.empty(
            "Win rates need deals that were closed after scored conversations.",
            "They come with the CRM's opportunities and the kits deal_signals and qualification.",
        )
        return
    sets = _named(sets, sets["condition_set"].map(style.label))
    _answer(sets)
    versions = sorted({v for each in sets["kit_version_id"] for v in str(each).split("+")})
    parts.basis(view, int(sets["deal_count"].max()), "closed deals", versions)
    _rates(sets, "Win rate with and without several signals together")
    st.caption(_NOT_CAUSE)
    _table(
        view,
        "sets",
        sets,
        {"name": Column("Signals together")},
        {"conditions": Column("Rule", help="Of the kits' bricks")},
    )
    _signals(view)


def _named(rows: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """With a name of its own for each row: versions of a kit stay apart."""
    several = rows.assign(name=names).groupby("name")["kit_version_id"].transform("nunique") > 1
    named = names.where(~several, names + ", " + rows["kit_version_id"].str[:8])
    return rows.assign(
        name=named, verdict=rows["comparison"].map(lambda told: _VERDICTS.get(told, told))
    )


def _answer(sets: pd.DataFrame) -> None:
    clear = sets[sets["comparison"].isin(["higher_with", "lower_with"])]
    if clear.empty:
        enough = int(sets["has_enough_data"].astype(bool).sum())
        parts.headline(
            f"No set of signals goes with a clear difference in win rates: {enough} of "
            f"{len(sets)} have enough closed deals to tell\\."
        )
        return
    first = clear.iloc[0]
    ratio = (
        f" \\({style.number(first['win_rate_ratio'], 1)} times the rate, 95 % interval "
        f"{style.number(first['win_rate_ratio_lower'], 1)} to "
        f"{style.number(first['win_rate_ratio_upper'], 1)}\\)"
        if pd.notna(first["win_rate_ratio"])
        else ""
    )
    parts.headline(
        f"{parts.plain(first['name'])}: deals with it are won in "
        f"{style.percent(first['win_rate_with'])} of cases \\({first['wins_with']} of "
        f"{first['deals_with']}\\), the others in {style.percent(first['win_rate_without'])} "
        f"\\({first['wins_without']} of {first['deals_without']}\\){ratio}\\."
    )


def _rates(rows: pd.DataFrame, title: str) -> None:
    sides = []
    for side in ("with", "without"):
        sides.append(
            pd.DataFrame(
                {
                    "name": rows["name"]
                    + rows["has_enough_data"].map(lambda enough: "" if enough else " (too few)"),
                    "deals": side,
                    "win_rate": rows[f"win_rate_{side}"],
                    "lower": rows[f"win_rate_{side}_lower"],
                    "upper": rows[f"win_rate_{side}_upper"],
                    "n": rows[f"deals_{side}"],
                }
            )
        )
    drawn = pd.concat(sides).sort_index(kind="stable").dropna(subset=["win_rate"])
    parts.intervals(
        drawn, "name", "win_rate", "lower", "upper", by="deals", n="n", share=True,
        title=title, x_title="deals won, share of the closed",
    )  # fmt: skip


def _table(
    view: View,
    name: str,
    rows: pd.DataFrame,
    first: dict[str, Column],
    last: dict[str, Column] | None = None,
) -> None:
    compared = [
        f"win_rate_{what}{end}"
        for what in ("difference", "ratio")
        for end in ("", "_lower", "_upper")
    ]
    # Of too few deals, only what was counted.
    told = rows.assign(
        **{field: rows[field].where(rows["has_enough_data"].astype(bool)) for field in compared}
    )
    parts.table(
        view,
        name,
        _with_kits(view, told),
        {
            **first,
            "verdict": Column("Comparison", help="By the 95 % interval of the difference"),
            "win_rate_with": Column("Won with", "share"),
            "deals_with": Column("n with", "number"),
            "win_rate_without": Column("Won without", "share"),
            "deals_without": Column("n without", "number"),
            "win_rate_difference_lower": Column("Difference, from", "share", 0, "In points"),
            "win_rate_difference_upper": Column("to", "share", 0, "In points"),
            "win_rate_ratio": Column("Ratio", "number", 2, "Rate with over rate without"),
            "win_rate_ratio_lower": Column("from", "number", 2),
            "win_rate_ratio_upper": Column("to ", "number", 2),
            "kit": Column("Kit version"),
            **(last or {}),
        },
    )


def _with_kits(view: View, rows: pd.DataFrame) -> pd.DataFrame:
    """As ``parts.with_kits``; a set of signals may need two kits, joined by a plus."""
    each = rows["kit_version_id"].str.split("+").explode().to_frame("kit_version_id")
    named = parts.with_kits(view, each)["kit"]
    return rows.assign(kit=named.groupby(level=0).agg(" + ".join))


def _signals(view: View) -> None:
    st.subheader("Signal by signal", anchor=False)
    scopes = view.read(SCOPES)
    if scopes.empty:
        parts.empty(
            "No closed deal has a signal of qualification.", "Score its conversations first."
        )
        return
    left, right = st.columns(2)
    chosen = []
    for column, label, field, key in (
        (left, "First cadence", "cadence_name", "cadence"),
        (right, "Segment", "segment", "segment"),
    ):
        values = [_ALL, *sorted(set(scopes[field]) - {_ALL})]
        with column:
            picked = st.selectbox(label, values, key=key, bind="query-params")
        chosen.append(picked or _ALL)
    told = view.read(SIGNALS, cadence=chosen[0], segment=chosen[1])
    if told.empty:
        parts.empty("No closed deal is in both.", "Choose another cadence or segment.")
        return
    names = told["signal"].map(style.label) + ": " + told["value_band"]
    rows = _named(told, names)
    if rows["has_enough_data"].astype(bool).any():
        enough = rows[rows["has_enough_data"].astype(bool)]
        _rates(
            enough, f"Win rate with and without a signal, n = {enough['deal_count'].max()} deals"
        )
    else:
        parts.empty(
            f"Too few closed deals here: {rows['deal_count'].max()} in all, and a comparison "
            f"takes {MINIMUM_N} on either side.",
            "Choose all cadences and segments, or wait for more closed deals.",
        )
    _table(view, "signals", rows, {"name": Column("Signal")})


PAGE = Page(
    slug="win_loss",
    title="Win and loss",
    question="Which signals go with deals that are won, and how sure is that?",
    filters=(),
    render=render,
    section="Deals",
    icon=":material/balance:",
    queries={"sets": SETS, "signals": SIGNALS, "scopes": SCOPES},
    takes=("cadence", "segment"),
)
