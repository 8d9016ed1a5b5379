"""Bugs after the store lost what it had acknowledged, each as a short scenario that shows it."""

from datetime import timedelta

from beatd.definition import entry_from
from beatd.edits import editing
from tests.fake_lease import holder
from tests.simulation.deployment import Deployment
from tests.simulation.faults import NoFaults
from tests.simulation.world import START, Host


def test_a_leader_whose_term_was_lost_sends_the_next_run_at_its_moment() -> None:
    deployment = Deployment(NoFaults())
    world, truth = deployment.world, deployment.truth
    at = (START + timedelta(seconds=8)).isoformat()
    editing.add(truth.store, entry_from("once", {"task": "t", "at": at}), deployment.now)
    for name in "ab":
        deployment.start(Host(name))
    truth.store.begin(holder("an earlier leader"))
    truth.losses.make_copy(truth)
    world.run(4.0)
    (first,) = deployment.leaders()
    assert first.daemon.term() == 2
    truth.losses.go_back(truth)
    world.run(6.0)
    assert deployment.leaders() == [first]
    assert (world.seen["WentBack"], world.seen["LeadWon"]) == (2, 2)
    world.run(7.9)
    assert truth.arrived == []
    world.run(8.1)
    assert [one.run.occurrence.name for one in truth.arrived] == ["once"]
    assert deployment.leaders() == [first]
    world.end()
