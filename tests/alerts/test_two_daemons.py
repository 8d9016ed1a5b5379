"""Incidents that one daemon writes while another one leads."""

from collections.abc import Iterator, Mapping, Sequence

import pytest

from beatd.catalog import Change, Query, Stored
from beatd.events import StoreAway, StoreBack
from beatd.outcome import EntryOutcome
from tests.alerts.scene import Scene
from tests.stores.making import edit, row


def test_a_leader_that_goes_on_ends_what_a_standby_has_reported_meanwhile(scene: Scene) -> None:
    leader = scene.leader()
    scene.passes(20)
    head = scene.head
    scene.leader(standby=True)  # the leader is frozen, and its lease ends
    scene.passes(60)
    (said,) = scene.messages(1)
    assert (said["type"], said["kind"]) == ("opened", "nobody leads")
    scene.thread, scene.head = leader, head  # it goes on
    scene.passes(60)
    _, over = scene.messages(2)
    assert (over["type"], over["kind"]) == ("resolved", "nobody leads")
    scene.silence()


def test_what_an_earlier_leader_writes_of_its_outage_is_ended_by_the_leader(scene: Scene) -> None:
    earlier = scene.leader()
    head = scene.head
    scene.passes(20)
    earlier.events(StoreAway("connection refused"))
    head.number = 0
    scene.passes(60)
    scene.messages(1)
    leader = scene.leader()  # it reaches the store
    scene.passes(20)
    earlier.events(StoreBack(80))
    earlier.turn()  # it writes what it had said
    scene.thread = leader
    scene.passes(60)
    _, over = scene.messages(2)
    assert (over["type"], over["kind"]) == ("resolved", "store away")
    assert all(one.resolved is not None for one in scene.incidents())
    scene.silence()


def test_a_leader_that_was_followed_and_the_next_one_do_not_tell_of_the_same_end(
    scene: Scene,
) -> None:
    scene.add(["a", "b"], failed=1)
    earlier = scene.leader()
    scene.passes(40)
    scene.ends("failed", "a", "b")
    scene.passes(5)
    scene.ends("succeeded", "a", "b")
    scene.passes(25)
    scene.delivers = False  # the earlier leader is frozen when it has sent its message
    scene.passes(10)
    (said,) = scene.messages(1)
    assert (said["type"], said["entries"]) == ("resolved", ["a", "b"])
    assert earlier._news._under_way
    scene.delivers = True
    scene.leader()
    scene.passes(40)
    scene.messages(1)
    scene.passes(60)  # nobody noted that it was sent
    scene.messages(2)
    assert len(set(scene.ids())) == 1


def test_the_leader_tells_of_what_an_earlier_one_opens_after_it_began(scene: Scene) -> None:
    scene.add(["a"], failed=1)
    earlier = scene.leader()
    scene.passes(40)
    scene.ends("failed", "a")
    leader = scene.leader()
    scene.passes(5)
    assert not scene.incidents()
    earlier.turn()  # it was frozen in a turn, and does not know yet that it was followed
    (late,) = scene.incidents()
    assert (late.kind, late.closed, late.announced) == ("failed", None, None)
    scene.ends("succeeded", "a")  # so the leader itself finds no failure
    assert scene.thread is leader
    scene.passes(60)
    (over,) = scene.incidents()
    assert over.closed is not None and over.resolved is not None
    (said,) = scene.messages(1)
    assert (said["type"], said["kind"], said["entries"]) == ("resolved", "failed", ["a"])
    scene.silence()


def test_what_an_earlier_leader_opens_of_an_entry_that_is_paused_is_ended(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.add(["a"], failed=1)
    earlier, read = scene.leader(), scene.store.entry_outcomes
    scene.passes(40)
    scene.ends("failed", "a")

    def frozen(names: Sequence[str]) -> Mapping[str, EntryOutcome]:
        """Answer a daemon that is frozen meanwhile: the entry is paused, and another one leads."""
        monkeypatch.undo()
        outcomes = read(names)
        stored = row(scene.store, "a")
        assert scene.store.write([edit(stored, stored.entry, paused=True)]) == [True]
        scene.leader()
        scene.passes(5)
        return outcomes

    monkeypatch.setattr(scene.store, "entry_outcomes", frozen)
    earlier.turn()
    (late,) = scene.incidents()
    assert late.closed is None
    scene.passes(60)
    (over,) = scene.incidents()
    assert over.closed is not None and over.resolved is not None
    assert "paused" in over.observed
    scene.silence()


def people_hear_of_a_failure(scene: Scene) -> None:
    scene.add(["a"], failed=1)
    scene.leader()
    scene.passes(40)
    scene.ends("failed", "a")
    scene.passes(60)
    scene.messages(1)


def test_a_leader_leaves_the_incident_of_an_entry_that_it_cannot_read_alone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_hear_of_a_failure(scene)
    with monkeypatch.context() as as_older:
        # An older program leads for a time.
        find = scene.store.find
        as_older.setattr(
            scene.store, "find", lambda query: (r for r in find(query) if r.entry.name != "a")
        )
        scene.leader()
        scene.silence()
    scene.leader()
    scene.silence()
    (one,) = scene.incidents()
    assert one.closed is None


def test_a_leader_ends_the_incident_of_an_entry_that_it_cannot_read_once_it_is_removed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_hear_of_a_failure(scene)
    stored = row(scene.store, "a")
    monkeypatch.setattr(scene.store, "find", lambda query: iter(()))
    scene.leader()
    scene.passes(60)
    assert scene.store.write([Change("a", stored.revision, None)]) == [True]
    scene.passes(60)
    _, over = scene.messages(2)
    assert (over["type"], over["entries"]) == ("resolved", ["a"])


def test_a_leader_reads_the_entries_once_though_it_cannot_read_one_with_an_incident(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_hear_of_a_failure(scene)
    asked: list[Query] = []

    def find(query: Query) -> Iterator[Stored]:
        asked.append(query)
        yield from ()

    monkeypatch.setattr(scene.store, "find", find)
    scene.leader()
    scene.passes(120)
    assert asked.count(Query()) == 1


def test_the_time_from_which_an_unreadable_entry_counts_is_kept_for_the_next_leader(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.add(["a"], missing="2h")
    scene.leader()
    scene.passes(60 * 60, step=60)
    with monkeypatch.context() as as_older:
        as_older.setattr(scene.store, "find", lambda query: iter(()))
        scene.leader()
        scene.passes(120)
    scene.leader()
    scene.passes(75 * 60, step=60)
    (said,) = scene.messages(1)
    assert (said["kind"], said["entries"]) == ("missing", ["a"])
