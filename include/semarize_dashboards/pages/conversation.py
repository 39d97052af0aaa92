"""One conversation: what each kit said of it, and, where that is allowed, the words behind it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from semarize_dashboards import parts, style
from semarize_dashboards.page import Page, View
from semarize_dashboards.parts import Column
from semarize_dashboards.query import Query
from semarize_dashboards.settings import TRANSCRIPTS
from semarize_dashboards.source import WORKFORCE_KITS, NothingYet, utterances
from semarize_pipeline.errors import PipelineError

CONVERSATION = Query(
    """
select
    conversation_key, vendor, conversation_id, title, channel, account_name, rep_name,
    started_at, duration_seconds, utterance_count, rep_talk_share, url, transcript_status
from marts.conversation_explorer
where conversation_key = {conversation}
"""
)
SIGNALS = Query(
    """
select
    v.kit_name, v.kit_version_id, v.brick_key, v.value_type, v.value_boolean, v.value_number,
    v.value_normalised, v.confidence, v.scored_at,
    -- Other values are the customer's words, or tell of them.
    case when v.value_type = 'text' and b.meaning is null then v.value_text end as value_text
from marts.fct_brick_values as v
left join marts.dim_bricks as b on v.brick_id = b.brick_id
where v.conversation_key = {conversation} and v.is_latest and v.kit_name not in ({hidden})
order by v.kit_name, v.brick_key
"""
)
WORDS = Query(
    """
select kit_name, brick_key, reason, evidence, value_text, value_list
from marts.fct_brick_values
where conversation_key = {conversation} and is_latest and kit_name not in ({hidden})
order by kit_name, brick_key
"""
)
NEWEST = Query(
    """
select conversation_key, title, started_at, rep_name
from marts.conversation_explorer
where is_scored
order by started_at desc
limit 50
"""
)
_OFF = (
    "Transcripts, reasons and evidence are switched off. Who runs the dashboards can switch them "
    f"on for everybody who can open them: {TRANSCRIPTS}=true in the environment, then a restart."
)


def _hidden(view: View) -> list[str]:
    # Never empty: nothing at all is "not in" a list without a name.
    return [""] if view.workforce else list(WORKFORCE_KITS)


def render(view: View) -> None:
    """Draw the page."""
    newest = view.read(NEWEST)
    if newest.empty:
        parts.headline("No conversation has been scored yet\\.")
        parts.basis(view, 0, "conversations")
        parts.empty("No conversation has been scored yet.", "Run a vendor's DAG, then scorecards.")
        return
    key = _chosen(newest)
    told = view.read(CONVERSATION, conversation=key)
    if told.empty:
        parts.headline("There is no such conversation\\.")
        parts.basis(view, 0, "conversations")
        parts.empty(
            "The warehouse has no conversation with the key in the address.",
            "It may have been deleted at the vendor. Choose another one, above.",
        )
        return
    about, signals = told.iloc[0], view.read(SIGNALS, conversation=key, hidden=_hidden(view))
    kits = signals["kit_name"].nunique() if len(signals) else 0
    parts.headline(
        f"{parts.plain(about['title'] or key)}: {kits} kit{'' if kits == 1 else 's'} gave it "
        f"{len(signals)} signals\\."
    )
    parts.basis(
        view, len(signals), "signals", list(signals["kit_version_id"].unique()) if kits else []
    )
    _about(about)
    if signals.empty:
        parts.empty(
            "It has no scores.",
            f"Its transcript is {about['transcript_status']}; scores follow once it is ready and "
            "the vendor's DAG has run.",
        )
        return
    if not view.words:
        _signals(view, signals)
        st.info(parts.plain(_OFF), icon=":material/lock:")
        return
    words = view.read_words(WORDS, conversation=key, hidden=_hidden(view))
    merged = signals.drop(columns="value_text").merge(words, on=["kit_name", "brick_key"])
    _signals(view, merged)
    _transcript(view, key, str(about["vendor"]), words)


def _chosen(newest: pd.DataFrame) -> str:
    """The conversation in the address; without one, the newest."""
    names = {
        row.conversation_key: f"{row.started_at:%d %b %Y} · {row.title} · {row.rep_name}"
        for row in newest.itertuples()
    }
    asked = st.query_params.get("conversation")
    keys = list(names)
    if asked and asked not in names:
        keys.insert(0, asked)
    if "conversation_shown" not in st.session_state:
        st.session_state["conversation_shown"] = asked or keys[0]

    def opened() -> None:
        st.query_params["conversation"] = st.session_state["conversation_shown"]

    picked = st.selectbox(
        "Conversation (the newest, or the one in the address)",
        keys,
        format_func=lambda key: names.get(key, key),
        key="conversation_shown",
        on_change=opened,
    )
    return str(picked or keys[0])


def _about(about: pd.Series) -> None:
    minutes = about["duration_seconds"]
    facts = [
        style.vendor_name(about["vendor"]), about["channel"], style.moment(about["started_at"]),
        f"with {about['account_name']}" if about["account_name"] else None,
        f"held by {about['rep_name']}" if about["rep_name"] else None,
        f"{minutes / 60:.0f} minutes" if minutes and minutes == minutes else None,
        f"{about['utterance_count']:.0f} turns"
        if about["utterance_count"] == about["utterance_count"] and about["utterance_count"]
        else None,
    ]  # fmt: skip
    st.markdown(parts.plain(" · ".join(str(fact) for fact in facts if fact)))
    if str(about["url"] or "").startswith("https://"):
        st.link_button("Open at the vendor", about["url"], icon=":material/open_in_new:")


def _signals(view: View, signals: pd.DataFrame) -> None:
    shown = signals.assign(value=[_value(row) for _, row in signals.iterrows()])
    columns = {
        "kit": Column("Kit"),
        "brick_key": Column("Signal"),
        "value": Column("Value"),
        "value_normalised": Column("From 0 to 100 %", "share"),
        "confidence": Column("Confidence", "share"),
    }
    if view.words:
        columns |= {"reason": Column("Reason"), "evidence": Column("Evidence")}
    parts.table(view, "signals", parts.with_kits(view, shown), columns)


def _value(row: pd.Series) -> str:
    if row["value_type"] == "boolean":
        told = row["value_boolean"]
        return "" if told is None or told != told else "yes" if told else "no"
    if row["value_type"] == "number":
        return "" if row["value_number"] != row["value_number"] else f"{row['value_number']:g}"
    for name in ("value_text", "value_list"):
        if isinstance(row.get(name), str):
            return str(row[name])
    return ""


def quotes(words: pd.DataFrame) -> dict[str, str]:
    """Each quote in the column ``evidence``, a JSON list → the signals that rest on it."""
    found: dict[str, set[str]] = {}
    for row in words.itertuples():
        try:
            told = json.loads(row.evidence) if isinstance(row.evidence, str) else row.evidence
        except ValueError:
            continue
        for quote in told if isinstance(told, list) else []:
            if isinstance(quote, str) and quote.strip():
                found.setdefault(quote.strip(), set()).add(f"{row.kit_name}: {row.brick_key}")
    return {quote: ", ".join(sorted(signals)) for quote, signals in found.items()}


def highlighted(text: str, marked: Mapping[str, str]) -> str:
    """A turn as HTML, with the quotes that stand in it marked; everything else is escaped."""
    # The longest first: one quote may begin with another.
    wanted = "|".join(re.escape(quote) for quote in sorted(marked, key=len, reverse=True))
    if not wanted:
        return html.escape(text)
    made, end = [], 0
    for match in re.finditer(wanted, text):
        made.append(html.escape(text[end : match.start()]))
        signals = html.escape(marked[match[0]], quote=True)
        made.append(f'<mark title="{signals}">{html.escape(match[0])}</mark>')
        end = match.end()
    return "".join([*made, html.escape(text[end:])])


def _transcript(view: View, key: str, vendor: str, words: pd.DataFrame) -> None:
    st.subheader("Transcript", anchor=False)
    # The name is from our own list of vendors, never from the address.
    query = Query(
        "select position, speaker, speaker_role, start_seconds, utterance_text "
        f"from {utterances(vendor)} where conversation_key = {{conversation}} order by position"
    )
    try:
        turns = view.read_words(query, conversation=key)
    except (PipelineError, NothingYet):
        parts.empty(
            "The dashboards' role may not read transcripts.",
            "On Snowflake, grant it the schema staging, or leave the switch off.",
        )
        return
    if turns.empty:
        parts.empty("No transcript has landed.", "Its status is above.")
        return
    marks = quotes(words)
    lines = [
        f"<p><b>{html.escape(str(turn.speaker or turn.speaker_role or 'unknown'))}</b> "
        f"{highlighted(str(turn.utterance_text or ''), marks)}</p>"
        for turn in turns.itertuples()
    ]
    with st.container(key="transcript", height=560, border=True):
        st.html(
            f"<style>.st-key-transcript mark {{background: {style.HIGHLIGHT}; padding: 0 2px;}}"
            ".st-key-transcript p {margin: 0 0 0.5rem 0;}</style>" + "".join(lines)
        )
    st.caption(
        "Marked: what the signals give as their evidence; pointing at it shows which signals."
    )


PAGE = Page(
    slug="conversation",
    title="Conversation",
    question="What did each kit say of this conversation, and why?",
    filters=(),
    render=render,
    section="Summary",
    icon=":material/forum:",
    queries={"conversation": CONVERSATION, "signals": SIGNALS, "newest": NEWEST},
    takes=("conversation",),
)
