from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beatd.definition import codec
from beatd.stores.redis import RedisStore
from tests.stores.redis.servers import Start, starting


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a private server; it ends with the test."""
    yield from starting(tmp_path)


@pytest.fixture
def open_store() -> Iterator[Callable[..., RedisStore]]:
    opened: list[RedisStore] = []

    def open_one(url: str, **options: object) -> RedisStore:
        opened.append(RedisStore(url, codec=codec, **options))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()
