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
# Of the normal distribution, within which 95 % lie.
NORMAL = 1.959963984540054
# A spreadsheet takes a cell that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARKED = 31
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
    # An answer without rows has no columns either: nothing has been scored yet.
    names = {} if known.empty else dict(zip(known["kit_version_id"], known["kit"], strict=True))
    return rows.assign(kit=[names.get(v, v) for v in rows["kit_version_id"]])


def empty(why: str, what_to_do: str) -> None:
    """Why there is nothing, and what to do next."""
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
    """A number with its name, and how it changed; without an arrow, what else it says."""

    label: str
    value: str
    change: str | None = None
    good: Literal["normal", "inverse", "off"] = "off"
    help: str | None = None
    arrow: bool = True


def figures(shown: Sequence[Figure], name: str = "figures") -> None:
    """A row of numbers. A page's second row has a name of its own."""
    with st.container(key=name):
        for figure, column in zip(shown, st.columns(len(shown)), strict=True):
            column.metric(
                figure.label,
                figure.value,
                figure.change,
                delta_color=figure.good,
                delta_arrow="auto" if figure.arrow else "off",
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
            height=height or min(rows_high(len(shown)), 420),
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


def rows_high(count: int) -> int:
    """How high a table is that shows so many rows, and its head, without scrolling."""
    return round((max(count, 1) + 1) * 2.1875 * int(style.THEME["baseFontSize"])) + 3


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
    zero: bool = False,
) -> None:
    """A point with its interval for each row, one below the other in the order of the rows.

    :param by: what a name has several points for, side by side: with and without, say.
    :param zero: whether to draw a line where there is no difference.
    """
    form = ".1%" if share else ",.2f"
    told: list[Any] = [alt.Tooltip(f"{name}:N", title=style.label(name))]
    encoded: dict[str, Any] = {
        "y": alt.Y(
            f"{name}:N", title=None, sort=None, axis=alt.Axis(labelLimit=360, labelFlush=False)
        ),
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
    if zero:
        drawn += _rule(pd.DataFrame({low: [0]}), x=alt.X(f"{low}:Q"))
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
    by: str | None = None,
    interval: tuple[str, str] | None = None,
    n: str | None = None,
    x_title: str | None = None,
    colours: Mapping[str, str] | None = None,
) -> None:
    """Horizontal bars in the order of the rows.

    :param by: a bar has a part for each value of this column.
    :param interval: the columns with the bounds of the 95 % interval, drawn as a line.
    :param n: the column with how many stand behind a bar.
    :param colours: the colour of each value of ``by``; without it, the palette's.
    """
    form = ".1%" if share else ",~r"
    told: list[Any] = [
        alt.Tooltip(f"{name}:N", title=style.label(name)),
        *([alt.Tooltip(f"{by}:N", title=style.label(by))] if by else []),
        alt.Tooltip(f"{y}:Q", title=style.label(y), format=form),
        *(alt.Tooltip(f"{bound}:Q", format=form) for bound in interval or ()),
        *([alt.Tooltip(f"{n}:Q", title="n")] if n else []),
    ]
    order = list(dict.fromkeys(rows[name]))
    names = alt.Axis(labelLimit=360, labelFlush=False)
    base = alt.Chart(rows).encode(
        y=alt.Y(f"{name}:N", title=None, sort=order, axis=names), tooltip=told
    )
    axis = alt.Axis(format=".0%" if share else ",~r", tickMinStep=0.01 if share else 1)
    drawn: Any = base.mark_bar(color=style.PRIMARY).encode(
        x=alt.X(f"{y}:Q", title=x_title, axis=axis)
    )
    if by:
        values = list(colours or sorted(str(value) for value in rows[by].dropna().unique()))
        colour = colours or style.colours("", values)
        drawn = drawn.encode(
            color=alt.Color(
                f"{by}:N",
                title=None,
                scale=alt.Scale(domain=values, range=[colour[value] for value in values]),
                legend=_legend(values, 45),
            )
        )
    if interval:
        low, high = interval
        drawn += base.mark_rule(color="#1B2733", strokeWidth=2).encode(
            x=alt.X(f"{low}:Q", title=None), x2=f"{high}:Q"
        )
    _draw(drawn.properties(height=alt.Step(26)), title, height=None)


def heat(
    rows: pd.DataFrame,
    x: str,
    y: str,
    value: str,
    *,
    title: str,
    n: str,
    share: bool = False,
    decimals: int = 0,
) -> None:
    """A cell for each pair, darker with its value; grey and in brackets where n is too small.

    :param n: the column with how many stand behind a cell.
    """
    form = f".{decimals}%" if share else f",.{decimals}f"
    shown = rows[rows[value].notna()].copy()
    shown["n_enough"] = shown[n] >= MINIMUM_N
    shown["cell"] = [
        (text if row.n_enough else f"({text})")
        for row, text in zip(
            shown.itertuples(),
            (
                style.percent(each, decimals) if share else style.number(each, decimals)
                for each in shown[value]
            ),
            strict=True,
        )
    ]
    order = list(dict.fromkeys(rows[x])), list(dict.fromkeys(rows[y]))
    across = alt.Axis(labelAngle=0, orient="top", labelOverlap=False)
    base = alt.Chart(shown).encode(
        x=alt.X(f"{x}:N", title=None, sort=order[0], axis=across),
        y=alt.Y(f"{y}:N", title=None, sort=order[1], axis=alt.Axis(labelLimit=240)),
        tooltip=[
            alt.Tooltip(f"{y}:N", title=style.label(y)),
            alt.Tooltip(f"{x}:N", title=style.label(x)),
            alt.Tooltip(f"{value}:Q", title=style.label(value), format=form),
            alt.Tooltip(f"{n}:Q", title="n"),
        ],
    )
    # Those in brackets are no measure for the colours of the others.
    told = shown.loc[shown["n_enough"], value]
    least, most = (told.min(), told.max()) if len(told) else (0.0, 1.0)
    dark = alt.datum[value] > least + 0.6 * (most - least)
    cells = base.mark_rect(stroke="#FFFFFF", strokeWidth=2).encode(
        color=alt.condition(
            "datum.n_enough",
            alt.Color(
                f"{value}:Q",
                scale=alt.Scale(scheme="blues", domain=[float(least), float(most)]),
                legend=None,
            ),
            alt.value("#F1F4F7"),
        ),
    )
    words = base.mark_text(fontSize=13).encode(
        text="cell:N",
        color=alt.condition(
            dark & alt.datum["n_enough"], alt.value("#FFFFFF"), alt.value("#1B2733")
        ),
    )
    _draw((cells + words).properties(height=alt.Step(34)), title, height=None)
    if not shown["n_enough"].all():
        st.caption(f"In brackets: {NOT_ENOUGH}.")


def _type(column: pd.Series) -> str:
    return "Q" if pd.api.types.is_numeric_dtype(column) else "T"


def _datable(rows: pd.DataFrame, x: str) -> pd.DataFrame:
    return rows if _type(rows[x]) == "Q" else rows.assign(**{x: pd.to_datetime(rows[x], utc=True)})


def _days(column: pd.Series) -> alt.Axis:
    """Few points have a mark each, so that weeks and months are named by their first day."""
    points = sorted(pd.to_datetime(column, utc=True).dropna().unique())
    marks = [
        alt.DateTime(year=point.year, month=point.month, date=point.day, utc=True)
        for point in points[:_MARKED]
    ]
    return alt.Axis(format="%d %b", values=marks if len(points) <= _MARKED else alt.Undefined)


def _base(rows: pd.DataFrame, x: str, by: str, kind: str, x_title: str | None = None) -> alt.Chart:
    values = [str(value) for value in rows[by].dropna().unique()]
    colour = style.colours(kind, values)
    order = [value for value in colour if value in values]
    if _type(rows[x]) == "Q":
        along = alt.X(f"{x}:Q", title=x_title, axis=alt.Axis(tickMinStep=1, format="d"))
    else:
        # Days are days wherever the browser is.
        along = alt.X(f"{x}:T", title=None, scale=alt.Scale(type="utc"), axis=_days(rows[x]))
    return alt.Chart(_datable(rows, x)).encode(
        x=along,
        color=alt.Color(
            f"{by}:N",
            title=None,
            scale=alt.Scale(domain=order, range=[colour[value] for value in order]),
            legend=_legend(order, 80),
        ),
    )


def _legend(values: Sequence[str], characters: int) -> alt.Legend:
    """A legend above the chart that cuts nothing off, where a row takes so many characters."""
    # Columns are as wide as the longest.
    lengths = [len(value) + 4 for value in values]
    across = len(lengths) if sum(lengths) <= characters else characters // max(lengths)
    return alt.Legend(orient="top", columns=max(1, across), labelLimit=320)


def _y(y: str, share: bool) -> alt.Y:
    axis = alt.Axis(format=".0%") if share else alt.Axis()
    return alt.Y(f"{y}:Q", title=None, axis=axis, scale=alt.Scale(zero=False))


def _tooltip(
    x: str, y: str, by: str, n: str | None, share: bool, x_title: str | None = None
) -> list[Any]:
    when = (
        alt.Tooltip(f"{x}:Q", title=x_title)
        if x_title
        else alt.Tooltip(f"utcyearmonthdate({x}):T", title="Day", format="%d %b %Y")
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


def share_interval(count: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share, after Wilson, as the marts have it; NaN where n is 0."""
    if n == 0:
        return math.nan, math.nan
    share, spread = count / n, NORMAL**2 / n
    half = NORMAL * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    low, high = ((share + spread / 2 + sign * half) / (1 + spread) for sign in (-1, 1))
    # Rounding misses the ends, where the bounds are known.
    return 0.0 if count == 0 else low, 1.0 if count == n else high


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
