"""New zone data moves what lies ahead, and nothing else."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from beatd.catalog import Change, Query, Stored
from beatd.edits import replan
from beatd.ledger import Request
from tests.fleet import Fleet
from tests.stores.making import edit


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


def planned_by(fleet: Fleet, name: str, version: str, **by: float) -> Stored:
    """Make it as if an older or newer program had planned it, off by some time."""
    (row,) = fleet.store.find(Query(names=(name,)))
    assert row.plan.planned is not None and row.plan.due is not None
    off = timedelta(**by)
    plan = replace(row.plan, planned=row.plan.planned + off, due=row.plan.due + off, rules=version)
    assert list(fleet.store.write([edit(row, row.entry, plan)])) == [True]
    return next(iter(fleet.store.find(Query(names=(name,)))))


def planned(fleet: Fleet, name: str) -> str:
    (row,) = fleet.store.find(Query(names=(name,)))
    assert row.plan.planned is not None
    return row.plan.planned.isoformat()


def test_what_older_rules_planned_is_reckoned_again_once(fleet: Fleet) -> None:
    fleet.add("nightly", cron="0 2 * * *")
    planned_by(fleet, "nightly", "1999a/1", hours=1)
    assert replan.needs_replan(fleet.store)
    assert replan.replan(fleet.store, fleet.store, fleet.clock.now) == 1
    assert planned(fleet, "nightly") == "2026-03-01T02:00:00+00:00"
    assert not replan.needs_replan(fleet.store)


def test_what_is_right_already_is_not_written(fleet: Fleet) -> None:
    fleet.add("nightly", cron="0 2 * * *")
    before = planned_by(fleet, "nightly", "1999a/1")
    assert replan.replan(fleet.store, fleet.store, fleet.clock.now) == 0
    (after,) = fleet.store.find(Query(names=("nightly",)))
    assert after.revision == before.revision


def test_a_newer_program_s_plan_is_left_alone(fleet: Fleet) -> None:
    fleet.add("nightly", cron="0 2 * * *")
    planned_by(fleet, "nightly", "2999a/1", hours=1)
    assert replan.replan(fleet.store, fleet.store, fleet.clock.now) == 0
    assert planned(fleet, "nightly") == "2026-03-01T03:00:00+00:00"


def test_an_older_leader_leaves_a_note_and_a_newer_one_plans_its_runs_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("nightly", cron="0 2 * * *")
    replan.replan(fleet.store, fleet.store, fleet.clock.now)
    with monkeypatch.context() as older:
        older.setattr(replan, "RULES", "1999a/1")
        assert replan.note_older_rules(fleet.store, fleet.clock.now())
        assert not replan.note_older_rules(fleet.store, fleet.clock.now()), "it is noted"
        planned_by(fleet, "nightly", "1999a/1", hours=1)
        assert not replan.needs_replan(fleet.store)
    assert replan.needs_replan(fleet.store)
    assert replan.replan(fleet.store, fleet.store, fleet.clock.now) == 1
    assert planned(fleet, "nightly") == "2026-03-01T02:00:00+00:00"
    assert not replan.note_older_rules(fleet.store, fleet.clock.now())


def test_what_is_due_already_stays_due(fleet: Fleet) -> None:
    fleet.add("nightly", cron="0 2 * * *")
    planned_by(fleet, "nightly", "1999a/1", hours=1)
    fleet.clock.advance(hours=4)
    assert replan.replan(fleet.store, fleet.store, fleet.clock.now) == 0
    assert planned(fleet, "nightly") == "2026-03-01T03:00:00+00:00"


def test_what_these_rules_planned_is_not_even_read(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("nightly", "weekly"):
        fleet.add(name, cron="0 2 * * *")
    planned_by(fleet, "nightly", "1999a/1", hours=1)
    find, read = fleet.store.find, []

    def seen(query: Query) -> Iterator[Stored]:
        for row in find(query):
            read.append(row.entry.name)
            yield row

    monkeypatch.setattr(fleet.store, "find", seen)
    assert replan.replan(fleet.store, fleet.store, fleet.clock.now) == 1
    assert read == ["nightly"]


def test_a_start_counts_nothing(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database counts by looking at each, and until it is through the daemon is not ready."""
    monkeypatch.setattr(fleet.store, "count", lambda: pytest.fail("counted"))
    replan.mark_if_empty(fleet.store, fleet.clock.now())
    assert not replan.needs_replan(fleet.store)


def test_a_store_with_entries_is_not_marked_unseen(fleet: Fleet) -> None:
    fleet.add("nightly", cron="0 2 * * *")
    replan.mark_if_empty(fleet.store, fleet.clock.now())
    assert replan.needs_replan(fleet.store)


def test_a_leader_that_was_replaced_before_its_note_arrived_takes_it_back(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older daemon may have led in between, and planned again what was planned again."""
    fleet.add("nightly", cron="0 2 * * *")
    planned_by(fleet, "nightly", "1999a/1", hours=1)
    leads, marks = True, fleet.store.marks
    write_rules = type(marks).write_rules

    def write_late(self: object, rules: str, at: datetime) -> None:
        nonlocal leads
        leads = False
        write_rules(self, rules, at)  # type: ignore[arg-type]

    monkeypatch.setattr(type(marks), "write_rules", write_late)
    replan.replan(fleet.store, fleet.store, fleet.clock.now, lambda: leads)
    assert replan.needs_replan(fleet.store)


def edit_before_each_write(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, name: str, times: int
) -> None:
    """Let an operator edit the arguments of an entry, which has no new run by that."""
    write = fleet.store.write
    args = iter(range(times))

    def late(changes: Sequence[Change]) -> Sequence[bool]:
        for n in args:
            (row,) = fleet.store.find(Query(names=(name,)))
            edited = edit(row, replace(row.entry, args=(n,)), row.plan)
            assert list(write([edited])) == [True]
            break
        return write(changes)

    monkeypatch.setattr(fleet.store, "write", late)


def test_an_entry_whose_arguments_were_edited_meanwhile_is_planned_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("nightly", cron="0 2 * * *")
    planned_by(fleet, "nightly", "1999a/1", hours=1)
    edit_before_each_write(fleet, monkeypatch, "nightly", times=1)
    assert replan.replan(fleet.store, fleet.store, fleet.clock.now) == 1
    assert planned(fleet, "nightly") == "2026-03-01T02:00:00+00:00"
    assert not replan.needs_replan(fleet.store)


def test_what_is_edited_all_the_time_is_left_to_the_next_call(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("nightly", cron="0 2 * * *")
    planned_by(fleet, "nightly", "1999a/1", hours=1)
    edit_before_each_write(fleet, monkeypatch, "nightly", times=100)
    assert replan.replan(fleet.store, fleet.store, fleet.clock.now) == 0
    assert replan.needs_replan(fleet.store)


def test_it_plans_after_the_missed_runs_that_are_to_be_sent_though_the_clock_was_set_back(
    fleet: Fleet,
) -> None:
    fleet.add("e", every="10s", catch_up="all", catch_up_max=9)
    row = planned_by(fleet, "e", "1999a/1", seconds=50)  # at 00:01:00
    start = fleet.clock.now()
    oldest, newest = (start + timedelta(seconds=after) for after in (20, 50))
    fleet.store.add_requests([Request("1", "e", "backlog", oldest, newest, row.revision)])
    fleet.clock.advance(seconds=35)  # the clock was set back after the newest of them
    replan.replan(fleet.store, fleet.store, fleet.clock.now)
    assert planned(fleet, "e") == "2026-03-01T00:01:00+00:00"
