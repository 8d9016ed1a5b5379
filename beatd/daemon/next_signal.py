"""Wait for a blocked signal, at most for some time."""

import select
import signal
import time
from collections.abc import Collection

CHECK_EVERY_S = 0.02


def next_signal(signals: Collection[signal.Signals], seconds: float) -> signal.Signals | None:
    """Return the next of these blocked signals, or None if none arrives in so many seconds.

    `signal.sigtimedwait` is not used: in a process that was stopped meanwhile (SIGSTOP), it returns
    a signal that nobody sent. `time.sleep` is not used: it fails under libfaketime.
    """
    ends_at = time.monotonic() + seconds
    while not (arrived := signal.sigpending() & set(signals)):
        left_s = ends_at - time.monotonic()
        if left_s <= 0:
            return None
        select.select((), (), (), min(left_s, CHECK_EVERY_S))
    return signal.Signals(signal.sigwait(arrived))
