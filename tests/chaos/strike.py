"""How a fault is done to a stage, and how it is mended."""

import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress

from tests.cable import Cable
from tests.chaos import process_tree
from tests.chaos.disks import SlowDisk, empty, fill
from tests.chaos.faults import CABLE, DAEMONS, Fault
from tests.chaos.stage import Stage
from tests.chaos.stutter import Stutter

END_S = 30.0  # that a server may take to end
# PostgreSQL would wait for its clients at SIGTERM.
GOODBYE = {"postgresql": signal.SIGINT}

Step = Callable[[], object]


def prepared(fault: Fault, stage: Stage, leader: int, standby: int) -> tuple[Step, Step]:
    """Return the strike, which takes little time, and what mends it."""
    if fault.target in DAEMONS:
        return _daemon(fault, stage, leader if fault.target == "leader" else standby)
    if fault.kind == "full disk":
        return _full_disk(fault, stage)
    if fault.kind == "slow disk":
        return _slow_disk(fault, stage)
    if fault.target == "file":
        return _file(stage)
    if fault.target == "master":
        return stage.sentinels.prepared(fault.kind)
    cables = stage.cables[fault.target]
    if fault.kind in CABLE:
        return _cables(fault, [cables[leader]] if fault.leader_only else cables)
    return _server(fault, stage)


def _server(fault: Fault, stage: Stage) -> tuple[Step, Step]:
    process, cables = stage.servers.running[fault.target], stage.cables[fault.target]
    known = process_tree.tree(process.pid)
    if fault.kind == "stutter":
        return _lasting(lambda: Stutter(process.pid))
    if fault.kind == "freeze":
        return (
            lambda: process_tree.freeze(process.pid, known),
            lambda: process_tree.thaw(process.pid),
        )

    def end() -> None:
        if fault.kind == "kill":
            process_tree.kill(process.pid, known)
        else:
            process.send_signal(GOODBYE.get(fault.target, signal.SIGTERM))
        process.wait(END_S)
        _pull_out(cables)  # a connection is refused, as it is without the cable

    def start() -> None:
        stage.servers.start_again(fault.target)
        _plug_in(cables)

    return end, start


def _daemon(fault: Fault, stage: Stage, number: int) -> tuple[Step, Step]:
    daemons = stage.daemons
    if fault.kind == "freeze":
        return (
            lambda: daemons.send(number, signal.SIGSTOP),
            lambda: daemons.send(number, signal.SIGCONT),
        )
    if fault.kind == "clock":
        return (
            lambda: daemons.step_clock(number, fault.step_s),
            lambda: daemons.step_clock(number, 0.0),
        )
    if fault.kind == "memory":
        return lambda: daemons.limit_memory(number), lambda: daemons.lift_memory(number)
    how = signal.SIGKILL if fault.kind == "kill" else signal.SIGTERM
    return lambda: daemons.end(number, how), lambda: daemons.start(number)


def _cables(fault: Fault, cables: list[Cable]) -> tuple[Step, Step]:
    if fault.kind == "cut":
        return lambda: _pull_out(cables), lambda: _plug_in(cables)
    return _delay(fault, cables) if fault.kind == "delay" else _mute(cables)


def _mute(cables: list[Cable]) -> tuple[Step, Step]:
    def be_mute() -> None:
        for cable in cables:
            cable.mute = True

    def speak() -> None:
        _pull_out(cables)  # these connections have lost data
        for cable in cables:
            cable.mute = False
        _plug_in(cables)

    return be_mute, speak


def _pull_out(cables: list[Cable]) -> None:
    for cable in cables:
        cable.pull_out()


def _plug_in(cables: list[Cable]) -> None:
    for cable in cables:
        cable.plug_in()


def _delay(fault: Fault, cables: list[Cable]) -> tuple[Step, Step]:
    def slow(there_s: float, back_s: float) -> None:
        for cable in cables:
            cable.there, cable.back = there_s, back_s

    return lambda: slow(fault.there_s, fault.back_s), lambda: slow(0.0, 0.0)


def _file(stage: Stage) -> tuple[Step, Step]:
    """Another program has its turn at the store's file and does not come to an end."""
    other = sqlite3.connect(str(stage.file), isolation_level=None, timeout=END_S)
    return lambda: other.execute("BEGIN IMMEDIATE"), other.close


def _full_disk(fault: Fault, stage: Stage) -> tuple[Step, Step]:
    disk = stage.disks[fault.target]

    def room() -> None:
        empty(disk)
        # A server may have ended itself: Redis does when it cannot keep what it acknowledges.
        process = stage.servers.running.get(fault.target)
        if process is not None and process.poll() is not None:
            stage.servers.start_again(fault.target)

    def full() -> None:
        if fault.target == "file":
            _empty_log(stage)
        fill(disk)

    return full, room


def _empty_log(stage: Stage) -> None:
    """Make SQLite begin a new log: the room of the old one would do for a while."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(str(stage.file), timeout=0)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _slow_disk(fault: Fault, stage: Stage) -> tuple[Step, Step]:
    if fault.target == "file":
        return _lasting(lambda: SlowDisk(stage.daemons.pids()))
    process = stage.servers.running[fault.target]
    return _lasting(lambda: SlowDisk(process_tree.tree(process.pid)))


def _lasting(start: Callable[[], Stutter | SlowDisk]) -> tuple[Step, Step]:
    begun: list[Stutter | SlowDisk] = []
    return lambda: begun.append(start()), lambda: begun.pop().end()
