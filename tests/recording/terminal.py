"""A terminal without a window: it runs commands in a pty, and remembers what it showed."""

import os
import pty
import shlex
import subprocess
from collections.abc import Mapping
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSWINSZ

import pyte

from tests.recording.frame import COLUMNS, LINES, Cells, Frame, Line

PROMPT = "$ "
TYPED_AT_ONCE = 3  # characters
TYPING_S, AFTER_COMMAND_S = 0.1, 0.5


class Terminal:
    """A terminal of 80 columns, in which commands are typed and run."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        self.frames: list[Frame] = []

    def run(self, command: str, read_for_s: float) -> None:
        """Type and run a command, whose output is shown for `read_for_s` seconds."""
        self._show(PROMPT.encode(), AFTER_COMMAND_S)
        for at in range(0, len(command), TYPED_AT_ONCE):
            self._show(command[at : at + TYPED_AT_ONCE].encode(), TYPING_S)
        self._show(b"\r\n", AFTER_COMMAND_S)
        self._show(self._output(command) + b"\r\n", read_for_s)

    def _output(self, command: str) -> bytes:
        ours, theirs = pty.openpty()
        ioctl(theirs, TIOCSWINSZ, pack("HHHH", LINES, COLUMNS, 0, 0))
        sizes = {"COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm-256color"}
        child = subprocess.Popen(
            shlex.split(command),
            cwd=self._folder,
            env={**self._environment, **sizes, "PAGER": "cat"},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        output = bytearray()
        while part := _read(ours):
            output += part
        os.close(ours)
        assert child.wait() == 0, (command, output.decode())
        return bytes(output)

    def _show(self, output: bytes, seconds: float) -> None:
        # pyte has no faint text, so it comes as italics, which beatd never writes.
        self._stream.feed(output.replace(b"\x1b[2m", b"\x1b[3m"))
        rows = [self._screen.buffer[row] for row in range(LINES)]
        lines = tuple(_line([row[column] for column in range(COLUMNS)]) for row in rows)
        self.frames.append(Frame(seconds, lines))


def _read(file: int) -> bytes:
    try:
        return os.read(file, 65536)
    except OSError:  # the last process with the other end has ended
        return b""


def _line(characters: list[pyte.screens.Char]) -> Line:
    cells: list[Cells] = []
    for column, character in enumerate(characters):
        colour = "dim" if character.italics else character.fg
        last = cells[-1] if cells else None
        if last and (last.colour, last.bold) == (colour, character.bold):
            cells[-1] = last._replace(text=last.text + character.data)
        else:
            cells.append(Cells(column, character.data, colour, character.bold))
    kept = [one._replace(text=one.text.rstrip()) for one in cells]
    return tuple(one for one in kept if one.text)
