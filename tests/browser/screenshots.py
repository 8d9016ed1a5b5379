"""Write pictures of the pages of the demo store: `python -m tests.browser.screenshots FOLDER`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser.browsing import NARROW, chromium
from tests.browser.shop import Shop, serving_shop
from tests.run import packages

#: Name of the picture -> path, and how the window differs from a light one.
PICTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "overview": ("/", {}),
    "overview-dark": ("/", {"color_scheme": "dark"}),
    "entries": ("/entries", {}),
    "entries-phone": ("/entries", {"viewport": {"width": NARROW, "height": 720}}),
    "entry": ("/entries/feed.pull-reviews", {}),
    "edit": (
        "/entries/billing.close-day/edit",
        {"viewport": {"width": 1200, "height": 780}},
    ),
    "ahead": ("/ahead", {}),
    "changes": ("/changes", {}),
}


@contextmanager
def opened(browser: Browser, shop: Shop, path: str, options: dict[str, Any]) -> Iterator[Page]:
    """Open a page as an editor, in a window of its own."""
    size = {"viewport": {"width": 1200, "height": 660}, "reduced_motion": "reduce"}
    context = browser.new_context(**(size | {"base_url": shop.address} | options))
    context.add_cookies([shop.cookie("edna")])
    page = context.new_page()
    page.goto(path)
    yield page
    context.close()


def write_pictures(folder: Path) -> None:
    """Write all pictures into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    program = packages.find("chromium")
    if program is None:
        sys.exit("There is no chromium; on Debian: apt-get install chromium")
    with serving_shop() as shop, chromium(program) as browser:
        for name, (path, options) in PICTURES.items():
            with opened(browser, shop, path, options) as page:
                if name == "edit":
                    page.get_by_role("textbox", name="Schedule", exact=True).fill(
                        "30 2 * * mon-fri"
                    )
                    page.locator("#preview .diff").wait_for()
                page.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    write_pictures(Path(sys.argv[1]))
