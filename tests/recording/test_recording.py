"""The recording of a terminal: how it is drawn, and the one in docs/images."""

import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

from tests.recording.frame import Cells, Frame
from tests.recording.svg import svg

RECORDING = Path(__file__).parents[2] / "docs/images/terminal.svg"
SVG = "{http://www.w3.org/2000/svg}"


def frame(seconds: float, *texts: str) -> Frame:
    return Frame(seconds, tuple((Cells(0, text, "default", False),) for text in texts))


def test_frames_follow_each_other_and_the_last_one_stays() -> None:
    drawn = svg([frame(1, "$ a"), frame(3, "$ a", "b"), frame(2, "c")], "title")
    total = 1 + 3 + 2 + 4
    assert f"animation:{total}s step-end infinite" in drawn
    assert "@keyframes f0{0.000%{visibility:visible}10.000%{visibility:hidden}}" in drawn
    assert "@keyframes f1{0%{visibility:hidden}10.000%{visibility:visible}40.000%" in drawn
    assert "@keyframes f2{0%{visibility:hidden}40.000%{visibility:visible}}" in drawn
    assert drawn.count('class="f last"') == 1


def test_a_line_is_drawn_once_and_escaped() -> None:
    drawn = svg([frame(1, "a < b & c"), frame(1, "a < b & c", "d")], "a < b")
    tree = ElementTree.fromstring(drawn)
    lines = [text.text for text in tree.iter(f"{SVG}text")]
    assert lines == ["a < b & c", "d"]
    assert len(list(tree.iter(f"{SVG}use"))) == 3


def test_colours_and_columns_are_kept() -> None:
    cells = (Cells(0, "ok", "default", True), Cells(4, "  no", "red", False))
    drawn = svg([Frame(1, (cells,))], "t")
    assert '<text x="0" y="14" class="b"' in drawn
    assert '<text x="50.4" y="14" class="red" textLength="16.8"' in drawn


def test_the_recording_is_small_and_needs_nothing_else() -> None:
    text = RECORDING.read_text()
    assert len(text.encode()) < 300_000
    assert not re.search(
        r"<script|<foreignObject|@import|url\(|https?://(?!www\.w3\.org/2000)", text
    )
    assert "prefers-reduced-motion" in text


def test_the_recording_shows_the_commands_and_no_error() -> None:
    tree = ElementTree.parse(RECORDING)
    lines = ["".join(part.itertext()) for part in tree.iter(f"{SVG}g") if part.get("id")]
    shown = [unescape(line) for line in lines]
    for words in ("add hello", "list", "history hello", "why ", "next "):
        assert any(line.startswith(f"$ beatd {words}") for line in shown), words
    assert not [line for line in shown if line.startswith(("beatd:", "Traceback"))]
    assert any("succeeded" in line for line in shown)
