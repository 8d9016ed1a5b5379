"""Numbers of records in a shelf that another program wrote: no call counts up to them."""

import pickle
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from beatd.changes import Author
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.stores.embedded.shelve import ShelveStore
from tests.stores.making import claimed, edit, entry, lead, past, put, told

ANN = Author("ann@host-1", "command", "")
FAR = 10**18


def opened(path: Path) -> ShelveStore:
    return ShelveStore(path, codec=codec, clock=SystemClock())


def changed(path: Path, key: str, **fields: Any) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        rows = file.execute("SELECT value FROM Dict WHERE key = ?", (key.encode(),)).fetchall()
        value = pickle.dumps({**(pickle.loads(rows[0][0]) if rows else {}), **fields})
        file.execute("INSERT OR REPLACE INTO Dict VALUES (?, ?)", (key.encode(), value))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = opened(tmp_path / "shelf")
    run = claimed(store, put(store), lead(store))
    store.record([told(run)])
    for number in range(2):
        stored = next(iter(store.upcoming(1)))
        assert store.write([edit(stored, entry(args=[number]), author=ANN)]) == [True]
    store.close()
    return tmp_path / "shelf"


@pytest.mark.parametrize("number", [FAR, -1, 0])
def test_a_record_with_the_number_of_another_key_is_left_alone_and_named(
    path: Path, number: int
) -> None:
    changed(path, "record:000000000001", number=number)
    changed(path, "edit:000000000002", number=number)
    store = opened(path)
    assert past(store) == []
    assert [change.id for change in store.changes(None, 10)] == ["1"]
    assert sum("its number is" in problem for problem in store.problems()) == 2
    store.close()


def test_the_next_edit_of_a_damaged_number_follows_the_newest(path: Path) -> None:
    changed(path, "next-edit", number=FAR)
    store = opened(path)
    stored = next(iter(store.upcoming(1)))
    assert store.write([edit(stored, entry(args=["x"]), author=ANN)]) == [True]
    assert [change.id for change in store.changes(None, 10)] == ["3", "2", "1"]
    store.close()


def test_a_noted_number_keeps_a_new_edit_from_a_damaged_newest_one(path: Path) -> None:
    changed(path, "next-edit", number=3)
    changed(path, "edit:000000000002", number=FAR)
    store = opened(path)
    stored = next(iter(store.upcoming(1)))
    assert store.write([edit(stored, entry(args=["x"]), author=ANN)]) == [True]
    assert [change.id for change in store.changes(None, 10)] == ["3", "1"]
    store.close()
