"""Incidents that one daemon writes while another one leads."""

from beatd.events import StoreAway, StoreBack
from tests.alerts.scene import Scene


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
