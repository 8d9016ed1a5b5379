"""Change to a new Redis primary as soon as the Sentinels name it.

After a planned failover the old primary accepts writes for some ten seconds more, until Sentinel
makes it a replica. All of these writes are lost.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread, current_thread
from typing import Any

from redis.exceptions import ConnectionError, RedisError
from redis.exceptions import TimeoutError as NoAnswer
from redis.sentinel import MasterNotFoundError, Sentinel

QUERY_EVERY_S = 0.25
ANSWER_TIMEOUT_S = 0.5  # then the next Sentinel is queried

PRIMARY_OF = "SENTINEL GET-MASTER-ADDR-BY-NAME"

Address = tuple[str, int]


class Sentinels(Sentinel):
    """A Sentinel client of redis-py that learns of a new primary at once.

    The original reads `SENTINEL MASTERS`, which names the old primary until all replicas follow the
    new one. This can take minutes.
    """

    def discover_master(self, service_name: str) -> Address:
        """Return the host and port of the current primary server of a Sentinel service.

        Raises MasterNotFoundError if no Sentinel names one.
        """
        errors: list[str] = []
        sentinel: Any
        for place, sentinel in enumerate(self.sentinels):
            try:
                address = sentinel.execute_command(PRIMARY_OF, service_name)
            except (ConnectionError, NoAnswer) as error:
                errors.append(f"{sentinel} - {error!r}")
                continue
            if address:
                # The Sentinel that answered is queried first from here on.
                self.sentinels[0], self.sentinels[place] = sentinel, self.sentinels[0]
                return _text(address[0]), int(address[1])
        reasons = f" : {', '.join(errors)}" if errors else ""
        raise MasterNotFoundError(f"No master found for {service_name!r}{reasons}")


class PrimaryWatch:
    """A thread that asks the Sentinels for a pool's current primary, four times a second.

    After a change, the pool closes its idle connections at once, and each connection in use when it
    is released.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.moved: Callable[[], None] = lambda: None  # called on the thread of the watch
        self.named: Address | None = None
        self.moves = 0  # how often the primary has changed
        self._closed = Event()
        self._thread = Thread(target=self._watch, name="beatd-primary", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._closed.wait(QUERY_EVERY_S):
            with suppress(RedisError, OSError):
                self._look()

    def _look(self) -> None:
        # Raises RedisError or OSError if no Sentinel answers.
        before = self.named or self._pool.master_address
        self.named = self._pool.get_master_address()
        if before is not None and before != self.named:
            self.moves += 1
            self.moved()

    def close(self) -> None:
        self._closed.set()
        if self._thread is not current_thread():
            self._thread.join(2 * ANSWER_TIMEOUT_S)


def _text(host: Any) -> str:
    return host.decode() if isinstance(host, bytes) else str(host)
