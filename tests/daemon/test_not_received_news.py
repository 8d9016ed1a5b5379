"""The leader tells once that no worker receives the runs of an entry, and once that one does."""

import pytest

from beatd.catalog import Change
from beatd.entry import Entry
from beatd.events import Event, RunsNotReceived, RunsReceivedAgain
from beatd.run import Run
from tests.daemon.test_outcome_thread import World
from tests.fake_clock import FakeClock
from tests.stores.making import NOON, claimed, lead, put, row, told
from tests.stores.running_runs import delivery


class Entries:
    """Two entries of the world; a worker reported their first runs, unless `reported` is False."""

    def __init__(self, world: World, *, reported: bool = True) -> None:
        self.world, self.term, self.sent = world, lead(world.store), 0
        for name in ("a", "b"):
            put(world.store, name, options={"queue": "reports"})
        runs = [self.sends(name) for name in ("a", "b")]
        if reported:
            world.arrives(*map(delivery, runs))
        world.turn(2)

    def sends(self, name: str) -> Run:
        self.sent += 1
        when = (self.world.clock.now() - NOON).total_seconds()
        run = claimed(
            self.world.store, row(self.world.store, name), self.term, when, following=self.sent
        )
        self.world.store.record([told(run, when=when)])
        return run


@pytest.fixture
def world() -> World:
    return World(FakeClock(NOON.isoformat()))


def news(world: World) -> list[Event]:
    return [one for one in world.told if isinstance(one, RunsNotReceived | RunsReceivedAgain)]


def test_each_change_is_told_once_for_all_entries_of_a_queue(world: World) -> None:
    entries = Entries(world)
    runs = [entries.sends(name) for name in ("a", "b")]
    world.turn(4)
    assert news(world) == []  # they may be on their way
    world.turn(60)
    assert news(world) == [RunsNotReceived(["a", "b"], "reports")]
    entries.sends("a")
    world.turn(60)
    assert len(news(world)) == 1  # not once per run
    world.arrives(*(delivery(run) for run in runs), delivery(entries.sends("a")))
    world.turn(10)
    assert news(world)[1:] == [RunsReceivedAgain(["a", "b"], "reports")]


def test_nothing_is_told_of_workers_that_never_reported(world: World) -> None:
    entries = Entries(world, reported=False)
    entries.sends("a")
    world.turn(60)
    assert news(world) == []


def test_the_result_backend_does_not_say_who_received_a_run(world: World) -> None:
    entries = Entries(world)
    world.reader.hears_workers = False
    entries.sends("a")
    world.turn(60)
    assert news(world) == []


def test_an_entry_that_was_removed_is_not_received_again(world: World) -> None:
    entries = Entries(world)
    entries.sends("a")
    world.turn(30)
    assert news(world) == [RunsNotReceived(["a"], "reports")]
    assert world.store.write([Change("a", row(world.store, "a").revision, None)]) == [True]
    world.turn(30)
    assert len(news(world)) == 1


def test_the_next_lead_tells_it_again(world: World) -> None:
    entries = Entries(world)
    entries.sends("a")
    world.turn(30)
    world.term = 0
    world.turn(2)
    world.term = 2
    world.turn(30)
    assert news(world) == [RunsNotReceived(["a"], "reports")] * 2


def test_entries_are_counted_again_only_after_an_edit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = Entries(world)
    counts: list[int] = []
    count = world.store.count
    monkeypatch.setattr(world.store, "count", lambda: counts.append(count()) or counts[-1])
    world.turn(60)
    assert counts == []  # the look before has counted
    entries.sends("a")
    world.turn(60)
    put(world.store, "c")
    world.turn(60)
    assert counts == [3]


def test_an_entry_that_cannot_be_routed_any_more_is_told_without_a_queue(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = Entries(world)

    def routed(one: Entry) -> str:
        if one.name == "a":
            raise KeyError("Queue 'reports' missing from task_queues")
        return "reports"

    monkeypatch.setattr(world.thread._news, "_queue_of", routed)
    for name in ("a", "b"):
        entries.sends(name)
    world.turn(60)
    assert news(world) == [RunsNotReceived(["a"], ""), RunsNotReceived(["b"], "reports")]
