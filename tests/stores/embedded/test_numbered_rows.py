"""Rows that are numbered in the order in which they were written."""

from datetime import datetime

from msgspec import Struct

from beatd.stores.embedded.numbered_rows import NumberedRows
from tests.stores.making import at


class Row(Struct, frozen=True):
    number: int
    name: str

    @property
    def at(self) -> datetime:
        return at(self.number)


def rows_of(names: str) -> NumberedRows[Row]:
    rows = NumberedRows[Row]()
    for number, name in enumerate(names, 1):
        rows.put(Row(number, name))
    return rows


def numbers(rows: NumberedRows[Row], name: str | None, before: int | None = None) -> list[int]:
    return [row.number for row in rows.newest(name, before)]


def test_the_newest_of_a_name_come_first() -> None:
    rows = rows_of("abcab")
    assert numbers(rows, None) == [5, 4, 3, 2, 1]
    assert numbers(rows, "a") == [4, 1]
    assert numbers(rows, "none") == []
    assert numbers(rows, "a", 4) == [1]
    assert numbers(rows, None, 3) == [2, 1]
    assert numbers(rows, "b", 99) == numbers(rows, "b")
    assert numbers(rows, None, 99) == numbers(rows, None)


def test_no_search_counts_through_the_numbers_between_two_rows() -> None:
    rows = rows_of("ab")
    rows.put(Row(10**18, "a"))
    assert numbers(rows, None) == [10**18, 2, 1]
    assert numbers(rows, None, 10**18) == [2, 1]


def test_what_is_deleted_is_in_no_index() -> None:
    rows = rows_of("ababab")
    assert [row.number for row in rows.forget(3, 4)] == [3, 4]
    assert rows.forget(3, 4) == []
    assert (numbers(rows, "a"), numbers(rows, "b")) == ([5, 1], [6, 2])
    assert numbers(rows, None) == [6, 5, 2, 1]
    rows.forget(1, 99)
    assert len(rows) == 0 and numbers(rows, "a") == numbers(rows, None) == []
    rows.put(Row(rows.next, "a"))
    assert numbers(rows, "a") == numbers(rows, None) == [7]


def test_a_row_that_is_put_twice_is_there_once() -> None:
    rows = rows_of("ab")
    rows.put(Row(2, "b"))
    assert numbers(rows, "b") == [2] and len(rows) == 2 and rows.next == 3


def test_old_rows_are_those_before_a_moment_and_all_but_the_newest() -> None:
    rows = rows_of("ababab")
    assert rows.old(at(0), 6) == (0, 0)
    assert rows.old(at(3), 6) == (2, 2)
    assert rows.old(at(0), 1) == (5, 5)
    assert rows.old(at(9), 6) == (6, 6)
    rows.forget(2, 3)
    assert rows.old(at(5), 9) == (2, 4)
