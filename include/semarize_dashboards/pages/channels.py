"""Whether customers get the same service on every channel, measure by measure."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query

WEEKS_TOGETHER = 4
_LABELS = {
    "empathy_demonstrated": "Empathy",
    "resolution_clarity": "Clarity of the resolution",
    "effort_reduction": "Ease for the customer",
    "brand_alignment": "Brand voice",
}
_BY = {"channel": "o.channel"}
VERSIONS = Query(
    """
select o.kit_version_id, max(o.period_start) as last_period
from marts.omnichannel_consistency as o
group by o.kit_version_id
order by max(o.period_start) desc, sum(o.conversation_count) desc, o.kit_version_id
"""
)
QUARTERS = Query(
    """
select
    o.period_start, o.brick_key, o.channel, o.kit_version_id, o.conversation_count, o.score,
    o.score_normalised, o.best_score_normalised, o.gap_points, o.gap_percent
from marts.omnichannel_consistency as o
where o.period_grain = 'quarter' and o.kit_version_id = {version} and {filters}
order by o.period_start, o.brick_key, o.channel
""",
    by=_BY,
)
WEEKS = Query(
    """
select
    o.period_start, o.channel, o.kit_version_id, o.conversation_count, o.score, o.score_normalised
from marts.omnichannel_consistency as o
where
    o.period_grain = 'week' and o.kit_version_id = {version} and o.brick_key = {measure}
    and {filters}
order by o.period_start, o.channel
""",
    by=_BY,
)


def render(view: View) -> None:
    """Draw the page."""
    versions = view.read(VERSIONS)
    if versions.empty:
        parts.nothing_chosen(view, "conversations with a service score")
        return
    version = _version(view, list(versions["kit_version_id"]))
    told = view.read(QUARTERS, version=version)
    if told.empty:
        parts.nothing_chosen(view, "conversations with a service score")
        return
    ranks = {channel: place for place, channel in enumerate(style.CHANNELS)}
    told = told.assign(
        measure=told["brick_key"].map(_measure),
        quarter=told["period_start"].map(_quarter),
        rank=[ranks.get(channel, len(ranks)) for channel in told["channel"]],
    ).sort_values(["period_start", "rank", "channel"], kind="stable")
    quarters = sorted(told["period_start"].unique(), reverse=True)
    first, second = st.columns(2)
    with first:
        quarter = st.selectbox(
            "Quarter",
            [_quarter(each) for each in quarters],
            key="quarter",
            bind="query-params",
        )
    with second:
        keys = [key for key in _LABELS if key in set(told["brick_key"])]
        measure = st.selectbox(
            "Measure by week and quarter",
            keys or sorted(told["brick_key"].unique()),
            format_func=_measure,
            key="measure",
            bind="query-params",
        )
    now = _widest_first(told[told["quarter"] == quarter])
    _answer(now, str(quarter))
    parts.basis(
        view,
        # Each conversation has several measures.
        int(now.groupby("channel")["conversation_count"].max().sum()),
        f"conversations in {quarter}",
        [version],
    )
    _figures(now)
    first, second = st.columns(2)
    with first:
        parts.heat(
            now.assign(points=now["score_normalised"] * 100), "channel", "measure", "points",
            n="conversation_count", title=f"Mean score in {quarter}, 0 to 100",
        )  # fmt: skip
    with second:
        _by_quarter(told, str(measure))
    _trend(view, version, str(measure))
    _table(view, told, now, quarters)


def _version(view: View, versions: list[str]) -> str:
    """One version of the kit: only its own scores may be compared."""
    if len(versions) == 1:
        return versions[0]
    known = parts.with_kits(view, pd.DataFrame({"kit_version_id": versions}))
    names = dict(zip(known["kit_version_id"], known["kit"], strict=True))
    picked = st.selectbox(
        "Kit version (only scores of one version are compared)",
        versions,
        format_func=lambda each: names[each],
        key="pinned",
        bind="query-params",
    )
    return str(picked or versions[0])


def _measure(brick: str) -> str:
    return _LABELS.get(brick, style.label(brick))


def _quarter(start: date) -> str:
    return f"Q{(start.month + 2) // 3} {start.year}"


def _widest_first(now: pd.DataFrame) -> pd.DataFrame:
    """The measures in the order of their widest gap, each with its channels."""
    gaps = comparable(now).groupby("brick_key")["gap_points"].max()
    widest = now["brick_key"].map(gaps).fillna(-1.0)
    return now.assign(widest=widest).sort_values(
        ["widest", "measure", "rank"], ascending=[False, True, True], kind="stable"
    )


def comparable(now: pd.DataFrame) -> pd.DataFrame:
    """Channels with enough conversations, of measures where there are two of them; widest first."""
    enough = now[now["conversation_count"] >= MINIMUM_N]
    channels = enough.groupby("brick_key")["channel"].transform("size")
    return enough[channels > 1].sort_values(
        ["gap_points", "measure", "channel"], ascending=[False, True, True]
    )


def _answer(now: pd.DataFrame, quarter: str) -> None:
    compared = comparable(now)
    if compared.empty:
        parts.headline(
            f"In {parts.plain(quarter)} fewer than two channels have {MINIMUM_N} scored "
            "conversations, too few to compare\\."
        )
        return
    widest = compared.iloc[0]
    if widest["gap_points"] <= 0:
        parts.headline(f"In {parts.plain(quarter)} no channel is below another\\.")
        return
    same = compared[compared["brick_key"] == widest["brick_key"]]
    best = same.sort_values("gap_points", kind="stable").iloc[0]
    parts.headline(
        f"The widest gap in {parts.plain(quarter)}: {parts.plain(widest['measure'])} on "
        f"{parts.plain(widest['channel'])} is {widest['gap_points']:.0f} points "
        f"({widest['gap_percent']:.0f} %) below {parts.plain(best['channel'])} "
        f"({widest['score_normalised'] * 100:.0f}, n = {widest['conversation_count']:.0f}; "
        f"{best['score_normalised'] * 100:.0f}, n = {best['conversation_count']:.0f})\\."
    )


def _figures(now: pd.DataFrame) -> None:
    compared = comparable(now)
    shown = []
    for measure, rows in now.groupby("measure", sort=False):
        widest = compared[compared["measure"] == measure].head(1)
        few = widest.empty
        shown.append(
            Figure(
                str(measure),
                style.NONE if few else f"{widest['gap_points'].iloc[0]:.0f} points",
                parts.NOT_ENOUGH
                if few
                else f"{widest['channel'].iloc[0]}, {widest['gap_percent'].iloc[0]:.0f} % of best",
                arrow=False,
                help="The widest gap below the best channel, of those with "
                f"{MINIMUM_N} conversations or more. "
                f"{style.number(rows['conversation_count'].sum())} conversations in all.",
            )
        )
    parts.figures(shown)


def _by_quarter(told: pd.DataFrame, measure: str) -> None:
    rows = told[told["brick_key"] == measure]
    parts.heat(
        rows.assign(points=rows["score_normalised"] * 100), "quarter", "channel", "points",
        n="conversation_count", title=f"{_measure(measure)} by quarter, mean score, 0 to 100",
    )  # fmt: skip


def _trend(view: View, version: str, measure: str) -> None:
    weeks = view.read(WEEKS, version=version, measure=measure)
    if weeks.empty:
        return
    # Every week of every channel: four of them are four weeks, whether or not they had any.
    days = pd.to_datetime(weeks["period_start"])
    every = pd.date_range(days.min(), days.max(), freq="7D")
    drawn = []
    for channel, one in weeks.groupby("channel"):
        n = pd.to_numeric(one["conversation_count"]).astype(float)
        sums = pd.DataFrame(
            {"n": n.to_numpy(), "sum": (n * one["score_normalised"]).to_numpy()},
            index=pd.to_datetime(one["period_start"]),
        )
        sums = sums.reindex(every, fill_value=0.0).rolling(WEEKS_TOGETHER).sum().dropna()
        sums = sums[sums["n"] > 0]
        drawn.append(
            pd.DataFrame(
                {
                    "week_start": sums.index, "channel": channel,
                    "score": sums["sum"] / sums["n"] * 100, "n": sums["n"],
                }
            )
        )  # fmt: skip
    trend = pd.concat(drawn, ignore_index=True)
    if trend.empty:
        return
    parts.lines(
        trend, "week_start", "score", "channel", kind="channel", n="n",
        title=f"{_measure(measure)} by week, mean of the {WEEKS_TOGETHER} weeks up to it, 0 to 100",
    )  # fmt: skip
    st.caption("Single weeks have few conversations: point at the line for n.")


def _table(view: View, told: pd.DataFrame, now: pd.DataFrame, quarters: list[date]) -> None:
    st.subheader("By measure and channel", anchor=False)
    start = now["period_start"].iloc[0]
    earlier = [each for each in quarters if each < start]
    before = told[told["period_start"] == earlier[0]] if earlier else told.head(0)
    keys = ["brick_key", "channel"]
    rows = now.merge(
        before[[*keys, "score_normalised", "conversation_count", "gap_points"]],
        on=keys, how="left", suffixes=("", "_before"),
    )  # fmt: skip
    rows = rows.assign(
        note=["" if n >= MINIMUM_N else parts.NOT_ENOUGH for n in rows["conversation_count"]],
    )
    parts.table(
        view,
        "gaps",
        parts.with_kits(view, rows),
        {
            "measure": Column("Measure"),
            "channel": Column("Channel"),
            "conversation_count": Column("n", "number", help="Conversations scored"),
            "score_normalised": Column("Mean score", "share", 1),
            "gap_points": Column("Gap, points", "number", 1, "Below the best channel, of 100"),
            "gap_percent": Column(
                "Gap, % of best", "number", 1, "The same in per cent of the best"
            ),
            "score_normalised_before": Column("Quarter before", "share", 1),
            "gap_points_before": Column("Gap before, points", "number", 1),
            "conversation_count_before": Column("n before", "number"),
            "note": Column("Note"),
        },
        height=parts.rows_high(min(len(rows), 20)),
    )
    st.caption(
        "A negative gap: above the best channel that has enough data. Points and per cent are two "
        "figures: a fall from 81 to 59 is 22 points, or 27 % of the best."
    )


PAGE = Page(
    slug="channels",
    title="Channels",
    question="Do customers get the same service on every channel?",
    filters=("channel",),
    render=render,
    section="Service",
    icon=":material/hub:",
    kits=("service_experience",),
    queries={"versions": VERSIONS, "quarters": QUARTERS, "weeks": WEEKS},
    takes=("quarter", "measure", "pinned"),
)
