"""How it lies in Redis: nothing is left over, nothing outside the prefix, little for each entry."""

import pytest

from beatd.catalog import Change, Query
from beatd.run import Skip
from beatd.stores.redis import RedisStore
from tests.stores.making import (
    at,
    claimed,
    closed,
    entry,
    lead,
    names,
    open_claims,
    past,
    plan,
    put,
    put_many,
    row,
    step,
    told,
)
from tests.stores.redis.servers import RedisProcess


@pytest.fixture
def store(own_store: RedisStore) -> RedisStore:
    return own_store


def test_an_entry_that_changes_hands_is_listed_once(store: RedisStore) -> None:
    put_many(store, ["a", "b"])
    stored = put(store, "c", source="config")
    assert names(store.find(Query())) == ["a", "b", "c"]
    assert store.write([Change("c", stored.revision, entry("c", source="cli"))]) == [True]
    assert names(store.find(Query())) == ["a", "b", "c"]
    assert names(store.find(Query(source="config"))) == []
    assert names(store.find(Query(source="cli"))) == ["a", "b", "c"]


def test_all_keys_begin_with_the_prefix_and_share_a_slot(
    store: RedisStore, own_server: RedisProcess
) -> None:
    run = claimed(store, put(store), lead(store))
    store.record([told(run)])
    assert {key.split(b":")[:2] == [b"beatd", b"{0}"] for key in own_server.admin.scan_iter()} == {
        True
    }


def test_two_prefixes_are_two_stores(
    store: RedisStore, own_server: RedisProcess, open_store
) -> None:
    other = open_store(own_server.url, prefix="other:")
    put(store)
    assert names(other.find(Query())) == []
    assert other.namespace != store.namespace


def test_an_emptied_store_keeps_no_row_of_what_was_removed(
    store: RedisStore, own_server: RedisProcess
) -> None:
    stored = put(store)
    store.write([Change("tidy", stored.revision, None)])
    left = {key.decode().split(":", 2)[2].split(":")[0] for key in own_server.admin.scan_iter()}
    assert left == {"answer", "namespace", "sources", "version"}


def test_forgetting_leaves_no_tail_behind(store: RedisStore, own_server: RedisProcess) -> None:
    term = lead(store)
    for name in ("a", "b"):
        store.record([told(claimed(store, put(store, name), term))])
    assert store.forget(at(1000), 0) == 2
    assert not own_server.admin.exists("beatd:{0}:tails", "beatd:{0}:bridges")


def test_a_line_that_was_taken_back_hides_none_before_it(store: RedisStore) -> None:
    """A run found to be published after all replaces its skip; older lines are still found."""
    term = lead(store)
    put(store)
    store.record([told(claimed(store, row(store), term, 1, following=10))])
    run = claimed(store, row(store), term, 11, following=20)
    (claim,) = open_claims(store)
    assert store.claim([closed(claim, "unknown")], term, at(12)) == [True]
    skip = (Skip(at(20), at(20), 1, "late"),)
    move = step(store, row(store), 30, run=None, counts=0, skips=skip)
    assert store.claim([move], term, at(21)) == [True]
    assert [r.state for r in past(store, "tidy")] == ["skipped", "skipped", "published"]
    store.record([told(run, when=22)])
    assert [r.state for r in past(store, "tidy")] == ["published", "skipped", "published"]
    store.record([told(run, when=23)])
    assert len(past(store, "tidy")) == len(past(store)) == 3


def test_an_entry_costs_little(store: RedisStore, own_server: RedisProcess) -> None:
    before = int(own_server.admin.info("memory")["used_memory"])
    for first in range(0, 10_000, 1000):
        some = [f"entry-{number:07}" for number in range(first, first + 1000)]
        store.write([Change(name, 0, entry(name), plan(10)) for name in some])
    used = int(own_server.admin.info("memory")["used_memory"]) - before
    assert used / 10_000 < 800
