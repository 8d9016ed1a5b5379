"""The entries that have an `alert`, kept in memory and read again after changes."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from beatd.catalog import Catalog, Query
from beatd.entry import Alert

WATCHED_MAX = 200_000
ROWS_PER_REST = 500  # so that the ticks on the same core go on
READ_AT_MOST_PART = 0.05  # of the time is spent on reading the catalog


class WatchedEntry(Struct, frozen=True):
    """An entry with an `alert`. `paused` is also True if it is disabled or has no further run."""

    alert: Alert
    paused: bool
    trace: bool  # its runs have a trace


class Watched:
    """Keeps the entries that have an `alert` in memory, at most WATCHED_MAX.

    `is_full` is True at that limit. `elapsed` returns the seconds of a monotonic clock. Any thread
    may read `entries`.
    """

    def __init__(self, *, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._version: str | None = None
        self._not_before = float("-inf")
        self.entries: Mapping[str, WatchedEntry] = {}
        self.is_full = False

    def refresh(self, catalog: Catalog, rest: Callable[[], bool]) -> bool:
        """Read the entries if any entry in the catalog has changed; return True if they were read.

        Reads use at most READ_AT_MOST_PART of the time: after a long read the next one is delayed.
        `rest` is called after every ROWS_PER_REST rows. If it returns False, the read stops and
        `entries` does not change.
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
        """Make the next `refresh` read the entries, even if no entry has changed."""
        self._version, self._not_before = None, float("-inf")
