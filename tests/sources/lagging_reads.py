"""A store whose reads lag, as those of a replica."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from beatd.catalog import Change, Query, Stored
from beatd.definition import codec
from beatd.stores.embedded.memory import MemoryStore


class LaggingReads:
    """Entries and the version are read from a copy of the store, and written to the store.

    After `refused_max` writes were refused, the copy is up to date.
    """

    def __init__(self, store: MemoryStore, refused_max: float = float("inf")) -> None:
        self._store, self._copy = store, MemoryStore(codec=codec, clock=store._clock)
        self._copy._tables = deepcopy(store._tables)
        self.refused, self.refused_max = 0, refused_max

    def find(self, query: Query) -> Iterable[Stored]:
        return self._read_from.find(query)

    def version(self) -> str:
        return self._read_from.version()

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        done = self._store.write(changes)
        self.refused += len(done) - sum(done)
        return done

    @property
    def _read_from(self) -> MemoryStore:
        return self._copy if self.refused < self.refused_max else self._store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
