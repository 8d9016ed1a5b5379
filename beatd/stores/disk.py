"""Warn if a disk is nearly full, or slow to sync what is written to it."""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from time import perf_counter

ROOM = 100_000_000  # bytes that should be free; a store of a few entries writes less in a week
SLOW = 0.05  # seconds that a write may take; a batch waits for two or three
TRIES = 5


def problems_of_disk(file: Path) -> Sequence[str]:
    """Return a warning if the disk of `file` is nearly full, and one if it writes slowly.

    If the system refuses a measurement, the later warnings are left out; no error is raised.
    """
    found = []
    folder = file.parent
    with suppress(OSError):
        free = room_left(folder)
        if free < max(ROOM, 2 * file.stat().st_size):
            megabytes = free // 1_000_000
            found.append(f"{folder}: {megabytes} MB are left on this disk; free some space")
        took = time_to_keep(folder)
        if took > SLOW:
            found.append(
                f"{folder}: this disk takes {took * 1000:.0f} ms to keep a write, and each batch "
                "waits for it more than once; put the store on a faster one"
            )
    return found


def room_left(folder: Path) -> int:
    """Return the number of free bytes on the disk of a folder."""
    return shutil.disk_usage(folder).free


def time_to_keep(folder: Path) -> float:
    """Return the shortest time, in seconds, that five synced writes of 4 KB took in a folder."""
    times = []
    with TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(TRIES):
            started = perf_counter()
            file.write(b"\0" * 4096)
            os.fdatasync(file.fileno())
            times.append(perf_counter() - started)
    # The shortest, because a healthy disk may be busy for a moment.
    return min(times)
