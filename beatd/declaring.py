"""What a daemon declares, brought to the store by whoever leads, and read again when it changes."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from beatd import editing
from beatd.applying import Comparison, Held, apply
from beatd.clock import Clock
from beatd.counting import past_one_offs
from beatd.sources import Reading, Source
from beatd.store import Store
from beatd.taken import last_taken

NAMED = 5

log = logging.getLogger("beatd")


class Declaring:
    """Looks once per call, about each second; writes only when something is declared anew."""

    def __init__(self, sources: Sequence[Source], *, clock: Clock) -> None:
        self._sources, self._clock = sources, clock
        self._read: dict[int, Reading] = {}
        self._due: set[int] = set()
        self._held: dict[int, tuple[Held, ...]] = {}
        self._held_at: dict[int, str] = {}
        self._taken: dict[int, str] = {}
        self._led = False

    def __call__(self, store: Store, leading: bool) -> bool:
        """Whether the store was changed."""
        for place, source in enumerate(self._sources):
            if place not in self._read or source.changed():
                self._read[place] = self._with_edits_before(place, source.read())
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
            declared = self._read[place].declared
            # Before it: what is let go of, or taken, meanwhile is found at the next look.
            self._held_at[place] = store.version()
            self._taken[place] = last_taken(store, declared.source)
            done = apply(store, declared, self._clock.now)
            done = replace(done, conflicts=tuple(map(self._located, done.conflicts)))
            self._held[place] = done.conflicts
            self._due.discard(place)
            # What it removes or adds from here on was not edited in the source.
            self._read[place] = _with_edits(self._read[place], {})
            changed |= bool(done.steps)
            self._tell(done)
        return changed

    def _with_edits_before(self, place: int, reading: Reading) -> Reading:
        """With the edits of the reading before, which is not applied yet."""
        before = self._read.get(place)
        if before is None:
            return reading
        return _with_edits(reading, {**before.declared.made, **reading.declared.made})

    def _is_undone(self, store: Store, place: int) -> bool:
        declared = self._read[place].declared
        if not declared.entries:
            return False
        # A store that came back empty knows of no set any more, and gets it again.
        if store.applied(declared.source) is None:
            return True
        taken = last_taken(store, declared.source) != self._taken.get(place)
        return taken or self._is_let_go(store, place)

    def _is_let_go(self, store: Store, place: int) -> bool:
        """Whether a name in conflict is another's than it was; looks at those names alone."""
        held = self._held.get(place)
        if not held or (version := store.version()) == self._held_at.get(place):
            return False
        self._held_at[place] = version
        there = editing.rows(store, [one.name for one in held])
        return any(
            one.name not in there or there[one.name].entry.source != one.holder for one in held
        )

    def _located(self, held: Held) -> Held:
        """To the line, where another source of this daemon holds the name."""
        for reading in self._read.values():
            if reading.declared.source == held.holder:
                at = reading.declared.places.get(held.name, held.held_at)
                return replace(held, held_at=at)
        return held

    def conflicts(self) -> list[str]:
        """What could not be applied, or not be read, as people should see it in `status`."""
        held = [str(one) for conflicts in list(self._held.values()) for one in conflicts]
        read = list(self._read.values())  # copied: other threads ask
        return held + [str(p) for reading in read for p in reading.problems if not p.warning]

    def digest(self) -> str:
        """What is declared here; daemons that differ in it have different files."""
        return " ".join(reading.declared.digest[:12] for reading in self._read.values())

    def _tell_problems(self, reading: Reading) -> None:
        for problem in reading.problems:
            log.log(logging.WARNING if problem.warning else logging.ERROR, "%s", problem)
        for file in reading.mended:
            log.info("%s is valid again", file)

    def _tell(self, done: Comparison) -> None:
        if done.newer is not None:
            log.warning(
                "%s: a newer set was applied by another daemon, this one waits", done.source
            )
        if done.steps:
            done_to = {"added": done.added, "changed": done.changed, "removed": done.removed}
            figures = ", ".join(_named(names, verb) for verb, names in done_to.items())
            log.info("%s applied: %s", done.source, figures)
        if done.missed:
            log.warning("%s: %s", done.source, past_one_offs(done.missed))
        for held in done.conflicts:
            log.warning("%s", held)


def _with_edits(reading: Reading, made: Mapping[str, datetime]) -> Reading:
    return replace(reading, declared=replace(reading.declared, made=made))


def _named(names: Sequence[str], verb: str) -> str:
    """How many, and the first of them."""
    more = len(names) - NAMED
    which = ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{len(names)} {verb} ({which})" if names else f"0 {verb}"
