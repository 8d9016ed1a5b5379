"""What a leader remembers of incidents, when the store goes back in time."""

from beatd.alerts.incident_book import IncidentBook
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.incident import Incident
from beatd.stores.embedded.memory import MemoryStore
from beatd.stores.embedded.table_values import IncidentRow
from tests.stores.making import at


def test_an_incident_whose_end_the_store_forgot_is_open_again() -> None:
    store = MemoryStore(codec=codec, clock=SystemClock())
    book = IncidentBook(store)
    book.load(at(0))
    found = Incident(kind="nobody leads", name="", opened=at(0), revision=0)
    (opened,) = book.open([found], at(0))
    (closed,) = book.close([(opened, "a daemon leads")], at(5))
    book.look_for_others(at(10))
    assert book.all() == [closed] and book.opened("") == {}
    store._tables.put(IncidentRow(opened))
    book.look_for_others(at(15))
    assert book.all() == [opened] and book.opened("") == {"nobody leads": opened}
