"""A browser, servers of the pages, and people in front of them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests import needs
from tests.browser.browsing import HEIGHT, PATIENCE_MS, WIDE, Complaints, chromium
from tests.browser.shop import Shop, Street, filled_store

Visit = Callable[..., Page]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser that ends with this folder: while it runs, no other test could run a loop."""
    with chromium(needs.program("chromium")) as running:
        yield running


@pytest.fixture(scope="package")
def street() -> Iterator[Street]:
    street = Street()
    yield street
    street.close()


@pytest.fixture(scope="package")
def shared_demo(street: Street) -> Shop:
    return street.shop(filled_store())


@pytest.fixture
def demo(street: Street, shared_demo: Shop) -> Shop:
    """The demo store, for tests that change nothing."""
    street.show(shared_demo)
    return shared_demo


@pytest.fixture
def shop(street: Street) -> Shop:
    """A demo store of this test's own."""
    return street.shop(filled_store())


@pytest.fixture
def empty(street: Street) -> Shop:
    return street.shop(filled_store(lambda store, now: None))


@pytest.fixture
def away(street: Street) -> Shop:
    """A site whose store is away."""
    return street.shop(None)


@pytest.fixture(scope="package")
def all_complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def complaints(all_complaints: Complaints) -> Iterator[Complaints]:
    """What the pages of this test complained about, which should be nothing."""
    all_complaints.begin()
    yield all_complaints
    assert not all_complaints.found


@pytest.fixture(scope="package")
def desks(browser: Browser) -> dict[str, Page]:
    """A page of each person, which test after test uses: to make one takes half a second."""
    return {}


@pytest.fixture
def visit(browser: Browser, desks: dict[str, Page], complaints: Complaints) -> Iterator[Visit]:
    """Open a page of a site as somebody, by default edna the editor.

    Each person has a browser of their own; with `options`, it is a new one.
    """
    opened, used = [], []

    def made(shop: Shop, **options: Any) -> Page:
        context = browser.new_context(base_url=shop.address, **options)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        complaints.watch(page)
        return page

    def open_one(shop: Shop, path: str = "/", name: str = "edna", **options: Any) -> Page:
        if options:
            page = made(shop, **options)
            opened.append(page.context)
        else:
            page = desks[name] = desks.get(name) or made(shop)
            used.append(page)
        page.set_viewport_size({"width": WIDE, "height": HEIGHT})
        if name:
            page.context.add_cookies([shop.cookie(name)])
        page.goto(path)
        return page

    yield open_one
    for context in opened:
        context.close()
    for page in used:
        page.goto("about:blank")
        page.emulate_media(color_scheme="light")
        page.context.clear_cookies()
