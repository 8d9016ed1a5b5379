"""A daemon in the foreground of a terminal ends with it; SIGHUP reloads any other."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.waiting import until

Config = Callable[..., Path]
#: Makes its standard input the controlling terminal, as a window does, and runs a command.
ON_ITS_TERMINAL = (
    "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"
)


class Window:
    """A terminal window in which a daemon runs in the foreground."""

    def __init__(self, config: Path) -> None:
        self.terminal, its = os.openpty()
        os.set_blocking(self.terminal, False)
        command = [sys.executable, "-c", ON_ITS_TERMINAL, sys.executable, "-m", "beatd"]
        self.daemon = subprocess.Popen(
            [*command, "-c", str(config)], stdin=its, stdout=its, stderr=its, start_new_session=True
        )
        os.close(its)
        self.told = ""

    def says(self, text: str) -> None:
        until(lambda: text in self._read(), within=20, what=f"{text!r} in {self.told!r}")

    def _read(self) -> str:
        with suppress(BlockingIOError):
            self.told += os.read(self.terminal, 65536).decode()
        return self.told

    def close(self) -> None:
        os.close(self.terminal)
        self.terminal = -1


@pytest.fixture
def window(config: Config) -> Iterator[Window]:
    shown = Window(config())
    yield shown
    if shown.terminal >= 0:
        shown.close()
    shown.daemon.kill()
    shown.daemon.wait()


def test_a_daemon_in_the_foreground_ends_with_its_terminal(window: Window) -> None:
    window.says("leading, term 1")
    window.close()
    assert window.daemon.wait(timeout=60) == 0


def test_sighup_reloads_while_the_terminal_is_there(window: Window) -> None:
    window.says("leading, term 1")
    window.daemon.send_signal(signal.SIGHUP)
    window.says("configuration reloaded")
    window.close()
    assert window.daemon.wait(timeout=60) == 0
