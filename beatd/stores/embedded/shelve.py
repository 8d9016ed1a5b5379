"""A store in a file, for `store.url: shelve:PATH`, with up to 100,000 entries on one machine.

All tables are in memory, too. Each call first reads the changes of other processes from the file,
and writes its own changes to the file before it returns.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from uuid import uuid4

from msgspec import MsgspecError, Struct, convert, to_builtins

from beatd.catalog import Codec, Wake
from beatd.clock import Clock
from beatd.entry import Moment
from beatd.leader import Holder
from beatd.presence import Presence
from beatd.stores.damage import UNREADABLE
from beatd.stores.disk import problems_of_disk
from beatd.stores.embedded import old_shelf
from beatd.stores.embedded.memory import MemoryStore
from beatd.stores.embedded.shelf_file import ShelfFile
from beatd.stores.embedded.shelf_layout import (
    FORMAT,
    PlainShelf,
    check_format,
    newest_change,
    plain,
)
from beatd.stores.embedded.shelf_values import (
    deletions,
    deletions_of,
    final,
    from_plain,
    key_of_change,
    to_plain,
)
from beatd.stores.embedded.table_values import (
    AnyValue,
    ChangeRow,
    Claimed,
    Identity,
    Line,
)
from beatd.stores.embedded.tables import Tables

ENTRIES = 100_000
CHANGES_KEPT = 100  # a process that missed more loads the whole shelf
log = logging.getLogger(__name__)


class Announced(Struct, frozen=True):
    presence: Presence
    until: Moment


class ShelveStore(MemoryStore):
    """A store in a file, safe for several threads and processes.

    A call returns only after its change is on the disk, so a killed process loses no change.
    """

    def __init__(self, path: Path, *, codec: Codec, clock: Clock) -> None:
        self._file = ShelfFile(path)
        self._number = 0  # the number of the newest change in the tables
        self._seen: int | None = None  # the file's data version then; None: nothing is loaded
        self._unreadable: dict[str, str] = {}
        self._replaced = ""
        super().__init__(codec=codec, clock=clock)

    def _begin_anew(self) -> None:
        try:
            with self._writing():
                pass
        except BaseException:
            self._file.close()
            raise

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            self._open()
            if self._seen is None or self._file.data_version() != self._seen:
                with self._file.transaction(write=False) as shelf:
                    self._catch_up(shelf)
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self._open()
            changes: list[AnyValue] = []
            try:
                with self._file.transaction(write=True) as shelf:
                    self._catch_up(shelf)
                    self._tables.journal = changes
                    if not self._tables.namespace:
                        self._tables.put(Identity(uuid4().hex))
                    yield
                    if changes:
                        self._save(shelf, changes)
            except BaseException:
                if changes:
                    self._forget()  # the tables have changes that the shelf has not
                raise
            finally:
                self._tables.journal = None

    def _open(self) -> None:
        if self._file.is_open():
            return
        replaced = self._file.was_open
        self._forget()
        self._file.close()
        old_shelf.take_over(self._file.path, self._write_anew)
        self._file.open()
        if replaced:
            self._replaced = (
                f"{self._file.path} came back as another file: it was deleted or replaced while in "
                "use; what files and apps declare is applied again, other entries are those of the "
                "new one"
            )
            log.warning(self._replaced)

    def _write_anew(self, path: Path, values: Sequence[AnyValue]) -> None:
        # No file may exist at `path`. The tables in memory are cleared.
        file = ShelfFile(path)
        file.open()
        try:
            with file.transaction(write=True) as shelf:
                self._save(shelf, values)
        finally:
            file.close()
            self._forget()

    def _forget(self) -> None:
        self._tables, self._number, self._seen = Tables(), 0, None
        self._reader.forget()
        self._unreadable = {}

    # between the shelf and the tables

    def _catch_up(self, shelf: PlainShelf) -> None:
        newest = newest_change(shelf)  # first: from here on the transaction sees one state
        version = self._file.data_version()
        try:
            if self._seen is None:
                self._load(shelf)
            elif version != self._seen and not self._has_replayed(shelf, newest):
                self._forget()
                self._load(shelf)
        except BaseException:
            self._forget()  # the tables may hold half of it
            raise
        self._number, self._seen = newest, version

    def _has_replayed(self, shelf: PlainShelf, newest: int) -> bool:
        try:
            return self._replay_since(shelf, newest)
        except (UnpicklingError, MsgspecError, *UNREADABLE):
            return False  # the list of changes is damaged, or a newer beatd wrote it

    def _replay_since(self, shelf: PlainShelf, newest: int) -> bool:
        # Apply the changes that other processes have listed in the file. False: the caller must
        # load the whole file, because one of them is no longer listed.
        if newest <= self._number:
            return False  # written by a program that is not beatd
        for number in range(self._number + 1, newest + 1):
            change = shelf.get(key_of_change(number))
            if change is None:
                return False
            for gone in deletions_of(change):
                self._tables.replay(gone)
            for key in change["put"]:
                # If the key is gone, a later change has deleted it, and is applied next.
                if key in shelf:
                    self._take_in(key, shelf.pickled(key))
        return True

    def _load(self, shelf: PlainShelf) -> None:
        claims, records = list[Claimed](), list[Line | ChangeRow]()
        for key, pickled in shelf.rows():
            value = self._value(key.decode(errors="replace"), pickled)
            if isinstance(value, Claimed):
                claims.append(value)
            elif isinstance(value, Line | ChangeRow):
                records.append(value)
            elif value is not None:
                self._tables.replay(value)
        for claim in sorted(claims, key=lambda claim: claim.claimed_at):
            self._tables.replay(claim)
        for record in sorted(records, key=lambda record: record.number):
            self._tables.replay(record)
        check_format(self._file.path, shelf)

    def _take_in(self, key: str, pickled: bytes) -> None:
        value = self._value(key, pickled)
        if value is not None:
            self._tables.replay(value)

    def _value(self, key: str, pickled: bytes) -> AnyValue | None:
        # None if the value is damaged or its key is unknown. Damage is logged once.
        try:
            value = from_plain(key, lambda: plain(pickled))
        except (UnpicklingError, MsgspecError, *UNREADABLE) as damage:
            if key not in self._unreadable:
                log.error(
                    "%s: %s cannot be read and was left alone: %s", self._file.path, key, damage
                )
            self._unreadable[key] = f"cannot be read and was left alone: {damage}"
            return None
        self._unreadable.pop(key, None)
        return value

    def _save(self, shelf: PlainShelf, values: Sequence[AnyValue]) -> None:
        if not self._number:
            shelf["format"] = FORMAT
        put = []
        for key, value in final(values).items():
            if value is not None:
                shelf[key] = to_plain(value)
                put.append(key)
            elif key in shelf:
                del shelf[key]
        self._note_change(shelf, put, deletions(values))

    def _note_change(self, shelf: PlainShelf, put: list[str], gone: dict[str, list[Any]]) -> None:
        # Other processes apply the listed keys and need not load the whole file.
        self._number += 1
        shelf["changes"] = self._number
        shelf[key_of_change(self._number)] = {"put": put, **gone}
        forgotten = key_of_change(self._number - CHANGES_KEPT)
        if forgotten in shelf:
            del shelf[forgotten]

    # presences of daemons: not in the tables, as they are written again and again

    def announce(self, presence: Presence, ttl: float) -> None:
        until = self._clock.now() + timedelta(seconds=ttl)
        with self._presences() as there:
            there[presence.holder.token] = Announced(presence, until)

    def leave(self, holder: Holder) -> None:
        with self._presences() as there:
            there.pop(holder.token, None)

    def daemons(self) -> Sequence[Presence]:
        with self._reading(), self._file.transaction(write=False) as shelf:
            return [announced.presence for announced in self._there(shelf).values()]

    @contextmanager
    def _presences(self) -> Iterator[dict[str, Announced]]:
        with self._lock:
            self._open()
            with self._file.transaction(write=True) as shelf:
                self._catch_up(shelf)
                there = self._there(shelf)
                yield there
                shelf["daemons"] = to_builtins(there)
                self._note_change(shelf, [], deletions(()))

    def _there(self, shelf: PlainShelf) -> dict[str, Announced]:
        now = self._clock.now()
        try:
            found = convert(shelf.get("daemons", {}), type=dict[str, Announced])
        except (UnpicklingError, MsgspecError, *UNREADABLE):
            return {}  # each of them announces itself again
        return {token: one for token, one in found.items() if one.until > now}

    # the store as a whole

    def watch(self, wake: Wake) -> bool:
        return False

    def problems(self) -> Sequence[str]:
        found = [*super().problems(), *problems_of_disk(self._file.path)]
        found += [f"{self._file.path}: {key} {what}" for key, what in self._unreadable.items()]
        if self._replaced:
            found.append(self._replaced)
        count = len(self._tables.defined)
        if count > ENTRIES:
            found.append(
                f"the shelf holds {count} entries; it is made for {ENTRIES}: use sqlite:/// instead"
            )
        return found

    def close(self) -> None:
        super().close()
        with self._lock:
            self._file.close()
