"""`SENTINEL FAILOVER`: the old primary takes writes for ten seconds more, and loses them all."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beatd.catalog import Query
from beatd.errors import StoreError
from beatd.leaders.redis import RedisLease
from beatd.stores.redis import RedisStore
from tests.stores.making import holder, names, put
from tests.stores.redis.servers import RedisProcess, Start, sentinel, until
from tests.stores.redis.test_trouble import tried


class Pair:
    """A primary, its replica, and the Sentinel that watches them."""

    def __init__(self, start: Start, folder: Path) -> None:
        self.old = start("--repl-diskless-sync-delay", "0")
        self.new = start("--replicaof", "127.0.0.1", str(self.old.port))
        until(lambda: self.new.admin.info("replication")["master_link_status"] == "up")
        self.watcher = sentinel(start, self.old, folder)
        until(lambda: self.watcher.admin.sentinel_slaves("ours"))
        self.url = f"sentinel://127.0.0.1:{self.watcher.port}/ours/0"

    def fail_over(self) -> None:
        self.old.admin.set("last", "written")  # WAIT is for the writes of its own connection
        assert self.old.admin.wait(1, 5000) == 1
        until(lambda: self.watcher.admin.execute_command("SENTINEL FAILOVER", "ours"))
        until(lambda: takes_writes(self.new))


def takes_writes(process: RedisProcess) -> bool:
    role: str = process.admin.info("replication")["role"]
    return role == "master"


@pytest.fixture
def pair(start: Start, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(start, tmp_path)
    yield made
    made.watcher.close()


def is_on(store: RedisStore, process: RedisProcess) -> bool:
    run_id = process.admin.info("server")["run_id"]
    try:
        found = store.server()
    except StoreError:
        return False
    return found is not None and found[0] == run_id


def test_the_old_primary_is_left_while_it_still_takes_writes(
    pair: Pair, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(pair.url)
    put(store, "before")
    pair.fail_over()
    until(lambda: is_on(store, pair.new))
    assert takes_writes(pair.old)
    until(lambda: tried(lambda: put(store, "after")))  # the move may be said only now
    near = open_store(pair.new.url)
    assert names(near.find(Query())) == ["after", "before"]


def test_a_move_is_said_once_to_each_thread(
    pair: Pair, open_store: Callable[..., RedisStore]
) -> None:
    store = open_store(pair.url)
    put(store)
    moved, other = threading.Event(), list[str]()
    assert store.watch(moved.set)
    seen, go_on = threading.Event(), threading.Event()

    def look_twice() -> None:
        store.version()
        seen.set()
        go_on.wait(60)
        for _ in range(2):
            try:
                store.version()
            except StoreError as error:
                other.append(str(error))

    thread = threading.Thread(target=look_twice)
    thread.start()
    assert seen.wait(60)
    moved.clear()
    pair.fail_over()
    assert moved.wait(60), "the beat looks at once"
    with pytest.raises(StoreError, match=f"the primary is 127.0.0.1:{pair.new.port} now"):
        store.version()
    assert len(store.upcoming(1)) == 1
    go_on.set()
    thread.join()
    assert len(other) == 1


def test_an_edit_on_the_new_primary_is_heard(
    pair: Pair, open_store: Callable[..., RedisStore]
) -> None:
    store, heard = open_store(pair.url), threading.Event()
    store.watch(heard.set)
    pair.fail_over()
    until(lambda: pair.new.admin.pubsub_numsub("beatd:{0}:changed")[0][1] == 1)
    assert takes_writes(pair.old)
    heard.clear()
    put(open_store(pair.new.url))
    assert heard.wait(60)


def test_a_lease_is_renewed_on_the_new_primary(pair: Pair) -> None:
    lease, me = RedisLease(pair.url), holder("me")
    key = "beatd:{0}:lease"
    lease.take(me, 60)
    pair.fail_over()

    def is_renewed() -> bool:
        try:
            lease.take(me, 600)
        except StoreError:
            return False
        return pair.new.admin.pttl(key) > 60_000

    until(is_renewed)
    assert takes_writes(pair.old)
    lease.close()
