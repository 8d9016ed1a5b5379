"""A real `celery worker` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.waiting import until

ROOT = Path(__file__).parents[3]


class Worker:
    def __init__(
        self, app: str, queues: str, folder: Path, *options: str, pool: str = "solo", **env: Any
    ) -> None:
        told = {f"BEATD_TEST_{name.upper()}": value for name, value in env.items()}
        told = {k: v if isinstance(v, str) else json.dumps(v) for k, v in told.items()}
        self._log = folder / f"worker-{pool}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-W", "ignore", "-m", "celery", "-A", app, "worker"),
                    *("-Q", queues, "-P", pool, "-c", "2" if pool == "gevent" else "1"),
                    *("-n", f"{pool}-{os.getpid()}@%h", "-l", "info"),
                    *("--without-gossip", "--without-mingle", *options),
                ],
                # As root a worker refuses to read pickle otherwise.
                env={**os.environ, **told, "PYTHONPATH": str(ROOT), "C_FORCE_ROOT": "1"},
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ready(self) -> "Worker":
        until(self._ready, 60, f"the worker does not start: {self._log}")
        return self

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"the worker ended: {self._log.read_text()[-2000:]}")
        return b" ready." in self._log.read_bytes()

    def says(self, text: str) -> None:
        """Return once the text is in its log."""
        until(lambda: text.encode() in self._log.read_bytes(), 10, f"no {text!r}: {self._log}")

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
