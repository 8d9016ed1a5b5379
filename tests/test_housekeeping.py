"""What is kept in order beside the beat."""

from datetime import datetime

import pytest

from beatd.definition import codec
from beatd.housekeeping import COUNTED_EVERY, SWEPT_EVERY, Housekeeping, Keep
from beatd.rules import begin
from beatd.store import Store
from beatd.stores.memory import MemoryStore
from beatd.unapplied import NOTHING_WAITS, Unapplied
from tests.fake_clock import FakeClock
from tests.stores.making import put, put_many


class Counting(MemoryStore):
    counts = 0
    sweeps = 0

    def forget(self, before: datetime, keep: int) -> int:
        self.sweeps += 1
        return super().forget(before, keep)

    def count(self) -> int:
        self.counts += 1
        return super().count()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> Counting:
    made = Counting(codec=codec, clock=clock)
    begin(made, clock.now())
    return made


@pytest.fixture
def house(clock: FakeClock) -> Housekeeping:
    return Housekeeping(
        name="one",
        declaring=None,
        keep=Keep(),
        clock=clock,
        term=lambda: 1,
        rest=lambda: None,
    )


def test_a_store_that_nobody_edits_is_counted_once(
    house: Housekeeping, store: Counting, clock: FakeClock
) -> None:
    put_many(store, ["a", "b"])
    for _ in range(5):
        house.round(store)
        clock.advance(seconds=COUNTED_EVERY + 1)
    assert (house.entries, store.counts) == (2, 1)


def test_what_was_added_is_counted_within_a_minute(
    house: Housekeeping, store: Counting, clock: FakeClock
) -> None:
    house.round(store)
    put(store, "a")
    house.round(store)
    assert house.entries == 0
    clock.advance(seconds=COUNTED_EVERY + 1)
    house.round(store)
    assert house.entries == 1


def test_history_is_forgotten_whatever_else_fails(
    store: Counting, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __call__(self, store: Store, term: int, *_: object) -> bool:
            raise ValueError("an entry that nobody had thought of")

        def unapplied(self, term: int) -> Unapplied:
            return NOTHING_WAITS

        def conflicts(self) -> list[str]:
            return []

        def digest(self) -> str:
            return ""

    house = Housekeeping(
        name="one",
        declaring=Broken(),
        keep=Keep(),
        clock=clock,
        term=lambda: 1,
        rest=lambda: None,
    )
    with pytest.raises(ValueError, match="nobody"):
        house.round(store)
    assert store.sweeps == 1
    clock.advance(seconds=SWEPT_EVERY + 1)
    monkeypatch.setattr(store, "applied", lambda owner: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        house.round(store)
    assert store.sweeps == 2
