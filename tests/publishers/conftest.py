"""A Redis db and RabbitMQ queues of these tests' own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import amqp
import pytest
import redis

from tests.databases import mariadb_url, postgresql_url
from tests.publishers.servers import PrivateRabbitMQ, PrivateRedis

__all__ = ["mariadb_url", "postgresql_url"]

Server = Callable[[str], tuple[str, int]]


@pytest.fixture(scope="session")
def redis_db() -> int:
    return int(os.environ.get("BEATD_TEST_REDIS_DB", "13"))


@pytest.fixture
def redis_url(server: Server, redis_db: int) -> Iterator[str]:
    host, port = server("redis")
    url = f"redis://{host}:{port}/{redis_db}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture
def rabbit_url(server: Server) -> str:
    host, port = server("rabbitmq")
    return f"amqp://guest:guest@{host}:{port}//"


@pytest.fixture
def rabbit(server: Server) -> Iterator[amqp.Channel]:
    """A channel to look at queues with; what a test declares through it, it deletes."""
    host, port = server("rabbitmq")
    with amqp.Connection(f"{host}:{port}", read_timeout=60) as connection:
        yield connection.channel()


@pytest.fixture
def private_redis(tmp_path: Path) -> Iterator[PrivateRedis]:
    broker = PrivateRedis(tmp_path)
    yield broker
    broker.kill()


@pytest.fixture(scope="session")
def rabbitmq_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbitMQ]:
    broker = PrivateRabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    yield broker
    broker.close()


@pytest.fixture
def private_rabbitmq(rabbitmq_process: PrivateRabbitMQ) -> PrivateRabbitMQ:
    """One for all tests, since it starts slowly; alive, whatever the last test did to it."""
    if rabbitmq_process.process.poll() is not None:
        rabbitmq_process.start()
    return rabbitmq_process
