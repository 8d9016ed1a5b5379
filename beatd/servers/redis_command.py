"""Send a command to Redis, completely or in parts, and read its reply later."""

from collections.abc import Callable
from typing import Any

import redis
from redis.exceptions import ConnectionError, ResponseError

EMPTY = b"$0\r\n\r\n"  # an empty word, as it is sent
# Before 5.3 redis-py required an argument here, and did not use it.
_UNUSED = ("_",) if tuple(map(int, redis.__version__.split(".")[:2])) < (5, 3) else ()


def connection_from(pool: Any) -> Any:
    """Return a connection from the pool of a Redis client.

    The caller must release it afterwards.
    """
    return pool.get_connection(*_UNUSED)


class RedisCommand:
    """A Redis command that was sent, completely or in part, on a connection of its own.

    After `send`, the caller must call `finish`, `reply` or `drop`.
    """

    def __init__(self, pool: Any) -> None:
        self._pool, self._link = pool, connection_from(pool)
        self._socket: Any = None

    def send(self, *command: Any, more: int = 0) -> None:
        """Send the command, or all of it except its last `more` words.

        Redis waits for these words until `finish` sends them.
        """
        packed = b"".join(self._link.pack_command(*command, *[""] * more))
        self._send([packed[: len(packed) - len(EMPTY) * more]], check=True)
        self._socket = self._link._sock

    def finish(self, *words: bytes) -> Callable[[], Any]:
        """Send the last words of the command, and return a function that waits for the reply.

        The function returns the reply. Raises ConnectionError if the connection was lost after
        `send`.
        """
        if not self._holds():
            self.drop()
            raise ConnectionError("the connection was lost during a command")
        self._send([b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)], check=False)
        return self.reply

    def _holds(self) -> bool:
        # After a loss, redis-py would silently connect again and send the last words without the
        # first ones.
        return self._socket is not None and self._link._sock is self._socket

    def _send(self, packed: list[bytes], *, check: bool) -> None:
        try:
            # A check of the connection's health, within a command, would be taken for a part of it.
            self._link.send_packed_command(packed, check_health=check)
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Give the command up: close its connection and release the connection to its pool."""
        self._link.disconnect()
        self._pool.release(self._link)

    def reply(self) -> Any:
        """Wait for the reply, return it, and release the connection.

        Raises ResponseError if Redis refused the command.
        """
        try:
            return self._link.read_response()
        except ResponseError:
            raise
        except BaseException:
            self._link.disconnect()
            raise
        finally:
            self._pool.release(self._link)
