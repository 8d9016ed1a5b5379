"""A cache with a bound in bytes instead of a number of values.

An entry may have a hundred bytes of arguments or a megabyte.
"""

from collections.abc import Iterable
from threading import Lock
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class ByteCache(dict[K, V]):
    """A dict that drops its oldest values when their sizes exceed the limit.

    `keep` adds a value with its size, estimated in bytes. Reading is a plain dict's and needs no
    lock.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.size = 0
        self._sizes: dict[K, int] = {}
        self._lock = Lock()

    def keep(self, key: K, value: V, size: int) -> None:
        """Add or replace a value; one larger than a quarter of the limit is not kept."""
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
        """Remove the values of some keys, if they are there."""
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
