"""Takes the documentation's pictures of the dashboards: ``make screenshots``.

Looks at the dashboards that ``make up`` has started, after a ``make demo``. What does not say that
it shows the sandbox is not photographed: no customer gets into the documentation.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

import playwright.sync_api as playwright
from browser import headless, settle
from PIL import Image

from semarize_dashboards.pages import PAGES, path

FOLDER = Path(__file__).parents[1] / "docs" / "images"
WIDTH, HEIGHT = 1440, 1000
LARGEST_BYTES = 250_000
COLOURS = 256


class Refused(Exception):
    """A picture that cannot be taken; the message says why and what to do."""


def taken(page: playwright.Page, url: str) -> bytes:
    """The first screen at an address, as a PNG."""
    try:
        page.goto(url)
        settle(page)
    except playwright.Error as error:
        told = str(error).splitlines()[0]
        raise Refused(f"{url} shows nothing ({told}); run make demo and make up first") from None
    return photographed(page, url)


def photographed(page: playwright.Page, url: str) -> bytes:
    """The page that is open, if it is the sandbox's."""
    if page.locator("[data-testid=stException], .st-key-empty").count():
        raise Refused(f"{url} has nothing to show; run make demo first, and look at the page")
    if "Sandbox data" not in "".join(page.locator(".st-key-sandbox").all_inner_texts()):
        raise Refused(f"{url} does not say that it shows the sandbox; only its data may be shown")
    picture, before = page.screenshot(), b""
    # Charts are drawn some moments after their figures are there.
    while picture != before:
        page.wait_for_timeout(500)
        picture, before = page.screenshot(), picture
    return picture


def small(picture: bytes) -> bytes:
    """The same picture in few colours, which is all that charts and text have."""
    made = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as opened:
        opened.convert("RGB").quantize(COLOURS).save(made, "PNG", optimize=True)
    if made.tell() > LARGEST_BYTES:
        raise Refused(f"a picture of {made.tell():,} bytes is too large for the repository")
    return made.getvalue()


def main() -> int:
    """Take the pictures of the pages named, or of all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("slugs", nargs="*", metavar="PAGE", help="a page's name in its address")
    parser.add_argument(
        "--url", default=f"http://127.0.0.1:{os.environ.get('UP_DASHBOARDS_PORT') or 8501}"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER)
    told = parser.parse_args()
    unknown = set(told.slugs) - {page.slug for page in PAGES}
    if unknown:
        parser.error(f"there is no page {', '.join(sorted(unknown))}")
    told.folder.mkdir(parents=True, exist_ok=True)
    with playwright.sync_playwright() as started, headless(started) as browser:
        window = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for page in PAGES:
            if told.slugs and page.slug not in told.slugs:
                continue
            try:
                picture = small(taken(window, f"{told.url}/{path(page)}"))
            except Refused as problem:
                print(problem, file=sys.stderr)
                return 1
            file = told.folder / f"dashboards-{page.slug}.png"
            file.write_bytes(picture)
            print(f"{file}  {len(picture) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
