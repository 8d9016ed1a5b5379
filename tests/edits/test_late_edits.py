"""One-offs whose moment passes before their edit is seen."""

from datetime import datetime
from typing import Any

import pytest

from beatd.definition import codec, entry_from
from beatd.edits import editing
from beatd.edits.patch import patch_of
from beatd.entry import Entry
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock("2026-03-01T00:00:10+00:00")


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(codec=codec, clock=clock)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def once(moment: str, **more: Any) -> Entry:
    return entry_from("a", {"task": "t", "at": moment, **more})


def told(store: MemoryStore) -> list[tuple[datetime, str]]:
    return [(record.planned, record.reason) for record in store.history(None, None)]


def test_a_one_off_counts_from_its_edit_however_late_that_is_seen(
    store: MemoryStore, clock: FakeClock
) -> None:
    made = clock.now()
    clock.advance(seconds=18)
    row = editing.add(store, once("2026-03-01T00:00:11Z"), lambda: made)
    assert row.plan.due == at("2026-03-01T00:00:11Z") < clock.now()
    assert told(store) == []


def test_a_one_off_that_is_past_when_it_is_added_is_told_once(
    store: MemoryStore, clock: FakeClock
) -> None:
    row = editing.add(store, once("2026-03-01T00:00:09Z"), clock.now)
    assert row.plan.due is None
    editing.patch(store, "a", patch_of({"options.queue": "q"}), clock.now)
    assert told(store) == [(at("2026-03-01T00:00:09Z"), "past when added")]
    editing.patch(store, "a", patch_of({"at": "2026-03-01T00:00:08Z"}), clock.now)
    assert told(store)[0] == (at("2026-03-01T00:00:08Z"), "past when edited")


@pytest.mark.parametrize(
    "fields",
    [{"enabled": False}, {"max_runs": 1, "at": None, "every": "1m", "end": "2026-01-01"}],
    ids=["disabled", "not a one-off"],
)
def test_nothing_is_told_of_what_had_no_moment_to_miss(
    store: MemoryStore, clock: FakeClock, fields: dict[str, Any]
) -> None:
    given = {"task": "t", "at": "2026-02-01T00:00:00Z", **fields}
    made = entry_from("a", {key: value for key, value in given.items() if value is not None})
    editing.add(store, made, clock.now)
    assert told(store) == []


def test_a_one_off_that_passed_while_it_was_off_is_told_once(
    store: MemoryStore, clock: FakeClock
) -> None:
    editing.add(store, once("2026-03-01T00:00:20Z", enabled=False), clock.now)
    clock.advance(seconds=60)
    editing.patch(store, "a", patch_of({"enabled": True}), clock.now)
    assert told(store) == [(at("2026-03-01T00:00:20Z"), "disabled")]
