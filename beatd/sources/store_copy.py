"""Read the entries of another store, for a daemon that runs with `--shadow`."""

from msgspec.structs import replace

from beatd.catalog import Catalog, Query
from beatd.clock import Clock
from beatd.edits.declared_set import Declared, digest_of
from beatd.errors import Problem, StoreError
from beatd.sources import Reading

SOURCE = "store:shadow"


class StoreCopy:
    """A source of entries that declares those which commands added to another store.

    Paused entries become disabled. Entries of files and apps are left out, because a shadow daemon
    reads files and apps itself.
    """

    owner = SOURCE

    def __init__(self, catalog: Catalog, clock: Clock) -> None:
        self._catalog, self._clock = catalog, clock
        self._version: str | None = None
        self._last: Declared | None = None

    def stale(self) -> bool:
        return self.changed()

    def changed(self) -> bool:
        try:
            return self._catalog.version() != self._version
        except StoreError:
            return False

    def read(self) -> Reading:
        try:
            version = self._catalog.version()
            entries = tuple(
                replace(row.entry, source=SOURCE, enabled=row.entry.enabled and not row.paused)
                for row in self._catalog.find(Query())
                if ":" not in row.entry.source
            )
        except StoreError as error:
            declared = self._last or Declared(
                source=SOURCE, entries=(), loaded_at=self._clock.now(), digest=""
            )
            return Reading(declared, (Problem(str(error), ("store",)),))
        self._version = version
        self._last = Declared(
            source=SOURCE,
            entries=entries,
            loaded_at=self._clock.now(),
            digest=digest_of(entries),
        )
        return Reading(self._last)
