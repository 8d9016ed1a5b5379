"""Rows in the order in which they are due."""

from datetime import UTC, datetime, timedelta

import pytest

from beatd.by_moment import ByMoment
from beatd.catalog import Plan, Stored
from tests.stores.making import entry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def row(name: str, due_s: float) -> Stored:
    return Stored(entry(name), 1, False, Plan(at(due_s), at(due_s), "", ""), 0, None)


@pytest.fixture
def rows() -> ByMoment:
    return ByMoment([row("late", 30), row("a", 10), row("b", 20), row("a too", 10), row("b 2", 20)])


def names(rows: list[Stored]) -> list[str]:
    return [row.entry.name for row in rows]


def test_rows_are_taken_soonest_first_and_once(rows: ByMoment) -> None:
    assert rows.soonest() == at(10)
    assert names(rows.take(at(9), 10)) == []
    assert names(rows.take(at(20), 10)) == ["a", "a too", "b", "b 2"]
    assert rows.soonest() == at(30)
    assert names(rows.take(at(99), 10)) == ["late"]
    assert (rows.soonest(), rows.take(at(99), 10), list(rows)) == (None, [], [])


@pytest.mark.parametrize(
    ("limit", "taken", "soonest"),
    [(0, [], 10), (1, ["a"], 10), (2, ["a", "a too"], 20), (3, ["a", "a too", "b"], 20)],
)
def test_no_more_are_taken_than_asked_for(
    rows: ByMoment, limit: int, taken: list[str], soonest: int
) -> None:
    assert names(rows.take(at(99), limit)) == taken
    assert rows.soonest() == at(soonest)
    assert len(list(rows)) == 5 - limit
    assert len(rows.take(at(99), 99)) == 5 - limit


def test_a_row_is_put_between_others(rows: ByMoment) -> None:
    rows.push(row("first", 5))
    rows.push(row("middle", 15))
    assert names(rows.take(at(15), 9)) == ["first", "a", "a too", "middle"]


def test_rows_of_one_moment_are_shown_without_being_taken(rows: ByMoment) -> None:
    assert names(rows.at(at(20), 1)) == ["b"]
    assert names(rows.at(at(20), 9)) == ["b", "b 2"]
    assert rows.at(at(21), 9) == []
    assert len(list(rows)) == 5


def test_names_are_those_before_a_moment_or_all(rows: ByMoment) -> None:
    assert rows.names(at(20)) == {"a", "a too"}
    assert rows.names() == {"a", "a too", "b", "b 2", "late"}
