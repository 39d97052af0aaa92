"""The Chromium of this machine, which tests and pictures of the dashboards look through."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

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
    # Its sandbox is not for root, as whom CI runs; it sees nothing but our own pages.
    started = playwright.chromium.launch(
        executable_path=binary(), args=["--no-sandbox", "--disable-dev-shm-usage"]
    )
    try:
        yield started
    finally:
        started.close()
