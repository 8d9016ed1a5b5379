"""Strike faults on a stage, one after the other, while a consumer writes down all messages."""

import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.entries import Rule
from tests.chaos.faults import Fault
from tests.chaos.stage import Stage
from tests.chaos.strike import prepared
from tests.chaos.verdict import Struck
from tests.chaos.watch import Watch

# ruff: noqa: T201
PREPARE_S = 0.2  # between a fault that is prepared and its instant
BACK_S = 60.0  # that all entries may take until they are on time after a fault
END_S = 30.0  # that the consumer may take to read what is left


@contextmanager
def consumed(here: Stage, file: Path, rules: Sequence[Rule]) -> Iterator[Watch]:
    """Have the consumer write down all messages, at the end those too that are still queued."""
    consumer = [sys.executable, "-m", "tests.chaos.consumer", here.url(here.pair.broker)]
    with file.open("wb") as written, file.open("rb") as lines:
        process = subprocess.Popen(consumer, stdout=written, start_new_session=True)
        try:
            watch = Watch(lines, rules)
            yield watch
            process.send_signal(signal.SIGTERM)
            assert process.wait(END_S) == 0, "the consumer failed"
            watch.read()
        finally:
            process.kill()
            process.wait()


def strike_all(
    faults: Sequence[Fault],
    here: Stage,
    watch: Watch,
    supervise: Callable[[], None],
    minutes: float,
) -> list[Struck]:
    """Strike one after the other, each when all entries are on time, for so many minutes.

    Ctrl-C ends them after the fault of that moment, and a second one at once.
    """
    ends, struck = time.monotonic() + minutes * 60, list[Struck]()
    with _ctrl_c() as is_typed:
        for fault in faults:
            left_s = ends - time.monotonic()
            if left_s <= 0 or is_typed():
                break
            struck.append(_strike(fault, len(struck), here, watch, supervise, left_s))
    return struck


@contextmanager
def _ctrl_c() -> Iterator[Callable[[], bool]]:
    typed = False

    def type_it(_number: int, _frame: object) -> None:
        nonlocal typed
        typed = True
        print("  ending after this fault; Ctrl-C again ends at once, without a table", flush=True)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, type_it)
    try:
        yield lambda: typed
    finally:
        signal.signal(signal.SIGINT, before)


def _strike(
    fault: Fault,
    nth: int,
    here: Stage,
    watch: Watch,
    supervise: Callable[[], None],
    left_s: float,
) -> Struck:
    leader, count = here.daemons.numbers[watch.all[-1].pid], len(here.daemons)
    standby = (leader + 1 + nth % max(1, count - 1)) % count
    act, mend = prepared(fault, here, leader, standby)
    leads, ended = here.daemons.leads(), len(here.daemons.ended)
    _until_instant(fault.offset_s)
    at = time.time()
    act()
    time.sleep(max(0.0, at + fault.lasts_s - time.time()))
    mend()
    mended = time.time()
    back = watch.on_time_within(BACK_S, supervise)
    if fault.kind == "memory":  # a daemon may end for want of it
        del here.daemons.ended[ended:]
    told = (
        f"not on time within {BACK_S} s" if back is None else f"on time {back - mended:.1f} s later"
    )
    left = "" if math.isinf(left_s) else f"{_clock(left_s)} left, "
    print(f"  {left}{nth + 1:3} {fault}; mended {mended - at:.1f} s, {told}", flush=True)
    return Struck(fault, at, mended, back, here.daemons.leads() - leads)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _until_instant(offset_s: float) -> None:
    """Return when the next whole second, and the offset from there, has come."""
    soonest = time.time() + PREPARE_S
    instant = int(soonest - offset_s) + 1 + offset_s
    while (left := instant - time.time()) > 0:
        time.sleep(left)
