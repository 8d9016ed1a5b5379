"""A process with all that it started, also in sessions of their own, as one thing to signal."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def tree(root: int) -> list[int]:
    """Return the pids of a process and its descendants, parents first."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # After the name, which may hold blanks: state, parent.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def freeze(root: int, known: list[int]) -> None:
    """Stop the processes that are known, then those that they started meanwhile."""
    stopped = set[int]()
    while known:
        _send(known, signal.SIGSTOP)
        stopped.update(known)
        known = [pid for pid in tree(root) if pid not in stopped]


def thaw(root: int) -> None:
    _send(reversed(tree(root)), signal.SIGCONT)


def kill(root: int, known: list[int]) -> None:
    """Kill them as one: none sees that another has ended."""
    freeze(root, known)
    _send(tree(root), signal.SIGKILL)


def _send(pids: Iterable[int], what: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, what)
