"""The progress of long work: bars on a terminal after half a second, nothing in a pipe."""

import os
import pty
import sys
from collections.abc import Sequence
from io import StringIO

import pytest

from beatd.cli.progress import BAR_AFTER_S, LINE_EVERY_S, progress
from tests.cli.conftest import Here

ENTRIES = "".join(f"  e{number}: {{task: t, every: 1h}}\n" for number in range(1200))


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def shown(monkeypatch: pytest.MonkeyPatch, steps: Sequence[tuple[float, int]]) -> str:
    """What a terminal shows of the steps (the second, and how many of 3 are done)."""
    master, slave = pty.openpty()
    clock = Clock()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(slave, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        with progress(elapsed=clock) as show:
            for clock.now, done in steps:
                show("entries", done, 3)
        stderr.write("END")
        stderr.flush()
        text = ""
        while "END" not in text:
            text += os.read(master, 100_000).decode()
    os.close(master)
    return text.removesuffix("END")


def test_short_work_has_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, [(0, 1), (BAR_AFTER_S - 0.01, 3)]) == ""


def test_long_work_has_a_bar_that_vanishes(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, [(0, 1), (BAR_AFTER_S, 2)])
    assert "entries" in text and "2/3" in text
    assert text.endswith("\x1b[2K")  # the line is erased


def test_a_pipe_gets_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe, clock = StringIO(), Clock()
    monkeypatch.setattr(sys, "stderr", pipe)
    with progress(elapsed=clock) as show:
        clock.now = 3600.0
        show("entries", 2, 3)
    assert pipe.getvalue() == ""


def test_a_copy_in_a_pipe_writes_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe, clock = StringIO(), Clock()
    monkeypatch.setattr(sys, "stderr", pipe)
    with progress(lines_in_pipe=True, elapsed=clock) as show:
        show("records", 1, 9)
        clock.now = LINE_EVERY_S
        show("records", 5, 9)
        show("records", 6, 9)
        show("records", 9, 9)
    assert pipe.getvalue() == "records: 5 of 9\nrecords: 9 of 9\n"


@pytest.mark.parametrize("command", ["apply", "import"])
def test_many_entries_are_written_with_progress(
    here: Here, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    seen: list[tuple[str, int, int]] = []

    class Shown:
        def __enter__(self) -> object:
            return lambda *step: seen.append(step)

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("beatd.cli.progress.progress", Shown)
    if command == "apply":
        here("apply", here.file("many.yaml", f"entries:\n{ENTRIES}"))
    else:
        lines = "".join(f"{n % 60} 3 * * * echo {n}\n" for n in range(1200))
        here("import", f"crontab:{here.file('tab', lines)}", "--task", "t", "--no-user-column")
    assert len(seen) > 1
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert {total for _, _, total in seen} == {1200} and seen[-1][1] == 1200
