"""Programs as processes, and what they say, waited for line by line."""

import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

BEATD = Path(sys.executable).parent / "beatd"
PATIENCE = 100.0  # seconds; a busy machine is slow, and a test is none of its speed


class Process:
    """A program whose every line is kept; `says` waits for one."""

    def __init__(
        self,
        *arguments: str,
        cwd: Path,
        env: dict[str, str] | None = None,
        program: Path = BEATD,
    ) -> None:
        self.lines: list[str] = []
        self._heard: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [program, *arguments],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
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
                self._heard.put(None)
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
        self._heard.put(None)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
