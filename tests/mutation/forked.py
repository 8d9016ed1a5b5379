"""Run tests in a forked process, each for a limited time."""

import contextlib
import gc
import mmap
import os
import resource
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

KILLED, LIVED, NOT_MADE = 1, 0, 3
MORE_MEMORY = 2 << 30


def passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    return not any(r.failed for r in runtestprotocol(item, log=False, nextitem=following))


def run_forked(
    prepare: Callable[[], bool], items: Sequence[pytest.Item], cpu_s: Sequence[float]
) -> tuple[int, int]:
    """Return KILLED and the number of the first test that fails or does not end in time.

    If all pass, return LIVED and any number; if `prepare` fails, NOT_MADE.
    """
    current = mmap.mmap(-1, 8)  # shared with the forked process
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else KILLED
        return code, int.from_bytes(current[:])
    code = KILLED
    with contextlib.suppress(BaseException):
        code = _in_child(prepare, items, cpu_s, current)
    os._exit(code)


def _in_child(
    prepare: Callable[[], bool],
    items: Sequence[pytest.Item],
    cpu_s: Sequence[float],
    current: mmap.mmap,
) -> int:
    gc.set_threshold(100_000)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MORE_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    made = False
    with contextlib.suppress(Exception):
        made = prepare()
    if not made:
        return NOT_MADE
    for n, item in enumerate(items):
        current[:] = n.to_bytes(8)
        signal.setitimer(signal.ITIMER_PROF, 3 * cpu_s[n] + 2)
        signal.setitimer(signal.ITIMER_REAL, 20 * cpu_s[n] + 20)  # a deadlock needs no processor
        if not passes(item, items[n + 1] if n + 1 < len(items) else None):
            return KILLED
    return LIVED
