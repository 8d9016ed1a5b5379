"""The site builds without a warning, has no dead link, and loads nothing from another host."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page

from docs.build import site_links
from tests import needs
from tests.browser.browsing import chromium
from tests.docs.blocks import ROOT

SITE = tomllib.loads((ROOT / "docs" / "zensical.toml").read_text())["project"]
NAMES = [name for parts in SITE["nav"] for pages in parts.values()
         for page in pages for name in page.values()]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "site"
    command = [sys.executable, ROOT / "docs" / "build" / "make_site.py", folder]
    built = subprocess.run(command, text=True, capture_output=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(needs.program("chromium")) as running:
        yield running


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where a web server has the site."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page as on a phone, which must ask no other host for anything."""
    context = browser.new_context(viewport={"width": 360, "height": 720}, base_url=address)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert asked
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    context.close()


def test_the_navigation_has_every_page() -> None:
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    top = {"index.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}
    assert pages <= set(NAMES) <= pages | top
    assert len(NAMES) == len(set(NAMES))


def test_it_has_each_page_and_a_list_for_language_models(site: Path) -> None:
    assert [name for name in NAMES if not (site / f"{name[:-3]}.html").is_file()] == []
    listed = (site / "llms.txt").read_text()
    assert [name for name in NAMES if f"({name[:-3]}.html): " not in listed] == []


def test_no_page_is_wider_than_a_phone(page: Page) -> None:
    wide = {}
    for name in NAMES:
        page.goto(f"/{name[:-3]}.html")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            wide[name] = width
    assert wide == {}


def test_the_search_finds_a_page(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/index.html")
    page.get_by_role("button", name="Search").click()
    page.keyboard.type("visibility_timeout")
    page.get_by_text("What stays impossible").first.click()
    page.wait_for_url("**/guarantees.html?*#what-stays-impossible")


@pytest.mark.parametrize(
    "html, problem",
    [
        ('<a href="b.html">', "b.html leads nowhere"),
        ('<a href="#b">', "#b has no such anchor"),
        ('<a href="a.html#b">', "a.html#b has no such anchor"),
        ('<img src="b.png">', "b.png is not there"),
        ('<script src="https://h/x.js">', "loads https://h/x.js from another host"),
        ('<link rel="stylesheet" href="//h/x.css">', "loads //h/x.css from another host"),
        ('<p style="background: url(https://h/x)">', "loads https://h/x from another host"),
        (
            "<p>These:\n- one</p>",
            "shows '- one' as it is written; put an empty line before the list",
        ),
        ("<pre>These:\n- one</pre>", None),
        ('<h1 id="b"></h1><a href="#b"></a><a href="https://h/">', None),
    ],
)
def test_a_dead_link_is_a_problem(tmp_path: Path, html: str, problem: str | None) -> None:
    (tmp_path / "a.html").write_text(html)
    assert site_links.problems(tmp_path) == ([f"a.html: {problem}"] if problem else [])


def test_a_font_from_another_host_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face {src: url('https://h/f.woff')}")
    assert len(site_links.problems(tmp_path)) == 1
