"""A lease in Redis: one holder, by the clock of Redis, and any doubt raises."""

import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from beatd.errors import StoreError, StoreUnusable
from beatd.leader import Holder
from beatd.leaders.redis import RedisLease
from tests.stores.redis.servers import RedisProcess, free_port, until

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = 60.0  # a ttl that does not run out within a test
KEY = "beatd:{0}:lease"


def holder(name: str) -> Holder:
    return Holder(name, "host", 1, NOON, f"token-of-{name}")


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


def test_one_of_two_wins(leases: Callable) -> None:
    mine, yours = leases(), leases()
    assert mine.take(ME, LONG) == ME
    assert yours.take(YOU, LONG) == ME
    assert mine.take(ME, LONG) == ME


def test_a_renewal_counts_from_itself(leases: Callable, server: RedisProcess) -> None:
    lease = leases()
    lease.take(ME, 5)
    lease.take(ME, LONG)
    assert server.admin.pttl(KEY) > 5000


def test_what_is_released_is_free_at_once(leases: Callable) -> None:
    mine, yours = leases(), leases()
    mine.take(ME, LONG)
    mine.release(ME)
    assert yours.take(YOU, LONG) == YOU


def test_another_s_lease_is_not_released(leases: Callable) -> None:
    mine, yours = leases(), leases()
    mine.take(ME, LONG)
    yours.release(YOU)
    assert yours.take(YOU, LONG) == ME


def test_a_lease_runs_out_by_the_clock_of_redis(leases: Callable) -> None:
    mine, yours = leases(), leases()
    mine.take(ME, 1.0)
    until(lambda: yours.take(YOU, LONG) == YOU)
    assert mine.take(ME, LONG) == YOU


def test_two_starts_of_one_daemon_are_two_holders(leases: Callable) -> None:
    again = Holder(ME.name, ME.host, ME.pid, ME.since, "another-token")
    leases().take(ME, LONG)
    assert leases().take(again, LONG) == ME


def test_a_token_that_begins_like_another_is_another(leases: Callable) -> None:
    longer = Holder("you", "host", 1, NOON, ME.token + "x")
    leases().take(longer, LONG)
    assert leases().take(ME, LONG) == longer


def test_an_emptied_redis_has_no_holder(leases: Callable, server: RedisProcess) -> None:
    mine, yours = leases(), leases()
    mine.take(ME, LONG)
    server.admin.flushall()
    server.admin.script_flush()
    assert yours.take(YOU, LONG) == YOU
    assert mine.take(ME, LONG) == YOU


def test_a_frozen_redis_is_doubt_in_time(leases: Callable, server: RedisProcess) -> None:
    lease, ttl = leases(), 6.0  # long beside what a busy machine adds
    lease.take(ME, ttl)
    server.send(signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(StoreError):
            lease.take(ME, ttl)
        assert time.monotonic() - began < ttl, "there is time to ask once more"
    finally:
        server.send(signal.SIGCONT)
    until(lambda: _taken(lease))


def _taken(lease: RedisLease) -> bool:
    try:
        return lease.take(ME, LONG) == ME
    except StoreError:
        return False


def test_nobody_listening_is_doubt_and_passes(tmp_path: Path) -> None:
    port = free_port()
    lease = RedisLease(f"redis://127.0.0.1:{port}/0")
    with pytest.raises(StoreError, match=f"{port}"):
        lease.take(ME, LONG)
    process = RedisProcess(tmp_path, port=port)
    try:
        assert lease.take(ME, LONG) == ME
    finally:
        lease.close()
        process.close()


def test_a_key_of_another_program_is_left_alone(leases: Callable, server: RedisProcess) -> None:
    server.admin.set(KEY, "a lock of something else")
    with pytest.raises(StoreUnusable, match="another program"):
        leases().take(ME, LONG)
    assert server.admin.get(KEY) == b"a lock of something else"
    server.admin.delete(KEY)
    server.admin.lpush(KEY, "x")
    with pytest.raises(StoreUnusable, match="another program"):
        leases().take(ME, LONG)
