"""Real daemons as processes, and what they say, waited for line by line."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

BEATD = Path(sys.executable).parent / "beatd"
PATIENCE = 20.0


class Process:
    """A beatd whose every line is kept; `says` waits for one."""

    def __init__(self, *arguments: str, cwd: Path, env: dict[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self._heard: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [BEATD, *arguments],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._heard.put(line.rstrip("\n"))
        self._heard.put(None)

    def says(self, text: str, timeout: float = PATIENCE) -> str:
        """The next line that holds the text."""
        while True:
            try:
                line = self._heard.get(timeout=timeout)
            except queue.Empty:
                raise AssertionError(
                    f"no line with {text!r} within {timeout} s: {self.lines}"
                ) from None
            if line is None:
                raise AssertionError(f"ended without a line with {text!r}: {self.lines}")
            self.lines.append(line)
            if text in line:
                return line

    def send(self, what: signal.Signals) -> None:
        self.process.send_signal(what)

    def ends(self, timeout: float = PATIENCE) -> int:
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        while (line := self._heard.get(timeout=timeout)) is not None:
            self.lines.append(line)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()


Start = Callable[..., Process]


@pytest.fixture
def beatd(tmp_path: Path) -> Iterator[Start]:
    """Starts daemons in a folder of the test's own; none outlives it."""
    started: list[Process] = []

    def start(*arguments: str, env: dict[str, str] | None = None) -> Process:
        started.append(Process(*arguments, cwd=tmp_path, env=env))
        return started[-1]

    yield start
    for process in started:
        process.close()


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Writes config.yaml: an embedded store and broker, and what the test adds or replaces."""
    (tmp_path / "queue").mkdir()

    def write(**sections: str) -> Path:
        wanted = {
            "store": "{url: 'sqlite:///beatd.db'}",
            "broker": "{url: 'filesystem://', transport_options: "
            "{data_folder_in: queue, data_folder_out: queue, control_folder: control}}",
            "entries": "{tick: {task: t, every: 0.2}}",
            **sections,
        }
        path = tmp_path / "config.yaml"
        path.write_text("".join(f"{key}: {value}\n" for key, value in wanted.items()))
        return path

    return write
