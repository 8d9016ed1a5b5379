"""Messages on their way to Redis before their moment: there at the last word, or not at all."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kombu import Exchange, Queue

from beatd.publisher import HeldMessages, Outcome
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for
from beatd.run import Run
from tests.publishers.faults import batch, kinds
from tests.publishers.runs import always, entry, run
from tests.publishers.servers import PrivateRedis


@pytest.fixture
def publisher(private_redis: PrivateRedis) -> Iterator[CeleryPublisher]:
    made = CeleryPublisher(app=app_for({"url": private_redis.url}), timeout=2.0)
    assert made.reachable()
    yield made
    made.close()


@pytest.fixture
def client(private_redis: PrivateRedis) -> Iterator[Any]:
    with private_redis.client() as made:
        yield made


def held(publisher: CeleryPublisher, runs: list[Run]) -> HeldMessages:
    messages = publisher.hold(runs)
    assert messages is not None
    return messages


def ids(client: Any, queue: str) -> list[str]:
    """In the order that a worker takes them."""
    found = reversed(client.lrange(queue, 0, -1))
    return [json.loads(message)["headers"]["id"] for message in found]


@pytest.mark.parametrize("size", [1, 2, 500, 1300])
def test_they_arrive_at_the_last_word_and_not_before(
    publisher: CeleryPublisher, client: Any, size: int
) -> None:
    runs = batch(size)
    messages = held(publisher, runs)
    assert client.llen("faults") == 0
    assert messages.send(always) == [Outcome("confirmed")] * size
    assert sorted(ids(client, "faults")) == sorted(each.task_id for each in runs)
    assert kinds(publisher.publish(batch(2), always)) == ["confirmed"] * 2


def test_they_are_those_that_publish_would_send_in_its_order(
    publisher: CeleryPublisher, client: Any
) -> None:
    runs = batch(20)
    publisher.publish(runs, always)
    in_order = ids(client, "faults")
    client.delete("faults")
    held(publisher, runs).send(always)
    assert ids(client, "faults") == in_order == [each.task_id for each in runs]


def test_each_goes_to_its_own_list(publisher: CeleryPublisher, client: Any) -> None:
    runs = [each for pair in zip(batch(5, "a"), batch(5, "b"), strict=True) for each in pair]
    assert kinds(held(publisher, runs).send(always)) == ["confirmed"] * 10
    assert [client.llen(queue) for queue in "ab"] == [5, 5]


def test_dropped_they_never_were(publisher: CeleryPublisher, client: Any) -> None:
    runs = batch(10)
    held(publisher, runs).drop()
    assert kinds(publisher.publish(runs, always)) == ["confirmed"] * 10
    assert client.llen("faults") == 10


def test_a_server_that_went_away_and_came_back_gets_each_once(
    publisher: CeleryPublisher, private_redis: PrivateRedis
) -> None:
    messages = held(publisher, batch(10))
    private_redis.kill()
    private_redis.start()
    assert kinds(messages.send(always)) == ["confirmed"] * 10
    assert private_redis.client().llen("faults") == 10


def test_a_connection_that_was_closed_here_is_not_gone_on_with(
    publisher: CeleryPublisher, client: Any
) -> None:
    messages = held(publisher, batch(10))
    publisher._wire._channel.pool.disconnect()  # type: ignore[attr-defined]
    assert kinds(messages.send(always)) == ["confirmed"] * 10
    assert client.llen("faults") == 10


def test_a_server_that_is_away_has_taken_nothing(
    publisher: CeleryPublisher, private_redis: PrivateRedis
) -> None:
    messages = held(publisher, batch(10))
    private_redis.kill()
    assert set(kinds(messages.send(always))) == {"unsent"}


def test_a_server_that_froze_may_have_taken_them(
    publisher: CeleryPublisher, private_redis: PrivateRedis
) -> None:
    messages = held(publisher, batch(10))
    private_redis.freeze()
    assert kinds(messages.send(always)) == ["unknown"] * 10
    private_redis.thaw()
    assert publisher.reachable()
    assert kinds(publisher.publish(batch(1), always)) == ["confirmed"]


def out_of_memory(client: Any) -> None:
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1")


def of_another_type(client: Any) -> None:
    client.set("faults", "mine")


def a_replica(client: Any) -> None:
    client.replicaof("127.0.0.1", 1)


@pytest.mark.parametrize(
    ("becomes", "kind"),
    [(out_of_memory, "unsent"), (a_replica, "unsent"), (of_another_type, "rejected")],
)
def test_what_is_refused_was_not_taken(
    publisher: CeleryPublisher, client: Any, becomes: Callable[[Any], None], kind: str
) -> None:
    messages = held(publisher, [*batch(3), *batch(2, "other")])
    becomes(client)
    outcomes = messages.send(always)
    assert kinds(outcomes[:3]) == [kind] * 3 and outcomes[0].reason
    assert client.type("faults") in (b"none", b"string", "none", "string")
    assert kinds(outcomes[3:]) == (["confirmed"] * 2 if kind == "rejected" else [kind] * 2)


def many_lists() -> list[Run]:
    return [each for n in range(9) for each in batch(1, f"q{n}")]


@pytest.mark.parametrize("runs", [many_lists, lambda: batch(2500)])
def test_what_takes_more_than_a_few_commands_is_not_held(
    publisher: CeleryPublisher, client: Any, runs: Callable[[], list[Run]]
) -> None:
    assert publisher.hold(runs()) is None
    assert not any(client.type(key) in (b"list", "list") for key in client.scan_iter())


def test_only_lists_of_one_redis_are_sent_ahead() -> None:
    publisher = CeleryPublisher(app=app_for({"url": "memory://"}), timeout=2.0)
    assert publisher.hold(batch(2)) is None
    publisher.close()


def test_an_exchange_to_several_queues_is_not_held(private_redis: PrivateRedis) -> None:
    app = app_for({"url": private_redis.url})
    news = Exchange("news", type="direct")
    app.conf.task_queues = [Queue(name, news, routing_key="any") for name in ("left", "right")]
    publisher = CeleryPublisher(app=app, timeout=2.0)
    for queue in app.conf.task_queues:
        with app.connection_for_write() as connection:
            queue(connection.default_channel).declare()
    to_both = entry("news", "t.news", options={"exchange": "news", "routing_key": "any"})
    runs = [run(to_both, nth=nth) for nth in range(3)]
    assert publisher.hold(runs) is None
    assert kinds(publisher.publish(runs, always)) == ["confirmed"] * 3
    with private_redis.client() as client:
        assert [client.llen(name) for name in ("left", "right")] == [3, 3]
    publisher.close()
