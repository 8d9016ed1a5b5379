"""A daemon that was frozen wins the lead again, and the store's clock was set back meanwhile."""

import pytest

from beatd.definition import entry_from
from beatd.edits import editing
from tests.simulation.deployment import Deployment
from tests.simulation.faults import NoFaults
from tests.simulation.world import Host


@pytest.mark.parametrize("frozen_at", [5.01, 5.3, 5.5, 5.7])
def test_a_leader_that_was_frozen_leads_by_no_clock_from_before(frozen_at: float) -> None:
    deployment = Deployment(NoFaults())
    world, clock, truth = deployment.world, deployment.store_clock, deployment.truth
    editing.add(truth.store, entry_from("each second", {"task": "t", "every": "1s"}), world.now)
    process = deployment.start(Host("a"))
    world.run(frozen_at)
    before = len(truth.arrived)
    world.freeze(process, 7.0)
    world.run(6.0)
    clock.set(seconds=-4.0)
    early = list[float]()
    deliver = truth.deliver
    truth.deliver = lambda run: (
        early.append((run.due - clock.now()).total_seconds()),
        deliver(run),
    )[1]
    world.run(20.0)
    assert len(truth.arrived) > before
    assert max(early) <= 0
    world.end()
