"""Behind Sentinels, and in one slot of a Cluster."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from beatd.catalog import Query
from beatd.errors import ConfigError, StoreEmptied, StoreError
from beatd.leaders.redis import RedisLease
from beatd.run import Running
from beatd.servers.redis import RedisServer
from beatd.stores.redis import RedisStore
from tests.stores.changing import add, changes, pause_of, stop
from tests.stores.making import at, claimed, holder, lead, names, open_claims, past, put, row, told
from tests.stores.redis.servers import Start, cluster, sentinel, until
from tests.stores.running_runs import delivery, put_queued, started
from tests.stores.test_incidents import incident


def does_all_it_should(store: RedisStore) -> None:
    run = claimed(store, put(store), lead(store))
    assert len(open_claims(store)) == 1
    store.record([told(run)])
    assert [record.state for record in past(store, "tidy")] == ["published"]
    assert names(store.find(Query(order="next"))) == ["tidy"]
    assert names(store.find(Query())) == ["tidy"]
    assert store.read_mark("cli") is None
    assert store.now() is not None
    assert store.daemons() == []
    assert store.problems() == []
    assert store.version() != "0"
    keeps_what_becomes_of_runs(store)
    keeps_changes_and_pauses(store)


def keeps_what_becomes_of_runs(store: RedisStore) -> None:
    run = started(store, put_queued(store, "queued"), lead(store))
    assert list(store.running(None)) == ["queued"]
    store.prolong([run.task_id], at(90))
    assert row(store, "queued").running == Running(run.task_id, at(1), at(90))
    assert store.write_outcomes([delivery(run, "succeeded")], at(5)) == ["written"]
    assert store.running(None) == {}
    assert list(store.outcomes([run.task_id])) == [run.task_id]
    assert store.entry_outcomes(None)["queued"].successes == 1
    assert store.put_incidents([incident()]) == [True] and store.open_incidents() == [incident()]
    assert store.forget(at(-1000), 1000) == 0


def keeps_changes_and_pauses(store: RedisStore) -> None:
    add(store, "changed")
    stop(store, "changed", pause_of(60))
    assert row(store, "changed").pause == pause_of(60)
    assert list(store.ending_pauses(at(61), 10)) == ["changed"]
    newest, oldest = changes(store)
    assert list(store.changes("changed", 1, newest.id)) == [store.change(oldest.id)] == [oldest]
    store.write_changes([oldest])
    assert store.forget_changes(newest.at, 1000) == 1
    first = store.history_page(None, 1)  # an open claim
    (record,) = store.history_page(None, 1, first.rest).records
    assert list(store.history_page("tidy", 1).records) == [record]
    assert store.newest_records(["tidy"], 5) == {"tidy": [record]}
    assert names(store.find(Query(contains="CHANG", order="next"))) == ["changed"]


def test_a_cluster_keeps_a_store_and_a_lease(start: Start, open_store: Callable) -> None:
    nodes = cluster(start)
    url = f"redis+cluster://127.0.0.1:{nodes[0].port},127.0.0.1:{nodes[1].port}"
    store = open_store(url)
    heard = threading.Event()
    store.watch(heard.set)
    does_all_it_should(store)
    assert store.server() is None
    until(lambda: heard_of(store, heard))
    lease, other = RedisLease(url), RedisLease(url)
    me, you = holder("me"), holder("you")
    assert lease.take(me, 60) == me
    assert other.take(you, 60) == me
    lease.release(me)
    assert other.take(you, 60) == you
    lease.close()
    other.close()


def test_a_slot_that_is_being_moved_is_waited_for(start: Start, open_store: Callable) -> None:
    nodes = cluster(start)
    store = open_store(f"redis+cluster://127.0.0.1:{nodes[0].port}")
    store.begin(holder("me"))
    (source,) = [node for node in nodes if node.admin.dbsize()]
    target = next(node for node in nodes if node is not source)
    slot = source.admin.execute_command("CLUSTER KEYSLOT", source.admin.keys()[0])
    ids = {node: node.admin.execute_command("CLUSTER MYID").decode() for node in nodes}
    target.admin.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[source])
    source.admin.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[target])

    with pytest.raises(StoreError, match="moves the slot of beatd") as trouble:
        store.begin(holder("me"))

    assert not isinstance(trouble.value, StoreEmptied)
    assert target.admin.dbsize() == 0
    source.admin.execute_command(
        "MIGRATE", "127.0.0.1", target.port, "", 0, 2000, "KEYS", *source.admin.keys()
    )
    for node in (target, source, *nodes):
        node.admin.execute_command("CLUSTER SETSLOT", slot, "NODE", ids[target])
    assert store.begin(holder("me")).number == 2


def heard_of(store: RedisStore, heard: threading.Event) -> bool:
    store.add_requests([])
    return heard.wait(0.2)


def test_sentinels_lead_to_the_new_master(
    start: Start, open_store: Callable, tmp_path: Path
) -> None:
    master = start("--repl-diskless-sync-delay", "0")
    replica = start("--replicaof", "127.0.0.1", str(master.port))
    until(lambda: replica.admin.info("replication")["master_link_status"] == "up")
    watcher = sentinel(start, master, tmp_path, down_after_ms=2000)
    try:
        until(lambda: watcher.admin.sentinel_slaves("ours"))
        url = f"sentinel://127.0.0.1:{watcher.port}/ours/0"
        store = open_store(url, timeout=2.0)
        does_all_it_should(store)
        lease, me = RedisLease(url), holder("me")
        assert lease.take(me, 60) == me
        until(lambda: replica.admin.info("replication")["master_link_status"] == "up")
        master.admin.set("last", "written")  # WAIT is for the writes of its own connection
        assert master.admin.wait(1, 5000) == 1
        master.kill()
        with pytest.raises(StoreError):
            store.upcoming(1)
        until(lambda: after_failover(store), 30)
        assert row(store).runs == 1
        assert lease.take(me, 60) == me
        assert lease.take(holder("you"), 60) == me
        lease.close()
    finally:
        watcher.close()


SENTINEL = "write it like sentinel://HOST:26379;HOST:26379/SERVICE/DB"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sentinel://h:1/0/ours", f"'0' stands where the service belongs; {SENTINEL}"),
        ("sentinel://h:1/ours/x", f"the database 'x' is no number; {SENTINEL}"),
        ("sentinel://h:1/ours/0/1", f"the database '0/1' is no number; {SENTINEL}"),
        ("sentinel://h:1/ours?db=x", f"the database 'x' is no number; {SENTINEL}"),
        ("sentinel://h:1/0", f"the service is missing; {SENTINEL}"),
        ("sentinel://h:1", f"the service is missing; {SENTINEL}"),
        ("redis://h:1/ours/0", "the database 'ours/0' is no number; write it like redis://HOST:"),
    ],
)
def test_a_url_that_is_no_redis_is_told_in_words_of_ours(url: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        RedisServer(url)
    place = url.partition("?")[0]
    assert str(refused.value).startswith(f"{place}: not a Redis URL: {said}")


def test_the_service_may_stand_among_the_options() -> None:
    server = RedisServer("sentinel://h:1/3?master_name=ours")
    assert server.place == "sentinel://h:1/ours"
    assert server.client.connection_pool.connection_kwargs["db"] == 3
    server.close()


def test_sentinels_that_nobody_answers_for_are_one_sentence() -> None:
    server = RedisServer("sentinel://127.0.0.1:1/ours", timeout=0.5)
    with pytest.raises(StoreError) as away, server.answering():
        server.client.ping()
    assert str(away.value) == (
        "sentinel://127.0.0.1:1/ours: no Sentinel answers that knows a master of this name"
    )
    server.close()


def after_failover(store: RedisStore) -> bool:
    try:
        put(store, "new") if not names(store.find(Query(names=("new",)))) else None
    except StoreError:
        return False
    return True
