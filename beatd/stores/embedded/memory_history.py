"""Read and delete the records of runs in a store in memory."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from beatd.history import HistoryPage, Record
from beatd.marks import ARGUMENTS_PREFIX
from beatd.stores.embedded.delivery_writes import forget_deliveries
from beatd.stores.embedded.memory_part import MemoryPart
from beatd.stores.embedded.numbered_rows import number_of
from beatd.stores.embedded.table_values import Claimed, Forgotten, Line, MarkGone

Told = tuple[datetime, Record]  # when the record was written


class MemoryHistory(MemoryPart):
    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        with self._reading():
            lines = [_told(line) for line in islice(self._tables.lines.newest(name), limit)]
            claimed = self._claimed(name)
        return islice(_newest_first(claimed, lines), limit)

    def history_page(self, name: str | None, limit: int, place: str = "") -> HistoryPage:
        before = number_of(place)
        if place and before is None:
            return HistoryPage((), "")
        with self._reading():
            claimed = [] if place else self._claimed(name)[:limit]
            lines = list(islice(self._tables.lines.newest(name, before), limit + 1))
        page = lines[: limit - len(claimed)]
        records = list(_newest_first(claimed, map(_told, page)))
        if len(page) == len(lines):
            return HistoryPage(records, "")
        return HistoryPage(records, str(lines[len(page)].number + 1))

    def newest_records(self, names: Sequence[str], limit: int) -> Mapping[str, Sequence[Record]]:
        with self._reading():
            lines = self._tables.lines
            found = {
                name: [line.record for line in islice(lines.newest(name), limit)] for name in names
            }
        return {name: records for name, records in found.items() if records}

    def open_claims(self) -> int:
        with self._reading():
            return len(self._tables.claims)

    def forget(self, before: datetime, keep: int) -> int:
        with self._writing():
            tables = self._tables
            count, last = tables.lines.old(before, keep)
            if count:
                tables.put(Forgotten(tables.lines.first, last))
            forget_deliveries(tables, before, keep)
            marks = list(tables.marks.values())
            for mark in marks:
                if mark.key.startswith(ARGUMENTS_PREFIX) and mark.at < before:
                    tables.put(MarkGone(mark.key))
            return count

    def _claimed(self, name: str | None) -> list[Told]:
        return [
            (claim.claimed_at, _record_of(claim))
            for claim in reversed(self._tables.claims.values())
            if name is None or claim.occurrence.name == name
        ]


def _newest_first(claimed: list[Told], lines: Iterator[Told] | list[Told]) -> Iterator[Record]:
    merged = heapq.merge(claimed, lines, key=lambda told: told[0], reverse=True)
    return (record for _, record in merged)


def _told(line: Line) -> Told:
    return line.at, line.record


def _record_of(claim: Claimed) -> Record:
    name, planned = claim.occurrence.name, claim.occurrence.planned
    return Record(name, planned, "claimed", "", claim.task_id, term=claim.term, origin=claim.origin)
