"""What S14 compares with a message: what its daemon knew of the clocks when it claimed the run."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.clock import Earliest
from beatd.definition import entry_from
from beatd.edits import editing
from beatd.engine.lookahead import Lookahead
from tests.simulation.deployment import Deployment
from tests.simulation.faults import NoFaults
from tests.simulation.planted_bugs import planted
from tests.simulation.server_clock import ServerClock
from tests.simulation.world import Host, HostClock, Process, Violation


class SlowBroker(NoFaults):
    """The batch that is published in the 5th second waits for a second."""

    def __init__(self) -> None:
        self.deployment = Deployment(self)

    def strikes(self, process: Process, place: str, answered: bool) -> str:
        slow = place == "publish" and not answered and 5 <= self.deployment.world.elapsed() < 6
        return "slow 1.0" if slow else ""


def every_second(*, skew: float) -> Deployment:
    deployment = SlowBroker().deployment
    editing.add(
        deployment.truth.store,
        entry_from("each second", {"task": "t", "every": "1s"}),
        deployment.world.now,
    )
    deployment.start(Host("a", skew=skew))
    return deployment


def test_a_clock_that_is_set_back_between_claim_and_message_makes_no_message_early() -> None:
    deployment = every_second(skew=0.5)
    world, clock, (process,) = deployment.world, deployment.store_clock, deployment.processes
    world.run(5.1)
    clock.set(seconds=-2.0)
    clock.set(seconds=-2.0)
    world.run(5.9)
    before = len(deployment.truth.arrived)
    assert process.daemon.store_clock.offset_s > 4.4, "measured anew while the message waits"
    world.run(6.2)
    assert len(deployment.truth.arrived) == before + 1
    world.end()


def takes_early(monkeypatch: pytest.MonkeyPatch) -> None:
    take = Lookahead.pop_due

    def early(self: Lookahead, now: datetime, limit: int) -> Sequence[Any]:
        return take(self, now + timedelta(seconds=0.05), limit)

    monkeypatch.setattr(Lookahead, "pop_due", early)


@pytest.mark.parametrize("skew", [-3.0, 0.0, 3.0])
def test_a_message_that_no_difference_of_the_clocks_explains_is_seen(
    monkeypatch: pytest.MonkeyPatch, skew: float
) -> None:
    deployment = every_second(skew=skew)
    takes_early(monkeypatch)
    monkeypatch.setattr(ServerClock, "claims", lambda *_: None)  # S9 would see it first
    with pytest.raises(Violation, match=r"S14 each second .* early by its host's clock"):
        deployment.world.run(9.0)
    deployment.world.end()


def test_a_difference_that_is_reported_wrongly_is_seen() -> None:
    with planted("a difference of clocks is reported too small"):
        deployment = every_second(skew=1.0)
        with pytest.raises(Violation, match=r"S14 a\.1 reports that its host.s clock is 0\.5"):
            deployment.world.run(9.0)
        deployment.world.end()


class SlowReplies(NoFaults):
    """Three readings of the store's clock are slow after the 5th second."""

    def __init__(self) -> None:
        self.deployment = Deployment(self)
        # Seconds before and after the clock is read, once for each of the three.
        self.ways_s = [0.1, 0.0, 0.0, 0.15, 0.0, 1.0]

    def strikes(self, process: Process, place: str, answered: bool) -> str:
        if place != "store.now" or self.deployment.world.elapsed() < 5 or not self.ways_s:
            return ""
        way_s = self.ways_s.pop(0)
        return f"slow {way_s}" if way_s else ""


def set_back_while_replies_are_slow() -> Deployment:
    """The first reply does not show that the clock was set back. The second does, and is slower."""
    deployment = SlowReplies().deployment
    editing.add(
        deployment.truth.store,
        entry_from("often", {"task": "t", "every": "0.2s"}),
        deployment.world.now,
    )
    deployment.start(Host("a"))
    deployment.world.run(5.0)
    deployment.store_clock.set(seconds=-0.05)
    return deployment


def behind_s(deployment: Deployment) -> float:
    (process,) = deployment.processes
    return (deployment.store_clock.now() - process.daemon.now()).total_seconds()


def sent_until(deployment: Deployment, seconds: float) -> int:
    before = len(deployment.truth.arrived)
    deployment.world.run(seconds)
    return len(deployment.truth.arrived) - before


def test_a_reply_that_does_not_show_that_the_clock_was_set_back_gives_no_bound() -> None:
    deployment = set_back_while_replies_are_slow()
    world, (process,) = deployment.world, deployment.processes
    while process.clock_replies[-1][0] < 5.0:
        world.run(world.elapsed() + 0.001)
    assert behind_s(deployment) < -0.04, "the first reply did not show it"
    world.run(world.elapsed() + 0.2)
    assert 0.1 < behind_s(deployment) < 0.16, "by as much as the second reply took"
    assert sent_until(deployment, world.elapsed() + 0.5) > 0
    world.run(9.0)
    assert behind_s(deployment) < 0.01
    world.end()


def test_a_clock_that_is_further_behind_than_the_reply_that_showed_the_step_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deployment = set_back_while_replies_are_slow()
    steer = HostClock.steer

    def too_late(self: HostClock, by: Earliest) -> None:
        steer(self, replace(by, moment=by.moment - timedelta(seconds=0.05)))

    monkeypatch.setattr(HostClock, "steer", too_late)
    with pytest.raises(Violation, match=r"S14 often was published by a clock that is 0\.2"):
        deployment.world.run(9.0)
    deployment.world.end()
