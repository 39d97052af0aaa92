"""What each visitor is shown: the menu, the filters, and the page that is open."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from semarize_dashboards import filters, parts
from semarize_dashboards.page import Page, View
from semarize_dashboards.pages import PAGES
from semarize_dashboards.query import Query
from semarize_dashboards.settings import TRANSCRIPTS, Settings
from semarize_dashboards.source import NothingYet, Source, source
from semarize_pipeline.errors import PipelineError

# Addresses under example.com belong to nobody: only made-up people have them.
MADE_UP = Query(
    "select count(*) as made_up from marts.dim_reps where rep_email like '%.example.com'"
)
# Ours: Streamlit fetches its own icons of pages from the internet.
_ICON = Path(__file__).parent / "entry" / "icon.svg"
_CSS = """<style>
.stMainBlockContainer {padding-top: 3.2rem; padding-bottom: 3rem; max-width: 1500px;}
.st-key-headline h4 {padding: 0.1rem 0 0.2rem 0; line-height: 1.35; font-weight: 600;}
.st-key-headline {border-left: 4px solid #0072B2; padding-left: 0.8rem;}
.stMainBlockContainer h1 {font-size: 1.9rem; padding: 0;}
.stMainBlockContainer h3 {font-size: 1.25rem;}
[data-testid="stMetricValue"] {font-size: 1.7rem;}
.st-key-menu [data-testid="stCaptionContainer"] {padding-top: 0.4rem;}
</style>"""


@st.cache_resource(show_spinner=False)
def _settings() -> Settings:
    return Settings.told(os.environ)


@st.cache_resource(show_spinner=False)
def _source() -> Source:
    return source(_settings())


def _show(page: Page) -> None:
    settings = _settings()
    st.html(_CSS)
    st.title(page.title, anchor=False)
    st.caption(page.question)
    try:
        opened = _source()
        view = View(page, opened, opened.state(), {}, settings.transcripts, settings.workforce)
        _about(view, settings)
        page.render(replace(view, chosen=filters.bar(view)))
    except NothingYet as nothing:
        parts.empty("There is nothing to show yet.", str(nothing))
    except PipelineError as problem:
        # Our own errors name the remedy, and never hold what a conversation said.
        st.error(parts.plain(problem), icon=":material/error:")


def _about(view: View, settings: Settings) -> None:
    if settings.sandbox or bool(view.read(MADE_UP)["made_up"].iloc[0]):
        with st.container(key="sandbox"):
            st.badge(
                "Sandbox data: a made-up company, made-up conversations",
                icon=":material/science:",
                color="orange",
            )
    with st.sidebar, st.container(key="about"):
        newer = "" if view.state.is_newest else "  \nNewer data is being fetched."
        st.caption(f"Data as of {view.state.as_of:%d %b %Y %H:%M} UTC{newer}")
        st.caption(
            "Transcripts are shown."
            if settings.transcripts
            else "Transcripts are switched off. Who runs the dashboards can switch them on "
            f"(`{TRANSCRIPTS}`)."
        )


def _shown(page: Page) -> Callable[[], None]:
    def show() -> None:
        _show(page)

    # Streamlit tells pages apart by their functions' names.
    show.__name__ = page.slug
    return show


def main() -> None:
    """Draw the menu and run the page that is open."""
    menu: dict[str, list[tuple[Page, st.Page]]] = {}
    for number, page in enumerate(PAGES):
        made = st.Page(_shown(page), title=page.title, url_path=page.slug, default=number == 0)
        menu.setdefault(page.section, []).append((page, made))
    # The menu is drawn here: an icon that Streamlit's own menu shows is the browser tab's too,
    # and that one would be fetched from the internet.
    opened = st.navigation(
        [made for pages in menu.values() for _, made in pages], position="hidden"
    )
    st.set_page_config(
        page_title=f"{opened.title} · Conversations", page_icon=str(_ICON), layout="wide"
    )
    with st.sidebar, st.container(key="menu", gap="xsmall"):
        for section, pages in menu.items():
            st.caption(section)
            for page, made in pages:
                st.page_link(made, label=page.title, icon=page.icon)
    opened.run()
