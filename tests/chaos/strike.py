"""How a fault is done to a stage, and how it is mended."""

import signal
import sqlite3
from collections.abc import Callable

from tests.cable import Cable
from tests.chaos import process_tree
from tests.chaos.faults import DAEMONS, Fault
from tests.chaos.stage import Stage

END_S = 30.0  # that a server may take to end
# PostgreSQL would wait for its clients at SIGTERM.
GOODBYE = {"postgresql": signal.SIGINT}

Step = Callable[[], object]


def prepared(fault: Fault, stage: Stage, leader: int, standby: int) -> tuple[Step, Step]:
    """Return the strike, which takes little time, and what mends it."""
    if fault.target in DAEMONS:
        return _daemon(fault, stage, leader if fault.target == "leader" else standby)
    if fault.target == "file":
        return _file(stage)
    cables = stage.cables[fault.target]
    if fault.kind in ("cut", "delay"):
        some = [cables[leader]] if fault.leader_only else cables
        return _cut(some) if fault.kind == "cut" else _delay(fault, some)
    return _server(fault, stage)


def _server(fault: Fault, stage: Stage) -> tuple[Step, Step]:
    process, cables = stage.servers.running[fault.target], stage.cables[fault.target]
    known = process_tree.tree(process.pid)
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
    how = signal.SIGKILL if fault.kind == "kill" else signal.SIGTERM
    return lambda: daemons.end(number, how), lambda: daemons.start(number)


def _cut(cables: list[Cable]) -> tuple[Step, Step]:
    return lambda: _pull_out(cables), lambda: _plug_in(cables)


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
