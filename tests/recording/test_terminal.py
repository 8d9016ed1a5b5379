"""The terminal of the recording: what is typed, and what a command prints in its pty."""

import os
from pathlib import Path

from tests.recording.frame import Cells
from tests.recording.terminal import Terminal


def test_a_command_is_typed_and_its_output_has_colours(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, {"PATH": os.environ["PATH"]})
    terminal.run(r"printf '\033[31mred\033[0m \033[2mfaint'", 7.0)
    typed = [frame.lines[0][0].text for frame in terminal.frames if frame.lines[0]]
    assert typed[:3] == ["$", "$ pri", "$ printf"]
    last = terminal.frames[-1]
    assert last.seconds == 7.0
    assert last.lines[1] == (
        Cells(0, "red", "red", False),
        Cells(4, "faint", "dim", False),
    )


def test_a_program_sees_a_terminal_of_80_columns(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, {"PATH": os.environ["PATH"]})
    terminal.run("sh -c 'test -t 1 && stty size <&1'", 1.0)
    assert terminal.frames[-1].lines[1] == (Cells(0, "24 80", "default", False),)
