"""Daemons, each behind its own cables, that are started again when they end by themselves."""

import os
import resource
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.process import BEATD

CONFIG = "config.yaml"
LEADS = b" leading, term "  # in the log; "no longer leading" has another end
UNLIMITED = resource.RLIM_INFINITY
END_S = 20.0  # that a daemon may take to end


class Daemons:
    def __init__(
        self,
        homes: Sequence[Path],
        command: Sequence[str | Path] = (BEATD, "-c", CONFIG),
        variables: Sequence[Mapping[str, str]] = (),
        libfaketime: Path | None = None,
    ) -> None:
        self.numbers = dict[int, int]()  # by every pid that a daemon has had
        self.ended = list[str]()  # those that ended and were not told to
        self._homes, self._command, self._libfaketime = homes, command, libfaketime
        self._variables = variables or [{}] * len(homes)
        self._running = dict[int, subprocess.Popen[bytes]]()
        for number in range(len(homes)):
            self.start(number)

    def start(self, number: int) -> None:
        self.step_clock(number, 0.0)
        with self.log(number).open("ab") as log:
            process = subprocess.Popen(
                self._command,
                cwd=self._homes[number],
                env=self.environment(number),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._running[number] = process
        self.numbers[process.pid] = number

    def environment(self, number: int) -> dict[str, str]:
        plain = {**os.environ, **self._variables[number]}
        if self._libfaketime is None:
            return plain
        return {
            **plain,
            "LD_PRELOAD": str(self._libfaketime),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock(number)),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def step_clock(self, number: int, to_s: float) -> None:
        """Set its wall clock that far from the right time; it sees that within a second."""
        new = self._clock(number).with_suffix(".new")
        new.write_text(f"{to_s:+.0f}\n")
        new.rename(self._clock(number))

    def _clock(self, number: int) -> Path:
        return self._homes[number] / "clock"

    def limit_memory(self, number: int) -> None:
        """Let it have no more address space than it has now, and load its configuration again."""
        pid = self._running[number].pid
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
        resource.prlimit(pid, resource.RLIMIT_AS, (pages * resource.getpagesize(), UNLIMITED))
        self.send(number, signal.SIGHUP)

    def lift_memory(self, number: int) -> None:
        with suppress(ProcessLookupError):
            resource.prlimit(self._running[number].pid, resource.RLIMIT_AS, (UNLIMITED, UNLIMITED))

    def __len__(self) -> int:
        return len(self._homes)

    def pids(self) -> list[int]:
        return [process.pid for process in self._running.values()]

    def log(self, number: int) -> Path:
        return self._homes[number].with_suffix(".log")

    def leads(self) -> int:
        """Return how often one of them has begun to lead."""
        logs = (self.log(number).read_bytes() for number in range(len(self._homes)))
        return sum(log.count(LEADS) for log in logs)

    def send(self, number: int, what: signal.Signals) -> None:
        self._running[number].send_signal(what)

    def end(self, number: int, how: signal.Signals) -> None:
        """Return when it has ended; it is not started again."""
        process = self._running.pop(number)
        process.send_signal(how)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.ended.append(f"daemon {number} did not end within {END_S:.0f} s of {how.name}")
            process.kill()
            process.wait()

    def supervise(self) -> None:
        for number, process in list(self._running.items()):
            if (code := process.poll()) is not None:
                self.ended.append(f"daemon {number} (pid {process.pid}) ended: {code}")
                self.start(number)

    def close(self) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
