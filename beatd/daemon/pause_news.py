"""Notice that somebody paused or resumed entries, by the records of changes in the store."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from beatd.catalog import Catalog
from beatd.changes import Action, Author, ChangeRecord, Changes
from beatd.events import Observer, PausesChanged

PAGE = 1_000
RECORDS_READ_MAX = 20_000  # at once, because the ends of pauses wait meanwhile
#: A record that is this much older than the newest seen: a restored store may lack that one.
OLDER = timedelta(minutes=1)

_Alike = tuple[Action, Author, datetime | None]


class PauseNews:
    """Emits events about entries that people paused or resumed since this daemon began to lead.

    A pause that ends by itself is left out, because the leader reports it when it resumes the
    entry. `rest` is called between two pages of records.
    """

    def __init__(self, *, emit: Observer, rest: Callable[[], None]) -> None:
        self._emit, self._rest = emit, rest
        self._nth_lead, self._version = 0, ""
        self._newest: ChangeRecord | None = None

    def read(self, catalog: Catalog, changes: Changes, nth_lead: int) -> None:
        """Emit an event for entries that somebody paused or resumed alike since the last call.

        The first call in a lead emits none. Raises StoreError if the store fails; the next call
        then reads the same records.
        """
        version = catalog.version()  # first, so that the next call reads what changes meanwhile
        if nth_lead != self._nth_lead:
            self._newest = next(iter(changes.changes(None, 1)), None)
        elif version != self._version:
            self._read_new(changes)
        self._nth_lead, self._version = nth_lead, version

    def _read_new(self, changes: Changes) -> None:
        alike: dict[_Alike, list[str]] = {}
        newest, count = self._newest, 0
        for record in islice(self._new(changes), RECORDS_READ_MAX):
            newest = record if count == 0 else newest
            count += 1
            if record.action in ("paused", "resumed") and record.author.via != "daemon":
                until = None if record.after is None else record.after.until
                alike.setdefault((record.action, record.author, until), []).append(record.name)
        self._newest = newest
        for (action, author, until), names in reversed(alike.items()):
            self._emit(
                PausesChanged(
                    names=list(dict.fromkeys(reversed(names))),
                    action=action,
                    author=author,
                    until=until,
                    at_least=count == RECORDS_READ_MAX,
                )
            )

    def _new(self, changes: Changes) -> Iterator[ChangeRecord]:
        seen, before = self._newest, ""
        while True:
            page = changes.changes(None, PAGE, before)
            for record in page:
                if seen is not None and (record.id == seen.id or record.at < seen.at - OLDER):
                    return
                yield record
            if len(page) < PAGE:
                return
            before = page[-1].id
            self._rest()
