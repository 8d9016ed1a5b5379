"""The contract of Changes, kept by every store: the records of who changed what."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from beatd.catalog import Change
from beatd.changes import DEFINITION_BYTES_MAX, Author, ChangeRecord, EntryState
from beatd.store import Store
from tests.stores.changing import (
    ANN,
    BOB,
    actions,
    add,
    change,
    changes,
    go_on,
    pause_of,
    remove,
    state,
    stop,
)
from tests.stores.making import at, claimed, edit, entry, lead, plan, put_many, row, step

Reopen = Callable[[], Store]
LONG_AGO, FAR_AHEAD = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def test_there_is_none_at_first(store: Store) -> None:
    assert changes(store) == changes(store, "tidy") == []
    assert store.forget_changes(FAR_AHEAD, 0) == 0


def test_an_added_entry_has_a_record_without_its_definition(store: Store, reopen: Reopen) -> None:
    before = datetime.now(UTC)
    add(store, source="file:a.yaml", declared_at="a.yaml:3")
    for handle in (store, reopen()):
        (found,) = changes(handle)
        assert (found.name, found.action, found.author) == ("tidy", "added", ANN)
        assert found.before is None
        assert found.after == EntryState("", "file:a.yaml", "a.yaml:3")
        assert abs(found.at - before) < timedelta(minutes=5) and found.id
        assert handle.change(found.id) == found


def test_an_edit_has_a_record_with_both_definitions(store: Store) -> None:
    add(store)
    change(store, author=BOB, every="20s")
    found = changes(store)[0]
    assert (found.action, found.author) == ("edited", BOB)
    assert found.before == state(entry())
    assert found.after == state(entry(every="20s"))


@pytest.mark.parametrize("fields", [{"source": "file:b.yaml"}, {"declared_at": "b.yaml:1"}])
def test_another_owner_or_place_is_an_edit(store: Store, fields: dict[str, str]) -> None:
    add(store)
    change(store, **fields)
    found = changes(store)[0]
    assert found.action == "edited"
    assert (found.before, found.after) == (state(entry()), state(entry(**fields)))


def test_a_removed_entry_has_a_record_with_its_definition(store: Store) -> None:
    add(store)
    remove(store, author=BOB)
    found = changes(store)[0]
    assert (found.action, found.author, found.after) == ("removed", BOB, None)
    assert found.before == state(entry())
    assert actions(store) == [("tidy", "added"), ("tidy", "removed")]


def test_a_pause_and_its_end_have_records(store: Store) -> None:
    add(store)
    stop(store, pause=pause_of(60, "deploy"))
    go_on(store, author=BOB)
    resumed, paused, _ = changes(store)
    assert (paused.action, resumed.action) == ("paused", "resumed")
    assert paused.before == resumed.after == state(entry())
    assert paused.after == resumed.before == state(entry(), True, at(60))


def test_a_pause_of_which_nothing_is_known_has_a_record(store: Store) -> None:
    add(store)
    stop(store)
    assert changes(store)[0].action == "paused"
    assert changes(store)[0].after == state(entry(), True)


@pytest.mark.parametrize(
    "other", [pause_of(90, "a"), pause_of(None, "a"), pause_of(60, "b"), pause_of(60, "a", "bob")]
)
def test_another_pause_of_a_paused_entry_has_a_record(store: Store, other: object) -> None:
    add(store)
    stop(store, pause=pause_of(60, "a"))
    stop(store, pause=other)  # type: ignore[arg-type]
    assert actions(store) == [("tidy", "added"), ("tidy", "paused"), ("tidy", "paused")]
    assert changes(store)[0].before == state(entry(), True, at(60))


def test_an_edit_of_a_paused_entry_is_an_edit(store: Store) -> None:
    add(store)
    stop(store, pause=pause_of(60))
    change(store, every="20s")
    found = changes(store)[0]
    assert found.action == "edited"
    assert found.before == state(entry(), True, at(60))
    assert found.after == state(entry(every="20s"), True, at(60))


def test_an_edit_that_also_pauses_or_resumes_is_named_after_that(store: Store) -> None:
    add(store)
    stop(store, every="20s", pause=pause_of(60))
    go_on(store, every="30s")
    assert [action for _, action in actions(store)] == ["added", "paused", "resumed"]
    assert changes(store)[0].after == state(entry(every="30s"))


def test_a_change_that_changes_nothing_has_no_record(store: Store) -> None:
    add(store)
    change(store)
    stop(store, pause=pause_of(60, "a"))
    stop(store, pause=pause_of(60, "a", when=7))
    stop(store)
    store.write([edit(row(store), entry(), plan(500), paused=True, author=ANN)])
    assert actions(store) == [("tidy", "added"), ("tidy", "paused")]
    assert store.write([Change("none", 0, None, author=ANN)]) == [True]
    assert actions(store, "none") == []


def test_a_change_without_an_author_and_a_run_have_no_record(store: Store) -> None:
    add(store, author=None)
    change(store, author=None, every="20s")
    stop(store, author=None, pause=pause_of(60))
    go_on(store, author=None)
    store.write([edit(row(store), row(store).entry, plan(0, "two"))])
    claimed(store, row(store), lead(store))
    remove(store, author=None)
    assert changes(store) == []


def test_a_record_has_the_state_that_a_change_without_an_author_left(store: Store) -> None:
    add(store, author=None)
    change(store, author=None, every="20s")
    stop(store, author=None, pause=pause_of(60))
    change(store, every="30s")
    assert changes(store)[0].before == state(entry(every="20s"), True, at(60))


def test_a_refused_change_has_no_record(store: Store) -> None:
    add(store)
    stale, stored, term = row(store).revision + 1, row(store), lead(store)
    assert store.write([Change("tidy", 0, entry(every="20s"), plan(0), author=ANN)]) == [False]
    assert store.write([Change("tidy", stale, None, author=ANN)]) == [False]
    assert store.claim([step(store, stored)], term, at(1)) == [True]
    refused = edit(stored, entry(every="20s"), plan(5), author=ANN)
    assert store.write([refused]) == [False]
    assert actions(store) == [("tidy", "added")]


def test_a_definition_that_is_too_large_is_not_kept(store: Store) -> None:
    large = entry(kwargs={"text": "ä" * (DEFINITION_BYTES_MAX // 2)})
    fits = entry(kwargs={"text": "x" * (DEFINITION_BYTES_MAX - 200)})
    add(store)
    for made in (large, replace(large, enabled=False), fits):
        stored = row(store)
        assert store.write([edit(stored, made, author=ANN)]) == [True]
    to_fits, within, to_large, _ = changes(store)
    assert to_large.before == state(entry())
    assert to_large.after == within.before == within.after == to_fits.before == state(None)
    assert to_fits.after == state(fits)


def test_changes_of_one_call_are_recorded_in_order(store: Store) -> None:
    put_many(store, ["a", "b"])
    a, b = row(store, "a"), row(store, "b")
    made = [
        Change("c", 0, entry("c"), plan(0), author=ANN),
        edit(b, b.entry, author=BOB, paused=True, pause=pause_of(5)),
        Change("a", a.revision, None, author=ANN),
        Change("d", 7, None, author=ANN),  # refused
        Change("a", 0, entry("a", every="20s"), plan(0), author=BOB),
    ]
    assert store.write(made) == [True, True, True, False, True]
    assert actions(store) == [("c", "added"), ("b", "paused"), ("a", "removed"), ("a", "added")]
    added, removed = changes(store, "a")
    assert (removed.before, added.before) == (state(entry("a")), None)
    assert removed.at < added.at  # a copy of a store tells them apart by this


def test_the_newest_comes_first_and_older_ones_follow(store: Store) -> None:
    add(store)
    for n in range(20, 29):
        change(store, every=f"{n}s")
    every = changes(store)
    assert len({one.id for one in every}) == 10
    assert [one.at for one in every] == sorted((one.at for one in every), reverse=True)
    assert [one.after and one.after.definition for one in every[:2]] == [
        state(entry(every=f"{n}s")).definition for n in (28, 27)
    ]
    read, page = list[ChangeRecord](), store.changes(None, 4)
    while page:
        read += page
        page = store.changes(None, 4, page[-1].id)
    assert read == every
    assert list(store.changes(None, 3, every[4].id)) == every[5:8]
    assert list(store.changes(None, 3, every[-1].id)) == []


def test_changes_are_told_of_one_name(store: Store) -> None:
    for name in ("a", "A", "a*", "b"):
        add(store, name)
        change(store, name, every="20s")
    assert actions(store, "a") == [("a", "added"), ("a", "edited")]
    assert actions(store, "a*") == [("a*", "added"), ("a*", "edited")]
    assert changes(store, "none") == []
    newest, oldest = changes(store, "a")
    assert list(store.changes("a", 1)) == [newest]
    assert list(store.changes("a", 9, newest.id)) == [oldest]
    assert list(store.changes("b", 9, changes(store, "A")[0].id)) == []


def test_records_of_a_removed_entry_stay(store: Store) -> None:
    add(store)
    remove(store)
    add(store, every="20s")
    assert [action for _, action in actions(store, "tidy")] == ["added", "removed", "added"]


@pytest.mark.parametrize("id", ["", "0", "9999999", "1-1", "nonsense", "-1", "9" * 50, "ä", "²"])
def test_an_unknown_id_is_none(store: Store, id: str) -> None:
    add(store)
    if changes(store)[0].id != id:
        assert store.change(id) is None


@pytest.mark.parametrize("id", ["nonsense", "9" * 50 + "x", "ä"])
def test_nothing_is_older_than_an_id_that_is_none(store: Store, id: str) -> None:
    add(store)
    assert list(store.changes(None, 10, id)) == list(store.changes("tidy", 10, id)) == []


def test_old_records_and_all_but_the_newest_are_forgotten(store: Store) -> None:
    for n in range(10):
        add(store, f"{n}")
    assert store.forget_changes(LONG_AGO, 10) == 0
    assert store.forget_changes(LONG_AGO, 4) == 6
    assert [name for name, _ in actions(store)] == ["6", "7", "8", "9"]
    assert changes(store, "0") == []
    middle = changes(store)[1]
    assert store.forget_changes(middle.at, 100) == 2
    assert [name for name, _ in actions(store)] == ["8", "9"]
    assert store.forget_changes(FAR_AHEAD, 100) == 2
    assert changes(store) == [] and store.change(middle.id) is None
    add(store, "later")
    assert actions(store) == [("later", "added")] and changes(store)[0].id != middle.id


def test_thousands_are_written_and_forgotten_at_once(store: Store) -> None:
    made = [Change(f"{n:04}", 0, entry(f"{n:04}"), plan(0), author=ANN) for n in range(2_500)]
    assert all(store.write(made))
    assert [one.name for one in store.changes(None, 2)] == ["2499", "2498"]
    assert store.forget_changes(LONG_AGO, 100) == 2_400
    assert [one.name for one in store.changes(None, 200)][-1] == "2400"


# a copy of a store


def records(*names: str) -> list[ChangeRecord]:
    states = state(entry()), state(entry(every="20s"), True, at(9))
    return [
        ChangeRecord(
            id=f"{n}",
            at=at(n + 0.000001),
            name=name,
            action="paused",
            author=Author("x", "api", f"{n}"),
            before=states[0],
            after=states[1],
        )
        for n, name in enumerate(names)
    ]


def test_records_are_written_as_they_are_and_once(store: Store) -> None:
    some = records("a", "b", "a", "c")
    some[0] = replace(some[0], action="added", before=None)
    some[1] = replace(some[1], action="removed", after=None)
    some.append(replace(some[3], name="d", action="resumed"))
    for _ in range(2):
        store.write_changes(some[:3])
    for _ in range(2):
        store.write_changes(some)
    found = list(reversed(changes(store)))
    assert [replace(one, id="") for one in found] == [replace(one, id="") for one in some]
    assert [one.at for one in changes(store, "a")] == [some[2].at, some[0].at]
    assert store.change(found[1].id) == found[1]
    store.write_changes([])
    add(store)
    assert changes(store)[0].name == "tidy" and len(changes(store)) == 6
