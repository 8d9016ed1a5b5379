"""How many runs are planned in the hours ahead."""

from datetime import timedelta

import pytest

from beatd.catalog import Change
from beatd.clock import SystemClock
from beatd.definition import codec, entry_from
from beatd.planning import first, next_moment
from beatd.stores.embedded.memory import MemoryStore
from beatd.views import planned_ahead as module
from beatd.views.planned_ahead import planned_ahead
from tests.stores.making import NOON

DAY = timedelta(days=1)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(codec=codec, clock=SystemClock())


def add(store: MemoryStore, name: str, **fields: object) -> None:
    made = entry_from(name, {"task": "t", **fields})
    assert store.write([Change(name, 0, made, first(made, NOON))]) == [True]


KINDS = {
    "grid": {"every": "7s"},
    "slow grid": {"every": "5h"},
    "cron": {"cron": "*/7 * * * *"},
    "ends": {"every": "10m", "end": "2026-03-01T15:00Z"},
    "starts": {"every": "10m", "start": "2026-03-02T09:00Z"},
    "few": {"every": "10m", "max_runs": 5},
    "night": {"cron": "30 2 * * *", "tz": "Europe/Berlin"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_run_is_counted_in_its_bucket(store: MemoryStore, kind: str) -> None:
    add(store, kind, **KINDS[kind])
    found = planned_ahead(store, NOON, 24)
    wanted = [0] * len(found.counts)
    made = entry_from(kind, {"task": "t", **KINDS[kind]})
    moment, left = next_moment(made, NOON), made.max_runs or 10**9
    while moment is not None and moment < NOON + DAY and left:
        wanted[(moment - NOON) // timedelta(seconds=found.bucket_s)] += 1
        moment, left = next_moment(made, moment), left - 1
    assert list(found.counts) == wanted and sum(wanted)
    assert found.complete


def test_entries_that_run_alike_are_computed_once(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(50):
        add(store, f"e{n}", every="1m")
    add(store, "paused", every="1m", enabled=False)
    monkeypatch.setattr(module, "WORK_MAX", 1_500)
    found = planned_ahead(store, NOON, 1)
    assert sum(found.counts) == 50 * 59 and found.complete


def test_too_much_work_is_left_undone_and_said(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        add(store, f"e{n}", every=f"{n + 1}m")
    monkeypatch.setattr(module, "WORK_MAX", 20)
    assert not planned_ahead(store, NOON, 24).complete
    monkeypatch.undo()
    monkeypatch.setattr(module, "ENTRIES_READ_MAX", 3)
    assert not planned_ahead(store, NOON, 24).complete
