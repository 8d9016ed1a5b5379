"""The entries that have an `alert`, read from the catalog after it has changed."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from beatd.catalog import Catalog, Query
from beatd.entry import Alert

WATCHED_MAX = 200_000
ROWS_PER_REST = 500  # so that the ticks on the same core go on
READ_AT_MOST_PART = 0.05  # of the time is spent on reading the catalog


class WatchedEntry(Struct, frozen=True):
    """An entry that has an `alert`. `paused` is True also if the entry is disabled or has no
    further run. `trace` is True if its runs have a trace."""

    alert: Alert
    paused: bool
    trace: bool


class Watched:
    """Keeps the names and alerts of the entries that have an `alert`, at most WATCHED_MAX.
    `is_full` is True if that limit was reached.

    `elapsed` returns the seconds of a monotonic clock. Any thread may read `entries`.
    """

    def __init__(self, *, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._version: str | None = None
        self._not_before = float("-inf")
        self.entries: Mapping[str, WatchedEntry] = {}
        self.is_full = False

    def refresh(self, catalog: Catalog, rest: Callable[[], bool]) -> bool:
        """Read the entries again if the catalog has changed. Return True if they were read.

        After a long read the next one is delayed, so that reads use at most READ_AT_MOST_PART of
        the time. `rest` is called after every ROWS_PER_REST rows. If `rest` returns False, the read
        stops and `entries` does not change.
        """
        began = self._elapsed()
        if began < self._not_before:
            return False
        version = catalog.version()
        if version == self._version:
            return False
        found: dict[str, WatchedEntry] = {}
        for number, row in enumerate(catalog.find(Query())):
            entry = row.entry
            if entry.alert is not None and len(found) < WATCHED_MAX:
                stands = row.paused or not entry.enabled or row.plan.planned is None
                found[entry.name] = WatchedEntry(entry.alert, stands, entry.trace)
            if number % ROWS_PER_REST == ROWS_PER_REST - 1 and not rest():
                return False
        self.entries, self._version = found, version
        self.is_full = len(found) == WATCHED_MAX
        took = self._elapsed() - began
        self._not_before = began + took / READ_AT_MOST_PART
        return True

    def forget(self) -> None:
        """Make the next `refresh` read the entries, even if the catalog has not changed."""
        self._version, self._not_before = None, float("-inf")
