"""Disks that are full or slow."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.chaos import machine

# A write that must be kept takes that much longer. PostgreSQL is started without fsync; it writes
# its log by pwrite64.
SLOW_MS = 50
SLOW_CALLS = "fsync,fdatasync,msync,pwrite64,pwritev"
DETACH_S = 20.0
TRIES = 50


def fill(disk: Path) -> None:
    """Make the disk as small as what is on it: no room is left."""
    for _ in range(TRIES):
        about = os.statvfs(disk)
        try:
            machine.resize(disk, (about.f_blocks - about.f_bfree) * about.f_frsize)
        except subprocess.CalledProcessError:
            continue  # it has grown meanwhile
        return


def empty(disk: Path) -> None:
    machine.resize(disk)


class SlowDisk:
    """strace, which holds the calls of some processes up, and of those that they start."""

    def __init__(self, pids: Sequence[int]) -> None:
        targets = [word for pid in pids for word in ("-p", str(pid))]
        slow = f"inject={SLOW_CALLS}:delay_enter={SLOW_MS}ms"
        self._process = subprocess.Popen(
            ["strace", "-f", "-qq", "-e", f"trace={SLOW_CALLS}", "-e", slow, *targets],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def end(self) -> None:
        """Let the processes run on at full speed."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(DETACH_S)
