"""Limits of one call, and what this process uses: time, memory, lines of the product."""

import ctypes
import gc
import logging
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import beatd

CPU_S = 1.0  # of one call
WALL_S = 20.0  # of one call; other programs run on this machine
_PAGE_KB = resource.getpagesize() / 1024
_PRODUCT = str(Path(beatd.__file__).parent)


class Hang(BaseException):
    """Raised inside a call that takes too long."""


def _stop(number: int, _: FrameType | None) -> None:
    kind = "of the processor's time" if number == signal.SIGVTALRM else "without an end"
    limit = 2 * CPU_S if number == signal.SIGVTALRM else WALL_S
    raise Hang(f"{limit:g} s {kind}")


@contextmanager
def stopping() -> Iterator[None]:
    """Let a call that takes more than twice its time end with Hang."""
    others, _ = signal.getitimer(signal.ITIMER_REAL)  # pytest-timeout's
    before = [signal.signal(one, _stop) for one in (signal.SIGVTALRM, signal.SIGALRM)]
    try:
        yield
    finally:
        set_limits(0, others)
        for one, was in zip((signal.SIGVTALRM, signal.SIGALRM), before, strict=True):
            signal.signal(one, was)


def set_limits(cpu_s: float, wall_s: float) -> None:
    """Begin to count the time of a call, or stop to count it with (0, 0)."""
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_s)
    signal.setitimer(signal.ITIMER_REAL, wall_s)


@contextmanager
def without_log() -> Iterator[None]:
    """Make no log lines: damaged data are logged, and there are millions."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def cpu_s() -> float:
    return time.process_time()


def memory_mb() -> float:
    """Return the resident memory of this process, after a collection of garbage."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # glibc: give back what is free between other pieces
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux: the most that it ever was
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * _PAGE_KB / 1024


class Lines:
    """The lines of the product that traced calls reached."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, int]] = set()
        self._ours: dict[str, bool] = {}

    def __len__(self) -> int:
        return len(self._seen)

    @contextmanager
    def traced(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self._on_call)
        try:
            yield
        finally:
            sys.settrace(before)

    def _on_call(self, frame: FrameType, event: str, arg: Any) -> Any:
        file = frame.f_code.co_filename
        ours = self._ours.get(file)
        if ours is None:
            ours = self._ours[file] = file.startswith(_PRODUCT)
        if not ours:
            return None
        self._seen.add((file, frame.f_lineno))
        return self._on_line

    def _on_line(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            self._seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self._on_line
