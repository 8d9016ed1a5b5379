"""What is kept in order beside the beat."""

from datetime import datetime

import pytest

from beatd.catalog import Query
from beatd.daemon.housekeeping import (
    COUNT_ENTRIES_EVERY_S,
    FORGET_HISTORY_EVERY_S,
    REPAIR_EVERY_S,
    HistoryLimits,
    Housekeeping,
)
from beatd.definition import codec
from beatd.edits.declared_set import Declared, digest_of
from beatd.edits.replan import mark_if_empty
from beatd.entry import Entry
from beatd.leader import Holder
from beatd.presence import Presence
from beatd.sources import Reading
from beatd.sources.declarations import Declarations
from beatd.store import Store
from beatd.stores.embedded.memory import MemoryStore
from beatd.unapplied import NOTHING_WAITS, Unapplied
from tests.fake_clock import FakeClock
from tests.roles import keep_house
from tests.stores.losses import lose
from tests.stores.making import entry, put, put_many


class Fixed:
    """A source that always declares the same; while it `waits`, it is not applied."""

    owner = "yaml:config"
    waits = False

    def __init__(self, *entries: Entry, clock: FakeClock) -> None:
        self._entries, self._clock = entries, clock

    def stale(self) -> bool:
        return self.waits

    def changed(self) -> bool:
        return False

    def read(self) -> Reading:
        return Reading(
            Declared(
                source=self.owner,
                entries=self._entries,
                loaded_at=self._clock.now(),
                digest=digest_of(self._entries),
            )
        )


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
    mark_if_empty(made, clock.now())
    return made


@pytest.fixture
def housekeeping(clock: FakeClock) -> Housekeeping:
    return Housekeeping(
        name="one",
        declaring=None,
        history=HistoryLimits(),
        clock=clock,
        term=lambda: 1,
        rest=lambda: None,
    )


def test_a_store_that_nobody_edits_is_counted_once(
    housekeeping: Housekeeping, store: Counting, clock: FakeClock
) -> None:
    put_many(store, ["a", "b"])
    for _ in range(5):
        keep_house(housekeeping, store)
        clock.advance(seconds=COUNT_ENTRIES_EVERY_S + 1)
    assert (housekeeping.entries, store.counts) == (2, 1)


def test_the_first_count_is_reported_once_when_a_leader_is_known(
    store: Counting, clock: FakeClock
) -> None:
    reported: list[int] = []
    term = 0
    standby = Housekeeping(
        name="one", declaring=None, history=HistoryLimits(), clock=clock, term=lambda: term,
        rest=lambda: None, counted=reported.append,
    )  # fmt: skip
    put_many(store, ["a", "b"])
    keep_house(standby, store)
    assert reported == []  # nobody leads: what is declared may not be in the store yet
    other = Holder("two", "host", 2, clock.now(), "token")
    store.announce(Presence(other, "leader", True, clock.now()), 60)
    keep_house(standby, store)
    assert reported == [2]
    term = 1
    keep_house(standby, store)
    assert reported == [2]


def test_a_new_leader_reports_the_first_count_after_its_declared_entries_are_applied(
    store: Counting, clock: FakeClock
) -> None:
    reported: list[int] = []
    terms = [0]  # as read when the turn begins, and before this daemon was elected
    source = Fixed(entry("a", source="yaml:config"), entry("b", source="yaml:config"), clock=clock)
    house = Housekeeping(
        name="one", declaring=Declarations([source], clock=clock), history=HistoryLimits(),
        clock=clock, term=lambda: terms[-1], rest=lambda: None, counted=reported.append,
    )  # fmt: skip
    mine = Holder("one", "host", 1, clock.now(), "token")
    store.announce(Presence(mine, "leader", True, clock.now()), 60)
    keep_house(house, store)
    assert reported == []
    terms.append(1)
    source.waits = True
    keep_house(house, store)
    assert reported == []
    source.waits = False
    keep_house(house, store)
    keep_house(house, store)
    assert reported == [2]


def test_what_was_added_is_counted_within_a_minute(
    housekeeping: Housekeeping, store: Counting, clock: FakeClock
) -> None:
    keep_house(housekeeping, store)
    put(store, "a")
    keep_house(housekeeping, store)
    assert housekeeping.entries == 0
    clock.advance(seconds=COUNT_ENTRIES_EVERY_S + 1)
    keep_house(housekeeping, store)
    assert housekeeping.entries == 1


def test_history_is_forgotten_whatever_else_fails(
    store: Counting, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __call__(self, store: Store, term: int, *_: object) -> bool:
            raise ValueError("an entry that nobody had thought of")

        def unapplied(self, term: int) -> Unapplied:
            return NOTHING_WAITS

        def compare_again(self, store: Store, *, whole: bool) -> None: ...

        def conflicts(self) -> list[str]:
            return []

        def digest(self) -> str:
            return ""

    housekeeping = Housekeeping(
        name="one",
        declaring=Broken(),
        history=HistoryLimits(),
        clock=clock,
        term=lambda: 1,
        rest=lambda: None,
    )
    with pytest.raises(ValueError, match="nobody"):
        keep_house(housekeeping, store)
    assert store.sweeps == 1
    clock.advance(seconds=FORGET_HISTORY_EVERY_S + 1)
    monkeypatch.setattr(store, "read_mark", lambda key: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        keep_house(housekeeping, store)
    assert store.sweeps == 2


def house_of(declared: "Fixed", clock: FakeClock) -> Housekeeping:
    return Housekeeping(
        name="one",
        declaring=Declarations([declared], clock=clock),
        history=HistoryLimits(),
        clock=clock,
        term=lambda: 1,
        rest=lambda: None,
    )


@pytest.mark.parametrize("part", ["definitions", "plans"])
def test_what_was_lost_of_a_store_is_mended_within_a_minute_and_said(
    clock: FakeClock, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore(codec=codec, clock=clock)
    housekeeping = house_of(Fixed(entry("mine", source="yaml:config"), clock=clock), clock)
    keep_house(housekeeping, store)
    put(store, "by hand")
    lose(store, part)
    for _ in range(2):
        clock.advance(seconds=REPAIR_EVERY_S)
        keep_house(housekeeping, store)
    there = ["by hand", "mine"] if part == "plans" else ["mine"]
    assert [row.entry.name for row in store.find(Query())] == there
    (line,) = housekeeping.conflicts
    assert "2 entries had lost their" in line and line in caplog.messages


def test_entries_that_vanished_whole_are_applied_again(clock: FakeClock) -> None:
    store = MemoryStore(codec=codec, clock=clock)
    housekeeping = house_of(Fixed(entry("mine", source="yaml:config"), clock=clock), clock)
    keep_house(housekeeping, store)
    lose(store, "plans")
    lose(store, "definitions")
    for _ in range(2):
        clock.advance(seconds=REPAIR_EVERY_S)
        keep_house(housekeeping, store)
    assert store.count() == 1


def test_some_entries_that_vanished_whole_are_applied_again_by_the_next_leader(
    clock: FakeClock,
) -> None:
    store = MemoryStore(codec=codec, clock=clock)
    both = [entry(name, source="yaml:config") for name in ("a", "b")]
    Declarations([Fixed(*both, clock=clock)], clock=clock)(store, 1)
    Declarations([Fixed(*both, clock=clock)], clock=clock)(store, 2)
    for part in ("plans", "definitions"):
        lose(store, part, "a")
    Declarations([Fixed(*both, clock=clock)], clock=clock)(store, 3)
    assert store.count() == 2
