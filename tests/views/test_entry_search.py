"""Which entries a search finds, and how much it reads for a page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beatd.catalog import Query, Stored
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.outcome import Delivery
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from beatd.views import entry_search
from beatd.views.entry_search import EntrySearch, entries_page
from tests.stores.making import NOON, claimed, lead, leads, put, put_many, row, told


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(codec=codec, clock=SystemClock())


def names(store: MemoryStore, limit: int = 100, **given: Any) -> list[list[str]]:
    """Return the names on each page."""
    found, after = list[list[str]](), None
    while True:
        page = entries_page(Roles.of(store), EntrySearch(**given), NOON, limit, after)
        found.append([row.entry.name for row, _ in page.entries])
        after = page.rest
        if after is None:
            return found


def report(store: MemoryStore, name: str, state: Any) -> None:
    """Publish the entry's next run; a worker then reports this state of it."""
    run = claimed(store, row(store, name), lead(store))
    store.record([told(run)])
    now = datetime.now(UTC)
    delivery = Delivery(
        task_id=run.task_id,
        delivery="d",
        name=name,
        planned=run.occurrence.planned,
        state=state,
        at=now,
        started=now - timedelta(seconds=1),
        finished=None if state == "started" else now,
    )
    assert store.write_outcomes([delivery], now) == ["written"]


def test_a_running_and_a_failing_entry_are_found(store: MemoryStore) -> None:
    put_many(store, ["fails", "good", "never", "runs", "unsent"])
    for name, state in (("fails", "failed"), ("good", "succeeded"), ("runs", "started")):
        report(store, name, state)
    run = claimed(store, row(store, "unsent"), lead(store))
    store.record([told(run, "rejected", reason="no exchange")])
    assert names(store, state="running") == [[]]  # nobody reads the reports of workers
    leads(store)
    assert names(store, state="running") == [["runs"]]
    assert names(store, state="failing") == [["fails", "unsent"]]


def test_pages_of_every_size_have_each_entry_once(store: MemoryStore) -> None:
    every = [f"e{n:02}" for n in range(10)]
    put_many(store, every)
    for order in ("name", "next"):
        for limit in range(1, 12):
            pages = names(store, limit, order=order)
            assert [name for page in pages for name in page] == every
            assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
            assert pages[-1]


def test_a_page_reads_a_bounded_number_of_rows_and_goes_on_behind_them(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_many(store, [f"e{n:02}" for n in range(20)])
    put(store, "x", enabled=False)
    asked: list[Query] = []
    find = store.find

    def counted(query: Query) -> Any:
        asked.append(query)
        return find(query)

    def read(rows: Any) -> list[Stored]:
        return list(rows)

    monkeypatch.setattr(store, "find", counted)
    monkeypatch.setattr(entry_search, "ROWS_READ_MAX", 6)
    monkeypatch.setattr(entry_search, "ROWS_PER_BATCH", 4)
    assert names(store, state="failing") == [[], [], [], []]
    assert len(asked) == 4 and {query.limit for query in asked} == {7}
    assert len(read(find(Query(limit=7)))) == 7
