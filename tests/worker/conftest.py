"""A Redis db of these tests' own."""

from collections.abc import Callable, Iterator

import pytest

from tests.publishers.conftest import redis_db

__all__ = ["redis_db"]


@pytest.fixture(scope="session")
def redis_broker(server: Callable[[str], tuple[str, int]], redis_db: int) -> Iterator[str]:
    """The URL of a broker; queues have names of their own."""
    host, port = server("redis")
    yield f"redis://{host}:{port}/{redis_db}"
