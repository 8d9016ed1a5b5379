from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import redis

from beatd.definition import codec
from beatd.stores.redis import RedisStore
from tests.stores.redis.servers import RedisProcess


@pytest.fixture
def open_store() -> Iterator[Callable[..., RedisStore]]:
    opened: list[RedisStore] = []

    def open_one(url: str, **options: object) -> RedisStore:
        opened.append(RedisStore(url, codec=codec, **options))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """A private server for all tests of one file."""
    with closing(RedisProcess(tmp_path_factory.mktemp("redis"))) as process:
        yield process


@pytest.fixture
def broker(own_server: RedisProcess) -> redis.Redis:
    """A client of the private server, which is empty."""
    own_server.admin.flushall()
    return own_server.admin


@pytest.fixture
def own_store(
    broker: redis.Redis, own_server: RedisProcess, open_store: Callable[..., RedisStore]
) -> RedisStore:
    """A store on the private server, which is empty."""
    return open_store(own_server.url)
