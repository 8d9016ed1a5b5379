"""Find out whether a process of the worker's pool still runs."""

import os
from pathlib import Path


def is_running(pid: object) -> bool:
    """Return True if `pid` is another process that runs. A zombie has ended, so the result is
    False.

    Pools without processes have other numbers as pids, or the worker's own pid. The result is False
    for the worker's own pid.
    """
    if not isinstance(pid, int) or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True  # not Linux: it runs until the pool has noticed its end
    return state != "Z"
