"""New zone data moves what lies ahead, and nothing else."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from beatd import rules
from beatd.catalog import Change, Query, Stored
from tests.household import Household


@pytest.fixture
def house() -> Household:
    return Household()


def planned_by(house: Household, name: str, version: str, **by: float) -> Stored:
    """Make it as if an older or newer program had planned it, off by some time."""
    (row,) = house.store.find(Query(names=(name,)))
    assert row.plan.planned is not None and row.plan.due is not None
    off = timedelta(**by)
    plan = replace(row.plan, planned=row.plan.planned + off, due=row.plan.due + off, rules=version)
    assert list(house.store.write([Change(name, row.revision, row.entry, plan)])) == [True]
    return next(iter(house.store.find(Query(names=(name,)))))


def planned(house: Household, name: str) -> str:
    (row,) = house.store.find(Query(names=(name,)))
    assert row.plan.planned is not None
    return row.plan.planned.isoformat()


def test_what_older_rules_planned_is_reckoned_again_once(house: Household) -> None:
    house.add("nightly", cron="0 2 * * *")
    planned_by(house, "nightly", "1999a/1", hours=1)
    assert rules.outdated(house.store)
    assert rules.reckon_again(house.store, house.clock.now()) == 1
    assert planned(house, "nightly") == "2026-03-01T02:00:00+00:00"
    assert not rules.outdated(house.store)


def test_what_is_right_already_is_not_written(house: Household) -> None:
    house.add("nightly", cron="0 2 * * *")
    before = planned_by(house, "nightly", "1999a/1")
    assert rules.reckon_again(house.store, house.clock.now()) == 0
    (after,) = house.store.find(Query(names=("nightly",)))
    assert after.revision == before.revision


def test_a_newer_program_s_plan_is_left_alone(house: Household) -> None:
    house.add("nightly", cron="0 2 * * *")
    planned_by(house, "nightly", "2999a/1", hours=1)
    assert rules.reckon_again(house.store, house.clock.now()) == 0
    assert planned(house, "nightly") == "2026-03-01T03:00:00+00:00"


def test_what_is_due_already_stays_due(house: Household) -> None:
    house.add("nightly", cron="0 2 * * *")
    planned_by(house, "nightly", "1999a/1", hours=1)
    house.clock.advance(hours=4)
    assert rules.reckon_again(house.store, house.clock.now()) == 0
    assert planned(house, "nightly") == "2026-03-01T03:00:00+00:00"
