"""Find out whether a child of the worker's pool still runs."""

import os
from pathlib import Path


def is_running(pid: object) -> bool:
    """True if `pid` is another process that runs; a zombie, which has ended, does not.

    Pools without processes use other numbers as pids, and the worker's own.
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
