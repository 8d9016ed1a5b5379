"""Changes made by others, heard on a connection and a thread of their own."""

import threading
from contextlib import suppress
from secrets import token_hex

from redis.exceptions import RedisError

from beatd.catalog import Wake
from beatd.servers.redis import RedisServer

LISTENED = 1.0
RECONNECTED = 0.2


class Watch:
    def __init__(self, server: RedisServer, channel: str) -> None:
        self._server, self._channel = server, channel
        self._wakes: list[Wake] = []
        # Heard by this watch alone, so that it ends at once.
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
                    self.wake()  # What was said while nobody listened is lost.
                heard = True
                moves = self._moves()
                while not self._closed.is_set() and moves == self._moves():
                    told = ear.get_message(timeout=LISTENED)
                    if told is not None and told["type"] == "message" and not self._closed.is_set():
                        self.wake()
            self._closed.wait(RECONNECTED)

    def _moves(self) -> int:
        """What is told to a primary that was left reaches nobody here."""
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
