"""django-celery-beat's rows kept as entries of ours: by whoever leads, within a second of an edit
made through Django's models and within a minute of any other."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from beatd import __version__
from beatd.catalog import Applied, Change, Query, Stored
from beatd.clock import Clock
from beatd.definition.arguments import same
from beatd.edits import editing, entry_change
from beatd.edits.apply import apply, mark_under_way
from beatd.edits.declared import Declared
from beatd.edits.late_edits import counts_from, past_one_offs, with_unseen_moments
from beatd.engine.unapplied import NOTHING_WAITS, Unapplied
from beatd.entry import Entry
from beatd.errors import ConfigError, Deposed, StoreError
from beatd.imports.found_entry import refused
from beatd.run import EPOCH
from beatd.sources.django_entry import changed_at_of, entry_of, has_ended, limited
from beatd.sources.django_rows import DjangoRows, Listing, NoText
from beatd.store import Store
from beatd.stores.django import SOURCE, DjangoStore

log = logging.getLogger("beatd")

LOOK_EVERY = 0.5
DIGEST_EVERY = 30.0
TIDY_EVERY = 10.0
ROUNDS = 10
MOST_TOLD = 1000
TOLD = "!"  # ends the digest where some rows are wrong


class Mirror:
    """What a daemon declares where the store is Django's: its rows, then all else."""

    def __init__(
        self, rows: DjangoRows, others: Any, *, timezone: str, name: str, clock: Clock
    ) -> None:
        self._rows, self._others, self._clock = rows, others, clock
        self._timezone, self._source = timezone, f"{SOURCE}{name}"
        self._known: Listing | None = None
        self._wrong: dict[str, str] = {}
        self._held: dict[str, str] = {}
        self._trouble = ""
        self._written: list[str] | None = None
        self._same_at = EPOCH  # the last look that found the rows as they are known
        self._looked_at = self._digested_at = self._tidied_at = float("-inf")
        self._trusts_mark = True  # that the store has what was applied last
        self._term = self._applied = 0  # the term, and the one in which all rows were applied
        self._released: Callable[[], None] = lambda: None
        self._lasts: Callable[[], bool] = lambda: True

    def __call__(
        self,
        store: Store,
        term: int,
        released: Callable[[], None] = lambda: None,
        lasts: Callable[[], bool] = lambda: True,
    ) -> bool:
        changed, self._released, self._lasts = False, released, lasts
        if term != self._term or not term:
            # Whoever led before may have seen other rows.
            self._term, self._looked_at = term, float("-inf")
            self._known = self._written = None
            self._wrong, self._held = {}, {}
        if term and self._clock.elapsed() - self._looked_at >= LOOK_EVERY:
            self._looked_at = self._clock.elapsed()
            changed = self._tried(store)
        return bool(self._others(store, term, released, lasts)) or changed

    def unapplied(self, term: int) -> Unapplied:
        """Which entries the leader of that term must not run yet; from any thread."""
        mine = NOTHING_WAITS if self._applied == term else Unapplied(frozenset({self._source}))
        others: Unapplied = self._others.unapplied(term)
        return mine | others

    def compare_again(self, store: Store, *, whole: bool) -> None:
        """Rows that were applied may be lost: see `Declaring.compare_again`."""
        mine = Query(source=self._source, limit=1)
        known = self._known is not None and self._known.rows
        if whole or (known and next(iter(store.find(mine)), None) is None):
            self._known, self._trusts_mark, self._looked_at = None, False, float("-inf")
        self._others.compare_again(store, whole=whole)

    def _release(self) -> None:
        if self._applied != self._term:
            self._applied = self._term
            self._released()

    def _tried(self, store: Store) -> bool:
        """What is known goes on while the tables cannot be read; that is told once."""
        try:
            changed = self._look(store)
            self._write_conflicts(store)
        except StoreError as trouble:
            if str(trouble) != self._trouble:
                log.error("%s", trouble)
            self._trouble = str(trouble)
            return False
        except Deposed:
            raise
        except Exception:
            self._release()  # a fault of ours must not stop all entries
            raise
        self._trouble = ""
        return changed

    def conflicts(self) -> list[str]:
        trouble = [self._trouble] if self._trouble else []
        if self._term and self._applied != self._term:
            trouble.append(f"{self._source}: its entries wait until its rows are applied")
        return trouble + self._conflicts() + list(self._others.conflicts())

    def _conflicts(self) -> list[str]:
        wrong = [f"{self._source}: {name}: {why}" for name, why in sorted(self._wrong.items())]
        return wrong + sorted(self._held.values())

    def _write_conflicts(self, store: Store) -> None:
        """For `conflicts_in`: who asks for the status would have to read all rows."""
        if self._written is None:
            self._written = conflicts_in(store, self._source)
        found = self._conflicts()[:MOST_TOLD]
        if found != self._written:
            mark = Applied(f"{self._source} conflicts", self._clock.now(), "\n".join(found))
            store.mark_applied(mark)
            self._written = found

    def digest(self) -> str:
        """Without the rows: every daemon on this store has the same ones."""
        return str(self._others.digest())

    def _look(self, store: Store) -> bool:
        present = partial(editing.present, store, self._clock)
        elapsed = self._clock.elapsed()
        marker = self._rows.marker()
        if isinstance(store, DjangoStore) and elapsed - self._tidied_at >= TIDY_EVERY:
            self._tidied_at = elapsed
            store.tell_again()
            store.disable_what_ended(present())
        if self._known is None:
            return self._take_all(store, present)
        if marker == self._known.marker:
            if elapsed - self._digested_at < DIGEST_EVERY:
                return False
            self._digested_at = elapsed
            looked_at = present()
            if self._rows.digest() == self._known.digest:
                self._same_at = looked_at
                return False
        return self._take_changes(store, self._known, present)

    def _take_all(self, store: Store, now: editing.Now) -> bool:
        loaded_at = now()
        listing = self._rows.listing()
        mark, digest = store.applied(self._source), self._digest(listing)
        if mark is not None and mark.digest.removesuffix(TOLD) == digest:
            self._release()
        if mark is not None and mark.digest == digest and self._trusts_mark:
            # Whoever led before saw these rows, and all of them were good.
            self._known, self._digested_at = listing, self._clock.elapsed()
            self._same_at = loaded_at
            return False
        rows = list(self._rows.rows(listing.rows))
        once = editing.rows(store, [str(row["name"]) for row in rows if row["one_off"]])
        entries, made = list[Entry](), dict[str, datetime]()
        for row in rows:
            entry = self._entry(row, once)
            if entry is None:
                continue
            entries.append(entry)
            changed_at = changed_at_of(row)
            if mark is None:
                # The first look: the scheduler before wrote the date, too, and nothing is made up.
                changed_at = changed_at if row["clocked_time"] else None
            elif changed_at is None or changed_at < mark.loaded_at:
                changed_at = mark.loaded_at if row["clocked_time"] else None
            if changed_at is not None:
                made[entry.name] = changed_at
        declared = Declared(
            source=self._source,
            entries=tuple(entries),
            loaded_at=loaded_at,
            digest=self._digest(listing),
            made=made,
        )
        # The table was read: where it is empty, it is meant to be.
        done = apply(store, declared, now, force=True, settled=self._release, may_go_on=self._lasts)
        self._trusts_mark = True
        self._release()
        self._held = {held.name: str(held) for held in done.conflicts if not held.same}
        ended = sum(has_ended(step.entry, step.before) for step in done.steps)
        changed = len(done.changed) - ended
        self._tell(len(done.added), changed, len(done.removed), done.missed)
        self._known, self._digested_at = listing, self._clock.elapsed()
        self._same_at = loaded_at
        return bool(done.steps)

    def _take_changes(self, store: Store, known: Listing, now: editing.Now) -> bool:
        loaded_at = now()
        listing = self._rows.listing()
        other = [id for id, seen in listing.rows.items() if known.rows.get(id) != seen]
        names = {seen.name for seen in listing.rows.values()}
        gone = {
            seen.name
            for id, seen in known.rows.items()
            if listing.rows.get(id) != seen and seen.name not in names
        }
        rows = list(self._rows.rows(other))
        once = editing.rows(store, [str(row["name"]) for row in rows if row["one_off"]])
        wanted: dict[str, Entry | None] = dict.fromkeys(gone)
        made: dict[str, datetime] = {}
        for row in rows:
            name, before = str(row["name"]), known.rows.get(int(row["id"]))
            wanted[name] = self._entry(row, once)
            changed_at = changed_at_of(row)
            dated = before is None or before.changed != listing.rows[int(row["id"])].changed
            if dated and changed_at is not None:
                made[name] = changed_at
        for name in gone:
            self._wrong.pop(name, None)
            self._held.pop(name, None)
        mark_under_way(store, Applied(self._source, loaded_at, self._digest(listing)))
        changed = self._write(store, wanted, made, now)
        store.mark_applied(Applied(self._source, loaded_at, self._digest(listing)))
        self._known, self._same_at = listing, loaded_at
        return changed

    def _digest(self, listing: Listing) -> str:
        """Equal when reading all rows again would change nothing; other programs may read them
        otherwise, and bad rows are to be told by whoever leads."""
        told = TOLD if self._wrong or self._held else ""
        return f"{__version__}/{self._timezone}/{listing.digest}{told}"

    def _write(
        self,
        store: Store,
        wanted: Mapping[str, Entry | None],
        made: Mapping[str, datetime],
        now: editing.Now,
    ) -> bool:
        """Every name as wanted (None: removed), whatever others do to it meanwhile; `made` is when
        the edits were made, where the rows say so."""
        left: Iterable[str] = wanted
        counts = {"added": 0, "changed": 0, "removed": 0, "ended": 0}
        missed: list[str] = []
        for _ in range(ROUNDS):
            there, moment = editing.rows(store, left), now()
            changes: list[tuple[str, Change]] = []
            for name in left:
                verb, change = self._change(wanted[name], there.get(name), moment, made.get(name))
                if change is not None:
                    changes.append((verb, change))
            left = []
            for batch in editing.in_batches(changes):
                answers = store.write([change for _, change in batch])
                for (verb, change), done in zip(batch, answers, strict=True):
                    counts[verb] += done
                    missed += [change.name] if done and change.missed else []
                    if not done:
                        left.append(change.name)
            if not left:
                break
        self._tell(counts["added"], counts["changed"], counts["removed"], missed)
        return any(counts.values())

    def _change(
        self, entry: Entry | None, row: Stored | None, now: datetime, made: datetime | None
    ) -> tuple[str, Change | None]:
        if row is not None and row.entry.source != self._source:
            if entry is not None:
                whose = editing.owner_text(row.entry)
                self._held[entry.name] = f"{self._source}: {entry.name} is held by {whose}"
            return "", None
        if entry is None:
            return "removed", None if row is None else entry_change.removed(row)
        self._held.pop(entry.name, None)
        since = counts_from(entry, now, made=made, unseen_since=self._same_at)
        if row is None:
            return "added", entry_change.added(entry, since)
        if same(entry, row.entry):
            return "changed", None
        change = entry_change.rewritten(row, entry, since)
        verb = "ended" if has_ended(entry, row) else "changed"
        return verb, change if made else with_unseen_moments(change, row, self._same_at, now)

    def _entry(self, row: Mapping[str, Any], once: Mapping[str, Stored]) -> Entry | None:
        """The row as an entry, or None with the reason among the conflicts: django-celery-beat
        would not run it either."""
        name = str(row["name"])
        try:
            if broken := [key for key, value in row.items() if isinstance(value, NoText)]:
                raise ConfigError(f"{', '.join(broken)}: not UTF-8")
            entry = entry_of(row, timezone=self._timezone, source=self._source)
        except Exception as error:
            # Whatever one row raises, the others run.
            reason = refused(name, error).reason
            if self._wrong.get(name) != reason:
                log.error("%s: %s: %s; it is not run", self._source, name, reason)
            self._wrong[name] = reason
            return None
        self._wrong.pop(name, None)
        return limited(entry, row, once.get(name)) if row["one_off"] else entry

    def _tell(self, added: int, changed: int, removed: int, missed: Sequence[str]) -> None:
        if added or changed or removed:
            log.info("%s: %d added, %d changed, %d removed", self._source, added, changed, removed)
        if missed:
            log.warning("%s: %s", self._source, past_one_offs(missed))


def conflicts_in(store: Store, source: str) -> list[str]:
    """What the leader found wrong with the rows that it keeps as entries."""
    mark = store.applied(f"{source} conflicts")
    return mark.digest.splitlines() if mark is not None else []
