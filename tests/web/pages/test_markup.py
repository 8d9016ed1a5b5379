"""Texts with markup in every field: no page gets an element or an attribute from them.

Each page is made twice, with plain and with hostile texts in all fields and in its address. Both
times it must have the same elements with the same attributes.
"""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from tests.web.pages.filled_site import FilledSite
from tests.web.site import Answered

HOSTILE = (
    "'\"></title></textarea><script>zq()</script><img src=x onerror=zq style=zq><zq zq=1 &#39;"
)
#: Attributes that a browser follows, and how the address in them may begin.
ADDRESSES = {"href", "src", "action", "formaction", "srcset", "poster", "data", "xlink:href"}
OWN = re.compile(r"#|/(?![/\\])|$")
#: Fields that no page shows: their values are refused, or only looked up.
UNSEEN = {
    "action", "base", "id", "new-kind", "next", "number", "order", "origin", "outcome", "place",
    "saved", "state", "token", "undo",
}  # fmt: skip
Pages = dict[str, Answered]


class Structure(HTMLParser):
    """Collects the elements of a page with the names of their attributes, and all texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, ...]] = []
        self.values: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, *(name for name, _ in attrs)))
        self.values += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.elements.append((f"/{tag}",))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.elements.append(("comment",))

    @property
    def shown(self) -> str:
        """All that a person may see: the texts, and the values of attributes."""
        return "\n".join([*self.texts, *(value for _, value in self.values)])


def made(text: str) -> tuple[FilledSite, Pages]:
    site = FilledSite(text)
    try:
        return site, dict(site.pages())
    finally:
        site.server.close()


@pytest.fixture(scope="module")
def plain() -> Pages:
    return made("plain")[1]


@pytest.fixture(scope="module")
def hostile() -> tuple[FilledSite, Pages]:
    return made(HOSTILE)


def test_each_page_has_the_elements_that_it_has_with_plain_texts(
    plain: Pages, hostile: tuple[FilledSite, Pages]
) -> None:
    for name, answer in hostile[1].items():
        assert answer.status == plain[name].status < 500, name
        assert Structure(answer.text).elements == Structure(plain[name].text).elements, name


def test_no_page_shows_a_backtick(plain: Pages) -> None:
    for name, answer in plain.items():
        assert "`" not in Structure(answer.text).shown, name


def test_nothing_on_a_page_is_carried_out(hostile: tuple[FilledSite, Pages]) -> None:
    for name, answer in hostile[1].items():
        page = Structure(answer.text)
        for tag, *attributes in page.elements:
            assert tag not in ("img", "zq", "comment", "style", "iframe", "object", "base"), name
            assert not [one for one in attributes if one.startswith(("on", "zq"))], (name, tag)
            assert "style" not in attributes, (name, tag)
            assert tag != "script" or attributes == ["src", "defer"], name
        for attribute, value in page.values:
            if attribute in ADDRESSES:
                assert OWN.match(value), (name, attribute, value)
        assert answer.text.count("<script") <= 1 and "<zq" not in answer.text, name
        assert not re.search(r"<[^>]*[\s\"']on\w+=", re.sub(r'"[^"<]*"', '""', answer.text)), name


def test_every_field_is_shown_on_some_page_as_it_is(hostile: tuple[FilledSite, Pages]) -> None:
    """Or the tests above would show nothing about it."""
    site, pages = hostile
    shown = "\n".join(Structure(one.text).shown for one in pages.values())
    shown += shown.replace('\\"', '"')  # arguments are shown as JSON
    missing = {field for field in site.fields if f"F-{field}-{HOSTILE}" not in shown}
    assert missing == UNSEEN


def test_the_badge_and_the_calendar_have_the_text_as_it_is() -> None:
    site = FilledSite(HOSTILE)
    try:
        path = site.path("name").removeprefix("/entries/")
        badge, calendar = site.get(f"/badge/{path}.svg"), site.get("/entries.ics")
    finally:
        site.server.close()
    root = ElementTree.fromstring(badge.text)
    assert [one.tag.rpartition("}")[2] for one in root] == ["title", "rect", "rect", "g"]
    assert (root.findtext("{*}title") or "").startswith(f"F-name-{HOSTILE[:40]}")
    assert f"SUMMARY:F-name-{HOSTILE.replace(';', chr(92) + ';')}\r\n" in calendar.text.replace(
        "\r\n ", ""
    )
