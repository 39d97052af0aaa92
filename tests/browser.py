"""The Chromium of this machine, through which tests and pictures look at the dashboards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright

# The names that .ci/install-debian looks for, and where macOS has it.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def binary() -> str:
    """Its path; none is downloaded."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    if MACOS.exists():
        return str(MACOS)
    raise RuntimeError("there is no Chromium: install it (Debian: sudo sh .ci/install-debian)")


@contextmanager
def headless(playwright: Playwright) -> Iterator[Browser]:
    """The browser, without a window, for as long as the block lasts."""
    started = playwright.chromium.launch(
        executable_path=binary(),
        args=[
            # It is not for root, as whom CI runs; the browser sees nothing but our own pages.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            # A page is looked at for a second: to optimise its program takes more than it saves.
            "--js-flags=--no-opt --no-maglev",
        ],
    )
    try:
        yield started
    finally:
        started.close()


def settle(page: Page) -> None:
    """Wait until a page's script has run and the browser has drawn what it told."""
    page.wait_for_selector(".st-key-headline, .st-key-empty, [data-testid=stException]")
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
        # Each part's code is loaded when it is first needed.
        "&& ![...document.querySelectorAll('[class*=st-key-csv_]')].some(e => !e.innerText)"
        "&& !document.querySelector('[data-stale=true]')",
        # To look at every frame would lay the page out anew for each.
        polling=100,
    )
