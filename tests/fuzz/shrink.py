"""Make a failing input smaller."""

from collections.abc import Callable

TRIES_MAX = 1500


def shrunk(data: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """Return a shorter input that still fails; `fails` is called at most TRIES_MAX times."""
    tries = 0
    size = max(1, len(data) // 2)
    while size and tries < TRIES_MAX:
        at, smaller = 0, False
        while at < len(data) and tries < TRIES_MAX:
            shorter = data[:at] + data[at + size :]
            tries += 1
            if fails(shorter):
                data, smaller = shorter, True
            else:
                at += size
        if not smaller:
            size //= 2
        size = min(size, max(1, len(data) // 2)) if size else 0
    return data
