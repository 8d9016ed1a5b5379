"""A store in a file: `store.url: shelve:PATH`, for up to 100,000 entries on one machine.

It is the memory store whose every change is appended to the shelf before it is acknowledged, and
which reads what other processes appended before it does anything.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

from msgspec import DecodeError, Struct, ValidationError, json

from beatd.catalog import Codec, Wake
from beatd.clock import Clock
from beatd.errors import StoreError
from beatd.leader import Holder
from beatd.ledger import Presence
from beatd.stores import journal
from beatd.stores.disk import problems_of_disk
from beatd.stores.memory import MemoryStore
from beatd.stores.shelf import Shelf
from beatd.stores.tables import AnyValue, Identity, Tables
from beatd.stores.trouble import beside, said_clearly

ENTRIES = 100_000
SPARE = 20_000  # values that may be dead before a rewriting is worth it
log = logging.getLogger(__name__)


class Announced(Struct, frozen=True):
    presence: Presence
    at: datetime
    ttl: float


class ShelveStore(MemoryStore):
    """Safe for several threads and processes; nothing acknowledged is lost by any kill."""

    _announced: ClassVar = json.Decoder(dict[str, Announced])

    def __init__(self, path: Path, *, codec: Codec, clock: Clock) -> None:
        self._shelf = Shelf(path, clock)
        self._count = 0
        super().__init__(codec=codec, clock=clock)

    def _begin_anew(self) -> None:
        try:
            with self._reading():
                pass
        except BaseException:
            self._shelf.close()
            raise

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock, self._shelf.held():
            self._catch_up()
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._reading():
            changes: list[AnyValue] = []
            self._tables.journal = changes
            try:
                yield
                if changes:
                    self._shelf.append(changes)
            except BaseException:
                if changes:
                    self._forget()  # what was put here is not on the shelf
                raise
            finally:
                self._tables.journal = None
            self._count += len(changes)
            if self._count > 2 * len(self._tables) + SPARE:
                self._rewrite()

    def _catch_up(self) -> None:
        with said_clearly(self._shelf.path):
            try:
                lines = self._shelf.added() if self._shelf.is_known() else None
                if lines is None:
                    self._load()
                else:
                    self._replay(lines)
            except BaseException:
                self._forget()  # a line that was not understood is not to be passed over
                raise

    def _load(self) -> None:
        self._forget()
        lines, to_be_rewritten = self._shelf.load()
        self._replay(lines)
        if not self._tables.namespace:
            self._tables.put(Identity(uuid4().hex))
        if to_be_rewritten:
            self._rewrite(must=True)

    def _forget(self) -> None:
        self._tables, self._count = Tables(), 0
        self._entries.clear()
        self._shelf.forget()

    def _replay(self, lines: list[bytes]) -> None:
        for text in lines:
            values = journal.values_of(text)
            for value in values:
                self._tables.replay(value)
            self._count += len(values)

    def _rewrite(self, *, must: bool = False) -> None:
        try:
            self._shelf.rewrite(self._tables.alive())
            self._count = len(self._tables)
        except StoreError as trouble:
            if must:
                raise
            # The shelf is whole without it, only longer than it need be.
            log.warning("the shelf could not be rewritten: %s", trouble)

    # which daemons there are: not worth a place on the shelf, for they say it again and again

    def announce(self, presence: Presence, ttl: float) -> None:
        with self._lock, self._shelf.held():
            there = self._there()
            there[presence.holder.token] = Announced(presence, self._clock.now(), ttl)
            self._write_there(there)

    def leave(self, holder: Holder) -> None:
        with self._lock, self._shelf.held():
            there = self._there()
            if there.pop(holder.token, None) is not None:
                self._write_there(there)

    def daemons(self) -> Sequence[Presence]:
        with self._lock, self._shelf.held():
            return [announced.presence for announced in self._there().values()]

    def _there(self) -> dict[str, Announced]:
        now = self._clock.now()
        try:
            found: dict[str, Announced] = self._announced.decode(self._muster.read_bytes())
        except (OSError, ValidationError, DecodeError):
            return {}
        return {
            token: announced
            for token, announced in found.items()
            if abs((now - announced.at).total_seconds()) < announced.ttl
        }

    def _write_there(self, there: dict[str, Announced]) -> None:
        with said_clearly(self._muster):
            new = beside(self._muster, ".new")
            new.touch(0o600)
            new.write_bytes(json.encode(there))
            new.replace(self._muster)

    @property
    def _muster(self) -> Path:
        return beside(self._shelf.path, ".daemons")

    # the place itself

    def watch(self, wake: Wake) -> bool:
        return False

    def problems(self) -> Sequence[str]:
        found = [*super().problems(), *self._shelf.notes, *problems_of_disk(self._shelf.path)]
        count = len(self._tables.defined)
        if count > ENTRIES:
            found.append(
                f"the shelf holds {count} entries; it is made for {ENTRIES}: use sqlite:/// instead"
            )
        return found

    def close(self) -> None:
        super().close()
        with self._lock, suppress(OSError):
            self._shelf.close()
