"""How long the beat rests, for those who give way to it."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from beatd.daemon.daemon import Daemon
from beatd.daemon.parts import Parts
from beatd.definition import codec
from beatd.dispatches.step_dispatch import StepDispatch
from beatd.leaders.none import NoLease
from beatd.publishers.memory import MemoryPublisher
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.fake_lease import holder


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    clock = FakeClock()
    made = Daemon(
        parts=Parts(
            store=lambda: Roles.of(MemoryStore(codec=codec, clock=clock)),
            lease=NoLease,
            publisher=MemoryPublisher,
            dispatch=lambda ledger, publisher: StepDispatch(
                ledger=ledger, publisher=publisher, clock=clock
            ),
        ),
        me=holder("a"),
        clock=clock,
    )
    with ExitStack() as closing:
        assert made._open(closing)
        yield made


def test_it_does_not_rest_while_it_works_and_rests_until_the_next_pass(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    engine = daemon.engine
    assert engine is not None
    tick = engine.tick

    def watched() -> object:
        rests.append(daemon.rests_for())
        return tick()

    def wait(seconds: float, wake: object) -> None:
        assert daemon.rests_for() == pytest.approx(seconds)
        rests.append(seconds)

    monkeypatch.setattr(engine, "tick", watched)
    monkeypatch.setattr(daemon.clock, "wait", wait)
    daemon.turn()
    working, resting = rests
    assert working == 0.0
    assert resting > 0.1
