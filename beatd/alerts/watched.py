"""The entries that have an `alert`, read from the catalog after it has changed."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from beatd.catalog import Catalog, Query
from beatd.entry import Alert

WATCHED_MAX = 200_000
ROWS_PER_REST = 500  # so that the ticks on the same core go on
READ_AT_MOST_PART = 0.05  # of the time is spent on reading the catalog


class WatchedEntry(Struct, frozen=True):
    """An entry that has an `alert`. `paused` is True also for a disabled or finished one, `trace`
    if its runs have a trace."""

    alert: Alert
    paused: bool
    trace: bool


class Watched:
    """Keeps name and `alert` of the first WATCHED_MAX entries that have one, and nothing else.

    `elapsed` returns the seconds of a monotonic clock. Any thread may read `entries`.
    """

    def __init__(self, *, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._version: str | None = None
        self._not_before = float("-inf")
        self.entries: Mapping[str, WatchedEntry] = {}
        self.is_full = False

    def refresh(self, catalog: Catalog, rest: Callable[[], bool]) -> bool:
        """Read the entries again if the catalog has changed; return True if they were read.

        After a long read, the next one waits, so that reads use up to READ_AT_MOST_PART of the
        time. `rest` is called after each few hundred rows; if it returns False, the read ends
        without a result.
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
        """Make the next call of `refresh` read the entries."""
        self._version, self._not_before = None, float("-inf")
