"""Which rules are kept, where they are not, and the register of what shows it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import MINIMUM_N, Page, View
from semarize_dashboards.parts import Column, Figure
from semarize_dashboards.query import Query
from semarize_dashboards.settings import TRANSCRIPTS

# More rows make a slow page; its caption then says so.
REGISTER_ROWS = 10_000
_BY = {"team": "t.team", "kit_version": "t.kit_version_id", "days": "t.week_start"}
_COUNTS = """
    sum(t.conversation_count) as conversations,
    sum(t.conversation_count - t.conversations_passed) as broken
"""
WEEKS = Query(
    f"""
select t.week_start, t.rule, max(t.rule_title) as rule_title, t.kit_version_id, {_COUNTS}
from marts.compliance_trends as t
where {{filters}}
group by t.week_start, t.rule, t.kit_version_id
order by t.week_start, t.rule, t.kit_version_id
""",
    by=_BY,
)
PLACES = Query(
    f"""
select
    t.team, t.jurisdiction, t.rule, max(t.rule_title) as rule_title, t.kit_version_id, {_COUNTS}
from marts.compliance_trends as t
where {{filters}}
group by t.team, t.jurisdiction, t.rule, t.kit_version_id
order by t.team, t.jurisdiction, t.rule, t.kit_version_id
""",
    by=_BY,
)
FRAMEWORKS = Query(
    """
select
    framework, framework_version, is_custom, rules_known, rules_checked, rules_missed,
    violations_known, violations_found, violations_missed, violation_coverage_share, update_days
from marts.compliance_framework_coverage
order by is_custom desc, framework, framework_version
"""
)


def _register(quote: str) -> Query:
    return Query(
        f"""
select
    r.violation_key, r.conversation_key, r.started_at, r.rule, r.rule_title, r.framework,
    r.framework_version, r.agent_name, r.team, r.manager, r.vendor, r.channel, r.account_name,
    r.is_quoted, {quote}r.url, r.scored_at, r.kit_version_id
from marts.compliance_evidence_register as r
where {{filters}}
order by r.started_at desc, r.violation_key
limit {REGISTER_ROWS}
""",
        by={"team": "r.team", "kit_version": "r.kit_version_id", "days": "r.started_on"},
    )


REGISTER, REGISTER_WITH_WORDS = _register(""), _register("r.quote, ")


def render(view: View) -> None:
    """Draw the page."""
    weeks = view.read(WEEKS)
    if weeks.empty:
        parts.nothing_chosen(view, "conversations checked for compliance")
        return
    weeks = parts.with_kits(view, weeks)
    rules = _counted(weeks, ["rule", "rule_title", "kit_version_id", "kit"])
    frameworks = view.read(FRAMEWORKS)
    _answer(rules)
    parts.basis(
        view,
        int(weeks["conversations"].sum()),
        "checks of a rule in a conversation",
        sorted(set(weeks["kit_version_id"])),
    )
    _figures(weeks, frameworks)
    _trend(weeks)
    _rules(view, rules)
    _places(view)
    _frameworks(view, frameworks)
    _evidence(view)


def _counted(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Rows summed, with the share that was broken, its interval, and a note; the worst first."""
    made = rows.groupby(by, as_index=False, dropna=False)[["conversations", "broken"]].sum()
    bounds = [
        parts.share_interval(int(row.broken), int(row.conversations)) for row in made.itertuples()
    ]
    made = made.assign(
        broken_share=made["broken"] / made["conversations"],
        broken_share_low=[low for low, _ in bounds],
        broken_share_high=[high for _, high in bounds],
        enough=["" if n >= MINIMUM_N else parts.NOT_ENOUGH for n in made["conversations"]],
    )
    return made.sort_values(
        ["enough", "broken_share"], ascending=[True, False], kind="stable", ignore_index=True
    )


def _answer(rules: pd.DataFrame) -> None:
    enough = rules[rules["enough"] == ""]
    if not rules["broken"].sum():
        parts.headline("Every rule was kept in every conversation that was checked\\.")
        return
    most = rules.sort_values("broken", ascending=False, kind="stable").iloc[0]
    said = (
        f"{parts.plain(most['rule_title'])} is broken most often, in "
        f"{style.number(most['broken'])} of {style.number(most['conversations'])} conversations "
        f"({style.percent(most['broken_share'])})"
    )
    if len(enough) and enough.iloc[0]["rule"] != most["rule"]:
        worst = enough.iloc[0]
        said += (
            f"; {parts.plain(worst['rule_title'])} in the largest share, "
            f"{style.percent(worst['broken_share'])} of {style.number(worst['conversations'])}"
        )
    parts.headline(f"{said}\\.")


def _figures(weeks: pd.DataFrame, frameworks: pd.DataFrame) -> None:
    checked, broken = int(weeks["conversations"].sum()), int(weeks["broken"].sum())
    shown = [
        Figure("Checks kept", style.percent(1 - broken / checked), help="Of all rules together"),
        Figure("Checks broken", style.number(broken), help="A rule broken in a conversation"),
        Figure("Rules checked", style.number(weeks["rule"].nunique())),
    ]
    theirs = frameworks[~frameworks["is_custom"].astype(bool)] if len(frameworks) else frameworks
    if len(theirs):
        least = theirs.sort_values("violations_missed", ascending=False, kind="stable").iloc[0]
        known = int(least["violations_known"])
        shown.append(
            Figure(
                "Vendor's default would miss",
                style.percent(least["violations_missed"] / known if known else None),
                help=f"{style.number(least['violations_missed'])} of "
                f"{style.number(known)} violations, of all days and teams",
            )
        )
    parts.figures(shown)


def _trend(weeks: pd.DataFrame) -> None:
    first, second = st.columns(2)
    broken = weeks.groupby(["week_start", "rule_title"], as_index=False)["broken"].sum()
    with first:
        parts.bars(
            broken,
            "week_start",
            "broken",
            "rule_title",
            title="Rules broken by week, conversations",
        )
    kept = weeks.groupby(["week_start", "kit"], as_index=False)[["conversations", "broken"]].sum()
    kept["kept"] = 1 - kept["broken"] / kept["conversations"]
    with second:
        parts.lines(
            kept, "week_start", "kept", "kit", n="conversations", share=True,
            title="Share of checks kept by week, all rules together",
        )  # fmt: skip
    st.caption("Weeks are whole and belong to the days of their Monday. A week has few checks.")


def _rules(view: View, rules: pd.DataFrame) -> None:
    st.subheader("Rule by rule", anchor=False)
    parts.table(
        view,
        "rules",
        rules,
        {
            "rule_title": Column("Rule"),
            "conversations": Column("n", "number", help="Conversations in which it applied"),
            "broken": Column("Broken", "number"),
            "broken_share": Column("Broken, share", "share", 1),
            "broken_share_low": Column("From", "share", 1, "95 % interval"),
            "broken_share_high": Column("To", "share", 1, "95 % interval"),
            "enough": Column("Note"),
            "kit": Column("Kit version"),
        },
    )


def _places(view: View) -> None:
    st.subheader("Where rules are broken", anchor=False)
    places = view.read(PLACES)
    first, second = st.columns([2, 3])
    broken = places.groupby(["jurisdiction", "rule_title"], as_index=False)[
        ["broken", "conversations"]
    ].sum()
    total = broken.groupby("jurisdiction")["broken"].sum().sort_values(ascending=False)
    top = [place for place in total.index if total[place]][:10]
    with first:
        if top:
            drawn = broken[broken["jurisdiction"].isin(top)].assign(
                at=lambda rows: rows["jurisdiction"].map(top.index)
            )
            parts.ranked(
                drawn.sort_values("at"), "jurisdiction", "broken", by="rule_title",
                n="conversations", title="Checks broken by state of the customer",
            )  # fmt: skip
    with second:
        parts.table(
            view,
            "places",
            _counted(parts.with_kits(view, places), ["team", "jurisdiction", "kit"]),
            {
                "jurisdiction": Column("State", help="unknown: no account was found"),
                "team": Column("Team"),
                "conversations": Column("n", "number", help="Checks of a rule in a conversation"),
                "broken": Column("Broken", "number"),
                "broken_share": Column("Share", "share"),
                "broken_share_low": Column("From", "share", 0, "95 % interval"),
                "broken_share_high": Column("To", "share", 0, "95 % interval"),
                "enough": Column("Note"),
            },
        )


def _frameworks(view: View, frameworks: pd.DataFrame) -> None:
    st.subheader("What the vendor's default framework would miss", anchor=False)
    if frameworks.empty:
        parts.empty(
            "No framework is known.",
            "Fill the table compliance_rules of the source reference; see dbt/README.md.",
        )
        return
    st.caption("Over the latest scores of all conversations, whatever is chosen above.")
    parts.table(
        view,
        "frameworks",
        frameworks,
        {
            "framework": Column("Framework"),
            "framework_version": Column("Version"),
            "is_custom": Column("Our own", "check"),
            "rules_checked": Column("Rules checked", "number"),
            "rules_missed": Column("Rules missed", "number"),
            "violations_found": Column("Violations found", "number"),
            "violations_missed": Column("Violations missed", "number"),
            "violation_coverage_share": Column("Found, share", "share", 1),
            "update_days": Column("Days until a change is in", "number"),
        },
    )


def _evidence(view: View) -> None:
    st.subheader("Evidence register", anchor=False)
    told = view.read_words(REGISTER_WITH_WORDS) if view.words else view.read(REGISTER)
    if told.empty:
        parts.empty("No violation has been found in these days.", "Choose more days.")
        return
    if not view.words:
        st.caption(
            f"The words that show a violation are switched off (`{TRANSCRIPTS}`); the register and "
            "its CSV say where there are any."
        )
    if len(told) == REGISTER_ROWS:
        st.caption(f"The newest {REGISTER_ROWS:,} only: choose fewer days for the others.")
    shown = {
        "open": Column("", "link"),
        "started_at": Column("Started (UTC)", "moment"),
        "rule_title": Column("Rule"),
        "agent_name": Column("Agent"),
        "team": Column("Team"),
        "channel": Column("Channel"),
        "account_name": Column("Account"),
        **({"quote": Column("Words that show it")} if view.words else {}),
        "is_quoted": Column("Words", "check", help="What was not said has none"),
        "framework_version": Column("Framework"),
        "vendor": Column("Vendor"),
        "kit": Column("Kit version"),
    }
    parts.table(
        view,
        "register",
        parts.with_kits(view, told).assign(
            open=parts.conversation_links(told), vendor=told["vendor"].map(style.vendor_name)
        ),
        shown,
    )


PAGE = Page(
    slug="compliance",
    title="Compliance",
    question="Which rules are broken, where, and what shows it?",
    filters=("team", "kit_version", "days"),
    render=render,
    section="Compliance",
    icon=":material/gavel:",
    kits=("compliance_rules",),
    queries={
        "weeks": WEEKS, "places": PLACES, "frameworks": FRAMEWORKS, "register": REGISTER,
        "register_with_words": REGISTER_WITH_WORDS,
    },
)  # fmt: skip
