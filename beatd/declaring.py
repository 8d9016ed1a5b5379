"""What a daemon declares, brought to the store by whoever leads, and read again when it changes."""

import logging
from collections.abc import Sequence

from beatd.applying import Comparison, apply
from beatd.clock import Clock
from beatd.sources import Reading, Source
from beatd.store import Store

log = logging.getLogger("beatd")


class Declaring:
    """Looks once per call, about each second; writes only when something is declared anew."""

    def __init__(self, sources: Sequence[Source], *, clock: Clock) -> None:
        self._sources, self._clock = sources, clock
        self._read: dict[int, Reading] = {}
        self._due: set[int] = set()
        self._held: dict[int, list[str]] = {}
        self._held_at: dict[int, str] = {}
        self._led = False

    def __call__(self, store: Store, leading: bool) -> bool:
        """Whether the store was changed."""
        for place, source in enumerate(self._sources):
            if place not in self._read or source.changed():
                self._read[place] = source.read()
                self._due.add(place)
                self._tell_problems(self._read[place])
        if leading and not self._led:
            # Whoever led before may have declared something else.
            self._due = set(self._read)
        self._led = leading
        changed = False
        if leading:
            self._due |= {place for place in self._read if self._is_undone(store, place)}
        for place in sorted(self._due) if leading else ():
            if not self._read[place].declared.entries:
                self._due.discard(place)  # where nothing is declared, nothing is pruned either
                continue
            done = apply(store, self._read[place].declared, self._clock.now())
            self._held[place] = [str(held) for held in done.conflicts]
            self._held_at[place] = store.version()
            self._due.discard(place)
            changed |= bool(done.steps)
            self._tell(done)
        return changed

    def _is_undone(self, store: Store, place: int) -> bool:
        # A store that came back empty knows of no set any more, and gets it again.
        if not self._read[place].declared.entries:
            return False
        if store.applied(self._read[place].declared.source) is None:
            return True
        # Whoever held a name may have let go of it.
        return bool(self._held.get(place)) and store.version() != self._held_at.get(place)

    def conflicts(self) -> list[str]:
        """What could not be applied, or not be read, as people should see it in `status`."""
        held = [line for lines in self._held.values() for line in lines]
        read = self._read.values()
        return held + [str(p) for reading in read for p in reading.problems if not p.warning]

    def digest(self) -> str:
        """What is declared here; daemons that differ in it have different files."""
        return " ".join(reading.declared.digest[:12] for reading in self._read.values())

    def _tell_problems(self, reading: Reading) -> None:
        for problem in reading.problems:
            log.log(logging.WARNING if problem.warning else logging.ERROR, "%s", problem)

    def _tell(self, done: Comparison) -> None:
        if done.newer is not None:
            log.warning(
                "%s: a newer set was applied by another daemon, this one waits", done.source
            )
        if done.steps:
            figures = (len(done.added), len(done.changed), len(done.removed))
            log.info("%s applied: %d added, %d changed, %d removed", done.source, *figures)
        for held in done.conflicts:
            log.warning("%s", held)
