"""A table of rows that are numbered in the order of writing, with an index by entry name."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from typing import Generic, Protocol, TypeVar


class Numbered(Protocol):
    @property
    def number(self) -> int: ...

    @property
    def at(self) -> datetime: ...

    @property
    def name(self) -> str:
        """Return the name of the entry that this row is about."""


Row = TypeVar("Row", bound=Numbered)


class NumberedRows(Generic[Row]):
    """A table of numbered rows, oldest first, that also finds all rows about one entry.

    `next` is the number of the next new row. No row has a number below `first`.
    """

    def __init__(self) -> None:
        self.first = self.next = 1
        self._rows: dict[int, Row] = {}
        self._numbers: dict[str, list[int]] = {}  # by name, in ascending order

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        """Iterate over all rows, oldest first."""
        return iter(self._rows.values())

    def __getitem__(self, number: int) -> Row:
        return self._rows[number]

    def get(self, number: int) -> Row | None:
        return self._rows.get(number)

    def put(self, row: Row) -> None:
        """Add a row, whose number must be the highest, or replace the row with the same number."""
        number = row.number
        if not self._rows:
            self.first = number
        if number not in self._rows:
            self._numbers.setdefault(row.name, []).append(number)
        self._rows[number] = row
        self.next = max(self.next, number + 1)

    def forget(self, first: int, last: int) -> list[Row]:
        """Delete the rows with the numbers `first` to `last`, both included, and return them."""
        found = [number for number in takewhile(last.__ge__, self._rows) if number >= first]
        gone = [self._rows.pop(number) for number in found]
        for name in dict.fromkeys(row.name for row in gone):
            numbers = self._numbers[name]
            del numbers[bisect_left(numbers, first) : bisect_right(numbers, last)]
            if not numbers:
                del self._numbers[name]
        if first <= self.first:
            self.first = max(self.first, last + 1)
        return gone

    def newest(self, name: str | None, before: int | None = None) -> Iterator[Row]:
        """Yield the rows about the entry `name`, or all rows if it is None, newest first.

        If `before` is given, only rows with a lower number are yielded.
        """
        below = self.next if before is None else min(before, self.next)
        if name is None:
            is_dense = below - self.first <= len(self._rows)
            between = range(below - 1, self.first - 1, -1) if is_dense else reversed(self._rows)
            found = (self._rows.get(number) for number in between if number < below)
            yield from (row for row in found if row is not None)
        else:
            numbers = self._numbers.get(name, [])
            for place in range(bisect_left(numbers, below) - 1, -1, -1):
                yield self._rows[numbers[place]]

    def old(self, before: datetime, keep: int) -> tuple[int, int]:
        """Return how many of the oldest rows should be deleted, and the number of the last of them.

        A row should be deleted if it was written before `before`, or if `keep` newer rows exist.
        Return (0, 0) if there is none.
        """
        count = last = 0
        for number, row in self._rows.items():
            if row.at >= before and len(self._rows) - count <= keep:
                break
            count, last = count + 1, number
        return count, last


def number_of(text: str) -> int | None:
    """Convert the id of a row, such as "42", to its number, or return None if it is not a
    number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
