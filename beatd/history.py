"""The history in a store: its records, its pages, and the interface to read and delete them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from beatd.run import Origin, State


class Record(Struct, frozen=True):
    """A line of history: what became of one run, or of a series of skipped runs.

    A series has `until` (its last moment) and `count`; `at_least` is True if `count` is only a
    lower bound. `late` is in seconds.
    """

    name: str
    planned: datetime
    state: State
    reason: str = ""
    task_id: str = ""
    published: datetime | None = None
    late: float | None = None
    until: datetime | None = None
    count: int = 1
    at_least: bool = False
    term: int = 0
    origin: Origin = "planned"

    @property
    def lateness(self) -> float | None:
        """Return `late`, or None for a run that was asked for by hand: it has no due moment."""
        return None if self.origin in ("trigger", "backfill") else self.late


class HistoryPage(Struct, frozen=True):
    """A page of the history, newest record first.

    `rest` is the place where the next page begins; "" after the last one.
    """

    records: Sequence[Record]
    rest: str


class History(Protocol):
    """The part of a store that reads and deletes the records of runs."""

    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        """Yield up to `limit` history records, newest first: of one entry, or of all if None.

        Runs that are reserved but not recorded are included, with the state "claimed".
        """

    def history_page(self, name: str | None, limit: int, place: str = "") -> HistoryPage:
        """Return up to `limit` records of the entry `name` (None: of all), the last written first.

        `place` is the `rest` of the page before; "" is the newest record. Runs that are reserved
        but not recorded are on the first page. A page may have fewer records although more follow.
        """

    def newest_records(self, names: Sequence[str], limit: int) -> Mapping[str, Sequence[Record]]:
        """Return up to `limit` records of each of these entries, the last written first.

        Runs that are reserved but not recorded are left out, and so is an entry without a record.
        """

    def open_claims(self) -> int:
        """Return the number of runs that are reserved but not recorded, also of unreadable
        entries."""

    def forget(self, before: datetime, keep: int) -> int:
        """Delete records older than `before` and all but the newest `keep`; return their number.

        The store deletes them in small batches, and also arguments of requested runs that were
        written before. Runs that are reserved but not recorded are never deleted.
        """
