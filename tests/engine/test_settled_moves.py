"""Decisions that are made before their moment, and how long they are kept."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.definition import entry_from
from beatd.engine import settled_moves
from beatd.engine.moves import Mover
from beatd.engine.settled_moves import SettledMoves
from beatd.entry import Schedule
from beatd.errors import ScheduleError
from beatd.events import Event, Unplannable
from beatd.planning import first, next_of, shared_next_after
from beatd.run import Running

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOON = NOON + timedelta(seconds=10)


def row(name: str = "a", **fields: Any) -> Stored:
    entry = entry_from(name, {"task": "t", "every": "10s", **fields})
    return Stored(entry, 1, False, first(entry, NOON), 0, None)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def settled(events: list[Event]) -> SettledMoves:
    made = SettledMoves(events.append)
    made.begin(Mover(UUID(int=0), shared_next_after()))
    return made


def fails(schedule: Schedule, moment: datetime) -> datetime | None:
    raise ScheduleError("not found")


def names(settled: SettledMoves, now: datetime = NOON) -> list[str]:
    return [run.entry.name for run in settled.settle_ahead(now, SOON)[0]]


def test_a_hundred_entries_are_decided_in_one_call(settled: SettledMoves) -> None:
    settled.read([row(f"entry {n}") for n in range(150)])
    runs, more = settled.settle_ahead(NOON, SOON)
    assert (len(runs), more) == (100, True)
    runs, more = settled.settle_ahead(NOON, SOON)
    assert (len(runs), more) == (50, False)


def test_an_entry_is_decided_as_of_the_moment_when_it_is_due(settled: SettledMoves) -> None:
    settled.read([row(overlap="skip", max_run="1h")])
    assert names(settled) == ["a"]


def test_only_entries_that_are_due_by_then_are_decided(settled: SettledMoves) -> None:
    settled.read([row()])
    assert settled.settle_ahead(NOON, SOON - timedelta(microseconds=1)) == ([], False)
    assert names(settled) == ["a"]


def test_what_is_due_already_is_not_decided_ahead(settled: SettledMoves) -> None:
    settled.read([row()])
    assert names(settled, now=SOON) == []


def test_what_is_decided_is_not_decided_again(settled: SettledMoves) -> None:
    settled.read([row()])
    assert names(settled) == ["a"]
    settled.read([row(), row("b")])
    assert names(settled) == ["b"]
    assert [move.name for move in settled.of([row(), row("b"), row("c"), row()])] == ["a", "b"]


def test_an_entry_that_was_added_is_decided_ahead(settled: SettledMoves) -> None:
    settled.add(row())
    assert names(settled) == ["a"]


@pytest.mark.parametrize(
    "change",
    [{"revision": 2}, {"runs": 1}, {"plan": first(row().entry, SOON)},
     {"running": Running("id", NOON, SOON)}, {"plan": replace(row().plan, planned=NOON)},
     {"plan": replace(row().plan, due=SOON + timedelta(seconds=1))}],
)  # fmt: skip
def test_another_state_of_the_entry_is_decided_again(
    settled: SettledMoves, change: dict[str, Any]
) -> None:
    settled.read([row()])
    settled.settle_ahead(NOON, SOON)
    other = replace(row(), **change)
    assert settled.of([other]) == []
    at_due = other.plan.due or SOON
    (move,) = settled.settle([other], at_due)
    assert move == settled.mover.due(other, at_due)


def test_a_decision_is_used_before_the_moment_that_ends_it_and_only_once(
    settled: SettledMoves,
) -> None:
    for late_s, is_kept in ((0, True), (9.999, True), (10, False)):
        settled.read([row()])
        settled.settle_ahead(NOON, SOON)
        (kept,) = settled.of([row()])
        (used,) = settled.settle([row()], SOON + timedelta(seconds=late_s))
        assert (used is kept) is is_kept
        assert settled.of([row()]) == []


def test_a_new_term_decides_everything_anew(settled: SettledMoves) -> None:
    settled.read([row()])
    settled.settle_ahead(NOON, SOON)
    settled.begin(Mover(UUID(int=1), shared_next_after()))
    assert settled.of([row()]) == []
    assert names(settled) == []  # until its rows are read


def test_an_entry_that_cannot_be_planned_is_reported_once_and_tried_again_after_an_edit(
    settled: SettledMoves, events: list[Event]
) -> None:
    tries = 0

    def fails_and_counts(schedule: Schedule, moment: datetime) -> datetime | None:
        nonlocal tries
        tries += 1
        return fails(schedule, moment)

    settled.begin(Mover(UUID(int=0), fails_and_counts))
    for _ in range(2):
        assert settled.settle([row()], SOON) == []
    assert (events, tries) == ([Unplannable("a", "ScheduleError: not found")], 1)
    settled.settle([replace(row(), revision=2)], SOON)
    settled.forget_fault("a")
    settled.settle([replace(row(), revision=2)], SOON)
    settled.begin(Mover(UUID(int=0), fails_and_counts))
    settled.settle([replace(row(), revision=2)], SOON)
    assert (len(events), tries) == (4, 4)


def test_each_of_several_entries_that_cannot_be_planned_is_reported_once(
    settled: SettledMoves, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settled_moves, "FAULTY_KEPT", 3)
    settled.begin(Mover(UUID(int=0), fails))
    for _ in range(2):
        assert settled.settle([row("a"), row("b"), row("c")], SOON) == []
    assert len(events) == 3
    settled.settle([row("d"), row("c"), row("d")], SOON)  # more than are remembered
    assert len(events) == 5


def test_an_entry_that_cannot_be_planned_keeps_no_other_from_being_decided(
    settled: SettledMoves,
) -> None:
    def fails_for_one(schedule: Schedule, moment: datetime) -> datetime | None:
        return (fails if schedule == row(every="5s").entry.schedule else next_of)(schedule, moment)

    settled.begin(Mover(UUID(int=0), fails_for_one))
    settled.read([row("faulty", every="5s"), row()])
    assert names(settled) == ["a"]


def test_a_moment_that_the_rule_skips_is_kept_but_sends_no_run(settled: SettledMoves) -> None:
    used_up = replace(row(max_runs=1), runs=1)
    settled.read([used_up, row("b")])
    assert names(settled) == ["b"]
