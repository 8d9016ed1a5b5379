"""A Redis db and RabbitMQ queues of these tests' own."""

import os
from collections.abc import Callable, Iterator

import amqp
import pytest
import redis

Server = Callable[[str], tuple[str, int]]


@pytest.fixture(scope="session")
def redis_db() -> int:
    return int(os.environ.get("BEATD_TEST_REDIS_DB", "12"))


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
    with amqp.Connection(f"{host}:{port}", read_timeout=5) as connection:
        yield connection.channel()
