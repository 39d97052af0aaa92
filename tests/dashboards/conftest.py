"""The dashboards as a program of their own, and a browser that looks at them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from browser import settle
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
)

from semarize_airflow.local.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0


@pytest.fixture(scope="session")
def query(company_file: Path) -> Callable[..., list[tuple[Any, ...]]]:
    """Rows of the mart itself, to hold a page's figures against."""

    def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(company_file), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.execute(sql, list(values)).fetchall()

    return rows


@contextmanager
def dashboards(warehouse: Path, log: Path, **settings: str) -> Iterator[str]:
    """The address of the real program, for as long as the block lasts."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if "AIRFLOW" not in name},
        "PYTHONPATH": str(ROOT / "include"),
        "PYTHONSAFEPATH": "1",
        "AIRFLOW_CONN_WAREHOUSE_DEFAULT": json.dumps(
            {"conn_type": "duckdb", "host": str(warehouse)}
        ),
        "DASHBOARD_PORT": str(port),
        **settings,
    }
    with log.open("wb") as output:
        program = subprocess.Popen(
            [sys.executable, "-m", "semarize_dashboards"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _await(f"{url}/_stcore/health", program, log)
        yield url
    finally:
        program.terminate()
        try:
            program.wait(timeout=10)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


def _await(url: str, program: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + READY_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < give_up and program.poll() is None:
        try:
            with opener.open(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the dashboards did not start:\n{log.read_text()}")


@dataclass(frozen=True)
class Served:
    """The dashboards' address and what they logged."""

    url: str
    log: Path


@pytest.fixture(scope="session")
def served(company_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The dashboards as the sandbox's are: without transcripts, with the people, all made up."""
    log = tmp_path_factory.mktemp("dashboards") / "dashboards.log"
    with dashboards(company_file, log, DASHBOARD_WORKFORCE="true") as url:
        yield Served(url, log)


@pytest.fixture(scope="session")
def served_by_default(
    company_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The dashboards with no switch on."""
    log = tmp_path_factory.mktemp("dashboards") / "default.log"
    with dashboards(company_file, log) as url:
        yield Served(url, log)


@pytest.fixture(scope="session")
def served_with_words(
    company_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The dashboards with the operator's switch on."""
    log = tmp_path_factory.mktemp("dashboards") / "words.log"
    with dashboards(company_file, log, DASHBOARD_TRANSCRIPTS="true") as url:
        yield Served(url, log)


@dataclass
class Visit:
    """A visitor: what the browser was told, said, and asked for."""

    page: Page
    url: str
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)

    def open(self, path: str = "") -> float:
        """Open a page; returns the seconds until all of it was there."""
        self.page.bring_to_front()  # what nobody sees is drawn once a second, at low priority
        begun = time.monotonic()
        self.page.goto(f"{self.url}/{path}")
        self.settle()
        return time.monotonic() - begun

    def settle(self) -> None:
        """Wait until the script has run and the page has drawn it."""
        settle(self.page)

    def text(self, key: str) -> str:
        """The text of one of our parts."""
        found = self.page.locator(f".st-key-{key}")
        return " ".join(" ".join(found.all_inner_texts()).split())

    def figures(self) -> str:
        """What must change with a filter: the answer, its basis, figures, and tables' lengths."""
        buttons = self.page.locator("[data-testid=stDownloadButton]").all_inner_texts()
        return " | ".join(
            [self.text("headline"), self.text("basis"), self.text("figures"), *buttons]
        )

    def download(self, table: str) -> bytes:
        """A table's CSV."""
        with self.page.expect_download() as downloading:
            self.page.locator(f".st-key-csv_{table} button").click()
        return Path(downloading.value.path()).read_bytes()

    def look(self) -> Look:
        """All of it, with each table's CSV."""
        tables = self.tables()
        return Look(
            main=self.page.inner_text("[data-testid=stMain]"),
            parts={key: self.text(key) for key in ("headline", "basis", "sandbox", "about")},
            figures=self.figures(),
            errors=self.page.locator(
                "[data-testid=stException], [data-testid=stAlertContentError]"
            ).count(),
            labels={table: self.text(f"csv_{table}") for table in tables},
            csv={table: self.download(table) for table in tables},
            complaints=list(self.complaints),
            hosts=set(self.hosts),
            received=b"".join(self.received),
        )

    def tables(self) -> list[str]:
        """The names of the tables on the page."""
        keys = self.page.evaluate(
            "[...document.querySelectorAll('[class*=st-key-csv_]')].map(e => e.className)"
        )
        return [key.split("st-key-csv_")[1].split()[0] for key in keys]


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One browser's memory: whoever comes back has Streamlit's own files already."""
    # What only moves while one waits is drawn by the processor here, many times a second.
    opened = browser.new_context(viewport={"width": 1440, "height": 1000}, reduced_motion="reduce")
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


class Window:
    """A window of the browser, in which one visitor follows the other.

    Whoever opens an address in it begins a session of his own; only the process that draws it
    stays, which has Streamlit's program ready: a new window takes nearly twice as long.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self._newest = Visit(self.page, "")
        self.page.on("request", self._asked)
        self.page.on("pageerror", lambda error: self._newest.complaints.append(str(error)))
        self.page.on("console", lambda message: _console(self._newest, message))
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._told))

    def visit(self, served: Served) -> Visit:
        """The next visitor, who is told, says and asks for what follows."""
        self._newest = Visit(self.page, served.url)
        return self._newest

    def _asked(self, request: Request) -> None:
        self._newest.hosts.add(urlsplit(request.url).hostname or "")

    def _told(self, frame: bytes | str) -> None:
        self._newest.received.append(frame if isinstance(frame, bytes) else frame.encode())


@pytest.fixture(scope="module")
def window(context: BrowserContext) -> Callable[[], Window]:
    """Opens another window."""
    return lambda: Window(context)


@pytest.fixture(scope="module")
def visit(window: Callable[[], Window]) -> Callable[[Served], Visit]:
    """A visitor, who comes when the one before has left."""
    return window().visit


@dataclass(frozen=True)
class Look:
    """A page as it opens: what several tests want to know of it, from one visit."""

    complaints: list[str]
    hosts: set[str]
    received: bytes
    main: str
    parts: dict[str, str]
    figures: str
    errors: int
    labels: dict[str, str]
    csv: dict[str, bytes]


@dataclass(frozen=True)
class Drawn:
    """What a page's script draws for an address, before a browser has it."""

    headline: str
    basis: str
    figures: list[tuple[str, str]]
    tables: dict[str, str]
    chosen: dict[str, list[str]]
    problems: list[str]

    @property
    def answer(self) -> tuple[Any, ...]:
        """What must change with a filter: the answer, figures, and tables' lengths."""
        return self.headline, self.figures, self.tables


def _page(slug: str) -> None:
    from semarize_dashboards import app
    from semarize_dashboards.pages import PAGES

    app._show(next(page for page in PAGES if page.slug == slug))


@pytest.fixture(scope="session")
def drawn(company_file: Path) -> Iterator[Callable[..., Drawn]]:
    """Draws a page, given the query of its address, in this process and without a browser.

    With the same settings as ``served``; nobody else's environment has them.
    """
    import streamlit
    from streamlit.testing.v1 import AppTest

    @cache
    def draw(slug: str, query: str = "") -> Drawn:
        app = AppTest.from_function(_page, kwargs={"slug": slug}, default_timeout=120)
        app.query_params.update(parse_qs(query))
        with pytest.MonkeyPatch.context() as patch:
            held = {"conn_type": "duckdb", "host": str(company_file)}
            patch.setenv("AIRFLOW_CONN_WAREHOUSE_DEFAULT", json.dumps(held))
            patch.setenv("DASHBOARD_WORKFORCE", "true")
            # Streamlit leaves its script there, and processes started later would run it.
            patch.setitem(sys.modules, "__main__", sys.modules["__main__"])
            app.run()
        (headline,) = [each.value for each in app.markdown if each.value.startswith("#### ")]
        (basis,) = [each.value for each in app.caption if each.value.startswith("n = ")]
        return Drawn(
            headline=headline.removeprefix("#### "),
            basis=basis,
            figures=[(each.label, each.value) for each in app.metric],
            tables={str(each.key): each.label for each in app.get("download_button")},
            chosen={str(each.key): list(each.value) for each in app.multiselect},
            problems=[each.value for each in [*app.exception, *app.error]],
        )

    for kept in (streamlit.cache_resource, streamlit.cache_data):
        kept.clear()
    yield draw
    for kept in (streamlit.cache_resource, streamlit.cache_data):
        kept.clear()


def _console(made: Visit, message: ConsoleMessage) -> None:
    where = str(message.location.get("url"))
    # Below a path Streamlit first asks there for its server, and then at the root.
    if message.type == "error" and "/_stcore/" not in where:
        made.complaints.append(f"{message.text} {where}")
