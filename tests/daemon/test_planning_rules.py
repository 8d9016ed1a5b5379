"""Which planning rules computed the runs of a store, when daemons of two versions lead in turn."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from beatd.catalog import Change, Query, Stored
from beatd.daemon.housekeeping import HistoryLimits, Housekeeping
from beatd.definition import codec
from beatd.edits import replan
from beatd.edits.replan import mark_if_empty
from beatd.planning import RULES
from beatd.sources.declarations import Declarations
from beatd.stores.embedded.memory import MemoryStore
from tests.daemon.test_housekeeping import Fixed
from tests.fake_clock import FakeClock
from tests.roles import keep_house
from tests.stores.making import edit, entry, put_many


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    made = MemoryStore(codec=codec, clock=clock)
    mark_if_empty(made, clock.now())
    return made


def housekeeping(
    clock: FakeClock, term: Callable[[], int], declaring: Declarations | None = None
) -> Housekeeping:
    return Housekeeping(
        name="one",
        declaring=declaring,
        history=HistoryLimits(),
        clock=clock,
        nth_lead=term,
        rest=lambda: None,
    )


def test_a_newer_leader_plans_again_at_once_what_an_older_one_planned_in_between(
    store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    term = 1
    newer, older = housekeeping(clock, lambda: term), housekeeping(clock, lambda: term)
    put_many(store, ["a"])
    keep_house(newer, store)
    clock.advance(seconds=1)
    with monkeypatch.context() as rules:
        rules.setattr(replan, "RULES", "1999a/1")
        term = 2
        keep_house(older, store)
        (row,) = store.find(Query())
        assert row.plan.planned is not None and row.plan.due is not None
        hour = timedelta(hours=1)
        old = replace(
            row.plan, planned=row.plan.planned + hour, due=row.plan.due + hour, rules="1999a/1"
        )
        assert store.write([edit(row, row.entry, old)]) == [True]
    term = 3
    clock.advance(seconds=1)
    keep_house(newer, store)
    (after,) = store.find(Query())
    assert after.plan.rules == RULES and after.plan.planned != old.planned


def test_an_older_leader_notes_its_rules_before_it_plans_anything(
    store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = Declarations([Fixed(entry("mine", source="yaml:config"), clock=clock)], clock=clock)
    older = housekeeping(clock, lambda: 1, declared)
    noted = []

    def write(changes: Sequence[Change]) -> Sequence[bool]:
        noted.append(store.marks.rules())
        return MemoryStore.write(store, changes)

    monkeypatch.setattr(store, "write", write)
    monkeypatch.setattr(replan, "RULES", "1999a/1")
    keep_house(older, store)
    assert noted == ["1999a/1"]


def test_a_leader_that_led_again_begins_to_plan_again_anew(
    store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older daemon may have led in between, and planned what was read already."""
    term = 1
    newer = housekeeping(clock, lambda: term)
    put_many(store, ["a"])
    store.marks.write_rules("1999a/1", clock.now())
    find = store.find

    def lead_again(query: Query) -> Iterator[Stored]:
        nonlocal term
        yield from find(query)
        if query.rules_before is not None:
            term += 2

    with monkeypatch.context() as slow:
        slow.setattr(store, "find", lead_again)
        keep_house(newer, store)
    assert replan.needs_replan(store)
    keep_house(newer, store)
    assert not replan.needs_replan(store)


def test_what_could_not_be_planned_again_is_tried_again_ever_less_often(
    store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry may be edited at each try, or be read from a copy that lags."""
    newer = housekeeping(clock, lambda: 1)
    put_many(store, ["a"])
    (row,) = store.find(Query())
    assert row.plan.planned is not None
    later = row.plan.planned + timedelta(hours=1)
    old = replace(row.plan, planned=later, due=later, rules="1999a/1")
    assert store.write([edit(row, row.entry, old)]) == [True]
    store.marks.write_rules("1999a/1", clock.now())
    lagging, tried_at, began = list(store.find(Query())), list[int](), clock.elapsed()
    (now_it_is,) = lagging
    assert store.write([edit(now_it_is, now_it_is.entry, old)]) == [True]

    def find_in_a_copy(query: Query) -> Iterator[Stored]:
        if query.rules_before is not None:
            tried_at.append(round(clock.elapsed() - began))
        return iter(lagging)

    with monkeypatch.context() as copy:
        copy.setattr(store, "find", find_in_a_copy)
        for _ in range(20):
            keep_house(newer, store)
            clock.advance(seconds=1)
    assert tried_at == [0, 2, 6, 14]
    assert replan.needs_replan(store)
    clock.advance(seconds=10)
    keep_house(newer, store)
    (after,) = store.find(Query())
    assert after.plan.rules == RULES and not replan.needs_replan(store)
