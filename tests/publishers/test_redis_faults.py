"""Redis away, frozen or refusing: every run has an outcome, and no wait is longer than told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Exchange, Queue

from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for
from tests.publishers.faults import at_ask, batch, kinds, took
from tests.publishers.runs import always, entry, run
from tests.publishers.servers import PrivateRedis
from tests.waiting import until

TIMEOUT = 2.0  # long enough for an answer on a busy machine


@pytest.fixture
def publisher(private_redis: PrivateRedis) -> Iterator[CeleryPublisher]:
    made = CeleryPublisher(app=app_for({"url": private_redis.url}), timeout=TIMEOUT)
    assert made.reachable()
    yield made
    made.close()


def test_a_frozen_redis_is_found_out_before_anything_is_written(
    private_redis: PrivateRedis, publisher: CeleryPublisher
) -> None:
    private_redis.freeze()
    publisher.reachable()  # forget that it answered a moment ago
    outcomes: list[str] = []
    spent = took(lambda: outcomes.extend(kinds(publisher.publish(batch(100), always))))
    assert spent < 50 * TIMEOUT, "one wait for all of them, and not one for each"
    assert outcomes == ["unsent"] * 100
    private_redis.thaw()
    assert publisher.reachable()
    assert kinds(publisher.publish(batch(3), always)) == ["confirmed"] * 3
    assert private_redis.client().llen("faults") == 3


def test_what_was_written_to_a_redis_that_froze_is_unknown_and_the_rest_unsent(
    private_redis: PrivateRedis, publisher: CeleryPublisher
) -> None:
    freeze = at_ask(2, private_redis.freeze)
    outcomes = kinds(publisher.publish(batch(6000), freeze))
    assert outcomes == ["confirmed"] * 2000 + ["unknown"] * 2000 + ["unsent"] * 2000
    private_redis.thaw()
    assert publisher.reachable()
    assert kinds(publisher.publish(batch(1), always)) == ["confirmed"]


def test_a_redis_that_died_in_mid_batch_is_used_again_as_soon_as_it_returns(
    private_redis: PrivateRedis, publisher: CeleryPublisher
) -> None:
    outcomes = kinds(publisher.publish(batch(6000), at_ask(2, private_redis.kill)))
    assert outcomes[:2000] == ["confirmed"] * 2000
    assert set(outcomes[2000:4000]) == {"unknown"}
    assert set(outcomes[4000:]) == {"unsent"}
    assert not publisher.reachable()
    assert set(kinds(publisher.publish(batch(5), always))) == {"unsent"}
    private_redis.start()
    assert publisher.reachable()
    assert kinds(publisher.publish(batch(5), always)) == ["confirmed"] * 5
    assert private_redis.client().llen("faults") == 5


def test_a_restart_between_two_batches_is_not_noticed(
    private_redis: PrivateRedis, publisher: CeleryPublisher
) -> None:
    assert kinds(publisher.publish(batch(1), always)) == ["confirmed"]
    private_redis.kill()
    private_redis.start()
    assert kinds(publisher.publish(batch(2), always)) == ["confirmed"] * 2


def test_a_redis_out_of_memory_has_taken_nothing(
    private_redis: PrivateRedis, publisher: CeleryPublisher
) -> None:
    with private_redis.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        outcomes = publisher.publish(batch(3), always)
        assert kinds(outcomes) == ["unsent"] * 3
        assert "maxmemory" in outcomes[0].reason
        client.config_set("maxmemory", "0")
    assert kinds(publisher.publish(batch(3), always)) == ["confirmed"] * 3


def test_a_replica_has_taken_nothing(
    private_redis: PrivateRedis, publisher: CeleryPublisher
) -> None:
    with private_redis.client() as client:
        client.replicaof("127.0.0.1", 1)
        outcomes = publisher.publish(batch(3), always)
        assert kinds(outcomes) == ["unsent"] * 3
        client.replicaof("NO", "ONE")
    assert kinds(publisher.publish(batch(3), always)) == ["confirmed"] * 3


def test_a_redis_without_its_replicas_has_taken_nothing(
    private_redis: PrivateRedis, publisher: CeleryPublisher
) -> None:
    with private_redis.client() as client:
        client.config_set("min-replicas-to-write", 1)
        outcomes = publisher.publish(batch(3), always)
        assert kinds(outcomes) == ["unsent"] * 3 and "NOREPLICAS" in outcomes[0].reason
        client.config_set("min-replicas-to-write", 0)
    assert kinds(publisher.publish(batch(3), always)) == ["confirmed"] * 3


def test_a_redis_that_cannot_save_has_taken_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    server = PrivateRedis(disk)
    publisher = CeleryPublisher(app=app_for({"url": server.url}), timeout=TIMEOUT)
    assert kinds(publisher.publish(batch(3), always)) == ["confirmed"] * 3
    with server.client() as client:
        client.config_set("save", "1 1")
        disk.rmdir()  # as good as full
        client.bgsave()
        until(lambda: client.info()["rdb_last_bgsave_status"] == "err", 10, "it saved")
        outcomes = publisher.publish(batch(3), always)
        assert kinds(outcomes) == ["unsent"] * 3 and "MISCONF" in outcomes[0].reason
        client.config_set("save", "")
    assert kinds(publisher.publish(batch(3), always)) == ["confirmed"] * 3
    publisher.close()
    server.kill()


def test_one_queue_that_is_refused_leaves_the_others_alone(
    private_redis: PrivateRedis, publisher: CeleryPublisher
) -> None:
    with private_redis.client() as client:
        client.set("not-a-list", "x")
        runs = batch(2, "good") + batch(2, "not-a-list") + batch(2, "good")
        outcomes = publisher.publish(runs, always)
        assert kinds(outcomes) == ["confirmed"] * 2 + ["rejected"] * 2 + ["confirmed"] * 2
        assert "wrong kind of value" in outcomes[2].reason
        assert client.llen("good") == 4


def test_what_reached_one_of_its_two_queues_is_unknown(
    private_redis: PrivateRedis,
) -> None:
    app = app_for({"url": private_redis.url})
    both = Exchange("both", type="topic")
    app.conf.task_queues = [Queue(name, both, routing_key="#") for name in ("one", "two")]
    publisher = CeleryPublisher(app=app, timeout=TIMEOUT)
    for queue in ("one", "two"):  # bound, as by their workers
        assert kinds(publisher.publish(batch(1, queue), always)) == ["confirmed"]
    task = entry("both", "t.both", options={"exchange": "both", "routing_key": "x"})
    runs = [run(task, nth=nth) for nth in range(2000)]
    answers = iter([True, False])  # four of eight commands: one queue has them all
    outcomes = publisher.publish(runs, lambda: next(answers))
    assert set(kinds(outcomes)) == {"unknown"}
    with private_redis.client() as client:
        lengths = [client.llen("one"), client.llen("two")]
        assert sum(lengths) == 2003 and min(lengths) <= 2
        client.flushdb()  # with the bindings
    assert kinds(publisher.publish(batch(1, "one"), always)) == ["confirmed"]
    assert kinds(publisher.publish([run(task)], always)) == ["confirmed"]
    with private_redis.client() as client:
        client.flushdb()
    outcomes = publisher.publish([run(task)], always)
    assert kinds(outcomes) == ["rejected"] and "no queue is bound" in outcomes[0].reason
    publisher.close()


def test_a_user_without_the_right_to_a_queue_is_told_by_redis(private_redis: PrivateRedis) -> None:
    with private_redis.client() as client:
        client.acl_setuser(
            "beat", enabled=True, passwords=["+secret"], keys=["mine*", "_kombu*"],
            categories=["+@all"],
        )  # fmt: skip
    url = private_redis.url.replace("//", "//beat:secret@")
    publisher = CeleryPublisher(app=app_for({"url": url}), timeout=TIMEOUT)
    outcomes = publisher.publish(batch(1, "mine") + batch(1, "theirs"), always)
    publisher.close()
    assert kinds(outcomes) == ["confirmed", "rejected"]
    assert "permission" in outcomes[1].reason
    assert "secret" not in outcomes[1].reason


def test_a_wrong_password_leaves_everything_unsent(private_redis: PrivateRedis) -> None:
    url = private_redis.url.replace("//", "//nobody:hush@")
    publisher = CeleryPublisher(app=app_for({"url": url}), timeout=TIMEOUT)
    outcomes = publisher.publish(batch(1), always)
    publisher.close()
    assert kinds(outcomes) == ["unsent"]
    assert "hush" not in outcomes[0].reason


def test_a_lost_lead_stops_a_batch_between_two_slices(publisher: CeleryPublisher) -> None:
    answers = iter([True, False])
    outcomes = publisher.publish(batch(5000), lambda: next(answers))
    assert kinds(outcomes) == ["confirmed"] * 2000 + ["unsent"] * 3000
    assert "lead" in outcomes[-1].reason
