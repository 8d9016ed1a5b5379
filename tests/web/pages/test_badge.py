"""The badge of an entry."""

from xml.etree import ElementTree

import pytest

from beatd.definition import entry_from
from beatd.edits.pausing import pause
from beatd.web.pages.badge import COLOURS
from tests.web.demo_store import ANN
from tests.web.pages.conftest import Shown

SVG = "{http://www.w3.org/2000/svg}"


def shown_in(svg: str) -> tuple[str, str, str]:
    """Return the title of a badge, its value and its colour."""
    root = ElementTree.fromstring(svg)
    title = root.findtext(f"{SVG}title")
    texts = [one.text or "" for one in root.iter(f"{SVG}text")]
    rects = [one.get("fill") or "" for one in root.iter(f"{SVG}rect")]
    assert title == f"{texts[0]}: {texts[1]}"
    return title, texts[1], rects[1]


STATES = [
    ("backup.verify", "succeeded", "ok"),
    ("billing.collect", "failed ×3", "bad"),
    ("herd.hourly-11", "not published", "bad"),
    ("mail.digest", "paused", "pause"),
    ("one-off.migration", "disabled", "off"),
]


@pytest.mark.parametrize(("name", "word", "kind"), STATES)
def test_the_badge_shows_the_state(demo: Shown, name: str, word: str, kind: str) -> None:
    answer = demo.get(f"/badge/{name}.svg")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert shown_in(answer.text) == (f"{name}: {word}", word, COLOURS[kind])


def test_a_badge_has_neither_arguments_nor_errors(demo: Shown) -> None:
    text = demo.text("/badge/feed.pull-reviews.svg")
    assert "reviews.example" not in text and "ConnectionError" not in text


def test_who_has_the_badge_gets_304_until_the_state_changes(demo: Shown) -> None:
    path = "/badge/backup.verify.svg"
    etag = demo.get(path).headers["ETag"]
    assert demo.get(path, **{"If-None-Match": etag}).status == 304
    pause(demo.store, ["backup.verify"], lambda: demo.now, ANN)
    changed = demo.get(path, **{"If-None-Match": etag})
    assert changed.status == 200 and changed.headers["ETag"] != etag


def test_an_unknown_name_is_404_with_a_badge(demo: Shown) -> None:
    answer = demo.get("/badge/%3Cscript%3E%01%EF%BF%BF.svg")
    assert answer.status == 404
    assert shown_in(answer.text)[0] == "<script>: unknown"


def test_names_with_slashes_and_wide_letters(shown: Shown) -> None:
    name = 'a/b "日報" & <c>'
    shown.fill([entry_from(name, {"task": "t", "cron": "0 0 1 1 *"})])
    path = "/badge/a%2Fb%20%22%E6%97%A5%E5%A0%B1%22%20%26%20%3Cc%3E.svg"
    assert shown_in(shown.text(path))[0].startswith(f"{name}: ")


def test_a_very_long_name_is_cut_in_its_badge(shown: Shown) -> None:
    shown.fill([entry_from("n" * 200, {"task": "t", "every": "1h"})])
    title = shown_in(shown.text(f"/badge/{'n' * 200}.svg"))[0]
    assert title.startswith("n" * 59 + "…: ")
