"""Two daemons and a few batches; the leader is struck at each of its boundaries in turn.

A boundary is the moment before or after a call to store, lease or broker has its effect.
"""

from itertools import pairwise

import pytest

from beatd.definition import entry_from
from beatd.edits import editing
from tests.simulation.deployment import Deployment
from tests.simulation.faults import NoFaults
from tests.simulation.verdict import verdict
from tests.simulation.world import Host, Process

FROM, UNTIL = 1.9, 3.4  # of the boundaries in between each is struck; moments are due at 2 and 3
END = 24.9
KINDS = (
    "crash",
    "freeze 8",
    "lost",
    *(pytest.param(kind, marks=pytest.mark.long) for kind in ("freeze 3", "slow 1.9", "error")),
)


IN_STEPS = {"before publish", "before store.claim", "before store.record", "after publish"}
AT_ONCE = {"before store.step", "after store.step"}


class StrikesOnce(NoFaults):
    def __init__(self, kind: str, place: int | None) -> None:
        self.kind, self.place = kind, place
        self.passed: list[tuple[float, int]] = []
        self.deployment: Deployment | None = None
        self.struck = ""

    def strikes(self, process: Process, place: str, answered: bool) -> str:
        if process.name != "a.1" or self.deployment is None:
            return ""
        self.passed.append((self.deployment.world.elapsed(), process.boundaries))
        if process.boundaries != self.place:
            return ""
        self.struck = f"{'after' if answered else 'before'} {place}"
        if self.kind in ("lost", "error") and answered != (self.kind == "lost"):
            return ""
        return self.kind


def live_through(fate: StrikesOnce, one_redis: bool) -> Deployment:
    deployment = Deployment(fate, batch=2, one_redis=one_redis)
    fate.deployment = deployment
    for n, more in enumerate(({}, {"on_unknown": "skip"}, {"catch_up": "all", "catch_up_max": 9})):
        entry = entry_from(f"entry {n}", {"task": "t", "every": "1s", **more})
        editing.add(deployment.truth.store, entry, deployment.world.now)
    deployment.start(Host("a"))
    deployment.world.run(0.5)
    deployment.start(Host("b"))
    try:
        deployment.world.run(END - 10)
        deployment.truth.calm = True
        deployment.world.run(END)
        (leader,) = deployment.leaders()
        verdict(deployment.truth, leader.daemon.now())
    finally:
        deployment.world.end()
    return deployment


def boundaries(one_redis: bool) -> list[int]:
    fate = StrikesOnce("", None)
    live_through(fate, one_redis)
    return [number for at, number in fate.passed if FROM <= at <= UNTIL]


@pytest.mark.parametrize("one_redis", [False, True], ids=["in steps", "at once"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_leader_may_be_struck_at_any_boundary(kind: str, one_redis: bool) -> None:
    numbers = boundaries(one_redis)
    assert all(after == before + 1 for before, after in pairwise(numbers))
    struck = set()
    for number in numbers:
        fate = StrikesOnce(kind, number)
        try:
            live_through(fate, one_redis)
        except AssertionError as broken:
            raise AssertionError(f"{kind} {fate.struck}: {broken}") from broken
        struck.add(fate.struck)
    assert (AT_ONCE if one_redis else IN_STEPS) <= struck
