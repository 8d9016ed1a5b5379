"""Notice changes that other processes make in a store in Redis, on a thread of its own."""

import threading
from contextlib import suppress
from secrets import token_hex

from redis.exceptions import RedisError

from beatd.catalog import Wake
from beatd.servers.redis import RedisServer

LISTENED = 1.0
RECONNECTED = 0.2


class Watch:
    """Calls functions after each change in Redis that another process announces on a channel.

    It also calls them after a lost connection, because announcements may have been missed.
    """

    def __init__(self, server: RedisServer, channel: str) -> None:
        self._server, self._channel = server, channel
        self._wakes: list[Wake] = []
        # A channel of this watch alone: `close` publishes on it to end the thread at once.
        self._own = f"{channel}:{token_hex(8)}"
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, wake: Wake) -> None:
        self._wakes.append(wake)
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name="beatd-watch", daemon=True)
            self._thread.start()

    def _listen(self) -> None:
        heard = False
        while not self._closed.is_set():
            with suppress(RedisError, OSError, ValueError), self._server.client.pubsub() as ear:
                ear.subscribe(self._channel, self._own)
                if heard:
                    self.wake()  # Notices sent while nobody listened are lost.
                heard = True
                moves = self._moves()
                while not self._closed.is_set() and moves == self._moves():
                    told = ear.get_message(timeout=LISTENED)
                    if told is not None and told["type"] == "message" and not self._closed.is_set():
                        self.wake()
            self._closed.wait(RECONNECTED)

    def _moves(self) -> int:
        # After the Sentinels named another primary, the watch subscribes again: the old one
        # announces nothing.
        return self._server.primary.moves if self._server.primary is not None else 0

    def wake(self) -> None:
        for wake in self._wakes:
            wake()

    def close(self) -> None:
        self._closed.set()
        self._wakes.clear()
        if self._thread is not None:
            with suppress(RedisError, OSError):
                self._server.client.publish(self._own, "closed")
            self._thread.join(LISTENED + 1)
