"""What is kept in order beside the beat."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from beatd.catalog import Query
from beatd.changes import RECORDS_MAX, Author
from beatd.daemon import pause_news
from beatd.daemon.housekeeping import (
    COUNT_ENTRIES_EVERY_S,
    DIFFERENCE_LOGGED_AFTER_S,
    FORGET_HISTORY_EVERY_S,
    NAMES_LOGGED_MAX,
    REPAIR_EVERY_S,
    HistoryLimits,
    Housekeeping,
)
from beatd.definition import codec
from beatd.edits import editing
from beatd.edits.declared_set import Declared, digest_of
from beatd.edits.pausing import pause, resume
from beatd.edits.replan import mark_if_empty
from beatd.entry import Entry
from beatd.errors import StoreError
from beatd.leader import Holder
from beatd.presence import Presence
from beatd.sources import Reading
from beatd.sources.declarations import Declarations
from beatd.sources.second_looks import SECOND_LOOK_AFTER_S
from beatd.store import Roles, Store
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
        nth_lead=lambda: 1,
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
        name="one", declaring=None, history=HistoryLimits(), clock=clock, nth_lead=lambda: term,
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
        clock=clock, nth_lead=lambda: terms[-1], rest=lambda: None, counted=reported.append,
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


def test_a_standby_that_declares_other_entries_than_the_leader_says_so_once_in_the_log(
    store: Counting, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    source = Fixed(entry("a", source="yaml:config"), clock=clock)
    declaring = Declarations([source], clock=clock)
    standby = Housekeeping(
        name="one", declaring=declaring, history=HistoryLimits(),
        clock=clock, nth_lead=lambda: 0, rest=lambda: None,
    )  # fmt: skip
    other = Holder("two", "host", 2, clock.now(), "token")
    for declares in ("another", "another", "", "another", "another"):
        store.announce(Presence(other, "leader", True, clock.now(), declares=declares), 600)
        keep_house(standby, store)
        clock.advance(seconds=DIFFERENCE_LOGGED_AFTER_S)
    said = (
        "what one declares differs from what the leader two does; two configurations on one store "
        "need two names (`name:`)"
    )
    assert standby.conflicts == [said]
    assert caplog.messages == [said, said], "once until it was gone"


def test_a_file_that_reaches_the_leader_later_is_no_line_of_a_standby(
    store: Counting, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    declaring = Declarations([Fixed(entry("a", source="yaml:config"), clock=clock)], clock=clock)
    standby = Housekeeping(
        name="one", declaring=declaring, history=HistoryLimits(),
        clock=clock, nth_lead=lambda: 0, rest=lambda: None,
    )  # fmt: skip
    leader = Holder("two", "host", 2, clock.now(), "token")
    store.announce(Presence(leader, "leader", True, clock.now(), declares="older"), 600)
    for _ in range(int(DIFFERENCE_LOGGED_AFTER_S)):
        keep_house(standby, store)
        clock.advance(seconds=1)
    assert len(standby.conflicts) == 1
    now_declares = declaring.digest()
    store.announce(Presence(leader, "leader", True, clock.now(), declares=now_declares), 600)
    keep_house(standby, store)
    assert standby.conflicts == []
    assert caplog.messages == []


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


ANN, BOB = Author("ann@host-1", note="deploy"), Author("bob (token)", "page")


class Reporting:
    """A housekeeping of a daemon under the term `term`, and the events about pauses."""

    def __init__(self, clock: FakeClock) -> None:
        self.term, self.events = 1, list[Any]()
        self.house = Housekeeping(
            name="one", declaring=None, history=HistoryLimits(), clock=clock,
            nth_lead=lambda: self.term, rest=lambda: None, emit=self.events.append,
        )  # fmt: skip

    def turn(self, store: MemoryStore) -> list[Any]:
        """Return the new events: action, names, by whom, until when, and the note."""
        self.events.clear()
        keep_house(self.house, store)
        return [
            (one.action, " ".join(one.names), one.author.name, one.until, one.author.note)
            for one in self.events
        ]


def test_the_leader_reports_once_who_paused_and_resumed_entries(
    store: Counting, clock: FakeClock
) -> None:
    one, until = Reporting(clock), clock.now() + timedelta(hours=1)
    put_many(store, ["a", "b", "c", "d"])
    pause(store, ["d"], clock.now, ANN)
    assert one.turn(store) == []  # it was before this daemon led
    pause(store, ["a", "b"], clock.now, ANN, until=until)
    pause(store, ["c"], clock.now, BOB)
    resume(store, ["a"], clock.now, BOB)
    assert one.turn(store) == [
        ("paused", "a b", "ann@host-1", until, "deploy"),
        ("paused", "c", "bob (token)", None, ""),
        ("resumed", "a", "bob (token)", None, ""),
    ]
    put(store, "e")
    assert one.turn(store) == one.turn(store) == []
    clock.advance(hours=2)  # the pause of b ends, which has a line of its own
    assert one.turn(store) == []
    assert not editing.row_of(store, "b").paused
    resume(store, ["c"], clock.now, ANN)
    assert one.turn(store) == [("resumed", "c", "ann@host-1", None, "deploy")]


def test_a_daemon_that_leads_again_or_stands_by_reports_no_pause_of_before(
    store: Counting, clock: FakeClock
) -> None:
    one = Reporting(clock)
    put(store, "a")
    one.turn(store)
    one.term = 0
    pause(store, ["a"], clock.now, ANN)
    assert one.turn(store) == []
    one.term = 3
    assert one.turn(store) == []
    resume(store, ["a"], clock.now, ANN)
    assert [action for action, *_ in one.turn(store)] == ["resumed"]


def test_pauses_are_reported_after_the_last_record_that_was_seen_is_gone(
    store: Counting, clock: FakeClock
) -> None:
    one = Reporting(clock)
    put(store, "a")
    pause(store, ["a"], clock.now, ANN)
    one.turn(store)
    clock.advance(hours=1)
    store.forget_changes(clock.now(), RECORDS_MAX)
    resume(store, ["a"], clock.now, ANN)
    assert [action for action, *_ in one.turn(store)] == ["resumed"]


def test_many_pauses_at_once_are_read_up_to_a_limit(
    store: Counting, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pause_news, "PAGE", 3)
    monkeypatch.setattr(pause_news, "RECORDS_READ_MAX", 7)
    one, names = Reporting(clock), [f"e{n}" for n in range(9)]
    put_many(store, names)
    one.turn(store)
    pause(store, names[:6], clock.now, ANN)
    ((_, shown, *_),) = one.turn(store)
    assert (shown, one.events[0].at_least) == (" ".join(names[:6]), False)
    resume(store, names[:6], clock.now, BOB)
    pause(store, names, clock.now, BOB)
    ((_, shown, *_),) = one.turn(store)
    assert (shown, one.events[0].at_least) == (" ".join(names[2:]), True)


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

        def needs_reload(self) -> tuple[str, ...]:
            return ()

    housekeeping = Housekeeping(
        name="one",
        declaring=Broken(),
        history=HistoryLimits(),
        clock=clock,
        nth_lead=lambda: 1,
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


class Told:
    """A housekeeping of a daemon under a term, and how often it woke the beat."""

    def __init__(self, clock: FakeClock, **limits: timedelta) -> None:
        self.term, self.wakes = 1, 0
        self.house = Housekeeping(
            name="one",
            declaring=None,
            history=HistoryLimits(**limits),
            clock=clock,
            nth_lead=lambda: self.term,
            rest=lambda: None,
            wake=self.wake,
        )

    def wake(self) -> None:
        self.wakes += 1


def paused(store: Store, clock: FakeClock, name: str, **until: float) -> None:
    editing.add(store, entry(name, every="1m"), clock.now, Author("ann"))
    pause(store, [name], clock.now, Author("ann"), until=clock.now() + timedelta(**until))


def names_paused(store: Store) -> list[str]:
    return [row.entry.name for row in store.find(Query(paused=True))]


def test_a_pause_that_ends_is_ended_by_the_leader_and_logged(
    store: Counting, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    leader = Told(clock)
    for name, seconds in (("a", 60), ("b", 60.5), ("c", 70)):
        paused(store, clock, name, seconds=seconds)
    with caplog.at_level("INFO", "beatd"):
        keep_house(leader.house, store)
        assert (names_paused(store), leader.wakes, caplog.messages) == (["a", "b", "c"], 0, [])
        clock.advance(seconds=59)
        keep_house(leader.house, store)
        keep_house(leader.house, store)
    assert (names_paused(store), leader.wakes) == (["c"], 1)
    assert caplog.messages == ["resumed: a, b; the pause has ended"]


def test_a_line_about_pauses_that_end_names_some_of_many(
    store: Counting, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(NAMES_LOGGED_MAX + 2):
        paused(store, clock, f"e{n:02}", seconds=1)
    with caplog.at_level("INFO", "beatd"):
        keep_house(Told(clock).house, store)
    (line,) = caplog.messages
    assert "e00, e01" in line and line.endswith(" e19 and 2 more; the pause has ended")
    assert names_paused(store) == []


def test_a_standby_ends_no_pause_and_forgets_no_change(store: Counting, clock: FakeClock) -> None:
    standby = Told(clock, changes=timedelta(seconds=1))
    standby.term = 0
    paused(store, clock, "a", seconds=1)
    clock.advance(days=400)
    keep_house(standby.house, store)
    assert names_paused(store) == ["a"] and len(store.changes(None, 9)) == 2


def test_a_daemon_that_stops_leading_ends_no_pause(
    store: Counting, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = Told(clock)
    paused(store, clock, "a", seconds=1)
    ending = store.ending_pauses

    def deposed(before: datetime, limit: int) -> Sequence[str]:
        leader.term = 0
        return ending(before, limit)

    monkeypatch.setattr(store, "ending_pauses", deposed)
    keep_house(leader.house, store)
    assert (names_paused(store), leader.wakes) == (["a"], 0)


def test_a_store_that_fails_ends_the_pause_at_the_next_turn(
    store: Counting, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = Told(clock)
    paused(store, clock, "a", seconds=1)

    def fail(before: datetime, limit: int) -> Sequence[str]:
        raise StoreError("the server is away")

    with monkeypatch.context() as away:
        away.setattr(store, "ending_pauses", fail)
        leader.house.turn(Roles.of(store))
        assert (names_paused(store), store.sweeps) == (["a"], 1)
    leader.house.turn(Roles.of(store))
    assert (names_paused(store), leader.wakes) == ([], 1)


def test_changes_are_forgotten_at_their_age(store: Counting, clock: FakeClock) -> None:
    leader = Told(clock, changes=timedelta(days=3))
    editing.add(store, entry("old"), clock.now, Author("ann"))
    clock.advance(days=2)
    editing.add(store, entry("new"), clock.now, Author("ann"))
    keep_house(leader.house, store)
    assert [one.name for one in store.changes(None, 9)] == ["new", "old"]
    clock.advance(days=1, seconds=1)
    keep_house(leader.house, store)
    assert [one.name for one in store.changes(None, 9)] == ["new"]


def test_the_number_of_changes_is_bounded(
    store: Counting, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    monkeypatch.setattr(store, "forget_changes", lambda before, keep: kept.append(keep))
    keep_house(Told(clock).house, store)
    assert kept == [RECORDS_MAX]


def house_of(declared: "Fixed", clock: FakeClock) -> Housekeeping:
    return Housekeeping(
        name="one",
        declaring=Declarations([declared], clock=clock),
        history=HistoryLimits(),
        clock=clock,
        nth_lead=lambda: 1,
        rest=lambda: None,
    )


@pytest.mark.parametrize("part", ["definitions", "plans"])
def test_what_was_lost_of_a_store_is_mended_within_a_minute_and_said(
    clock: FakeClock, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore(codec=codec, clock=clock)
    housekeeping = house_of(Fixed(entry("mine", source="yaml:config"), clock=clock), clock)
    keep_house(housekeeping, store)
    clock.advance(seconds=SECOND_LOOK_AFTER_S)
    keep_house(housekeeping, store)  # else the second look mends "mine"
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
