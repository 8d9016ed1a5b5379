"""Bugs of declared entries that the simulation found, each as a short scenario that shows it."""

from msgspec.structs import replace

from beatd.definition import entry_from
from tests.simulation.deployment import Deployment
from tests.simulation.faults import NoFaults
from tests.simulation.world import START, Host, Process


def test_who_leads_under_a_number_that_it_had_before_waits_for_what_is_declared() -> None:
    """The store went back, and issues a number again: to the daemon that had it the first time."""

    class SlowLook(NoFaults):
        """One look at what was applied lasts from the 6th second to the 11th."""

        lasts = True

        def strikes(self, process: Process, place: str, answered: bool) -> str:
            if place != "store.read_mark" or world.elapsed() < 6.0 or not self.lasts:
                return ""
            self.lasts = False
            return "slow 5"

    deployment = Deployment(SlowLook())
    world, truth, files = deployment.world, deployment.truth, deployment.files
    entries = [entry_from(name, {"task": "t", "every": "100ms"}) for name in ("file 0", "file 1")]
    for entry in entries:
        files.put(entry.name, entry)
    first = deployment.start(Host("b"))
    world.run(2.0)
    world.crash(first)
    truth.losses.make_copy(truth)
    second = deployment.start(Host("a"))
    world.run(7.1)
    assert second.daemon.term() == 2
    files.put("file 1", replace(entries[1], enabled=False))
    truth.losses.go_back(truth)
    world.run(10.5)  # a claim of "file 1" would break S10
    assert second.daemon.term() == 2
    assert world.seen["LeadWon"] == 3
    world.run(13.0)
    arrived = [one.run.occurrence for one in truth.arrived]
    world.end()
    newest = {one.name: (one.planned - START).total_seconds() for one in arrived}
    assert newest["file 0"] > 12.8
    assert newest["file 1"] < 7.5
