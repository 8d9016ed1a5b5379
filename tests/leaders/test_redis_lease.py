"""A lease in Redis: what only a Redis can suffer."""

import signal
from collections.abc import Callable, Iterator

import pytest

from beatd.errors import StoreError, StoreUnusable
from beatd.leaders.redis import RedisLease
from tests.leaders.holders import LONG, PATIENCE_S, holder
from tests.stores.redis.servers import RedisProcess
from tests.waiting import until

KEY = "beatd:{0}:lease"


ME, YOU = holder("me"), holder("you")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    process = RedisProcess(tmp_path_factory.mktemp("redis"))
    yield process
    process.close()


@pytest.fixture
def server(shared: RedisProcess) -> RedisProcess:
    shared.admin.flushall()
    return shared


@pytest.fixture
def leases(server: RedisProcess) -> Iterator[Callable[..., RedisLease]]:
    """Each lease is another daemon's."""
    made: list[RedisLease] = []

    def another() -> RedisLease:
        made.append(RedisLease(server.url))
        return made[-1]

    yield another
    for lease in made:
        lease.close()


def test_an_emptied_redis_has_no_holder(
    leases: Callable[..., RedisLease], server: RedisProcess
) -> None:
    mine, yours = leases(), leases()
    mine.take(ME, LONG)
    server.admin.flushall()
    server.admin.script_flush()
    assert yours.take(YOU, LONG) == YOU
    assert mine.take(ME, LONG) == YOU


def test_a_frozen_redis_is_doubt_in_time(
    leases: Callable[..., RedisLease], server: RedisProcess
) -> None:
    lease, ttl = leases(), 6.0  # long beside what a busy machine adds
    lease.take(ME, ttl)
    server.send(signal.SIGSTOP)
    try:
        with pytest.raises(StoreError):
            lease.take(ME, ttl)
    finally:
        server.send(signal.SIGCONT)
    assert server.admin.pttl(KEY) > 0, "there is time to ask once more"
    until(lambda: lease.take(ME, LONG) == ME, PATIENCE_S, "it is renewed", not_yet=(StoreError,))


def test_a_key_of_another_program_is_left_alone(
    leases: Callable[..., RedisLease], server: RedisProcess
) -> None:
    server.admin.set(KEY, "a lock of something else")
    with pytest.raises(StoreUnusable, match="another program"):
        leases().take(ME, LONG)
    assert server.admin.get(KEY) == b"a lock of something else"
    server.admin.delete(KEY)
    server.admin.lpush(KEY, "x")
    with pytest.raises(StoreUnusable, match="another program"):
        leases().take(ME, LONG)
