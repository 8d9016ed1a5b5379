"""Decode rows of a SQL store to entries, with a cache of decoded definitions."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Select, select

from beatd.byte_cache import ByteCache
from beatd.catalog import Codec, Plan, PlannedEntry, Stored
from beatd.entry import Entry
from beatd.errors import ConfigError
from beatd.run import Running, moment_of
from beatd.stores.damage import UNREADABLE, Damage
from beatd.stores.sql.dialect import Dialect
from beatd.stores.sql.running_runs import RunningRuns
from beatd.stores.sql.tables import entry, plan

# In the JSON of each definition that does not allow overlap; a few others may contain it, too.
OVERLAP = '"overlap"'
KEPT_BYTES = 32 * 2**20  # some 20,000 entries with few arguments
CHUNK = 1_000

PLAN = (
    plan.c.name,
    plan.c.revision,
    plan.c.active,
    plan.c.planned,
    plan.c.due,
    plan.c.runs,
    plan.c.last,
    plan.c.fingerprint,
    plan.c.rules,
)
DEFINITION = (entry.c.definition, entry.c.source, entry.c.declared_at, entry.c.paused)


def whole() -> Select[Any]:
    """Return a SELECT of all entries that have both a definition and a row for the next run."""
    return select(*PLAN, *DEFINITION).join_from(plan, entry, entry.c.name == plan.c.name)


def encoded(definition: Any) -> bytes:
    """Return the stored definition of an entry as bytes.

    In SQLite another program may have written bytes instead of a text.
    """
    return definition if isinstance(definition, bytes) else str(definition).encode()


def uses_overlap(definition: Any) -> bool:
    """Return True if the stored definition names `overlap`; False if it is no text."""
    return isinstance(definition, str) and OVERLAP in definition


class Reader:
    def __init__(
        self, codec: Codec, dialect: Dialect, damage: Damage, running: RunningRuns
    ) -> None:
        self._codec, self._damage, self._running = codec, damage, running
        self._kept = ByteCache[str, tuple[int, Entry, bool]](KEPT_BYTES)
        self._names = dialect.batch(name="text")
        self._by_name = whole().join(self._names.relation, self._names.c.name == plan.c.name)

    def forget(self) -> None:
        """Empty the cache of decoded entries.

        Call this after another store was opened: its edit numbers may mean other definitions.
        """
        self._kept.clear()

    def drop_cached(self, names: Iterable[str]) -> None:
        """Remove these entries from the cache of decoded entries."""
        self._kept.drop(names)

    def definition(self, row: Any, *, keep: bool) -> tuple[Entry, bool] | None:
        """Decode the entry in a row; return it and whether it is paused, or None if it is
        unreadable.

        `keep=True` adds the entry to the cache.
        """
        known = self._known(row.name, row.revision)
        if known is not None:
            return known
        definition = encoded(row.definition)
        try:
            made = self._decode(row, definition)
        except ConfigError:
            return None
        paused = bool(row.paused)
        if keep:
            # Plain values take up to six times the room of their JSON.
            size = 500 + 6 * len(definition)
            self._kept.keep(row.name, (row.revision, made, paused), size)
        return made, paused

    def _decode(self, row: Any, definition: bytes) -> Entry:
        if not (isinstance(row.source, str) and isinstance(row.declared_at, str)):
            # SQLite keeps any value in any column.
            raise ConfigError(f"entry {row.name!r}: its owner or its place in a file is no text")
        return self._codec.decode(row.name, definition, row.source, row.declared_at)

    def _known(self, name: str, revision: int) -> tuple[Entry, bool] | None:
        known = self._kept.get(name)
        return None if known is None or known[0] != revision else known[1:]

    def problem(self, row: Any) -> str | None:
        """Return the reason why the entry in a row cannot be decoded, or None if it can."""
        try:
            self._decode(row, encoded(row.definition))
        except ConfigError as error:
            return str(error)
        return None

    def stored(
        self, row: Any, *, keep: bool = False, running: Running | None = None
    ) -> Stored | None:
        """Decode the entry in a row with its next run, or return None if the row is unreadable.

        `keep=True` adds the entry to the cache. `running` is the run of it that has not ended; it
        is ignored if runs may overlap.
        """
        known = self.definition(row, keep=keep)
        found = None if known is None else self._planned(row, known)
        if found is None or running is None or found.entry.overlap == "allow":
            return found
        return replace(found, running=running)

    def planned_entry(self, row: Any) -> PlannedEntry | None:
        """Decode when an entry runs from its name, due and planned moment, runs and definition.

        The result is None if the entry is not planned or unreadable.
        """
        name, _, planned, runs, definition = row
        if planned is None:
            return None
        try:
            timing = self._codec.decode_timing(name, encoded(definition))
            return PlannedEntry.of(name, timing, moment_of(planned), runs)
        except ConfigError:
            return None
        except UNREADABLE as reason:
            self._damage.note(f"the plan of entry {name!r}", reason)
            return None

    def running(self, connection: Connection, rows: Iterable[Any]) -> dict[str, Running]:
        """Return the runs of these entries that have not ended, by the name of the entry.

        Entries whose runs may overlap are left out.
        """
        names = [row.name for row in rows if uses_overlap(row.definition)]
        return self._running.runs(connection, names) if names else {}

    def named(self, connection: Connection, names: Iterable[str]) -> dict[str, Stored]:
        """Return the entries with these names and their next runs, by name.

        Missing and unreadable entries are left out.
        """
        found = self._named(connection, names)
        running = self._running_of(connection, found.values())
        return found | {name: replace(found[name], running=run) for name, run in running.items()}

    def _running_of(
        self, connection: Connection, found: Iterable[Stored | None]
    ) -> dict[str, Running]:
        names = [
            stored.entry.name
            for stored in found
            if stored is not None and stored.entry.overlap != "allow"
        ]
        return self._running.runs(connection, names) if names else {}

    def _named(self, connection: Connection, names: Iterable[str]) -> dict[str, Stored]:
        found: dict[str, Stored] = {}
        wanted = sorted(set(names))
        for start in range(0, len(wanted), CHUNK):
            rows = [[name] for name in wanted[start : start + CHUNK]]
            for row in connection.execute(self._by_name, self._names.bind(rows)):
                stored = self.stored(row, keep=True)
                if stored is not None:
                    found[row.name] = stored
        return found

    def planned(self, connection: Connection, rows: Sequence[Any]) -> list[Stored | None]:
        """Return the entry and next run of each row, in the order of the rows; None if it is
        unreadable.

        Only definitions that are not cached are read from the database.
        """
        kept = [self._known(row[0], row[1]) for row in rows]
        strange = [row[0] for row, known in zip(rows, kept, strict=True) if known is None]
        fetched = self._named(connection, strange) if strange else {}
        # An entry edited between the two reads is taken whole from the second.
        found = [
            fetched.get(row[0]) if known is None else self._planned(row, known)
            for row, known in zip(rows, kept, strict=True)
        ]
        running = self._running_of(connection, found)
        if not running:
            return found
        return [
            stored and replace(stored, running=running.get(stored.entry.name)) for stored in found
        ]

    def _planned(self, row: Any, known: tuple[Entry, bool]) -> Stored | None:
        try:
            return _stored(row, known)
        except UNREADABLE as reason:
            self._damage.note(f"the plan of entry {row[0]!r}", reason)
            return None


def _stored(row: Any, known: tuple[Entry, bool]) -> Stored:
    made, paused = known
    _, revision, _, planned, due, runs, last, fingerprint, rules = row[:9]  # as in PLAN
    if not (isinstance(revision, int) and isinstance(runs, int)):
        # SQLite keeps any value in any column.
        raise TypeError(f"revision {revision!r} or {runs!r} runs is no number")
    moment = None if planned is None else moment_of(planned)
    due_moment = moment if due == planned else None if due is None else moment_of(due)
    plan = Plan(moment, due_moment, fingerprint, rules)
    return Stored(made, revision, paused, plan, runs, None if last is None else moment_of(last))
