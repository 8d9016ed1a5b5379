"""Try a new configuration in a separate process, before a reload uses it."""

import subprocess
import tempfile
import time

TRIAL_OPTION = "--trial"  # of `beatd run`: load, import, open the store and end
TRIAL_LIMIT_S = 60.0
REFUSAL_MAX_CHARS = 500


class Trial:
    """A process that tries a new configuration with `beatd run --trial`.

    The constructor starts the process, and raises OSError if that fails. Call `is_over` until it
    returns True, then `refusal`, then `close`.
    """

    def __init__(self, command: list[str], environment: dict[str, str], folder: str) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
        self._ends_at = time.monotonic() + TRIAL_LIMIT_S
        try:
            self._process = subprocess.Popen(
                command,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
            )
        except OSError:
            self._errors.close()
            raise

    def is_over(self) -> bool:
        """Return True if the process has ended or its time limit has passed."""
        return self._process.poll() is not None or time.monotonic() > self._ends_at

    def refusal(self) -> str:
        """Return why the configuration cannot be used, or "" if it can be used.

        Call this only after `is_over` has returned True.
        """
        code = self._process.poll()
        if code is None:
            return f"it did not load within {TRIAL_LIMIT_S:.0f} s"
        if code == 0:
            return ""
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors.read().decode(errors="replace").splitlines()]
        ours = [line.removeprefix("beatd: ") for line in lines if line.startswith("beatd: ")]
        reason = "; ".join(ours) or next((line for line in reversed(lines) if line), "")
        return reason[:REFUSAL_MAX_CHARS] or f"the process that tried it ended with {code}"

    def close(self) -> None:
        """Kill the process if it still runs, and delete its output file."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._errors.close()
