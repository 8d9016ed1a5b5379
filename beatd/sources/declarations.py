"""Read the declared entries of all sources and write them to the store.

Only the leader, the one active daemon, writes. After a daemon becomes the leader, the entries of a
source do not run until the source is written to the store.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from beatd.catalog import EditableCatalog, EntryFinder, Query
from beatd.clock import Clock
from beatd.edits import editing
from beatd.edits.apply_declared import apply
from beatd.edits.declared_set import Declared
from beatd.edits.held_name import HeldName
from beatd.errors import Deposed, StoreError
from beatd.presence import INVALID_SOURCE
from beatd.sources import Reading, Source
from beatd.sources.deferred_errors import DeferredErrors
from beatd.sources.reading_log import FILE_WAITS, log_applied, log_problems
from beatd.sources.second_looks import SecondLooks
from beatd.unapplied import NOTHING_WAITS, Unapplied

ERROR_REPEATED_AFTER_S = 60.0
# Until a set of which a part could not be written, also at its second look, is applied again, if no
# entry changes meanwhile.
UNWRITTEN_RETRY_S = 60.0

log = logging.getLogger("beatd")


class Declarations:
    """Keeps the entries in the store equal to those that files and apps declare.

    Sources are read when they change. Only the daemon that leads writes to the store.
    """

    def __init__(self, sources: Sequence[Source], *, clock: Clock) -> None:
        self._sources, self._clock = sources, clock
        self._read: dict[int, Reading] = {}
        self._read_at: dict[int, float] = {}
        self._due: set[int] = set()
        # When a part of a set could not be written, and the version that it was compared with. A
        # version read later hides that the comparison had older entries, as from a replica.
        self._unwritten: dict[int, tuple[float, str]] = {}
        self._second_looks = SecondLooks(clock)
        self._held: dict[int, tuple[HeldName, ...]] = {}
        self._held_at: dict[int, str] = {}
        self._takeovers: dict[int, str] = {}
        self._nth_lead = 0
        self._lasts: Callable[[], bool] = lambda: True
        self._waiting: set[int] = set()
        self._unread: dict[int, Unapplied] = {}
        self._all = Unapplied(frozenset(source.owner for source in sources))
        self._unapplied = (0, self._all)  # replaced as one: other threads read it

    def __call__(
        self,
        catalog: EditableCatalog,
        nth_lead: int,
        released: Callable[[], None] = lambda: None,
        lasts: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Read the changed sources and, in the daemon that leads, write their entries to the store.

        Returns True if the store changed. `nth_lead` counts the leads of this daemon (`Lead.nth`);
        it is 0 while it does not lead. `released` is called when entries that waited may run.
        Raises Deposed when `lasts` returns False. An error in one source is raised after the others
        were written.
        """
        self._lasts = lasts
        if nth_lead != self._nth_lead:
            self._begin(nth_lead)
        broken = DeferredErrors()
        for place, source in enumerate(self._sources):
            with broken:
                if place not in self._read or source.changed():
                    self._read_again(place, source)
        changed = bool(nth_lead) and self._apply(catalog, broken, released)
        broken.raise_first()
        return changed

    def _read_again(self, place: int, source: Source) -> None:
        before = self._read.get(place)
        self._read[place] = self._with_edits_before(place, source.read())
        self._read_at[place] = self._clock.elapsed()
        self._due.add(place)
        log_problems(self._read[place], () if before is None else before.problems)
        if place in self._waiting:
            self._unread[place] = unread_in(self._read[place].declared)

    def _apply(
        self, catalog: EditableCatalog, broken: DeferredErrors, released: Callable[[], None]
    ) -> bool:
        stale = {place for place in self._waiting if self._sources[place].stale()}
        for place in sorted(self._waiting & set(self._read) - stale):
            if self._is_whole(catalog, place):
                self._release(place, released)
        self._due |= {place for place in self._read if self._is_undone(catalog, place)}
        changed = False
        for place in sorted(self._due - stale):
            release = partial(self._release, place, released)
            with broken:
                try:
                    changed |= self._apply_one(catalog, place, release)
                except (StoreError, Deposed):
                    raise
                except Exception:
                    release()  # a bug of beatd must not keep all entries of this source waiting
                    raise
        return changed

    def _apply_one(self, catalog: EditableCatalog, place: int, release: Callable[[], None]) -> bool:
        declared = self._read[place].declared
        if not declared.entries:
            self._due.discard(place)  # an empty set removes nothing
            release()
            return False
        # Read before `apply`: a name freed or taken over meanwhile is found at the next call.
        self._held_at[place] = catalog.version()
        self._takeovers[place] = catalog.marks.takeover(declared.source)
        self._unwritten.pop(place, None)
        is_second = self._second_looks.begin(place, declared.digest)
        versions = [""]
        done = apply(
            catalog, declared, self._clock.now, settled=release, may_go_on=self._lasts,
            comparing=lambda: versions.append(catalog.version()),
        )  # fmt: skip
        if done.newer is None and not self._is_whole(catalog, place):
            self._unwritten[place] = self._clock.elapsed(), versions[-1]
        if done.steps or not is_second:
            self._second_looks.applied(place, declared.digest)
        done = replace(done, conflicts=tuple(map(self._located, done.conflicts)))
        known = {(held.name, held.holder) for held in self._held.get(place, ())}
        self._held[place] = done.conflicts
        self._due.discard(place)
        # The moments of these edits must not count for later applications of the set.
        self._read[place] = _with_edits(self._read[place], {})
        release()
        log_applied(done)
        for held in done.conflicts:
            if (held.name, held.holder) not in known:
                log.warning("%s", held)
        return bool(done.steps)

    def _begin(self, nth_lead: int) -> None:
        self._nth_lead = nth_lead
        self._due = set(self._read)
        self._second_looks.forget()
        # A new leader runs no entry until its source has been written to the store.
        self._waiting = set(range(len(self._sources)))
        self._unread = {place: unread_in(one.declared) for place, one in self._read.items()}
        self._unapplied = (nth_lead, self._all)

    def unapplied(self, nth_lead: int) -> Unapplied:
        """Return the declared entries that must not run yet in the lead `nth_lead`, because they
        are invalid or not in the store."""
        of, found = self._unapplied
        return found if of == nth_lead else self._all

    def compare_again(self, catalog: EditableCatalog, *, whole: bool) -> None:
        """Make the next call compare sources with the store, because the store may have lost
        entries.

        If `whole`, all sources are compared; else only those with no entry left in the store.
        """
        for place, reading in self._read.items():
            if whole or (
                reading.declared.entries and not _has_any(catalog, reading.declared.source)
            ):
                self._due.add(place)

    def _release(self, place: int, released: Callable[[], None]) -> None:
        # This source is written to the store now: its valid entries may run.
        first = place in self._waiting
        self._waiting.discard(place)
        self._unread[place] &= unread_in(self._read[place].declared)
        # The line of the error says it, too, unless this daemon stood by for a while since then.
        age_s = self._clock.elapsed() - self._read_at[place]
        if first and (not self._read[place].wrong_at or age_s > ERROR_REPEATED_AFTER_S):
            for line in self._waits_for(place):
                log.warning("%s", line)
        before = self._unapplied[1]
        found = Unapplied(frozenset(self._sources[place].owner for place in self._waiting))
        for unread in self._unread.values():
            found |= unread
        self._unapplied = (self._nth_lead, found)
        if found != before:
            released()

    def _is_whole(self, catalog: EditableCatalog, place: int) -> bool:
        declared = self._read[place].declared
        last = catalog.marks.applied(declared.source)
        return last is not None and last.holds(declared.digest)

    def _with_edits_before(self, place: int, reading: Reading) -> Reading:
        before = self._read.get(place)
        if before is None:
            return reading
        # The times of earlier edits that were not written to the store yet still count.
        return _with_edits(reading, {**before.declared.made, **reading.declared.made})

    def _is_undone(self, catalog: EditableCatalog, place: int) -> bool:
        declared = self._read[place].declared
        if not declared.entries:
            return False
        # A store that came back empty has no mark, one that went back in time an older one.
        last = catalog.marks.applied(declared.source)
        if last is None or self._second_looks.is_due(place):
            return True
        if not last.holds(declared.digest) and last.loaded_at <= declared.loaded_at:
            # A damaged row keeps an entry from being written, again and again.
            tried_at, version = self._unwritten.get(place, (float("-inf"), ""))
            is_late = self._clock.elapsed() - tried_at >= UNWRITTEN_RETRY_S
            if is_late or catalog.version() != version:
                return True
        # The token has changed if an operator gave one of the entries to another owner.
        takeover = catalog.marks.takeover(declared.source)
        return takeover != self._takeovers.get(place) or self._is_let_go(catalog, place)

    def _is_let_go(self, catalog: EditableCatalog, place: int) -> bool:
        # True if one of the names that another owner had is free now or has a third owner.
        held = self._held.get(place)
        if not held or (version := catalog.version()) == self._held_at.get(place):
            return False
        self._held_at[place] = version
        there = editing.rows(catalog, [one.name for one in held])
        return any(
            one.name not in there or there[one.name].entry.source != one.holder for one in held
        )

    def _located(self, held: HeldName) -> HeldName:
        for reading in self._read.values():
            if reading.declared.source == held.holder:
                at = reading.declared.places.get(held.name, held.held_at)
                return replace(held, held_at=at)
        return held

    def conflicts(self) -> list[str]:
        """Return a line of text for each declared entry or file that could not be read or applied.
        A line about one that could not be read begins with INVALID_SOURCE."""
        held = [str(one) for conflicts in list(self._held.values()) for one in conflicts]
        read = list(self._read.values())  # copied: other threads call this
        wrong = [
            f"{INVALID_SOURCE}{problem}"
            for reading in read
            for problem in reading.problems
            if not problem.warning
        ]
        waiting = [
            line if place in self._waiting else f"{INVALID_SOURCE}{line}"
            for place in list(self._read)
            for line in self._waits_for(place)
        ]
        return held + wrong + waiting

    def _waits_for(self, place: int) -> list[str]:
        if not self._nth_lead:
            return []
        owner = self._sources[place].owner
        if place in self._waiting:
            return [f"{owner}: its entries wait until what it declares is applied"]
        unread = self._unread.get(place, NOTHING_WAITS)
        at = self._read[place].wrong_at if place in self._read else {}
        files = [f"{at.get(file, file)}: {FILE_WAITS}" for _, file in unread.places]
        names = [f"entry {name!r} waits until it is right" for _, name in unread.names]
        return [f"{owner}: {line}" for line in sorted(files) or sorted(names)]

    def digest(self) -> str:
        """Return a hash of all declared entries; daemons that declare the same entries have the
        same hash."""
        return " ".join(reading.declared.digest[:12] for reading in self._read.values())

    def needs_reload(self) -> tuple[str, ...]:
        """Return the names of changed settings that this daemon uses only after a reload."""
        read = list(self._read.values())  # copied: other threads call this
        return tuple(name for reading in read for name in reading.needs_reload)


def _with_edits(reading: Reading, made: Mapping[str, datetime]) -> Reading:
    return replace(reading, declared=replace(reading.declared, made=made))


def _has_any(catalog: EntryFinder, source: str) -> bool:
    return next(iter(catalog.find(Query(source=source, limit=1))), None) is not None


def unread_in(declared: Declared) -> Unapplied:
    """Return the declared entries and files that are invalid and therefore must not run."""
    source = declared.source
    return Unapplied(
        names=frozenset((source, name) for name in declared.unread),
        places=frozenset((source, place) for place in declared.unreadable),
    )
