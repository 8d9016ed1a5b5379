"""Pauses with an end: no moment within one runs, and the first at its end or after it does."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from beatd import planning
from beatd.catalog import Change, Stored
from beatd.changes import Author
from beatd.edits.pausing import PAUSE_ENDED, pause
from beatd.errors import BeatError
from beatd.history import Record
from beatd.ledger import Move
from beatd.run import MICROSECOND
from tests.simulation.dice import Dice
from tests.simulation.world import Violation, World

LATE_S = 1.5


class Pauses:
    def __init__(self, world: World) -> None:
        self._world = world
        self._ended: dict[str, datetime] = {}  # resumed by beatd, and not changed since
        self._owed: dict[str, datetime] = {}  # of those in the calm, the first moment

    def changed(
        self, change: Change, after: Stored | None, until: datetime | None, *, calm: bool
    ) -> None:
        """A change was made of an entry, whose pause before had this end, if any."""
        if change.author != PAUSE_ENDED:
            if change.plan is not None or after is None:
                self._ended.pop(change.name, None)
                self._owed.pop(change.name, None)
            elif after.paused:
                self._owed.pop(change.name, None)  # it was paused again before that moment
            return
        if until is None or after is None:
            raise Violation(f"S11 {change.name} was resumed, and its pause has no end")
        self._world.seen["a pause ended"] += 1
        self._ended[change.name] = until
        if change.plan is None:
            return
        newest = until - MICROSECOND if after.last is None else max(until - MICROSECOND, after.last)
        is_over = planning.has_run_out(after.entry, after.runs)
        first = None if is_over else planning.next_moment(after.entry, newest)
        if after.plan.planned != first:
            raise Violation(
                f"S11 the pause of {change.name} ended at {until}; it runs next at "
                f"{after.plan.planned}, and not at {first}"
            )
        # By the clock of the daemon that resumed it, which may be far ahead.
        process = self._world.process
        now = self._world.now() if process is None else process.daemon.now()
        if after.plan.due is not None and first is not None and first > now and calm:
            self._owed[change.name] = first

    def claimed(self, move: Move) -> None:
        if move.run is None or move.of == "claim" or move.run.occurrence.request:
            return
        planned, until = move.run.occurrence.planned, self._ended.get(move.name)
        if until is not None and planned < until:
            raise Violation(f"S11 {move.name} was paused until {until}, and claimed for {planned}")

    def look_for_missing(
        self, rows: Iterable[Stored], lines: Sequence[Record], now: datetime
    ) -> None:
        """Raise Violation if a pause has not ended in time, or what it held back was not sent."""
        published = {(line.name, line.planned) for line in lines if line.state == "published"}
        for row in rows:
            name = row.entry.name
            if row.pause is not None and row.pause.until is not None:
                late = (now - row.pause.until).total_seconds()
                if late > LATE_S:
                    raise Violation(f"L5 the pause of {name} ended {late:.1f} s ago; it is paused")
            first = self._owed.get(name)
            # A message that was claimed may be on its way.
            is_due = first is not None and (now - first).total_seconds() > LATE_S
            is_passed = is_due and (row.plan.planned is None or row.plan.planned > first)
            if not is_passed or not _can_be_sent(row):
                continue
            if (name, first) not in published:
                raise Violation(f"L5 {name} was not published at {first}, when its pause had ended")
            self._world.seen["a pause ended in the calm, and its entry ran"] += 1


def pause_at_random(
    deployment: Any,
    store: Any,
    names: Sequence[str],
    dice: Dice,
    until: float,
    haste: float,
) -> None:
    """Pause entries for a while, and begin no pause after the second `until`."""
    world, pace = deployment.world, dice.choice((2.0, 8.0, 20.0)) / haste
    while True:
        dice.wait(world, 0.1, pace, until=until)
        if world.elapsed() >= until:
            return
        end = deployment.now() + timedelta(
            seconds=dice.choice((0.5, 1.9, 3.0, 8.0) if haste == 1 else (0.5, 1.9, 3.0))
        )
        if dice.random() < 0.5:
            end = end.replace(microsecond=0)  # many entries have a moment then
        name = dice.choice(names)
        try:
            pause(store, [name], deployment.now, Author("bob"), until=end)
        except BeatError:
            continue
        world.trace.append(f"{world.elapsed():10.6f} operator: pause {name} until {end:%T.%f}")
        world.seen["an entry was paused for a while"] += 1
        deployment.wake_all()


def _can_be_sent(row: Stored) -> bool:
    entry = row.entry
    return entry.overlap == "allow" and entry.task != "poison" and "queue" not in entry.options
