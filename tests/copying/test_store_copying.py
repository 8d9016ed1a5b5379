"""Everything in a store is copied into any other kind of store, once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.catalog import Change, Query
from beatd.copying.copy_counts import Counts
from beatd.copying.store_copying import Copied, copy_store
from beatd.errors import BeatError
from beatd.incident import Incident
from beatd.marks import AppliedSet, VerifiedSet
from beatd.presence import Presence
from beatd.store import Roles, Store
from tests.stores.changing import ANN, BOB, add, change, changes, pause_of, remove, stop
from tests.stores.making import at, claimed, entry, holder, lead, plan, put, request_of, row, told
from tests.stores.places import mariadb, opened, postgresql, redis, shelve, sqlite
from tests.stores.running_runs import delivery, put_queued, second, started, waiting

Open = Callable[[Any], Store]
CIRCLE = (sqlite, postgresql, redis, shelve, mariadb, sqlite)
NOT_COPIED = ("store copy", "copied to", "file:a.yaml seen")


@pytest.fixture
def opening(tmp_path: Path, server: Any) -> Iterator[Open]:
    with ExitStack() as places:

        def open_one(place: Any) -> Store:
            path = tmp_path / f"{len(list(tmp_path.iterdir()))}"
            path.mkdir()
            store: Store = places.enter_context(opened(place, path, server))()
            return store

        yield open_one


def silent(what: str, done: int, total: int) -> None: ...


def copy(source: Store, target: Store, place: str = "") -> Copied:
    return copy_store(Roles.of(source), Roles.of(target), at(1000), silent, place=place)


def fill(store: Store) -> None:
    """Put something of everything into a store."""
    lead(store)
    term = lead(store, "two")
    put(store, "tidy", declared_at="a.yaml:3", source="file:a.yaml")
    for when in (0, 10):  # two runs, of which one was delivered twice
        run = claimed(store, row(store), term, when + 1, plan=plan(when + 10))
        store.record([told(run, when=when + 2)])
        first = delivery(run, "failed", when + 3, error="it broke", worker="w1")
        store.write_outcomes([first, second(first, state="succeeded")][: 1 + when], at(when + 4))
    rejected = claimed(store, row(store), term, 21, plan=plan(30))
    store.record([told(rejected, "rejected", 22, "no queue")])
    queued = put_queued(store, "queued")
    store.record([told(started(store, queued, term), when=5)])
    assert store.claim([waiting(store, row(store, "queued"))], term, at(12)) == [True]
    paused = put(store, "paused", 7)
    store.write([Change("paused", paused.revision, paused.entry, paused=True)])
    for name, until in (("paused until", 900), ("paused for good", None)):
        add(store, name)
        stop(store, name, pause_of(until, "deploy"))
    disabled = put(store, "disabled")
    store.write([Change("disabled", disabled.revision, replace(disabled.entry, enabled=False))])
    store.write([Change("finished", 0, entry("finished"), plan(None), runs=3, last=at(-5))])
    missed = put(store, "missed", 40)
    store.add_requests([request_of(missed, kind, 1, 5) for kind in ("trigger", "backfill")])
    store.add_requests([replace(request_of(missed, "backlog", 1, 30), revision=0)])
    gone = put(store, "gone")
    store.add_requests([request_of(gone, "backfill", 1, 9)])
    store.write([Change("gone", row(store, "gone").revision, None)])  # recorded as skipped
    opened = Incident(kind="failed", name="tidy", opened=at(3), revision=1, observed="1 in a row")
    assert store.put_incidents([opened]) == [True]
    ended = replace(opened, revision=2, closed=at(5), resolved=at(6))
    assert store.put_incidents([ended]) == [True]
    assert store.put_incidents([replace(opened, opened=at(9), announced=at(10))]) == [True]
    again = Change("changed", 0, entry("changed", every="30s"), plan(90), author=BOB)
    add(store, "changed")
    change(store, "changed", author=BOB, every="20s")
    gone = Change("changed", row(store, "changed").revision, None, author=ANN)
    assert store.write([gone, again]) == [True, True]
    store.marks.write_applied("file:a.yaml", AppliedSet(at(1), "digest"))
    store.marks.write_verified("file:a.yaml", VerifiedSet(at(1), "digest", store.version(), 5))
    store.marks.write_rules("rules", at(3))


def held_by(store: Store) -> dict[str, Any]:
    """Return all that a copy must have. Revisions differ in each store."""
    rows = list(store.find(Query()))
    present = {one.entry.name: one.revision for one in rows}
    records = [(one.at, one.record) for one in store.records("")]
    newest = store.term()
    assert newest is not None
    return {
        "namespace": store.namespace,
        "term": (newest[0].number, newest[1]),
        "entries": [replace(one, revision=0) for one in rows],
        "records": [record for _, record in records],
        "deliveries": store.outcomes([record.task_id for _, record in records]),
        "outcomes": store.entry_outcomes(None),
        "running": store.running(None),
        "requests": [
            (replace(one, revision=0), one.revision == present.get(one.name))
            for one, _ in store.requests(100)
        ],
        "incidents": [replace(one, revision=0) for one in store.incidents(None, None)],
        "changes": [replace(one, id="") for one in changes(store)],
        "marks": {m for m in store.all_marks() if m.key not in NOT_COPIED},
    }


def test_all_of_a_store_is_in_its_copy_of_any_kind(opening: Open) -> None:
    stores = [opening(place) for place in CIRCLE]
    fill(stores[0])
    before = held_by(stores[0])
    assert before["running"]["queued"].waits and len(before["incidents"]) == 2
    assert all(before.values())
    for source, target in pairwise(stores):
        copied = copy(source, target)
        assert copied.is_whole and not copied.resumed
        assert held_by(target) == before
    assert copied.target == Counts(
        entries=9,
        paused_or_disabled=4,
        records=len(before["records"]),
        outcomes_of_runs=3,
        outcomes_of_entries=1,
        running=1,
        requests=3,
        incidents=2,
        changes=8,
        pauses=2,
        marks=2,
    )
    assert held_by(stores[0]) == before


@pytest.mark.parametrize("place", [sqlite, shelve, redis, postgresql])
def test_a_copy_that_was_interrupted_goes_on_and_doubles_nothing(
    opening: Open, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = opening(sqlite), opening(place)
    fill(source)
    monkeypatch.setattr("beatd.copying.copy_counts.BATCH", 2)
    reached = set[tuple[str, int]]()

    def end_once(what: str, done: int, total: int) -> None:
        if what != "counting records" and (what, done) not in reached:
            reached.add((what, done))
            raise KeyboardInterrupt

    interrupted = 0
    while True:
        try:
            copied = copy_store(Roles.of(source), Roles.of(target), at(1000), end_once)
            break
        except KeyboardInterrupt:
            interrupted += 1
    assert interrupted > 6 and copied.resumed and copied.is_whole
    assert held_by(target) == held_by(source)
    assert copy(source, target) == copied


def test_a_store_with_entries_of_its_own_is_no_target(opening: Open) -> None:
    source, target = opening(sqlite), opening(shelve)
    fill(source)
    put(target, "mine")
    before = held_by(source)
    with pytest.raises(BeatError, match=r"TO is not empty, .* entries \(1\)"):
        copy(source, target)
    with pytest.raises(BeatError, match="FROM has changed since"):
        done = opening(sqlite)
        copy(source, done)
        put(source, "later")
        copy(source, done)
    assert len(held_by(source)["entries"]) == len(before["entries"]) + 1


def test_a_store_with_changes_of_its_own_is_no_target(opening: Open) -> None:
    source, target = opening(sqlite), opening(shelve)
    fill(source)
    add(target, "mine")
    remove(target, "mine")
    with pytest.raises(BeatError, match=r"TO is not empty, .* incidents or changes"):
        copy(source, target)


def test_nothing_is_copied_while_a_daemon_runs_on_either(opening: Open) -> None:
    source, target = opening(sqlite), opening(sqlite)
    fill(source)
    for store, which in ((source, "FROM"), (target, "TO")):
        who = holder("scheduler-1")
        store.announce(Presence(who, "leader", True, at(0)), 60)
        with pytest.raises(BeatError, match=f"stop the daemons on {which} .*scheduler-1.*leader"):
            copy(source, target)
        store.leave(who)
    assert target.count() == 0 and copy(source, target).is_whole


def test_open_claims_and_an_empty_source_are_refused(opening: Open) -> None:
    source, target = opening(sqlite), opening(sqlite)
    with pytest.raises(BeatError, match="FROM is empty"):
        copy(source, target)
    claimed(source, put(source), lead(source))
    with pytest.raises(BeatError, match="FROM has 1 open claim:"):
        copy(source, target)


def test_a_source_that_changes_meanwhile_is_no_whole_copy(opening: Open) -> None:
    source, target = opening(sqlite), opening(sqlite)
    fill(source)

    def add(what: str, done: int, total: int) -> None:
        if what == "entries":
            put(source, "later")

    with pytest.raises(BeatError, match="FROM changed while it was copied"):
        copy_store(Roles.of(source), Roles.of(target), at(1000), add)


def test_a_request_that_is_made_meanwhile_is_noticed(opening: Open) -> None:
    source, target = opening(sqlite), opening(sqlite)
    fill(source)

    def trigger(what: str, done: int, total: int) -> None:
        if what == "requests":
            source.add_requests([request_of(row(source, "missed"))])

    with pytest.raises(BeatError, match="FROM changed while it was copied"):
        copy_store(Roles.of(source), Roles.of(target), at(1000), trigger)
    copied = copy(source, target)
    assert copied.is_whole and copied.target.requests == 4


def test_entries_that_cannot_be_read_are_missed(opening: Open) -> None:
    source, target = opening(shelve), opening(sqlite)
    put(source, "whole")
    put(source, "newer")
    tables: Any = source
    damaged = replace(tables._tables.defined["newer"], definition=b'{"new": 1}')
    tables._tables.defined["newer"] = damaged
    copied = copy(source, target)
    assert not copied.is_whole and (copied.source.entries, copied.target.entries) == (2, 1)
