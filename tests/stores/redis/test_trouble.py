"""A Redis that is away, frozen, emptied, locked, full of other things: one clear line each."""

import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from beatd.catalog import Query
from beatd.errors import ConfigError, Deposed, StoreError, StoreUnusable
from beatd.leaders.redis import RedisLease
from tests import needs
from tests.stores.making import at, claimed, holder, lead, names, open_claims, put, row, told
from tests.stores.redis.servers import Start, free_port, until

SECRET = "s3cr3t-pa55"
PATIENCE_S = 60.0


def test_nobody_listening_is_one_line_with_its_place(open_store: Callable) -> None:
    port = free_port()
    with pytest.raises(StoreError, match=f"127.0.0.1:{port}") as said:
        open_store(f"redis://me:{SECRET}@127.0.0.1:{port}/0")
    assert SECRET not in str(said.value) and "\n" not in str(said.value)
    assert not isinstance(said.value, StoreUnusable)


def test_a_wrong_password_is_never_printed(start: Start, open_store: Callable) -> None:
    process = start("--requirepass", "another", auth=":another@")
    with pytest.raises(StoreUnusable, match=r"127\.0\.0\.1") as said:
        open_store(f"redis://:{SECRET}@127.0.0.1:{process.port}/0")
    assert SECRET not in str(said.value)
    with pytest.raises(StoreUnusable, match=r"[Aa]uthentication"):
        open_store(f"redis://127.0.0.1:{process.port}/0")


@pytest.mark.parametrize("password", [f":{SECRET}@", ""])
def test_a_wrong_password_of_a_cluster_is_not_waited_for(
    start: Start, open_store: Callable, password: str
) -> None:
    process = start("--requirepass", "another", "--cluster-enabled", "yes", auth=":another@")
    url = f"redis+cluster://{password}127.0.0.1:{process.port}"
    for used in (open_store, lambda url: RedisLease(url).take(holder("me"), 60)):
        with pytest.raises(
            StoreUnusable, match=r"127\.0\.0\.1.*([Aa]uthentication|WRONGPASS|inval)"
        ) as said:
            used(url)
        assert SECRET not in str(said.value) and "\n" not in str(said.value)


@pytest.mark.parametrize("form", ["rediss://{}/0", "rediss+cluster://{}", "sentinel://{}/main/0"])
@pytest.mark.parametrize("name", ["ssl_ca_certs", "ssl_certfile"])
def test_a_missing_file_of_tls_is_named(
    start: Start, open_store: Callable, tmp_path: Path, form: str, name: str
) -> None:
    missing = tmp_path / "missing.pem"
    url = f"{form.format(f'127.0.0.1:{start().port}')}?ssl=true&{name}={missing}"
    url = url if form.startswith("sentinel") else url.replace("ssl=true&", "")
    for used in (open_store, lambda url: RedisLease(url).take(holder("me"), 60)):
        with pytest.raises(StoreError, match=f"{name} {missing}: cannot be read") as said:
            used(url)
        assert not isinstance(said.value, StoreUnusable)


def test_a_user_of_few_rights_is_enough(start: Start, open_store: Callable) -> None:
    process = start()
    process.admin.execute_command(
        "ACL", "SETUSER", "beat", "on", f">{SECRET}", "~beatd:*", "&beatd:*", "+@all",
        "-@dangerous", "-@admin", "+info",
    )  # fmt: skip
    store = open_store(f"redis://beat:{SECRET}@127.0.0.1:{process.port}/0")
    run = claimed(store, put(store), lead(store))
    store.record([told(run)])
    assert [record.state for record in store.history(None, None)] == ["published"]
    assert store.problems() == []


def test_a_user_without_our_keys_is_told_so(start: Start, open_store: Callable) -> None:
    process = start()
    process.admin.execute_command("ACL", "SETUSER", "beat", "on", f">{SECRET}", "~other:*", "+@all")
    with pytest.raises(StoreUnusable, match="key"):
        open_store(f"redis://beat:{SECRET}@127.0.0.1:{process.port}/0")


def test_a_replica_is_told_apart(start: Start, open_store: Callable) -> None:
    master = start("--repl-diskless-sync-delay", "0")
    replica = start("--replicaof", "127.0.0.1", str(master.port))
    until(lambda: replica.admin.info("replication")["master_link_status"] == "up")
    with pytest.raises(StoreUnusable, match="replica"):
        open_store(replica.url)


def test_keys_of_another_program_are_told(start: Start, open_store: Callable) -> None:
    process = start()
    store = open_store(process.url)
    process.admin.set("beatd:{0}:rows", "mine")
    with pytest.raises(StoreUnusable, match="another program"):
        put(store)


def test_a_bad_url_is_a_matter_of_configuration() -> None:
    from beatd.servers.redis import RedisServer

    for url in ("redis://localhost:port/0", "sentinel://localhost:26379"):
        with pytest.raises(ConfigError):
            RedisServer(url)


def test_a_policy_that_evicts_is_said(start: Start, open_store: Callable) -> None:
    store = open_store(start("--maxmemory-policy", "allkeys-lru").url)
    (problem,) = store.problems()
    assert "allkeys-lru" in problem and "noeviction" in problem


def test_an_emptied_redis_is_noticed_once_and_keeps_its_ids(
    start: Start, open_store: Callable
) -> None:
    process = start()
    store, other = open_store(process.url), open_store(process.url)
    stored, namespace = put(store), store.namespace
    lead(store)
    assert len(store.upcoming(10)) == 1
    process.admin.flushall()
    with pytest.raises(StoreError, match="came back empty"):
        store.upcoming(10)
    assert store.upcoming(10) == []
    assert store.term() is None
    assert any("came back empty" in problem for problem in store.problems())
    assert other.upcoming(10) == []
    assert store.namespace == other.namespace == namespace
    assert open_store(process.url).namespace == namespace
    assert put(store).revision > stored.revision


def test_a_new_identity_is_taken_up_by_all(start: Start, open_store: Callable) -> None:
    process = start()
    store, other = open_store(process.url), open_store(process.url)
    put(store)
    fresh = store.new_identity()
    with pytest.raises(StoreError, match="new identity"):
        other.upcoming(10)
    assert len(other.upcoming(10)) == 1
    assert other.namespace == fresh
    assert other.problems() == []


def test_a_redis_emptied_between_two_terms_is_noticed(start: Start, open_store: Callable) -> None:
    process = start()
    store = open_store(process.url)
    lead(store)
    process.admin.flushall()
    with pytest.raises(StoreError, match="came back empty"):
        lead(store)
    assert lead(store).number == 2


def test_a_frozen_redis_is_given_up_in_time(start: Start, open_store: Callable) -> None:
    process = start()
    store = open_store(process.url, timeout=1.0)
    put(store)
    process.send(signal.SIGSTOP)
    with pytest.raises(StoreError, match="no answer in time"):
        store.upcoming(10)
    process.send(signal.SIGCONT)
    until(lambda: tried(lambda: store.upcoming(10)))


def test_a_restarted_redis_is_used_again_at_once(start: Start, open_store: Callable) -> None:
    process = start("--appendonly", "yes")
    store = open_store(process.url)
    put(store)
    process.kill()
    with pytest.raises(StoreError):
        store.upcoming(10)
    process.start()
    assert len(store.upcoming(10)) == 1


def test_an_edit_by_another_is_heard_at_once(start: Start, open_store: Callable) -> None:
    process = start()
    store, other = open_store(process.url), open_store(process.url)
    heard = threading.Event()
    assert store.watch(heard.set)
    until(lambda: process.admin.pubsub_numsub("beatd:{0}:changed")[0][1] == 1)
    put(other)
    assert heard.wait(PATIENCE_S)


def test_a_watch_outlives_its_connection(start: Start, open_store: Callable) -> None:
    process = start()
    store, other = open_store(process.url), open_store(process.url)
    heard = threading.Event()
    store.watch(heard.set)
    until(lambda: process.admin.pubsub_numsub("beatd:{0}:changed")[0][1] == 1)
    process.admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    assert heard.wait(PATIENCE_S), "what was missed meanwhile is looked for"
    heard.clear()
    until(lambda: process.admin.pubsub_numsub("beatd:{0}:changed")[0][1] == 1)
    put(other)
    assert heard.wait(PATIENCE_S)


def test_a_claim_outlives_the_server(start: Start, open_store: Callable) -> None:
    process = start("--appendonly", "yes", "--appendfsync", "always")
    store = open_store(process.url)
    claimed(store, put(store), lead(store))
    process.kill()
    process.start()
    (claim,) = open_claims(store)
    assert claim.occurrence.planned == at(0)
    assert row(store).plan.planned == at(10)


def test_tls_is_spoken(start: Start, open_store: Callable, tmp_path: Path) -> None:
    openssl = needs.program("openssl")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key,
         "-out", cert, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    start("--port", "0", "--tls-port", str(port), "--tls-cert-file", str(cert), "--tls-key-file",
          str(key), "--tls-ca-cert-file", str(cert), "--tls-auth-clients", "no")  # fmt: skip
    url = f"rediss://localhost:{port}/0?ssl_ca_certs={cert}"
    until(lambda: tried(lambda: open_store(url)))
    store = open_store(url)
    put(store)
    assert names(store.find(Query())) == ["tidy"]
    with pytest.raises(StoreError, match="certificate"):
        open_store(f"rediss://localhost:{port}/0")


def tried(work: Callable[[], object]) -> bool:
    try:
        work()
    except StoreError:
        return False
    return True


def test_a_damaged_identity_is_told(start: Start, open_store: Callable) -> None:
    process = start()
    store = open_store(process.url)
    (key,) = process.admin.keys("*namespace")
    process.admin.set(key, b"\xff")
    for use in (lambda: store.upcoming(1), lambda: lead(store), lambda: open_store(process.url)):
        with pytest.raises(StoreUnusable, match=r"namespace is damaged: b'.xff' is no UUID"):
            use()


@pytest.mark.parametrize("damaged", [{"holder": "{"}, {"holder": b"\xff"}])
def test_a_damaged_name_of_the_leader_deposes_all_the_same(
    start: Start, open_store: Callable, damaged: dict
) -> None:
    process = start()
    store = open_store(process.url)
    stored, old = put(store), lead(store)
    lead(store, "two")
    (key,) = process.admin.keys("*term")
    process.admin.hset(key, mapping=damaged)
    with pytest.raises(Deposed, match="a daemon whose name is damaged leads with term 2"):
        claimed(store, stored, old)
    assert store.term() is None


def test_a_damaged_number_of_the_leader_is_told(start: Start, open_store: Callable) -> None:
    process = start()
    store = open_store(process.url)
    lead(store)
    (key,) = process.admin.keys("*term")
    process.admin.hset(key, "number", "x")
    assert store.term() is None
    assert any("the leader in" in line for line in store.problems())
