"""The records of past runs, and the part of a store's interface that reads and deletes them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from beatd.entry import Moment
from beatd.run import Origin, State


class Record(Struct, frozen=True):
    """A record of what became of one run, or of a series of skipped runs, in the history.

    A series has `until`, its last moment, and `count`; `at_least` is True if `count` is only a
    lower bound. `late` is in seconds.
    """

    name: str
    planned: Moment
    state: State
    reason: str = ""
    task_id: str = ""
    published: Moment | None = None
    late: float | None = None
    until: Moment | None = None
    count: int = 1
    at_least: bool = False
    term: int = 0
    origin: Origin = "planned"

    @property
    def lateness(self) -> float | None:
        """Return how many seconds the run was sent late, or None if it was not sent.

        Return None, too, if the run was requested by hand, because it was not due at any time.
        """
        return None if self.origin in ("trigger", "backfill") else self.late


class HistoryPage(Struct, frozen=True):
    """One page of the history of runs, newest record first.

    `rest` is the place where the next page begins, or "" after the last page.
    """

    records: Sequence[Record]
    rest: str


class History(Protocol):
    """The part of a store's interface that reads and deletes the records of past runs."""

    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        """Yield the history records of the entry `name`, or of all entries if it is None, newest
        first.

        At most `limit` records are yielded; None means all. Runs that are reserved for sending but
        have no outcome yet are included, with the state "claimed".
        """

    def history_page(self, name: str | None, limit: int, place: str = "") -> HistoryPage:
        """Return one page of the history of the entry `name`, or of all if it is None, newest
        first.

        `place` is the `rest` of the page before, or "" for the first page. Runs that are reserved
        for sending but have no outcome yet are on the first page. A page has at most `limit`
        records, and may have fewer although more follow.
        """

    def newest_records(self, names: Sequence[str], limit: int) -> Mapping[str, Sequence[Record]]:
        """Return up to `limit` history records of each of these entries by name, newest first.

        Runs that are reserved for sending but have no outcome yet are left out, and so is an entry
        without a record.
        """

    def open_claims(self) -> int:
        """Return the number of runs that are reserved for sending and have no recorded outcome yet.

        Runs of entries that this program cannot read are counted, too.
        """

    def forget(self, before: datetime, keep: int) -> int:
        """Delete records older than `before` and all but the newest `keep`; return their number.

        The store deletes them in small batches. It also deletes arguments of requested runs that
        were written before, and old reports of workers: those about one run together, once the
        newest is old, or one by one. Runs without a recorded outcome are never deleted.
        """
