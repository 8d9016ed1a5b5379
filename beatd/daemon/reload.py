"""A reload: the new configuration is tried in a process of its own, before anything is given up;
a daemon with an app is then started again in its place, so that the app is imported anew."""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import NoReturn

RELOADED = "BEATD_RELOADED"  # in the environment of a process that was started again
TRIAL = "--trial"  # an option of `beatd run`: load, import, open the store and end
TRIAL_LASTS_AT_MOST_S = 60.0
REASON = 500  # letters of it


class Start:
    """How this process was started, noted before any project could change it."""

    def __init__(self) -> None:
        self.is_reload = os.environ.pop(RELOADED, None) is not None
        self._words = [sys.executable, *sys.orig_argv[1:]]
        self._environment, self._folder = dict(os.environ), os.getcwd()  # noqa: PTH109  # a text

    def again(self) -> NoReturn:
        """The same program in the same process, from its beginning; nothing of this one is left,
        but for its blocked signals, so that none is lost meanwhile."""
        for stream in (sys.stdout, sys.stderr):
            # None where it was closed at the start; its pipe may have no reader, its disk no room.
            if stream is not None:
                with suppress(OSError):
                    stream.flush()
        os.chdir(self._folder)
        os.execve(sys.executable, self._words, {**self._environment, RELOADED: "1"})

    def trial(self) -> "Trial":
        return Trial([*self._words, TRIAL], self._environment, self._folder)


class Trial:
    """Asked whether it `is_over`; then `refusal` is why the configuration cannot be used, or "".

    Raises OSError where no process can be started.
    """

    def __init__(self, words: list[str], environment: dict[str, str], folder: str) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
        self._until = time.monotonic() + TRIAL_LASTS_AT_MOST_S
        try:
            self._process = subprocess.Popen(
                words,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
            )
        except OSError:
            self._said.close()
            raise

    def is_over(self) -> bool:
        return self._process.poll() is not None or time.monotonic() > self._until

    def refusal(self) -> str:
        code = self._process.poll()
        if code is None:
            return f"it did not load within {TRIAL_LASTS_AT_MOST_S:.0f} s"
        if code == 0:
            return ""
        self._said.seek(0)
        lines = [line.strip() for line in self._said.read().decode(errors="replace").splitlines()]
        ours = [line.removeprefix("beatd: ") for line in lines if line.startswith("beatd: ")]
        said = "; ".join(ours) or next((line for line in reversed(lines) if line), "")
        return said[:REASON] or f"the process that tried it ended with {code}"

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._said.close()
