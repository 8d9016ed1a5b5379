"""Keep the records of who changed which entry, and the ends of pauses, in a store in memory."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice, takewhile

from beatd.changes import ChangeRecord
from beatd.stores.embedded.change_writes import forget_changes
from beatd.stores.embedded.memory_part import MemoryPart
from beatd.stores.embedded.numbered_rows import number_of


class MemoryChanges(MemoryPart):
    def changes(self, name: str | None, limit: int, before: str = "") -> Sequence[ChangeRecord]:
        number = number_of(before)
        if before and number is None:
            return []
        with self._reading():
            rows = self._tables.changes.newest(name, number)
            return [row.record for row in islice(rows, limit)]

    def change(self, id: str) -> ChangeRecord | None:
        number = number_of(id)
        with self._reading():
            row = None if number is None else self._tables.changes.get(number)
            return None if row is None else row.record

    def forget_changes(self, before: datetime, keep: int) -> int:
        with self._writing():
            return forget_changes(self._tables, before, keep)

    def ending_pauses(self, before: datetime, limit: int) -> Sequence[str]:
        with self._reading():
            ended = takewhile(lambda end: end[0] < before, self._tables.pause_ends)
            return [name for _, name in islice(ended, limit)]
