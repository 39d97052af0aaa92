"""What is said wrongly about the product: by area, document version and person, with the fact."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query

_BY = {
    "vendor": "c.vendor", "team": "c.team", "rep": "c.rep_key",
    "kit_version": "c.kit_version_id", "days": "c.started_on",
}  # fmt: skip
_COUNTS = """
    count(*) as claims,
    count(distinct c.conversation_key) as conversations,
    count(case when c.outcome = 'accurate' then 1 end) as accurate,
    count(case when c.outcome = 'inaccurate' then 1 end) as inaccurate,
    count(case when c.outcome = 'imprecise' then 1 end) as imprecise,
    count(case when c.outcome = 'outdated' then 1 end) as outdated
"""
ALL = Query(
    f"select {_COUNTS} from marts.product_claim_accuracy as c where {{filters}}",
    by=_BY,
)
AREAS = Query(
    f"""
select coalesce(c.knowledge_area, 'unknown') as knowledge_area, c.kit_version_id, {_COUNTS}
from marts.product_claim_accuracy as c
where {{filters}}
group by coalesce(c.knowledge_area, 'unknown'), c.kit_version_id
order by 1, 2
""",
    by=_BY,
)
VERSIONS = Query(
    f"""
select
    coalesce(c.document, 'unknown') as document,
    coalesce(c.document_version, 'unknown') as document_version, c.kit_version_id, {_COUNTS}
from marts.product_claim_accuracy as c
where {{filters}}
group by 1, 2, c.kit_version_id
order by 1, 2 desc, 3
""",
    by=_BY,
)
PEOPLE = Query(
    f"""
select
    c.rep_key, max(c.rep_name) as rep_name, max(c.team) as team, c.kit_version_id, {_COUNTS}
from marts.product_claim_accuracy as c
where {{filters}}
group by c.rep_key, c.kit_version_id
order by 2, 1, 4
""",
    by=_BY,
)
WEEKS = Query(
    """
select d.week_start, c.outcome, count(*) as claims
from marts.product_claim_accuracy as c
inner join marts.dim_dates as d on c.started_on = d.date_day
where {filters}
group by d.week_start, c.outcome
order by d.week_start, c.outcome
""",
    by=_BY,
)
CLAIMS = Query(
    """
select
    c.claim_key, c.conversation_key, c.started_on, c.rep_name, c.team, c.vendor,
    coalesce(c.knowledge_area, 'unknown') as knowledge_area, c.outcome, c.verdict,
    c.documented_fact, c.document, c.document_version, c.cited_version, c.kit_version_id
from marts.product_claim_accuracy as c
where c.outcome <> 'accurate' and coalesce(c.knowledge_area, 'unknown') in ({areas}) and {filters}
order by c.started_on desc, c.claim_key
limit 500
""",
    by=_BY,
)
QUOTES = Query(
    """
select c.claim_key, c.quote
from marts.product_claim_accuracy as c
where c.outcome <> 'accurate' and coalesce(c.knowledge_area, 'unknown') in ({areas}) and {filters}
order by c.started_on desc, c.claim_key
limit 500
""",
    by=_BY,
)
OUTCOMES = ("inaccurate", "imprecise", "outdated")


def render(view: View) -> None:
    """Draw the page."""
    whole = view.read(ALL).iloc[0]
    if not whole["claims"]:
        parts.nothing_chosen(view, "claims about the product")
        return
    areas = _with_shares(view.read(AREAS)).sort_values("wrong_share", ascending=False)
    parts.headline(_answer(areas, whole))
    parts.basis(
        view, int(whole["claims"]), "claims about the product",
        list(areas["kit_version_id"].unique()),
    )  # fmt: skip
    _figures(whole)
    left, right = st.columns(2)
    with left:
        _areas(view, areas)
    with right:
        _weeks(view.read(WEEKS))
    _tables(view, areas)
    _claims(view, sorted(areas["knowledge_area"].unique()))


def _tables(view: View, areas: pd.DataFrame) -> None:
    by = st.segmented_control(
        "Show by",
        ("Area", "Document version", "Person"),
        default="Area",
        required=True,
        key="table",
        bind="query-params",
    )
    if by == "Person":
        _table(
            view,
            "people",
            _with_shares(view.read(PEOPLE)).sort_values(
                ["note", "wrong_share"], ascending=[True, False], kind="stable"
            ),
            {"rep_name": Column("Person"), "team": Column("Team")},
        )
    elif by == "Document version":
        _table(
            view,
            "versions",
            _with_shares(view.read(VERSIONS)),
            {"document": Column("Document"), "document_version": Column("Version in force")},
        )
    else:
        _table(view, "areas", areas, {"area": Column("Area")})


def _with_shares(rows: pd.DataFrame) -> pd.DataFrame:
    wrong = rows["claims"] - rows["accurate"]
    bounds = [
        parts.share_interval(int(k), int(n)) for k, n in zip(wrong, rows["claims"], strict=True)
    ]
    made = rows.assign(
        wrong=wrong,
        wrong_share=wrong / rows["claims"],
        lower=[low for low, _ in bounds],
        upper=[high for _, high in bounds],
        note=["" if n >= MINIMUM_N else parts.NOT_ENOUGH for n in rows["claims"]],
    )
    if "knowledge_area" in made:
        made["area"] = made["knowledge_area"].map(_area)
    return made


def _area(name: str) -> str:
    """An area for people: abbreviations stay capitals."""
    words = [word.upper() if word in ("api", "sla", "sso") else word for word in name.split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def _answer(areas: pd.DataFrame, whole: pd.Series[float]) -> str:
    wrong = int(whole["claims"] - whole["accurate"])
    said = (
        f"{style.percent(wrong / whole['claims'])} of {style.number(whole['claims'])} claims about "
        f"the product were inaccurate, imprecise or out of date"
    )
    enough = areas[areas["claims"] >= MINIMUM_N]
    if enough.empty:
        return said + f"; no area has {MINIMUM_N} claims, too few to compare\\."
    worst = enough.iloc[0]
    return (
        f"{said}, most often about {parts.plain(worst['area'])}: "
        f"{style.number(worst['wrong'])} of {style.number(worst['claims'])} "
        f"(95 % interval {worst['lower'] * 100:.0f} to {worst['upper'] * 100:.0f} %)\\."
    )


def _figures(whole: pd.Series[float]) -> None:
    helps = {
        "inaccurate": "Right by no version of the documents",
        "imprecise": "Half the truth",
        "outdated": "Right by a version that was in force no more",
    }
    parts.figures(
        [
            Figure(
                "Accurate",
                style.percent(whole["accurate"] / whole["claims"]),
                help="By the documents' version in force on the day of the conversation",
            ),
            *(
                Figure(style.label(each), style.number(whole[each]), help=helps[each])
                for each in OUTCOMES
            ),
        ]
    )


def _areas(view: View, areas: pd.DataFrame) -> None:
    enough = areas[areas["claims"] >= MINIMUM_N]
    if enough.empty:
        parts.empty(f"No area has {MINIMUM_N} claims.", "Choose more days or fewer filters.")
        return
    if enough["kit_version_id"].nunique() > 1:
        named = parts.with_kits(view, enough)
        enough = enough.assign(area=named["area"] + " (" + named["kit"] + ")")
    parts.intervals(
        enough, "area", "wrong_share", "lower", "upper", n="claims", share=True,
        title="Share of claims that do not hold, by area",
        x_title="With the 95 % interval",
    )  # fmt: skip


def _weeks(counted: pd.DataFrame) -> None:
    claims = counted.groupby("week_start")["claims"].sum()
    found = counted.pivot(index="week_start", columns="outcome", values="claims")
    found = found.reindex(columns=OUTCOMES).astype(float).fillna(0.0)
    shares = found.div(claims, axis=0)[claims >= MINIMUM_N]
    if shares.empty:
        parts.empty(f"No week has {MINIMUM_N} claims.", "Choose more days or fewer filters.")
        return
    long = shares.rename_axis(columns="outcome").stack().rename("share").reset_index()
    parts.lines(
        long.assign(claims=long["week_start"].map(claims)),
        "week_start", "share", "outcome", kind="outcome", share=True, n="claims",
        title=f"Share of claims by week (n of at least {MINIMUM_N})",
    )  # fmt: skip


def _table(view: View, name: str, rows: pd.DataFrame, first: dict[str, Column]) -> None:
    parts.table(
        view,
        name,
        parts.with_kits(view, rows),
        {
            **first,
            "claims": Column("n", "number", help="Claims found and judged"),
            "wrong_share": Column("Do not hold", "share"),
            "lower": Column("95 % interval, from", "share"),
            "upper": Column("to", "share"),
            **{each: Column(style.label(each), "number") for each in OUTCOMES},
            "note": Column("Note", width="medium"),
            "kit": Column("Kit version"),
        },
    )


def _claims(view: View, areas: list[str]) -> None:
    st.subheader("Claims that do not hold", anchor=False)
    area = st.selectbox(
        "Area",
        areas,
        index=None,
        placeholder="All areas",
        format_func=_area,
        key="area",
        bind="query-params",
    )
    asked = [area] if area else areas
    found = view.read(CLAIMS, areas=asked)
    if found.empty:
        parts.empty("Every claim was accurate.", "Choose more days or another area.")
        return
    columns = {
        "open": Column("", "link"),
        "started_on": Column("Day (UTC)", "day"),
        "rep_name": Column("Person"),
        "area": Column("Area"),
        "outcome": Column("Outcome"),
        "documented_fact": Column("What is documented"),
        "document_version": Column("In force"),
        "cited_version": Column("Right by", help="An older version that makes the claim right"),
        "team": Column("Team"),
        "kit": Column("Kit version"),
    }
    shown = parts.with_kits(view, found).assign(
        open=parts.conversation_links(found), area=found["knowledge_area"].map(_area)
    )
    if view.words:
        quotes = view.read_words(QUOTES, areas=asked)
        shown = shown.merge(quotes, on="claim_key", how="left")
        columns = {
            **dict(list(columns.items())[:5]),
            "quote": Column("What was said"),
            **dict(list(columns.items())[5:]),
        }
    parts.table(view, "claims", shown, columns)
    if not view.words:
        st.caption("What was said is hidden while transcripts are switched off.")


PAGE = Page(
    slug="product_claims",
    title="Product claims",
    question="What do people say wrongly about the product, and what is documented?",
    filters=("vendor", "team", "rep", "kit_version", "days"),
    render=render,
    section="Messaging",
    icon=":material/fact_check:",
    kits=("messaging_accuracy",),
    queries={
        "all": ALL, "areas": AREAS, "versions": VERSIONS, "people": PEOPLE, "weeks": WEEKS,
        "claims": CLAIMS, "quotes": QUOTES,
    },
    takes=("area", "table"),
)  # fmt: skip
