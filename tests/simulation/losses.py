"""A store that loses what it acknowledged: a failover to an older copy, or a restored backup.

What follows is allowed once for each run that the store forgot: it is claimed again, and sent again
under the same id, also while the next run of its entry goes on. People are told again of an
incident whose note was lost. A daemon that claims again what it claimed last must have reported the
loss.
"""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from beatd.ledger import Move
from beatd.run import Run
from beatd.stores.embedded.table_values import Version
from beatd.stores.embedded.tables import Tables
from tests.simulation.dice import Dice
from tests.simulation.world import Process, Violation

if TYPE_CHECKING:
    from tests.simulation.truth import Truth
    from tests.simulation.truth_values import Key


def copy_of(tables: Tables) -> Tables:
    copied = Tables()
    for value in list(tables.alive()):
        copied.put(value)
    return copied


class Copy:
    """The store and what was true of it, at a moment."""

    def __init__(self, truth: "Truth") -> None:
        self.tables = copy_of(truth.store._tables)
        stretches = {id(one): replace(one) for one in truth.stretches}
        self.stretches = list(stretches.values())
        self.known = {
            name: replace(known, stretch=stretches.get(id(known.stretch)))
            for name, known in truth.known.items()
        }
        self.open, self.backfills = dict(truth.open), list(truth.backfills)
        self.born = {name: list(born) for name, born in truth.store.born.items()}
        self.pauses = deepcopy((truth.pauses._ended, truth.pauses._owed))
        told = truth.notices
        self.failures = dict(told.failed), set(told.causes)

    def revision_of(self, incident: tuple[str, str, datetime]) -> int:
        found = self.tables.incidents.get(incident)
        return 0 if found is None else found.revision


@dataclass
class Losses:
    copy: Copy | None = None
    claimed: list[tuple["Key", str]] = field(default_factory=list)  # since the copy was made
    recorded: set[str] = field(default_factory=set)
    forgotten: set["Key"] = field(default_factory=set)  # claims, which may be made once more
    excused: Counter[str] = field(default_factory=Counter)  # doubles of a task id
    times: Counter[str] = field(default_factory=Counter)  # that the store forgot a task id
    number: int = 0
    newest: dict[tuple[Process, str], tuple[Run, float]] = field(
        default_factory=dict
    )  # of an entry
    remembered: dict[str, tuple[Process, Run]] = field(default_factory=dict)  # and the store not
    to_report: dict[str, int] = field(default_factory=dict)  # task id -> the loss it showed
    unanswered: set[str] = field(default_factory=set)  # claims of which the answer was lost
    reported: int = 0  # the newest loss that a daemon has reported
    reported_at: dict[Process, float] = field(default_factory=dict)

    def make_copy(self, truth: "Truth") -> None:
        self.copy = Copy(truth)
        self.claimed.clear()
        self.recorded.clear()

    def go_back(self, truth: "Truth") -> None:
        """The store is as it was when the copy was made."""
        copy, store = self.copy, truth.store
        assert copy is not None, "a copy was made"
        self.copy = None
        self.number += 1
        ids = {id for _, id in self.claimed} | self.recorded
        self.forgotten |= {key for key, _ in self.claimed}
        for id in ids:
            self.excused[id] += 1
            self.times[id] += 1
            truth.doubts[id] += 1
        sent = {arrival.run.task_id for arrival in truth.arrived}
        lost = {id for _, id in self.claimed}
        self.remembered = {
            run.task_id: (process, run)
            for (process, _), (run, at) in self.newest.items()
            if run.task_id in lost & sent and run.entry.overlap == "allow"
            if process.ticked_at > at and run.task_id not in self.unanswered  # it knows of it
            if self.reported_at.get(process, at) <= at  # stale reads showed that run as due again
        }
        for told in truth.confirmed.values():
            told -= ids
        changed = {
            name
            for name in {*copy.tables.defined, *store._tables.defined}
            if copy.tables.defined.get(name) != store._tables.defined.get(name)
        }
        truth.late |= changed & set(truth.declared)
        truth.notices.lost |= {
            (one.kind, one.name, one.opened, revision)
            for key, one in store._tables.incidents.items()
            for revision in range(copy.revision_of(key) + 1, one.revision + 1)
        }
        # As on Redis: the version is another one, and no revision is issued twice.
        copy.tables.put(Version(store._tables.version + 1))
        store._tables, store._reader = copy.tables, truth.versions.reader(store._codec)
        store.born.clear()
        store.born.update(copy.born)
        truth.known, truth.stretches = copy.known, copy.stretches
        truth.open, truth.backfills = copy.open, copy.backfills
        truth.pauses._ended, truth.pauses._owed = copy.pauses
        truth.notices.failed, truth.notices.causes = copy.failures
        truth.notices.lost_at = truth.world.elapsed()
        truth.overlaps.lost |= lost
        truth.edited_at = truth.world.elapsed()
        truth.world.seen["the store forgot a claim" if self.claimed else "the store went back"] += 1

    def claims(self, process: Process, move: Move, key: "Key", at: float) -> None:
        """A run was claimed, by a daemon that must know if it has sent it before."""
        run = move.run
        assert run is not None, "a claim has a run"
        if move.of == "plan":
            was, before = self.remembered.pop(run.task_id, (None, None))
            if was is process and before is not None and before.revision == run.revision:
                self.to_report[run.task_id] = self.number
            if move.plan is not None and move.plan.planned is not None:
                self.newest[process, move.name] = run, at
        self.forgotten.discard(key)
        self.claimed.append((key, run.task_id))

    def excuses(self, id: str) -> bool:
        """Return True if the store forgot the run as often as it was sent again."""
        if self.excused[id] < 1:
            return False
        self.excused[id] -= 1
        return True

    def heard(self, process: Process, at: float, *, stale: bool) -> None:
        """A daemon reported that the store went back, which stale reads look like."""
        if not self.number and not stale:
            raise Violation("nothing was lost, and it is said that the store went back")
        self.reported, self.reported_at[process] = self.number, at

    def look_for_unreported(self) -> None:
        for id, number in self.to_report.items():
            if number > self.reported:
                raise Violation(f"L6 {id} was claimed again after a loss, and nobody reported it")


def lose(deployment: Any, faults: Any, dice: Dice, haste: float) -> None:
    """Let the store go back by a moment, now and then, until the storm ends."""
    world, truth = deployment.world, deployment.truth
    while True:
        dice.wait(world, 0.5 / haste, 10.0 / haste)
        if not faults.storm:
            return
        truth.losses.make_copy(truth)
        world.sleep(dice.choice((0.01, 0.3, 1.5, 3.0)))
        if not faults.storm:
            truth.losses.copy = None
            return
        world.trace.append(f"{world.elapsed():10.6f} nature: loss")
        world.seen["nature: loss"] += 1
        truth.losses.go_back(truth)
        if dice.random() < 0.5:
            faults.store_up = False
            world.sleep(dice.choice((0.2, 1.0)))
            faults.store_up = True
        deployment.wake_all()
