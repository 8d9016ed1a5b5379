"""Daemons of two versions around one store: an older one has older zone data and planning rules.

It does not know every kind of entry either. While it works, the world sets the planning rules of
this process, the clock of one zone and the reader of the store to what it knows.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from beatd import planning
from beatd.catalog import Stored
from beatd.edits import replan
from beatd.entry import Entry, Timing
from beatd.errors import ConfigError, ProgramTooOld
from beatd.run import MICROSECOND
from beatd.schedules.cron import Cron
from beatd.stores.embedded.entry_reader import Reader
from tests.simulation.dice import Dice
from tests.simulation.world import Process, Violation, World

NEW, OLD = planning.RULES, "0000/1"
ZONED = ("*/6 * * * * *", "*/20 * * * * *")  # of a zone whose clock newer zone data set by a second
ZONED_SCHEDULES: tuple[dict[str, Any], ...] = (
    *({"cron": cron} for cron in ZONED),
    *({"cron": cron, "catch_up": "skip", "grace": "2s"} for cron in ZONED),
)
OFF = timedelta(seconds=1)
UNNOTED_S = 0.5  # until an older leader has noted that older rules plan from now on
NEWER = "newer"  # begins the name of an entry that the older program cannot read


class OldCodec:
    """Reads what the older program knows."""

    def __init__(self, codec: Any) -> None:
        self._codec = codec

    def decode(self, name: str, definition: bytes, source: str, declared_at: str) -> Entry:
        self._refuse(name)
        entry: Entry = self._codec.decode(name, definition, source, declared_at)
        return entry

    def decode_timing(self, name: str, definition: bytes) -> Timing:
        self._refuse(name)
        timing: Timing = self._codec.decode_timing(name, definition)
        return timing

    def _refuse(self, name: str) -> None:
        if name.startswith(NEWER):
            raise ConfigError(f"entry {name!r} cannot be read: a newer beatd wrote it")


class TwoReaders:
    """A store's reader, which reads what the program that works now can read."""

    def __init__(self, codec: Any, world: World) -> None:
        self._world, self._old, self._new = world, Reader(OldCodec(codec)), Reader(codec)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._old if self._world.is_old else self._new, name)


@dataclass
class Versions:
    """Which hosts run the older program, if any, and whether the store still serves it."""

    world: World
    old_hosts: frozenset[str] = frozenset()
    serves_old: bool = True
    late: set[str] = field(default_factory=set)  # planned by an older daemon that led no longer

    @property
    def are_two(self) -> bool:
        return bool(self.old_hosts)

    def begin(self) -> None:
        if self.are_two:
            self.world.on_version = use
            _unshifted.setdefault(Cron, Cron.next_after)
            world, next_after = self.world, _unshifted[Cron]

            def next_in_zone(schedule: Cron, moment: datetime) -> datetime | None:
                if not world.is_old or schedule.written not in ZONED:
                    return next_after(schedule, moment)
                found = next_after(schedule, moment - OFF)
                return None if found is None else found + OFF

            Cron.next_after = next_in_zone  # type: ignore[method-assign]

    def end(self) -> None:
        if self.are_two:
            self.world.use_version(is_old=False)
            Cron.next_after = _unshifted[Cron]  # type: ignore[method-assign]

    @contextmanager
    def as_program(self, *, is_old: bool) -> Iterator[None]:
        """Look at the store and at plans as the older or the newer program does."""
        before = self.world.is_old
        self.world.use_version(is_old=is_old)
        try:
            yield
        finally:
            self.world.use_version(is_old=before)

    def reader(self, codec: Any) -> Any:
        return TwoReaders(codec, self.world) if self.are_two else Reader(codec)

    def refuse_old(self) -> None:
        """Raise ProgramTooOld as a store does whose schema no longer serves the program."""
        if self.world.is_old and not self.serves_old:
            self.world.seen["a store refused an older program"] += 1
            raise ProgramTooOld("its schema is for later programs; upgrade beatd")

    # rules

    def touches(self, name: str) -> None:
        """Raise Violation if an older daemon changes or claims what it cannot read."""
        if self.world.is_old and name.startswith(NEWER):
            raise Violation(f"V2 an older daemon touched {name}, which it cannot read")

    def claims(self, name: str, term_lasts_s: float) -> None:
        """An older leader may plan runs before it has noted that it does."""
        if self.world.is_old and term_lasts_s < UNNOTED_S:
            self.late.add(name)
        else:
            self.late.discard(name)

    def plans(self, before: Stored | None, after: Stored | None, *, leads: bool) -> None:
        """Raise Violation if an older daemon plans again what newer rules planned."""
        if not self.are_two or after is None:
            return
        name = after.entry.name
        if not self.world.is_old:
            if after.plan.rules >= NEW:  # else the edit kept what older rules planned
                self.late.discard(name)
            return
        if not leads:
            self.late.add(name)
        if before is None or before.plan.due is None or after.plan.due is None:
            return  # new, or resumed
        is_same = before.plan.fingerprint == after.plan.fingerprint
        if is_same and before.plan.rules > after.plan.rules:
            raise Violation(f"V1 an older daemon planned {name} again, which a newer one planned")

    def noted(self, rows: list[Stored], at: datetime, *, reads_are_fresh: bool) -> None:
        """A leader noted at `at`, by its clock, that newer rules plan all runs.

        Stale reads may have hidden older ones. What was past by its clock stays as it was planned,
        also if that clock was ahead.
        """
        if self.world.is_old:
            return
        for row in rows:
            planned = row.plan.planned
            is_past = planned is not None and planned <= at
            if row.plan.rules < NEW and (is_past or not reads_are_fresh):
                self.late.add(row.entry.name)

    def look_for_not_planned_again(self, rows: list[Stored], now: datetime) -> None:
        """Raise Violation if a newer leader left what older rules planned for later."""
        for row in rows:
            name, plan = row.entry.name, row.plan
            if plan.rules >= NEW or plan.due is None or plan.planned is None or name in self.late:
                continue
            # Not `planning.first` from now: the clock of the leader's host may have been set.
            is_right = planning.next_moment(row.entry, plan.planned - MICROSECOND) == plan.planned
            if plan.planned > now and not is_right:
                raise Violation(f"V3 {name} is still planned by older rules, for {plan.planned}")


_unshifted: dict[type, Any] = {}


def use(is_old: bool) -> None:
    for module in (planning, replan):
        module.__dict__["RULES"] = OLD if is_old else NEW


def some_old_hosts(seed: int) -> frozenset[str]:
    return frozenset(random.Random(f"versions of {seed}").choice(("a", "a", "b", "ab", "abc")))


def upgrade(deployment: Any, dice: Dice, until: float, haste: float) -> None:
    """Replace the older daemons by newer ones, host by host, or leave one until the end."""
    world, versions = deployment.world, deployment.truth.versions
    dice.wait(world, 0.5, until, until=until)
    world.trace.append(f"{world.elapsed():10.6f} nature: upgrade")
    has_new = any(not process.is_old for process in deployment.processes)
    ends = dice.choice(("all", "all", "all", "none")) if has_new else "all"
    if dice.choice((True, False)):
        versions.serves_old = False  # the first newer daemon has migrated the store
        world.seen["the store serves newer programs only"] += 1
    if ends == "none":
        return
    for process in list(deployment.alive):
        if process.is_old:
            process.host.is_old = False
            deployment.stop(process)
            world.seen["an older daemon was replaced"] += 1
            world.sleep(dice.choice((0.0, 0.5, 3.0)) / haste)
    for host in {process.host for process in deployment.processes}:
        host.is_old = False


def is_zoned(entry: Entry) -> bool:
    return getattr(entry.schedule, "written", "") in ZONED


def older(process: Process | None) -> bool:
    return process is not None and process.is_old
