"""How approved messaging fades with the days since enablement, and how long new versions take."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query

_BY = {
    "vendor": "d.vendor", "team": "e.team", "rep": "e.rep_key",
    "kit_version": "e.kit_version_id", "days": "e.started_on",
}  # fmt: skip
# What the slope of a straight line and its error are made of, as in the mart messaging_decay.
ELEMENTS = Query(
    """
select
    e.element, e.kit_version_id, count(*) as calls,
    cast(count(case when e.is_approved then 1 end) as double) as approved,
    cast(sum(e.days_since_enablement) as double) as days,
    cast(sum(e.days_since_enablement * e.days_since_enablement) as double) as days_squared,
    cast(sum(case when e.is_approved then e.days_since_enablement else 0 end) as double)
        as days_approved
from marts.messaging_drift_elements as e
inner join marts.messaging_drift as d on e.conversation_key = d.conversation_key
where e.days_since_enablement is not null and {filters}
group by e.element, e.kit_version_id
order by e.element, e.kit_version_id
""",
    by=_BY,
)
# In the mart's own buckets of days.
AGES = Query(
    """
select
    e.element, e.kit_version_id, a.bucket_from_days, a.bucket_to_days, count(*) as calls,
    count(case when e.is_approved then 1 end) as approved,
    count(case when e.is_outdated then 1 end) as outdated
from marts.messaging_drift_elements as e
inner join marts.messaging_drift as d on e.conversation_key = d.conversation_key
inner join marts.messaging_drift_by_age as a
    on e.element = a.element and e.kit_version_id = a.kit_version_id and a.scope = 'element'
    and e.days_since_enablement between a.bucket_from_days and a.bucket_to_days
where {filters}
group by e.element, e.kit_version_id, a.bucket_from_days, a.bucket_to_days
order by e.element, e.kit_version_id, a.bucket_from_days
""",
    by=_BY,
)
HEARD = Query(
    """
select
    count(*) as conversations,
    count(case when d.approved_messaging_used then 1 end) as approved,
    count(case when d.outdated_message_count > 0 then 1 end) as outdated
from marts.messaging_drift as d
where {filters}
""",
    by={
        "vendor": "d.vendor", "team": "d.team", "rep": "d.rep_key",
        "kit_version": "d.kit_version_id", "days": "d.started_on",
    },
)  # fmt: skip
VERSIONS = Query(
    """
select
    document, document_version, kit_name, kit_version_id, valid_from_on, valid_until_on,
    is_in_force, claim_count, version_claim_count, version_share, highest_share,
    adoption_status, adoption_lag_days, full_adoption_lag_days
from marts.messaging_adoption_lag
order by valid_from_on desc, document
"""
)
CONVERSATIONS = Query(
    """
select
    d.conversation_key, d.started_on, d.rep_name, d.team, d.vendor, x.title, x.account_name,
    d.drift_category, d.days_since_enablement, d.drift_severity_normalised as drift_severity,
    d.outdated_message_count, d.version_in_force, d.kit_version_id
from marts.messaging_drift as d
inner join marts.conversation_explorer as x on d.conversation_key = x.conversation_key
where not d.approved_messaging_used and {filters}
order by d.drift_severity_normalised desc, d.started_on desc, d.conversation_key
limit 200
""",
    by=HEARD.by,
)
# Of the normal distribution, for 95 %.
_STATUS = {
    "adopted": "Adopted",
    "fully_adopted": "Fully adopted",
    "not_adopted_yet": "Not adopted yet",
    "replaced_before_adopted": "Replaced before it was adopted",
    "in_force_before_observed": "In force before the first conversation: lag not known",
    "not_enough_data": "Not enough data",
}


def slopes(sums: pd.DataFrame) -> pd.DataFrame:
    """Points of approved messaging lost or won in 30 days, with the 95 % interval.

    The least squares of the mart messaging_decay, over the conversations chosen.
    """
    made = []
    for row in sums.itertuples():
        n = row.calls
        spread = row.days_squared - row.days**2 / n
        slope, error = math.nan, math.nan
        if spread > 1e-6:
            together = row.days_approved - row.days * row.approved / n
            left = max(row.approved - row.approved**2 / n - together**2 / spread, 0.0)
            slope = together / spread
            error = math.sqrt(left / (n - 2) / spread) if n > 2 else math.nan
        made.append(
            {
                "element": row.element,
                "kit_version_id": row.kit_version_id,
                "calls": n,
                "approved_share": row.approved / n,
                "points_per_30_days": round(3000 * slope, 6),
                "lower": round(3000 * (slope - parts.NORMAL * error), 6),
                "upper": round(3000 * (slope + parts.NORMAL * error), 6),
                "enough": n >= MINIMUM_N and not math.isnan(error),
            }
        )
    return pd.DataFrame(made).sort_values(
        ["enough", "points_per_30_days"], ascending=[False, True], kind="stable"
    )


def render(view: View) -> None:
    """Draw the page."""
    sums = view.read(ELEMENTS)
    heard = view.read(HEARD).iloc[0]
    if sums.empty:
        parts.nothing_chosen(view, "conversations with playbook messages")
        return
    told = slopes(sums)
    parts.headline(_answer(told))
    parts.basis(
        view,
        int(heard["conversations"]),
        "conversations with playbook messages",
        list(told["kit_version_id"].unique()),
    )
    versions = view.read(VERSIONS)
    lags = versions["adoption_lag_days"].dropna()
    n = int(heard["conversations"])
    parts.figures(
        [
            Figure(
                "Approved messaging",
                style.percent(heard["approved"] / n),
                help="Conversations in which every message was in the playbook's words",
            ),
            Figure(
                "Words of an older version",
                style.percent(heard["outdated"] / n),
                help="Conversations with a message of a version that was in force no more",
            ),
            Figure(
                "Until a new version is adopted",
                style.NONE if lags.empty else f"{style.number(lags.median() / 7, 1)} weeks",
                help="Median of the versions whose lag is known; whatever the filters",
            ),
        ]
    )
    ages = view.read(AGES)
    by_kit = ages["kit_version_id"].nunique() > 1
    named = parts.with_kits(view, ages)
    kit_of = [f" ({kit})" if by_kit else "" for kit in named["kit"]]
    ages = named.assign(
        element=[style.label(e) + kit for e, kit in zip(named["element"], kit_of, strict=True)],
        approved_share=named["approved"] / named["calls"],
        **_bounds(named["approved"], named["calls"]),
    )
    wide, narrow = st.columns([3, 2])
    enough = ages[ages["calls"] >= MINIMUM_N]
    with wide:
        parts.lines(
            enough, "bucket_from_days", "approved_share", "element", share=True, n="calls",
            title=f"Share with approved messaging (n of at least {MINIMUM_N} a point)",
            x_title="Days since the team was last taught the element",
        )  # fmt: skip
    with narrow:
        drawn = parts.with_kits(view, told[told["enough"]])
        drawn = drawn.assign(
            element=[
                style.label(row.element) + (f" ({row.kit})" if by_kit else "")
                for row in drawn.itertuples()
            ]
        )
        parts.intervals(
            drawn, "element", "points_per_30_days", "lower", "upper", n="calls",
            title="Change in 30 days since enablement",
            x_title="Points of the share, with the 95 % interval",
        )  # fmt: skip
    parts.table(
        view,
        "elements",
        parts.with_kits(view, told).assign(
            element_name=told["element"].map(style.label), verdict=_verdicts(told)
        ),
        {
            "element_name": Column("Element"),
            "calls": Column("n", "number", help="Conversations with an enablement before"),
            "approved_share": Column("Approved messaging", "share"),
            "points_per_30_days": Column("Points in 30 days", "number", 1),
            "lower": Column("95 % interval, from", "number", 1),
            "upper": Column("to", "number", 1),
            "verdict": Column("What can be said"),
            "kit": Column("Kit version"),
        },
    )
    st.caption(
        "It goes along with time since enablement; whether time is why is not for this to say. "
        "Conversations of one person are alike, so the intervals are a little too narrow."
    )
    _adoption(view, versions)
    st.subheader("By days since enablement", anchor=False)
    parts.table(
        view,
        "ages",
        ages,
        {
            "element": Column("Element"),
            "bucket_from_days": Column("Days since, from", "number"),
            "bucket_to_days": Column("to", "number"),
            "calls": Column("n", "number"),
            "approved_share": Column("Approved messaging", "share"),
            "lower": Column("95 % interval, from", "share"),
            "upper": Column("to", "share"),
            "outdated": Column("With older words", "number"),
            "kit": Column("Kit version"),
        },
    )
    _conversations(view)


def _bounds(found: pd.Series[int], cases: pd.Series[int]) -> dict[str, list[float]]:
    both = [parts.share_interval(int(k), int(n)) for k, n in zip(found, cases, strict=True)]
    return {"lower": [low for low, _ in both], "upper": [high for _, high in both]}


def _answer(told: pd.DataFrame) -> str:
    enough = told[told["enough"]]
    if enough.empty:
        return f"No element came up in {MINIMUM_N} conversations, too few to tell how it fades\\."
    first = enough.iloc[0]
    if first["upper"] >= 0:
        return "No element of the playbook clearly fades with the days since enablement\\."
    said = (
        f"{parts.plain(style.label(first['element']))} fades fastest: "
        f"{-first['points_per_30_days']:.0f} points less approved messaging in 30 days since "
        f"enablement ({_interval(first)}, n = {style.number(first['calls'])})"
    )
    if len(enough) == 1:
        return said + "\\."
    second = enough.iloc[1]
    clearly = first["upper"] < enough["lower"].iloc[1:].min()
    return (
        f"{said}, {'clearly' if clearly else 'not clearly'} faster than "
        f"{parts.plain(style.label(second['element']).lower())} "
        f"({-second['points_per_30_days']:.0f}, {_interval(second)})\\."
    )


def _interval(row: pd.Series[float]) -> str:
    return f"95 % interval {-row['upper']:.0f} to {-row['lower']:.0f}"


def _verdicts(told: pd.DataFrame) -> list[str]:
    """As the mart's decay_status, in words."""
    said = []
    for version, row in zip(told["kit_version_id"], told.itertuples(), strict=True):
        others = told[
            (told["kit_version_id"] == version) & told["enough"] & (told["element"] != row.element)
        ]
        steepest = (row.points_per_30_days < others["points_per_30_days"]).all()
        if not row.enough:
            said.append(parts.NOT_ENOUGH)
        elif row.upper >= 0:
            said.append("no clear fading")
        elif others.empty or not steepest:
            said.append("fades")
        elif row.upper < others["lower"].min():
            said.append("fades fastest")
        else:
            said.append("fades fastest, not clearly")
    return said


def _adoption(view: View, versions: pd.DataFrame) -> None:
    st.subheader("Until a new version is used", anchor=False)
    if versions.empty:
        parts.empty(
            "No claims have been held against a versioned document yet.",
            "Fill the reference table grounding_documents and run the kits on conversations.",
        )
        return
    parts.table(
        view,
        "versions",
        parts.with_kits(view, versions).assign(
            status=versions["adoption_status"].map(lambda told: _STATUS.get(told, told)),
            weeks=versions["adoption_lag_days"] / 7,
            weeks_in_full=versions["full_adoption_lag_days"] / 7,
        ),
        {
            "document": Column("Document"),
            "document_version": Column("Version"),
            "valid_from_on": Column("In force since", "day"),
            "status": Column("Adoption"),
            "weeks": Column("Weeks until half of the claims cite it", "number", 1),
            "weeks_in_full": Column("until four in five do", "number", 1),
            "claim_count": Column("n", "number", help="Claims that cite any version meanwhile"),
            "version_share": Column("Cite this version", "share"),
            "kit": Column("Kit version"),
        },
    )
    st.caption("All conversations, whatever the filters.")


def _conversations(view: View) -> None:
    st.subheader("Conversations that drifted furthest", anchor=False)
    found = view.read(CONVERSATIONS)
    if found.empty:
        parts.empty("Every message was in approved words.", "Choose more days to see others.")
        return
    parts.table(
        view,
        "conversations",
        parts.with_kits(view, found).assign(
            open=parts.conversation_links(found),
            vendor=found["vendor"].map(style.vendor_name),
            element=found["drift_category"].map(style.label),
        ),
        {
            "open": Column("", "link"),
            "started_on": Column("Day (UTC)", "day"),
            "rep_name": Column("Person"),
            "team": Column("Team"),
            "account_name": Column("Account"),
            "element": Column("Drifted furthest"),
            "drift_severity": Column("Severity (0 to 1)", "number", 2),
            "days_since_enablement": Column("Days since enablement", "number"),
            "outdated_message_count": Column("Older words", "number"),
            "version_in_force": Column("Version in force"),
            "title": Column("Conversation"),
            "kit": Column("Kit version"),
        },
    )


PAGE = Page(
    slug="messaging_drift",
    title="Messaging drift",
    question="Which part of the playbook fades fastest after enablement, and when is a new "
    "version used?",
    filters=("vendor", "team", "rep", "kit_version", "days"),
    render=render,
    section="Messaging",
    icon=":material/trending_down:",
    kits=("messaging_accuracy",),
    queries={
        "elements": ELEMENTS, "ages": AGES, "heard": HEARD, "versions": VERSIONS,
        "conversations": CONVERSATIONS,
    },
)  # fmt: skip
