"""What pages are made of: the answer, its basis, figures, charts, tables, and why there is none."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import altair as alt
import pandas as pd
import streamlit as st

from semarize_dashboards import style
from semarize_dashboards.page import MINIMUM_N, View
from semarize_dashboards.query import Query

KITS = Query("select kit_version_id, kit_name || ' v' || version_number as kit from marts.dim_kits")
NOT_ENOUGH = f"not enough data (n < {MINIMUM_N})"
# A spreadsheet takes a cell that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARKDOWN = str.maketrans({sign: "\\" + sign for sign in "\\`*_{}[]()#+-.!|<>$~:"})


def plain(text: object) -> str:
    """Text from the warehouse in a sentence of ours: shown as it is, never as markup."""
    return str(text).translate(_MARKDOWN)


def headline(answer: str) -> None:
    """The answer to the page's question, from the data, in one sentence or two."""
    with st.container(key="headline"):
        st.markdown(f"#### {answer}")


def basis(view: View, n: int, of: str, kit_versions: Sequence[str] = ()) -> None:
    """What the figures rest on: how many, when, and by which version of which kit."""
    said = [f"n = {style.number(n)} {of}"]
    if "days" in view.chosen:
        said.append(f"{style.period(*view.days)} (UTC)")
    if kit_versions:
        named = with_kits(view, pd.DataFrame({"kit_version_id": list(kit_versions)}))
        shown = sorted(set(named["kit"]))
        said.append(f"kit{'s' if len(shown) > 1 else ''} {', '.join(shown)}")
    with st.container(key="basis"):
        st.caption(plain(" · ".join(said)))


def with_kits(view: View, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the column ``kit``: name and version of each ``kit_version_id``."""
    known = view.read(KITS)
    names = dict(zip(known["kit_version_id"], known["kit"], strict=True))
    return rows.assign(kit=[names.get(v, v) for v in rows["kit_version_id"]])


def empty(why: str, what_to_do: str) -> None:
    """Why there is nothing, and what to do next."""
    with st.container(key="empty"):
        st.info(f"{plain(why)}  \n{plain(what_to_do)}", icon=":material/info:")


def nothing_chosen(view: View, what: str) -> None:
    """The usual empty state: the filters leave nothing."""
    headline(f"No {plain(what)} match what is chosen.")
    basis(view, 0, what)
    empty(
        f"The warehouse holds no {what} for these filters.",
        "Choose more days or fewer filters. If a kit has not been run on these conversations yet, "
        "its scores appear after the next run of its DAG.",
    )


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name, and how it changed."""

    label: str
    value: str
    change: str | None = None
    good: Literal["normal", "inverse", "off"] = "off"
    help: str | None = None


def figures(shown: Sequence[Figure], name: str = "figures") -> None:
    """A row of numbers. A page's second row has a name of its own."""
    with st.container(key=name):
        for figure, column in zip(shown, st.columns(len(shown)), strict=True):
            column.metric(
                figure.label,
                figure.value,
                figure.change,
                delta_color=figure.good,
                help=figure.help,
                border=True,
            )


@dataclass(frozen=True, slots=True)
class Column:
    """How a table shows a column. ``kind``: share is from 0 to 1 and shown in per cent."""

    label: str
    kind: Literal["text", "number", "share", "day", "moment", "link", "line", "check"] = "text"
    decimals: int = 0
    help: str | None = None
    width: Literal["small", "medium", "large"] | None = None


def table(
    view: View, name: str, rows: pd.DataFrame, columns: Mapping[str, Column], *, height: int = 0
) -> None:
    """The columns named, in their order, and a CSV of all that the rows hold.

    :param name: the file's name, unique on the page.
    """
    shown = rows[list(columns)].copy()
    settings: dict[str, Any] = {}
    for field, column in columns.items():
        settings[field] = _column(column)
        if column.kind == "share":
            shown[field] = pd.to_numeric(shown[field]) * 100
    with st.container(key=f"table_{name}"):
        st.dataframe(
            shown,
            hide_index=True,
            column_config=settings,
            height=height or min(38 + 35 * max(len(shown), 1), 420),
            placeholder=style.NONE,
        )
        st.download_button(
            f"Download CSV ({len(rows):,} row{'' if len(rows) == 1 else 's'})",
            csv_bytes(
                rows.drop(columns=[f for f, c in columns.items() if c.kind in ("line", "link")])
            ),
            file_name=f"{view.page.slug}__{name}.csv",
            mime="text/csv",
            key=f"csv_{name}",
            on_click="ignore",
            icon=":material/download:",
            type="tertiary",
        )


def _column(column: Column) -> Any:
    known: Any = {"label": column.label, "help": column.help, "width": column.width}
    kinds = st.column_config
    match column.kind:
        case "number":
            pattern = "localized" if not column.decimals else f"%.{column.decimals}f"
            return kinds.NumberColumn(format=pattern, **known)
        case "share":
            return kinds.NumberColumn(format=f"%.{column.decimals}f %%", **known)
        case "day":
            return kinds.DateColumn(format="YYYY-MM-DD", **known)
        case "moment":
            return kinds.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC", **known)
        case "link":
            return kinds.LinkColumn(display_text="Open", **{**known, "width": "small"})
        case "line":
            return kinds.LineChartColumn(y_min=0, y_max=1, **known)
        case "check":
            return kinds.CheckboxColumn(**known)
        case _:
            return kinds.TextColumn(**known)


def csv_bytes(rows: pd.DataFrame) -> bytes:
    """Rows as CSV for people's spreadsheets: UTF-8 that Excel takes for it, and no formulas."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(rows.columns)
    for row in rows.itertuples(index=False, name=None):
        writer.writerow([_cell(value) for value in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else value


def conversation_links(rows: pd.DataFrame) -> pd.Series[str]:
    """For a column of links: the page of each row's ``conversation_key``."""
    return rows["conversation_key"].map(lambda key: f"/conversation?conversation={quote(key)}")


def deal_links(rows: pd.DataFrame) -> pd.Series[Any]:
    """For a column of links: the page of each row's ``opportunity_id``, where it has one."""
    return rows["opportunity_id"].map(lambda key: f"/deals?deal={quote(key)}", na_action="ignore")


def lines(
    rows: pd.DataFrame,
    x: str,
    y: str,
    by: str,
    *,
    title: str,
    kind: str = "",
    share: bool = False,
    n: str | None = None,
    level: tuple[float, str] | None = None,
    since: tuple[object, str] | None = None,
    x_title: str | None = None,
    dots: str | None = None,
) -> None:
    """A line for each value of ``by`` over days, or over a number.

    :param kind: ``vendor`` or ``channel``, whose colours are the same everywhere.
    :param n: the column with how many stand behind a point.
    :param level: where to draw a dashed line across, such as a threshold, and its name.
    :param since: where on the x axis to draw one, such as the day of a training, and its name.
    :param x_title: what the x axis counts, where it is not days.
    :param dots: the value of ``by`` whose points no line joins, as they jump.
    """
    base = _base(rows, x, by, kind, x_title)
    encoded = {"y": _y(y, share), "tooltip": _tooltip(x, y, by, n, share, x_title)}
    joined = base if dots is None else base.transform_filter(alt.datum[by] != dots)
    drawn = joined.mark_line(strokeWidth=2).encode(**encoded) + base.mark_circle(
        size=36, opacity=1
    ).encode(**encoded)
    if level is not None:
        named = pd.DataFrame({y: [level[0]], "name": [level[1]]})
        drawn += _rule(named, y=alt.Y(f"{y}:Q"))
        drawn += _name_of_rule(named, y=alt.Y(f"{y}:Q"), x=alt.value(4), dy=-7)
    if since is not None:
        at = alt.X(f"{x}:{_type(rows[x])}")
        named = _datable(pd.DataFrame({x: [since[0]], "name": [since[1]]}), x)
        drawn += _rule(named, x=at)
        drawn += _name_of_rule(named, x=at, y=alt.value(8), dx=4)
    _draw(drawn, title)


def _rule(named: pd.DataFrame, **where: Any) -> Any:
    return alt.Chart(named).mark_rule(strokeDash=[5, 4], color=style.QUIET).encode(**where)


def _name_of_rule(named: pd.DataFrame, dx: int = 0, dy: int = 0, **where: Any) -> Any:
    text = alt.Chart(named).mark_text(align="left", color=style.QUIET, dx=dx, dy=dy)
    return text.encode(text="name:N", **where)


def intervals(
    rows: pd.DataFrame,
    name: str,
    y: str,
    low: str,
    high: str,
    *,
    title: str,
    by: str | None = None,
    n: str | None = None,
    share: bool = False,
    x_title: str | None = None,
) -> None:
    """A point with its interval for each row, one below the other in the order of the rows.

    :param by: what a name has several points for, side by side: with and without, say.
    """
    form = ".1%" if share else ",.2f"
    told: list[Any] = [alt.Tooltip(f"{name}:N", title=style.label(name))]
    encoded: dict[str, Any] = {
        "y": alt.Y(f"{name}:N", title=None, sort=None, axis=alt.Axis(labelLimit=360)),
        "color": alt.value(style.PRIMARY),
    }
    if by:
        values = list(dict.fromkeys(rows[by]))
        scale = alt.Scale(domain=values, range=style.PALETTE[: len(values)])
        encoded["yOffset"] = alt.YOffset(f"{by}:N", sort=values)
        encoded["color"] = alt.Color(
            f"{by}:N", title=None, scale=scale, legend=alt.Legend(orient="top", labelLimit=360)
        )
        told.append(alt.Tooltip(f"{by}:N", title=style.label(by)))
    told += [
        alt.Tooltip(f"{y}:Q", title=style.label(y), format=form),
        alt.Tooltip(f"{low}:Q", title="95 % interval, from", format=form),
        alt.Tooltip(f"{high}:Q", title="to", format=form),
    ]
    if n:
        told.append(alt.Tooltip(f"{n}:Q", title="n"))
    axis = alt.Axis(format=".0%" if share else ",f", tickCount=8)
    base = alt.Chart(rows).encode(tooltip=told, **encoded)
    drawn = base.mark_rule(strokeWidth=2).encode(
        x=alt.X(f"{low}:Q", title=x_title, axis=axis), x2=f"{high}:Q"
    ) + base.mark_point(filled=True, size=80, opacity=1).encode(x=f"{y}:Q")
    height = 26 * len(rows) + (16 * rows[name].nunique() if by else 0)
    _draw(drawn, title, height=max(80, height + 60))


def bars(
    rows: pd.DataFrame, x: str, y: str, by: str, *, title: str, kind: str = "", stack: bool = True
) -> None:
    """Bars over days, one part for each value of ``by``."""
    drawn = (
        _base(rows, x, by, kind)
        .mark_bar(size=max(3, min(36, 400 // max(rows[x].nunique(), 1))))
        .encode(
            # The first and the last bar are as wide as the others.
            x=alt.X(
                f"{x}:T",
                title=None,
                scale=alt.Scale(type="utc", padding=20),
                axis=alt.Axis(format="%d %b"),
            ),
            y=alt.Y(f"{y}:Q", title=None, stack="zero" if stack else None),
            tooltip=_tooltip(x, y, by, None, False),
        )
    )
    _draw(drawn, title)


def ranked(
    rows: pd.DataFrame,
    name: str,
    y: str,
    *,
    title: str,
    share: bool = False,
    n: str | None = None,
    x_title: str | None = None,
    colours: tuple[str, Mapping[str, str]] | None = None,
) -> None:
    """Horizontal bars in the order of the rows.

    :param n: the column with how many stand behind a bar.
    :param colours: the column that colours the bars, and the colour of each of its values.
    """
    axis = alt.Axis(format=".0%" if share else ",f", tickCount=6)
    told: list[Any] = [
        alt.Tooltip(f"{name}:N", title=style.label(name)),
        alt.Tooltip(f"{y}:Q", title=style.label(y), format=".1%" if share else ",.2f"),
    ]
    colour: Any = alt.value(style.PRIMARY)
    if colours:
        by, known = colours
        scale = alt.Scale(domain=list(known), range=list(known.values()))
        colour = alt.Color(f"{by}:N", title=None, scale=scale, legend=alt.Legend(orient="top"))
        told.append(alt.Tooltip(f"{by}:N", title=style.label(by)))
    if n:
        told.append(alt.Tooltip(f"{n}:Q", title="n"))
    drawn = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X(f"{y}:Q", title=x_title, axis=axis),
            y=alt.Y(f"{name}:N", title=None, sort=None, axis=alt.Axis(labelLimit=360)),
            color=colour,
            tooltip=told,
        )
        .properties(height=alt.Step(22))
    )
    _draw(drawn, title, height=None)


def _type(column: pd.Series) -> str:
    return "Q" if pd.api.types.is_numeric_dtype(column) else "T"


def _datable(rows: pd.DataFrame, x: str) -> pd.DataFrame:
    return rows if _type(rows[x]) == "Q" else rows.assign(**{x: pd.to_datetime(rows[x])})


def _base(rows: pd.DataFrame, x: str, by: str, kind: str, x_title: str | None = None) -> alt.Chart:
    values = [str(value) for value in rows[by].dropna().unique()]
    colour = style.colours(kind, values)
    order = [value for value in colour if value in values]
    if _type(rows[x]) == "Q":
        along = alt.X(f"{x}:Q", title=x_title, axis=alt.Axis(tickMinStep=1, format="d"))
    else:
        # Days are days wherever the browser is.
        along = alt.X(
            f"{x}:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(format="%d %b")
        )
    return alt.Chart(_datable(rows, x)).encode(
        x=along,
        color=alt.Color(
            f"{by}:N",
            title=None,
            scale=alt.Scale(domain=order, range=[colour[value] for value in order]),
            legend=alt.Legend(orient="top"),
        ),
    )


def _y(y: str, share: bool) -> alt.Y:
    axis = alt.Axis(format=".0%") if share else alt.Axis()
    return alt.Y(f"{y}:Q", title=None, axis=axis, scale=alt.Scale(zero=False))


def _tooltip(
    x: str, y: str, by: str, n: str | None, share: bool, x_title: str | None = None
) -> list[Any]:
    when = (
        alt.Tooltip(f"{x}:Q", title=x_title)
        if x_title
        else alt.Tooltip(f"{x}:T", title="Day", format="%d %b %Y")
    )
    told: list[Any] = [
        alt.Tooltip(f"{by}:N", title=style.label(by)),
        when,
        alt.Tooltip(f"{y}:Q", title=style.label(y), format=".1%" if share else ",.3~f"),
    ]
    return [*told, alt.Tooltip(f"{n}:Q", title="n")] if n else told


def _draw(chart: Any, title: str, height: int | None = 260) -> None:
    st.markdown(f"**{plain(title)}**")
    if height:
        chart = chart.properties(height=height)
    st.altair_chart(chart, width="stretch", alt=title)


def share_interval(part: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; not numbers where there is nothing to share."""
    if n == 0:
        return math.nan, math.nan
    z, share = 1.96, part / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two means and what can be said of their difference, by Welch's 95 % interval."""

    now: float
    before: float
    n_now: int
    n_before: int
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """In words; never more than the interval allows."""
        if min(self.n_now, self.n_before) < MINIMUM_N:
            return NOT_ENOUGH
        if self.low > 0:
            return "higher"
        return "lower" if self.high < 0 else "no clear change"


def compare(now: tuple[float, float, int], before: tuple[float, float, int]) -> Comparison:
    """Compare two samples, each told as mean, standard deviation and n."""
    (mean_now, sd_now, n_now), (mean_before, sd_before, n_before) = now, before
    if min(n_now, n_before) < 2:
        return Comparison(mean_now, mean_before, n_now, n_before, math.nan, math.nan)
    error = math.sqrt(sd_now**2 / n_now + sd_before**2 / n_before)
    difference = mean_now - mean_before
    return Comparison(
        mean_now, mean_before, n_now, n_before, difference - 1.96 * error, difference + 1.96 * error
    )
