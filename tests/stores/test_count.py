"""How many entries there are, told without reading them."""

from beatd.catalog import Change, Query
from beatd.definition import entry_from
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
