"""Declared entries made true in the store."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.catalog import Change, Query
from beatd.changes import Author
from beatd.definition import codec, entry_from
from beatd.edits import editing, entry_change, pausing
from beatd.edits.apply_declared import ATTEMPTS_MAX, STALLED_MAX, Comparison, apply, compare
from beatd.edits.declared_set import Declared, digest_of
from beatd.entry import Entry
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.stores.changing import actions


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock("2026-03-01T00:00:10+00:00")


class Counting(MemoryStore):
    """Counts what is written."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(codec=codec, clock=clock)
        self.written = 0
        self.marked = 0

    def write(self, changes: Any) -> Any:
        self.written += len(changes)
        return super().write(changes)

    def write_mark(self, mark: Any) -> None:
        self.marked += 1
        super().write_mark(mark)


@pytest.fixture
def store(clock: FakeClock) -> Counting:
    return Counting(clock)


def entry(name: str, *, at: str = "a.yaml", source: str = "yaml:config", **more: Any) -> Entry:
    plain = {"task": "t", "every": "1m", **more}
    if len({"cron", "at"} & set(more)):
        del plain["every"]
    return entry_from(name, plain, source=source, declared_at=at)


def declared(clock: FakeClock, *entries: Entry, source: str = "yaml:config", **more: Any) -> Any:
    return Declared(
        source=source,
        entries=entries,
        loaded_at=more.pop("loaded_at", clock.now()),
        digest=digest_of(entries),
        **more,
    )


def names(store: MemoryStore) -> list[str]:
    return [row.entry.name for row in store.find(Query())]


def test_new_entries_are_planned_from_now(store: Counting, clock: FakeClock) -> None:
    done = apply(store, declared(clock, entry("a"), entry("b")), clock.now)
    assert (done.added, done.unchanged) == (("a", "b"), 0)
    row = editing.row_of(store, "a")
    assert row.plan.planned == clock.now() + timedelta(seconds=50)


def test_an_edit_of_a_set_that_was_seen_is_found_again(
    store: MemoryStore, clock: FakeClock
) -> None:
    for _ in range(3):
        apply(store, declared(clock, entry("a"), entry("b")), clock.now)
    editing.remove(store, ["b"], force=True)
    done = apply(store, declared(clock, entry("a"), entry("b")), clock.now)
    assert done.added == ("b",)


def test_what_did_not_change_writes_nothing(store: Counting, clock: FakeClock) -> None:
    many = [entry(f"e{n}", args=[n, {"deep": [1, 2]}]) for n in range(1000)]
    apply(store, declared(clock, *many), clock.now)
    store.written = store.marked = 0
    clock.advance(seconds=3)
    done = apply(store, declared(clock, *reversed(many)), clock.now)
    assert (done.unchanged, done.steps) == (1000, ())
    assert (store.written, store.marked) == (0, 1), "that it was seen to be so"
    done = apply(store, declared(clock, *many), clock.now)
    assert (done.unchanged, done.steps) == (1000, ())
    assert (store.written, store.marked) == (0, 1)


def test_only_when_it_runs_moves_the_plan(store: Counting, clock: FakeClock) -> None:
    apply(store, declared(clock, entry("a"), entry("b"), entry("c")), clock.now)
    before = {row.entry.name: row for row in store.find(Query())}
    clock.advance(seconds=200)
    changed = (entry("a", args=[1]), entry("b", every="1h"), entry("c", enabled=False))
    done = apply(store, declared(clock, *changed), clock.now)
    assert done.changed == ("a", "b", "c")
    after = {row.entry.name: row for row in store.find(Query())}
    assert after["a"].plan == before["a"].plan
    assert after["b"].plan.planned == clock.now().replace(hour=1, minute=0, second=0)
    assert after["c"].plan.due is None


@pytest.mark.parametrize(("was", "now"), [(1, True), (1, 1.0), (0, False), ("1", 1)])
def test_an_argument_of_another_type_is_a_change(
    store: Counting, clock: FakeClock, was: Any, now: Any
) -> None:
    apply(store, declared(clock, entry("a", args=[was])), clock.now)
    done = apply(store, declared(clock, entry("a", args=[now])), clock.now)
    assert done.changed == ("a",)
    assert repr(editing.row_of(store, "a").entry.args) == repr((now,))


def test_what_is_declared_no_more_is_pruned(store: Counting, clock: FakeClock) -> None:
    apply(store, declared(clock, entry("a"), entry("b")), clock.now)
    assert apply(store, declared(clock, entry("a")), clock.now).removed == ("b",)
    assert names(store) == ["a"]


def test_entries_of_other_owners_are_never_pruned(store: Counting, clock: FakeClock) -> None:
    editing.add(store, entry("by-hand", source="cli"), clock.now)
    apply(store, declared(clock, entry("app", source="app:x"), source="app:x"), clock.now)
    apply(store, declared(clock, entry("a")), clock.now, force=True)
    assert names(store) == ["a", "app", "by-hand"]


def test_a_name_of_another_owner_is_a_conflict(store: Counting, clock: FakeClock) -> None:
    editing.add(store, entry("a", source="cli", at="", args=["mine"]), clock.now)
    done = apply(store, declared(clock, entry("a"), entry("b")), clock.now)
    (held,) = done.conflicts
    assert (held.name, held.holder, held.same, done.added) == ("a", "cli", False, ("b",))
    assert "a.yaml: entry 'a' is not applied: cli owns an entry of this name" in str(held)
    assert editing.row_of(store, "a").entry.args == ("mine",)


def test_a_set_without_entries_prunes_nothing_unless_forced(
    store: Counting, clock: FakeClock
) -> None:
    apply(store, declared(clock, entry("a")), clock.now)
    assert apply(store, declared(clock), clock.now).kept == ("a",)
    assert apply(store, declared(clock), clock.now, force=True).removed == ("a",)


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        ("schedules/a.yaml", ("in-a",)),
        ("schedules", ("in-a", "in-b")),
        ("schedules/", ("in-a", "in-b")),
        ("schedules/[ab].yaml", ("in-a", "in-b")),
        ("elsewhere", ()),
        ("sched", ()),
    ],
)
def test_what_a_doubtful_place_declared_is_kept(
    store: Counting, clock: FakeClock, place: str, kept: tuple[str, ...]
) -> None:
    there = (entry("in-a", at="schedules/a.yaml"), entry("in-b", at="schedules/b.yaml"))
    apply(store, declared(clock, *there, entry("c")), clock.now)
    done = compare(store, declared(clock, entry("c"), doubtful=(place,)))
    assert done.kept == kept


def test_an_entry_that_became_unreadable_is_kept(store: Counting, clock: FakeClock) -> None:
    apply(store, declared(clock, entry("a"), entry("b")), clock.now)
    done = apply(store, declared(clock, entry("b"), unread=frozenset(("a",))), clock.now)
    assert done.kept == ("a",)


def test_a_set_read_before_the_one_applied_last_is_not_applied(
    store: Counting, clock: FakeClock
) -> None:
    old = declared(clock, entry("a"), entry("old"))
    clock.advance(seconds=60)
    apply(store, declared(clock, entry("a"), entry("new")), clock.now)
    done = apply(store, old, clock.now)
    assert done.newer is not None and done.steps == ()
    assert names(store) == ["a", "new"]


def test_the_same_set_read_earlier_is_no_older(store: Counting, clock: FakeClock) -> None:
    early = declared(clock, entry("a"))
    clock.advance(seconds=60)
    apply(store, declared(clock, entry("a")), clock.now)
    store.write([entry_change.removed(editing.row_of(store, "a"), None)])
    assert apply(store, early, clock.now).added == ("a",)


def test_adding_without_pruning_leaves_the_mark_to_the_owner(
    store: Counting, clock: FakeClock
) -> None:
    apply(store, declared(clock, entry("a")), clock.now)
    mark = store.marks.applied("yaml:config")
    done = apply(store, declared(clock, entry("b")), clock.now, prune=False)
    assert (done.added, done.kept) == (("b",), ("a",))
    assert store.marks.applied("yaml:config") == mark


def test_a_pause_is_neither_seen_nor_cleared(store: Counting, clock: FakeClock) -> None:
    apply(store, declared(clock, entry("a")), clock.now)
    pausing.pause(store, ["a"], clock.now, Author("ann"))
    assert apply(store, declared(clock, entry("a")), clock.now).unchanged == 1
    apply(store, declared(clock, entry("a", every="1h")), clock.now)
    row = editing.row_of(store, "a")
    assert row.paused and row.plan.due is None


def test_a_row_changed_meanwhile_is_compared_again(store: Counting, clock: FakeClock) -> None:
    apply(store, declared(clock, entry("a"), entry("b")), clock.now)
    write = store.write

    def late(changes: list[Change]) -> Any:
        store.write = write  # type: ignore[method-assign]
        pausing.pause(store, ["a"], clock.now, Author("ann"))
        return write(changes)

    store.write = late  # type: ignore[method-assign, assignment]
    new = (entry("a", args=[1]), entry("b", args=[1]))
    done: Comparison = apply(store, declared(clock, *new), clock.now)
    assert sorted(done.changed) == ["a", "b"]
    assert done.unchanged == 0
    row = editing.row_of(store, "a")
    assert row.paused and row.entry.args == (1,)


@pytest.mark.parametrize(("args", "changed", "unchanged"), [([1], ("a",), 0), ([2], (), 1)])
def test_an_entry_that_a_daemon_of_the_same_owner_adds_meanwhile_is_no_conflict(
    store: Counting, clock: FakeClock, args: list[int], changed: tuple[str, ...], unchanged: int
) -> None:
    find, mine = store.find, entry("a", args=[2])

    def late(query: Query) -> Any:
        found = list(find(query))
        if query.source is not None:
            store.find = find  # type: ignore[method-assign]
            editing.add(store, entry("a", args=args), clock.now)
        return found

    store.find = late  # type: ignore[method-assign, assignment]
    done = apply(store, declared(clock, mine), clock.now)
    assert done.conflicts == ()
    assert (done.changed, done.unchanged) == (changed, unchanged)
    assert editing.row_of(store, "a").entry == mine


def test_a_set_that_other_writers_keep_from_being_written_is_not_recorded(
    store: Counting, clock: FakeClock
) -> None:
    apply(store, declared(clock, entry("a")), clock.now)
    write, attempts = store.write, [0]

    def refuse(changes: Sequence[Change]) -> list[bool]:
        attempts[0] += 1
        return [False] * len(changes)

    store.write = refuse  # type: ignore[method-assign]
    new = declared(clock, entry("a", args=[1]))
    assert apply(store, new, clock.now).changed == ()
    assert attempts == [STALLED_MAX * ATTEMPTS_MAX], "each comparison reads all entries"
    applied = store.marks.applied("yaml:config")
    assert applied is not None and not applied.holds(new.digest)
    store.write = write  # type: ignore[method-assign]
    assert apply(store, new, clock.now).changed == ("a",)
    assert store.marks.applied("yaml:config").holds(new.digest)  # type: ignore[union-attr]


def test_two_files_in_turn_that_declare_the_same_leave_no_records(
    store: Counting, clock: FakeClock
) -> None:
    apply(store, declared(clock, entry("a"), entry("b")), clock.now)
    for turn, place in enumerate(("b.yaml", "a.yaml", "b.yaml")):
        clock.advance(seconds=1)
        set_now = declared(clock, entry("a", at=place), entry("b", at=place, args=[turn]))
        assert apply(store, set_now, clock.now).changed == ("a", "b")
        assert editing.row_of(store, "a").entry.declared_at == place
    assert actions(store, "a") == [("a", "added")]
    assert actions(store, "b") == [("b", "added")] + [("b", "edited")] * 3


def test_another_place_is_a_change_unless_it_may_be_anywhere(
    store: Counting, clock: FakeClock
) -> None:
    apply(store, declared(clock, entry("a")), clock.now)
    moved = declared(clock, entry("a", at="b.yaml"))
    assert compare(store, moved).changed == ("a",)
    assert compare(store, moved, anywhere=True).unchanged == 1


def test_a_digest_is_the_same_wherever_the_files_lie() -> None:
    here = [entry("a"), entry("b", at="x.yaml")]
    there = [replace(one, declared_at="/srv/y.yaml") for one in reversed(here)]
    assert digest_of(here) == digest_of(there) != digest_of(here[:1])
