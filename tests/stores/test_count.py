"""How many entries there are, and which, told without reading them."""

from collections.abc import Callable

import pytest

from beatd.catalog import Change, Query
from beatd.definition import codec, entry_from
from beatd.entry import Entry
from beatd.planning import first
from beatd.store import Store
from tests.fake_clock import FakeClock


def test_entries_are_counted(store: Store) -> None:
    now = FakeClock().now()
    assert store.count() == 0
    entries = [entry_from(f"e {n}", {"task": "t", "every": "1h"}) for n in range(5)]
    store.write([Change(entry.name, 0, entry, first(entry, now)) for entry in entries])
    assert store.count() == 5
    (row,) = [row for row in store.find(Query(names=("e 0",)))]
    store.write([Change("e 0", row.revision, None)])
    assert store.count() == 4


def test_an_entry_exists_also_if_this_program_cannot_read_it(
    store: Store, reopen: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = FakeClock().now()

    def add(*names: str) -> None:
        entries = [entry_from(name, {"task": "t", "every": "1h"}) for name in names]
        store.write([Change(entry.name, 0, entry, first(entry, now)) for entry in entries])

    add("known", "removed")
    monkeypatch.setattr(codec, "encode", as_a_newer_program)
    add("newer")
    monkeypatch.undo()
    (row,) = store.find(Query(names=("removed",)))
    store.write([Change("removed", row.revision, None)])
    asked = ["known", "newer", "removed", "never added", "known"]
    for one in (store, reopen()):
        assert one.existing(asked) == {"known", "newer"}
        assert [row.entry.name for row in one.find(Query(names=tuple(asked)))] == ["known"]
        assert one.existing([]) == set()


def as_a_newer_program(entry: Entry) -> bytes:
    """An entry with a field that this program does not know."""
    return b'{"task": "t", "every": "1h", "from_a_newer_program": true}'
