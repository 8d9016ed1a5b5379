"""A browser, servers of the pages, and people in front of them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests import needs
from tests.browser.browsing import HEIGHT, PATIENCE_MS, WIDE, Complaints, chromium
from tests.browser.shop import Shop, nothing, serving_shop

Visit = Callable[..., Page]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser that ends with this folder: while it runs, no other test could run a loop."""
    with chromium(needs.program("chromium")) as running:
        yield running


@pytest.fixture(scope="package")
def demo() -> Iterator[Shop]:
    """The demo store, for tests that change nothing."""
    with serving_shop() as shop:
        yield shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A demo store of this test's own."""
    with serving_shop() as shop:
        yield shop


@pytest.fixture
def empty() -> Iterator[Shop]:
    with serving_shop(nothing) as shop:
        yield shop


@pytest.fixture
def away() -> Iterator[Shop]:
    """A site whose store is away."""
    with serving_shop(None) as shop:
        yield shop


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What the pages of this test complained about, which should be nothing."""
    complaints = Complaints()
    yield complaints
    assert not complaints.found


@pytest.fixture
def visit(browser: Browser, complaints: Complaints) -> Iterator[Visit]:
    """Open a page of a site as somebody, by default edna the editor, in a browser of their own."""
    opened = []

    def open_one(
        shop: Shop, path: str = "/", name: str = "edna", width: int = WIDE, **options: Any
    ) -> Page:
        size = {"width": width, "height": HEIGHT}
        context = browser.new_context(base_url=shop.address, viewport=size, **options)
        opened.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if name:
            context.add_cookies([shop.cookie(name)])
        page = context.new_page()
        complaints.watch(page)
        page.goto(path)
        return page

    yield open_one
    for context in opened:
        context.close()
