"""A part of a store taken away behind its back, as by DELETE, TRUNCATE or DEL."""

from typing import Any

from beatd.stores.embedded.memory import MemoryStore
from beatd.stores.embedded.shelf_file import ShelfFile
from beatd.stores.embedded.shelve import ShelveStore

TABLES = {"definitions": "beatd_entry", "plans": "beatd_plan", "terms": "beatd_ledger"}
KINDS = {"definitions": "entry", "plans": "plan", "terms": "term"}
KEYS = {"definitions": "entries", "plans": "rows", "terms": "term"}


def lose(store: Any, part: str, name: str | None = None) -> None:
    """All of a part, or what it holds of one entry."""
    if isinstance(store, ShelveStore):
        _lose_on_shelf(store, part, name)
    elif isinstance(store, MemoryStore):
        _lose_in_memory(store, part, name)
    elif hasattr(store, "_scripts"):
        client, key = store._server.client, store._scripts.key(KEYS[part])
        client.delete(key) if name is None else client.hdel(key, name)
    else:
        which = "" if name is None else f" WHERE name = '{name}'"
        statement = f"DELETE FROM {TABLES[part]}{which}"
        store._db.write(lambda connection: connection.exec_driver_sql(statement))


def _lose_on_shelf(store: ShelveStore, part: str, name: str | None) -> None:
    """As another program does: the shelf's own list of changes does not tell."""
    file = ShelfFile(store._file.path)
    file.open()
    with file.transaction(write=True) as shelf:
        for key in list(shelf):
            kind, _, rest = key.partition(":")
            if kind == KINDS[part] and name in (None, rest):
                del shelf[key]
    file.close()


def _lose_in_memory(store: MemoryStore, part: str, name: str | None) -> None:
    tables = store._tables
    if part == "terms":
        tables.leads = None
        return
    for lost in list(tables.defined) if name is None else [name]:
        if part == "definitions":
            tables._pause_gone(lost)
            tables.defined.pop(lost, None)
        else:
            tables.planned.pop(lost, None)
            tables._stamps.pop(lost, None)
