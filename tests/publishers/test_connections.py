"""TLS and Sentinel: as kombu connects."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from beatd.errors import ConfigError
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for, load_app
from tests.publishers.faults import batch, kinds
from tests.publishers.runs import always
from tests.publishers.servers import (
    Certificates,
    PrivateRabbitMQ,
    PrivateRedis,
    PrivateSentinel,
    free_port,
)
from tests.waiting import until


def published(broker: dict[str, Any]) -> list[str]:
    publisher = CeleryPublisher(app=app_for(broker), timeout=30)
    outcomes = kinds(publisher.publish(batch(3), always))
    publisher.close()
    return outcomes


def test_redis_over_tls_with_the_server_checked(tmp_path: Path) -> None:
    made, port = Certificates(tmp_path), free_port()
    server = PrivateRedis(
        tmp_path,
        *("--tls-port", str(port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(made.cert), "--tls-key-file", str(made.key)),
        *("--tls-ca-cert-file", str(made.authority)),
    )
    try:
        url = f"rediss://127.0.0.1:{port}/0"
        good = {"ssl_cert_reqs": "required", "ssl_ca_certs": str(made.authority)}
        assert published({"url": url, "ssl": good}) == ["confirmed"] * 3
        assert published({"url": url, "ssl": {"ssl_cert_reqs": "required"}}) == ["unsent"] * 3
    finally:
        server.kill()


def test_rabbitmq_over_tls_with_the_server_checked(private_rabbitmq: PrivateRabbitMQ) -> None:
    url = f"amqps://guest:guest@127.0.0.1:{private_rabbitmq.tls_port}//"
    made = private_rabbitmq.certificates
    good = {"ca_certs": str(made.authority), "cert_reqs": "required"}
    assert published({"url": url, "ssl": good}) == ["confirmed"] * 3
    assert published({"url": url, "ssl": {"cert_reqs": "required"}}) == ["unsent"] * 3


def test_a_word_that_is_no_check_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"broker\.ssl\.cert_reqs: 'perhaps'; try one of none"):
        app_for({"url": "amqps://x", "ssl": {"cert_reqs": "perhaps"}})


@pytest.fixture
def household(tmp_path: Path) -> Iterator[tuple[PrivateRedis, PrivateRedis, PrivateSentinel]]:
    """A master, its replica and the sentinel that watches them."""
    folders = [tmp_path / name for name in ("master", "replica", "sentinel")]
    for folder in folders:
        folder.mkdir()
    master = PrivateRedis(folders[0])
    replica = PrivateRedis(folders[1], "--replicaof", "127.0.0.1", str(master.port))
    sentinel = PrivateSentinel(folders[2], master.port)
    with redis.Redis(port=sentinel.port, decode_responses=True) as asked:
        until(lambda: asked.sentinel_masters()["mine"]["num-slaves"] == 1, 20, "no replica")
        with replica.client() as one:
            until(lambda: one.info()["master_link_status"] == "up", 20, "no link")
    yield master, replica, sentinel
    for one in (sentinel, replica, master):
        one.kill()


@pytest.mark.long
def test_a_failover_told_by_sentinel_is_followed(
    household: tuple[PrivateRedis, PrivateRedis, PrivateSentinel],
) -> None:
    master, replica, sentinel = household
    app = app_for(
        {
            "url": f"sentinel://127.0.0.1:{sentinel.port}/0",
            "transport_options": {"master_name": "mine"},
        }
    )
    publisher = CeleryPublisher(app=app, timeout=5)
    assert kinds(publisher.publish(batch(3), always)) == ["confirmed"] * 3
    first = publisher.server()
    with master.client() as client:
        assert client.llen("faults") == 3
        client.set("last", "written")  # WAIT is for the writes of its own connection
        assert client.wait(1, 5000) == 1
    master.kill()
    assert set(kinds(publisher.publish(batch(3), always))) <= {"unsent", "unknown"}
    with replica.client() as client:
        until(lambda: client.info()["role"] == "master", 20, "no failover")
        until(publisher.reachable, 10, "the new master is not found")
        assert kinds(publisher.publish(batch(2), always)) == ["confirmed"] * 2
        assert client.llen("faults") == 5
    assert publisher.server() != first
    publisher.close()


def test_a_primary_that_sentinel_no_longer_names_gets_no_message(
    household: tuple[PrivateRedis, PrivateRedis, PrivateSentinel],
) -> None:
    master, replica, sentinel = household
    url = f"sentinel://127.0.0.1:{sentinel.port}/0"
    app = app_for({"url": url, "transport_options": {"master_name": "mine"}})
    publisher = CeleryPublisher(app=app, timeout=2)
    assert kinds(publisher.publish(batch(3), always)) == ["confirmed"] * 3
    with master.client() as old, replica.client() as new:
        old.set("last", "written")  # WAIT is for the writes of its own connection
        assert old.wait(1, 5000) == 1
        with redis.Redis(port=sentinel.port) as asked:
            until(
                lambda: asked.execute_command("SENTINEL FAILOVER mine"),
                20,
                "no failover",
                not_yet=(redis.RedisError,),
            )
        told = new.info()["run_id"], 0
        until(
            lambda: publisher.reachable() and publisher.server() == told, 20, "the old one is kept"
        )
        assert old.info()["role"] == "master", "it would still take messages, and lose them"
        assert kinds(publisher.publish(batch(2), always)) == ["confirmed"] * 2
        assert new.llen("faults") == 5
    publisher.close()


@pytest.mark.parametrize(
    ("broker", "said"),
    [
        ({}, "broker.url: missing"),
        ({"url": "telegraph://x"}, "broker.url: kombu knows no transport like 'telegraph'"),
        ({"url": "redis://x/notanumber"}, ""),
        ({"url": "redis://x", "colour": "blue"}, "broker.colour: unknown; known are url"),
    ],
)
def test_what_cannot_be_a_broker_is_told_in_a_line(broker: dict[str, Any], said: str) -> None:
    if not said:
        assert published(broker) == ["unsent"] * 3
        return
    with pytest.raises(ConfigError, match=said):
        published(broker)


def test_an_app_that_cannot_be_loaded_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"app: 'no\.such:app' cannot be loaded"):
        load_app("no.such:app")


def test_an_app_is_found_as_celery_finds_it_and_given_another_broker() -> None:
    for spelling in ("tests.publishers.workers.seeds", "tests.publishers.workers.seeds:app"):
        app = load_app(spelling, broker={"url": "redis://elsewhere/3"})
        assert app.main == "seeds"
        assert "seeds.add" in app.tasks
        connection = app.connection_for_write()
        assert (connection.hostname, connection.virtual_host) == ("elsewhere", "3")
