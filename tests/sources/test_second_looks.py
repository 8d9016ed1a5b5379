"""A set is compared by reads that lag, as those of a replica, and counts as applied."""

from datetime import datetime
from typing import Any

import pytest

from beatd.catalog import Query
from beatd.edits.apply_declared import Comparison, apply
from beatd.leader import Holder
from beatd.ledger import Move
from beatd.planning import first
from beatd.sources.second_looks import SECOND_LOOK_AFTER_S
from beatd.stores.embedded.memory import MemoryStore
from tests.sources.declaring import Daemon, names
from tests.sources.lagging_reads import LaggingReads


def test_an_entry_whose_removal_was_not_seen_yet_is_added_again(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.look(store)
    lagging: Any = LaggingReads(store)
    daemon.declare("a")
    daemon.look(store)
    daemon.declare("a", "b")
    daemon.look(lagging)
    assert names(store) == ["a"]
    mark = store.marks.applied("yaml:config")
    assert mark is not None and mark.whole
    daemon.clock.advance(seconds=SECOND_LOOK_AFTER_S)
    assert daemon.declaring(store, 1)
    assert names(store) == ["a", "b"]


def test_an_entry_that_was_not_seen_yet_is_removed(daemon: Daemon, store: MemoryStore) -> None:
    daemon.look(store)
    lagging: Any = LaggingReads(store)
    daemon.declare("a", "b", "c")
    daemon.look(store)
    daemon.declare("a", "b")
    daemon.look(lagging)
    assert names(store) == ["a", "b", "c"]
    daemon.clock.advance(seconds=SECOND_LOOK_AFTER_S)
    daemon.declaring(store, 1)
    assert names(store) == ["a", "b"]


def test_an_entry_that_was_published_after_it_was_copied_is_written_a_little_later(
    daemon: Daemon, store: MemoryStore
) -> None:
    daemon.declare("a")
    daemon.look(store)
    lagging: Any = LaggingReads(store)
    publish(store, "a", daemon.clock.now())  # the version, which counts edits, stays as it was
    assert lagging.version() == store.version()
    daemon.declare("a", every="2m")
    daemon.look(lagging)
    assert lagging.refused
    assert not daemon.declaring(store, 1)
    daemon.clock.advance(seconds=SECOND_LOOK_AFTER_S)
    assert daemon.declaring(store, 1)
    mark = store.marks.applied("yaml:config")
    assert mark is not None and mark.whole


def publish(store: MemoryStore, name: str, now: datetime) -> None:
    """Move an entry to its next run, as a leader does that publishes its run."""
    (row,) = store.find(Query(names=(name,)))
    planned = row.plan.planned
    assert planned is not None
    plan = first(row.entry, planned)
    move = Move(of="plan", name=name, revision=row.revision, seen=planned, plan=plan)
    term = store.begin(Holder("leader", "host", 1, now, "token"))
    assert list(store.claim([move], term, now)) == [True]


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many entries each application wrote."""
    steps = list[int]()

    def counted(*args: Any, **keys: Any) -> Comparison:
        done = apply(*args, **keys)
        steps.append(len(done.steps))
        return done

    monkeypatch.setattr("beatd.sources.declarations.apply", counted)
    return steps


def for_a_minute(daemon: Daemon, store: MemoryStore) -> None:
    for _ in range(60):
        daemon.clock.advance(seconds=1)
        daemon.declaring(store, 1)


def test_a_set_that_agrees_is_compared_a_second_time_and_no_third(
    daemon: Daemon, store: MemoryStore, applied: list[int]
) -> None:
    for_a_minute(daemon, store)
    assert applied == [2, 0]
    daemon.declare("a", "c")
    for_a_minute(daemon, store)
    assert applied == [2, 0, 2, 0]


def test_a_second_look_that_writes_is_followed_by_another_one(
    daemon: Daemon, store: MemoryStore, applied: list[int]
) -> None:
    daemon.look(store)
    lagging: Any = LaggingReads(store)
    daemon.declare("b")
    daemon.look(store)
    daemon.declare("a", "b")
    daemon.look(lagging)
    for_a_minute(daemon, store)
    assert applied == [2, 1, 0, 1, 0]


def test_the_next_term_looks_a_second_time_of_its_own(
    daemon: Daemon, store: MemoryStore, applied: list[int]
) -> None:
    daemon.look(store)
    daemon.clock.advance(seconds=SECOND_LOOK_AFTER_S)
    daemon.declaring(store, 2)
    for _ in range(60):
        daemon.clock.advance(seconds=1)
        daemon.declaring(store, 2)
    assert applied == [2, 0, 0]
