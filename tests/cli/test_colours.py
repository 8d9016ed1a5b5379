"""Colours on a terminal, unless NO_COLOR or a dumb terminal forbids them."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from beatd.cli import main
from tests.cli.conftest import Here

ESCAPE = "\x1b"
WORDS = [
    ("check", "-c", "config.yaml"),
    ("edit", "x", "--priority", "3"),
    ("status",),
    ("show", "nosuch"),
]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("variable", "value", "coloured"),
    [("TERM", "xterm-256color", True), ("TERM", "dumb", False), ("NO_COLOR", "1", False)],
)
def test_colours(
    x: Here,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    variable: str,
    value: str,
    coloured: bool,
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    if words[0] == "status":  # made by rich, which asks the terminal itself
        shown = on_a_terminal(*words)
    else:
        ended = CliRunner().invoke(main, words, color=True, prog_name="beatd")
        shown = ended.stdout + ended.stderr
    assert shown and (ESCAPE in shown) == coloured


def on_a_terminal(*words: str) -> str:
    """Return what a command writes to its terminal."""
    ours, its = os.openpty()
    command = [sys.executable, "-m", "beatd", *words]
    ended = subprocess.Popen(command, stdout=its, stderr=its, stdin=its)
    os.close(its)
    told = b""
    try:
        while some := os.read(ours, 4096):
            told += some
    except OSError:  # it has ended, and closed its side
        pass
    finally:
        os.close(ours)
    ended.wait()
    return told.decode()
