"""A cache whose values take a limited number of bytes in memory.

A limit on the number of values would not limit memory: the arguments of one entry may take a
hundred bytes or a megabyte.
"""

from collections.abc import Iterable
from threading import Lock
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class ByteCache(dict[K, V]):
    """A cache that drops its oldest values when their sizes would exceed `limit` bytes.

    `keep`, `drop` and `clear` change it, under a lock. Look-ups work as in a dict, without a lock.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.size = 0
        self._sizes: dict[K, int] = {}
        self._lock = Lock()

    def keep(self, key: K, value: V, size: int) -> None:
        """Store `value` under `key`, and remove the oldest values until it fits.

        `size` is its estimated size in bytes. A value larger than a quarter of the limit is not
        stored, but the old value of the key is removed all the same.
        """
        with self._lock:
            self._drop(key)
            if size > self.limit // 4:
                return
            while self.size + size > self.limit:
                self._drop(next(iter(self._sizes)))
            self[key] = value
            self._sizes[key] = size
            self.size += size

    def drop(self, keys: Iterable[K]) -> None:
        """Remove the values of these keys; ignore unknown keys."""
        with self._lock:
            for key in keys:
                self._drop(key)

    def clear(self) -> None:
        with self._lock:
            super().clear()
            self._sizes.clear()
            self.size = 0

    def _drop(self, key: K) -> None:
        if key in self:
            del self[key]
            self.size -= self._sizes.pop(key)
