"""The contract of History, kept by every store."""

from beatd.catalog import Change
from beatd.run import Skip
from beatd.store import Store
from tests.stores.making import (
    at,
    claimed,
    edit,
    lead,
    open_claims,
    past,
    plan,
    put,
    put_many,
    request_of,
    row,
    step,
    told,
)


def fill(store: Store, count: int) -> None:
    """One published record for each second from 1 on, of one entry."""
    put(store, planned=0)
    term = lead(store)
    for n in range(count):
        run = claimed(store, row(store), term, when=n + 0.5, following=n + 1)
        store.record([told(run, when=n + 1)])


def test_there_is_no_history_at_first(store: Store) -> None:
    assert past(store) == []


def test_the_newest_comes_first(store: Store) -> None:
    fill(store, 4)
    assert [record.planned for record in past(store)] == [at(3), at(2), at(1), at(0)]


def test_the_limit_holds(store: Store) -> None:
    fill(store, 4)
    assert [record.planned for record in store.history(None, 2)] == [at(3), at(2)]
    assert len(list(store.history("tidy", 50))) == 4


def test_history_is_told_of_one_name(store: Store) -> None:
    term = lead(store)
    for stored in put_many(store, ["a", "A", "a*", "b"]):
        claimed(store, stored, term)
    assert [record.name for record in store.history("a", None)] == ["a"]
    assert [record.name for record in store.history("a*", None)] == ["a*"]
    assert list(store.history("none", None)) == []


def test_an_open_claim_is_told_as_claimed_among_the_others(store: Store) -> None:
    fill(store, 2)
    term = lead(store, "two")
    run = claimed(store, row(store), term, when=2.5, following=3)
    move = step(store, row(store), 9, run=None, counts=0, skips=(Skip(at(3), at(3), 1, "late"),))
    store.claim([move], term, at(8))
    found = past(store)
    assert [record.state for record in found] == ["skipped", "claimed", "published", "published"]
    assert found[1].task_id == run.task_id
    assert found[1].term == term.number
    assert (found[1].published, found[1].late, found[1].count) == (None, None, 1)


def test_a_run_has_one_record_however_it_ended(store: Store) -> None:
    fill(store, 3)
    assert len({record.task_id for record in past(store)}) == 3
    assert len(past(store)) == 3


def test_history_of_a_removed_entry_stays(store: Store) -> None:
    fill(store, 1)
    store.write([Change("tidy", row(store).revision, None)])
    assert [(r.name, r.state) for r in store.history("tidy", None)] == [("tidy", "published")]


def test_old_records_are_forgotten(store: Store) -> None:
    fill(store, 5)  # written at 1, 2, 3, 4, 5
    assert store.forget(at(3), 1000) == 2
    assert [record.planned for record in past(store)] == [at(4), at(3), at(2)]
    assert store.forget(at(3), 1000) == 0


def test_all_but_the_newest_are_forgotten(store: Store) -> None:
    fill(store, 5)
    assert store.forget(at(-100), 2) == 3
    assert [record.planned for record in past(store)] == [at(4), at(3)]
    assert store.forget(at(-100), 0) == 2
    assert past(store) == []


def test_age_and_count_both_hold(store: Store) -> None:
    fill(store, 5)
    assert store.forget(at(2), 2) == 3
    assert [record.planned for record in past(store)] == [at(4), at(3)]


def test_open_claims_are_never_forgotten(store: Store) -> None:
    fill(store, 2)
    run = claimed(store, row(store), lead(store), when=2.5, following=3)
    assert store.forget(at(1000), 0) == 2
    assert [record.task_id for record in past(store)] == [run.task_id]
    assert len(open_claims(store)) == 1
    store.record([told(run)])
    assert [record.state for record in past(store)] == ["published"]


def test_recording_goes_on_after_forgetting(store: Store) -> None:
    fill(store, 2)
    store.forget(at(1000), 0)
    run = claimed(store, row(store), lead(store), when=2.5, following=3)
    store.record([told(run, when=3)])
    store.record([told(run, when=3)])
    assert [record.planned for record in past(store)] == [at(2)]


def test_thousands_are_forgotten_at_once(store: Store) -> None:
    stored, term = put(store), lead(store)
    skips = tuple(Skip(at(n), at(n), 1, "late") for n in range(2500))
    store.claim([step(store, stored, 3000, run=None, counts=0, skips=skips)], term, at(2600))
    assert store.forget(at(9999), 0) == 2500
    assert past(store) == []


def test_what_is_dropped_with_its_entry_is_in_the_history(store: Store) -> None:
    stored = put(store)
    store.add_requests([request_of(stored, "backlog", 0, 20)])
    assert store.write([edit(stored, stored.entry, plan(50, "two"))]) == [True]
    assert [(r.state, r.reason) for r in store.history("tidy", 1)] == [("skipped", "edited")]


def test_a_history_left_unread_holds_nothing_up(store: Store) -> None:
    fill(store, 3)
    stream = store.history(None, None)
    next(stream)
    assert put(store, "other").entry.name == "other"
