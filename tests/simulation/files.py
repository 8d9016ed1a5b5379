"""Files that every daemon reads and somebody edits, most of all while nobody leads."""

from typing import Any

from msgspec.structs import replace

from beatd.clock import Clock
from beatd.edits.declared_set import Declared, digest_of
from beatd.entry import Entry
from beatd.sources import Reading
from beatd.sources.declarations import Declarations
from tests.simulation.dice import Dice
from tests.simulation.truth import Truth
from tests.simulation.truth_values import FILES
from tests.simulation.world import World


class Files:
    """What is declared now; `truth` knows since when."""

    def __init__(self, world: World, truth: Truth) -> None:
        self._world, self._truth = world, truth
        self.entries: dict[str, Entry] = {}
        self.edits = 0

    def put(self, name: str, entry: Entry | None) -> None:
        self.edits += 1
        if entry is None:
            self.entries.pop(name, None)
        else:
            entry = self.entries[name] = replace(entry, source=FILES, declared_at="files.yaml")
        self._truth.declared[name] = (entry, self._world.elapsed())
        self._world.trace.append(f"{self._world.elapsed():10.6f} files: {name} {bool(entry)}")

    def declaring(self, clock: Clock) -> Declarations:
        return Declarations([Reader(self, self._world)], clock=clock)


class Reader:
    """The files as one daemon reads them."""

    owner = FILES

    def __init__(self, files: Files, world: World) -> None:
        self._files, self._world = files, world
        self._edits = -1

    def stale(self) -> bool:
        return self._files.edits != self._edits

    def changed(self) -> bool:
        return self.stale()

    def read(self) -> Reading:
        self._edits = self._files.edits
        entries = tuple(self._files.entries.values())
        # By one clock: whose is wrong may not say which set is the newer one.
        now = self._world.now()
        return Reading(
            Declared(source=FILES, entries=entries, loaded_at=now, digest=digest_of(entries))
        )


def edit(
    deployment: Any,
    names: list[str],
    some_entry: Any,
    dice: Dice,
    until: float,
    haste: float,
) -> None:
    world, files = deployment.world, deployment.files
    while True:
        dice.wait(world, 0.1, 2.0 / haste, until=until)
        if world.elapsed() >= until:
            break
        nobody = not deployment.leaders()
        if not nobody and dice.random() < 0.8:
            continue
        name = dice.choice(names)
        there = files.entries.get(name)
        wish = dice.choice(("remove", "when", "args", "disable"))
        if there is None or wish == "when":
            files.put(name, some_entry(name, dice))
        elif wish == "remove":
            files.put(name, None)
        elif wish == "args":
            files.put(name, replace(there, args=(dice.randint(10, 99),)))
        else:
            files.put(name, replace(there, enabled=not there.enabled))
        world.seen["files were edited" + (" while nobody led" if nobody else "")] += 1
    for name in names:
        there = files.entries.get(name)
        if there is not None and not there.enabled:
            files.put(name, replace(there, enabled=True))
