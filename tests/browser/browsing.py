"""A browser for tests of the pages, and what it complains about."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

#: A page may take so long on a busy machine. It is no assertion: a test waits for a condition.
PATIENCE_MS = 60_000
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",  # a container has little of it
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW = 1280, 360
HEIGHT = 900


@contextmanager
def chromium(program: Path) -> Iterator[Browser]:
    """Run this program without a screen, and without its sandbox, which root cannot have."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


class Complaints:
    """Collects what pages should never have: errors and warnings of the console and of scripts,
    what the Content-Security-Policy blocked, and answers that failed.

    A page itself may have a status below 500. A complaint that contains one of `expected` is none.
    """

    def __init__(self) -> None:
        self.found: list[str] = []
        self.expected: list[str] = []

    def begin(self) -> None:
        """Forget what was found and expected by an earlier test."""
        self.found, self.expected = [], []

    def watch(self, page: Page) -> None:
        """Collect the complaints of this page."""
        page.on("console", self._written)
        page.on("pageerror", lambda error: self._add(f"{page.url}: {error}"))
        page.on("response", self._answered)

    def _written(self, message: ConsoleMessage) -> None:
        is_status = message.text.startswith("Failed to load resource: the server responded")
        if message.type in ("error", "warning") and not is_status:  # for those see _answered
            self._add(f"{message.page.url if message.page else ''}: {message.text}")

    def _answered(self, answer: Response) -> None:
        first_bad = 500 if answer.request.is_navigation_request() else 400
        if answer.status >= first_bad:
            self._add(f"{answer.request.method} {answer.url}: {answer.status}")

    def _add(self, complaint: str) -> None:
        if not any(text in complaint for text in self.expected):
            self.found.append(complaint)


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
