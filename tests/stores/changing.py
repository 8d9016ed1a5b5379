"""Changes with an author, and the records that a store wrote of them."""

from datetime import datetime
from typing import Any

from beatd.catalog import Change
from beatd.changes import Author, ChangeRecord, EntryState, Pause
from beatd.definition import codec
from beatd.entry import Entry
from beatd.store import Store
from tests.stores.making import at, edit, entry, plan, row

ANN = Author("ann@host-1", "command", "because 'ä' 🐝")
BOB = Author("bob", "page")


def add(store: Store, name: str = "tidy", author: Author | None = ANN, **fields: Any) -> None:
    assert store.write([Change(name, 0, entry(name, **fields), plan(0), author=author)]) == [True]


def change(store: Store, name: str = "tidy", author: Author | None = ANN, **more: Any) -> None:
    """Edit an entry; without a field it is put as it was."""
    stored = row(store, name)
    pauses = {key: more.pop(key) for key in ("paused", "pause") if key in more}
    made = entry(name, **more) if more else stored.entry
    pauses = {"paused": stored.paused, **pauses}
    assert store.write([edit(stored, made, author=author, **pauses)]) == [True]


def pause_of(until: float | None = None, note: str = "", by: str = "ann", when: float = 0) -> Pause:
    return Pause(at(when), by, None if until is None else at(until), note)


def stop(store: Store, name: str = "tidy", pause: Pause | None = None, **more: Any) -> None:
    change(store, name, paused=True, pause=pause, **more)


def go_on(store: Store, name: str = "tidy", **more: Any) -> None:
    change(store, name, paused=False, **more)


def remove(store: Store, name: str = "tidy", author: Author | None = ANN) -> None:
    assert store.write([Change(name, row(store, name).revision, None, author=author)]) == [True]


def text_of(made: Entry) -> str:
    return codec.encode(made).decode()


def state(made: Entry | None, paused: bool = False, until: datetime | None = None) -> EntryState:
    """The state of an entry; without a definition if `made` is None."""
    text = "" if made is None else text_of(made)
    source, where = ("cli", "") if made is None else (made.source, made.declared_at)
    return EntryState(text, source, where, paused, until)


def changes(store: Store, name: str | None = None) -> list[ChangeRecord]:
    return list(store.changes(name, 1_000))


def actions(store: Store, name: str | None = None) -> list[tuple[str, str]]:
    """Name and action of each record, the oldest first."""
    return [(one.name, one.action) for one in reversed(changes(store, name))]
