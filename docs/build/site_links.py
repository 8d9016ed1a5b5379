"""Find dead links of a built site, lists and tables that were not understood, and what a browser
would load from other hosts."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: The attributes whose URL a browser loads by itself; a link that somebody may click is not loaded.
_LOADED = {"src", "srcset", "poster", "data", "action", "formaction", "xlink:href"}
_LOADED_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch"}
_CSS_URL = re.compile(r"""url\(\s*["']?(?!data:|#)([^"')]+)|@import\s+["']([^"']+)""")
_VERBATIM = {"pre", "script", "style", "nav"}
#: The beginning of an item of a list, or of a row of a table, in the middle of a paragraph.
_RAW = re.compile(r"\n *(?:- |\| |\d\. ).{0,40}")


class _Reader(HTMLParser):
    """Collects the ids of a page, its links, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.raw: list[str] = []  # lines of lists and tables that are shown as they are written
        self._verbatim = 0  # open elements whose text is no prose
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._verbatim += tag in _VERBATIM
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        self.loaded += [given[name] for name in _LOADED & given.keys()]
        self.loaded += [
            first or second for first, second in _CSS_URL.findall(given.get("style", ""))
        ]
        if "href" in given:
            rel = set(given.get("rel", "").split())
            is_loaded = tag == "link" and rel & _LOADED_LINKS
            (self.loaded if is_loaded else self.links).append(given["href"])

    def handle_endtag(self, tag: str) -> None:
        self._verbatim -= tag in _VERBATIM

    def handle_data(self, data: str) -> None:
        if not self._verbatim:
            self.raw += _RAW.findall(data)


def problems(site: Path) -> list[str]:
    """Return one line for each dead link, dead anchor and thing that another host would serve."""
    pages = {page: _Reader(page.read_text()) for page in sorted(site.rglob("*.html"))}
    found = []
    for page, reader in pages.items():
        name = page.relative_to(site)
        found += [
            f"{name}: shows {line.strip()!r} as it is written; put an empty line before the list"
            for line in reader.raw
        ]
        for url in reader.loaded:
            if is_foreign(url):
                found.append(f"{name}: loads {url} from another host")
            elif not _exists(site, page, url):
                found.append(f"{name}: {url} is not there")
        for url in reader.links:
            if is_foreign(url) or urlsplit(url).scheme:
                continue
            place = _place(site, page, url)
            anchor = unquote(urlsplit(url).fragment)
            if not place.is_file():
                found.append(f"{name}: {url} leads nowhere")
            elif anchor and place in pages and anchor not in pages[place].ids | {"__top"}:
                found.append(f"{name}: {url} has no such anchor")
    for sheet in sorted(site.rglob("*.css")):
        urls = [first or second for first, second in _CSS_URL.findall(sheet.read_text())]
        found += [
            f"{sheet.relative_to(site)}: loads {url} from another host"
            for url in urls
            if is_foreign(url)
        ]
    return found


def is_foreign(url: str) -> bool:
    """True if the URL names a host."""
    return bool(urlsplit(url).netloc)


def _place(site: Path, page: Path, url: str) -> Path:
    path = unquote(urlsplit(url).path)
    if not path:
        return page
    place = (site / path.lstrip("/") if path.startswith("/") else page.parent / path).resolve()
    return place / "index.html" if place.is_dir() else place


def _exists(site: Path, page: Path, url: str) -> bool:
    return urlsplit(url).scheme == "data" or _place(site, page, url).is_file()
