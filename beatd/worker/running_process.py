"""Check whether a process of a Celery worker's pool still runs."""

import os
from pathlib import Path


def is_running(pid: object) -> bool:
    """Return True if `pid` is the id of another process that runs; a zombie counts as ended.

    The worker's own pid, which pools without processes have, returns False.
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
