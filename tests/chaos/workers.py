"""The Celery workers of a run, and what they have executed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from msgspec import json

from tests.chaos.worker_app import BROKER, EXECUTED, Executed

ROOT = Path(__file__).parents[2]
END_S = 20.0
COMMAND = (
    *(sys.executable, "-m", "celery", "-A", "tests.chaos.worker_app", "worker"),
    *("--pool", "threads", "--concurrency", "4", "--loglevel", "warning"),
    *("--without-gossip", "--without-mingle"),
)


class Workers:
    """Workers with four threads each, directly at the broker; started again when they end."""

    def __init__(self, broker: str, folder: Path, count: int) -> None:
        self._file, self._log = folder / "executed.jsonl", folder / "worker.log"
        self._env = {**os.environ, BROKER: broker, EXECUTED: str(self._file)}
        self._file.touch()
        self._processes = [self._started(number) for number in range(count)]

    def supervise(self) -> None:
        for number, process in enumerate(self._processes):
            if process.poll() is not None:
                self._processes[number] = self._started(number)

    def __len__(self) -> int:
        return len(self._processes)

    def executed(self) -> list[Executed]:
        lines = self._file.read_bytes().splitlines()
        return [json.decode(line, type=Executed) for line in lines]

    def close(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _started(self, number: int) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*COMMAND, "--hostname", f"rig-{number}@%h"],
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
