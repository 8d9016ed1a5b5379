"""Leave a primary as soon as the Sentinels name another one.

After a planned failover the old primary takes writes for some ten seconds more, until Sentinel
makes it a replica; all of them are lost then.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread, current_thread
from typing import Any

from redis.exceptions import ConnectionError, RedisError
from redis.exceptions import TimeoutError as NoAnswer
from redis.sentinel import MasterNotFoundError, Sentinel

ASKS_EVERY_S = 0.25
ANSWERS_WITHIN_S = 0.5  # or the next Sentinel is asked

NAMED = "SENTINEL GET-MASTER-ADDR-BY-NAME"

Address = tuple[str, int]


class Sentinels(Sentinel):
    """As redis-py's, but it follows a failover from its first moment.

    `SENTINEL MASTERS`, by which redis-py goes, names the old primary until all replicas follow the
    new one, which takes up to minutes.
    """

    def discover_master(self, service_name: str) -> Address:
        """Raises MasterNotFoundError."""
        errors: list[str] = []
        sentinel: Any
        for place, sentinel in enumerate(self.sentinels):
            try:
                address = sentinel.execute_command(NAMED, service_name)
            except (ConnectionError, NoAnswer) as error:
                errors.append(f"{sentinel} - {error!r}")
                continue
            if address:
                # The one that answered is asked first from here on.
                self.sentinels[0], self.sentinels[place] = sentinel, self.sentinels[0]
                return _text(address[0]), int(address[1])
        said = f" : {', '.join(errors)}" if errors else ""
        raise MasterNotFoundError(f"No master found for {service_name!r}{said}")


class PrimaryWatch:
    """Asks the Sentinels of a connection pool who the primary is, on a thread of its own.

    When they name another, the pool closes its idle connections; one that is in use is closed when
    it comes back.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.moved: Callable[[], None] = lambda: None  # called on the thread of the watch
        self.named: Address | None = None
        self.moves = 0  # how often another primary was named than before
        self._closed = Event()
        self._thread = Thread(target=self._watch, name="beatd-primary", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._closed.wait(ASKS_EVERY_S):
            with suppress(RedisError, OSError):
                self._look()

    def _look(self) -> None:
        before = self.named or self._pool.master_address
        self.named = self._pool.get_master_address()
        if before is not None and before != self.named:
            self.moves += 1
            self.moved()

    def close(self) -> None:
        self._closed.set()
        if self._thread is not current_thread():
            self._thread.join(2 * ANSWERS_WITHIN_S)


def _text(host: Any) -> str:
    return host.decode() if isinstance(host, bytes) else str(host)
