"""The world itself: what a crash ends, and how."""

from tests.simulation.faults import NoFaults
from tests.simulation.truth import Truth
from tests.simulation.wires import Wire
from tests.simulation.world import Host, Process, World


class CrashesAtEachCall(NoFaults):
    def strikes(self, process: Process, place: str, answered: bool) -> str:
        return "crash"


def test_a_process_crashes_once_although_it_calls_while_it_ends() -> None:
    world = World()
    process, crashes = Process("a.1", Host("a")), list[Process]()
    wire = Wire(world, Truth(world), process, CrashesAtEachCall())

    def crash(process: Process) -> None:
        crashes.append(process)
        world.crash(process)

    def closes_its_store() -> None:
        try:
            world.sleep(2.0)
        finally:
            wire.pass_by("store.close")

    wire.crashed = crash
    world.spawn(process, closes_its_store)
    world.spawn(process, lambda: (world.sleep(1.0), wire.pass_by("store.claim")))
    world.run(3.0)
    assert crashes == [process]
