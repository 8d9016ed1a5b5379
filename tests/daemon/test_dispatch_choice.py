"""The way from claim to broker is chosen again with every server that comes back."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from beatd.daemon.daemon import Daemon
from beatd.daemon.dispatch_choice import DispatchChoice
from beatd.daemon.parts import Parts
from beatd.definition import codec
from beatd.dispatch import Dispatch
from beatd.dispatches.step_dispatch import StepDispatch
from beatd.errors import StoreError
from beatd.events import StoreBack
from beatd.leaders.none import NoLease
from beatd.publisher import Publisher
from beatd.publishers.memory import MemoryPublisher
from beatd.store import Roles, Store
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.fake_lease import holder


class Choices:
    """What a choice comes to, one after the other."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.made: list[StepDispatch] = []
        self.atomic = True
        self.trouble = False

    def __call__(self, store: Store, publisher: Publisher) -> Dispatch:
        if self.trouble:
            raise StoreError("no answer in time")
        chosen = StepDispatch(ledger=store, publisher=publisher, clock=self.clock)
        chosen.atomic = self.atomic
        self.made.append(chosen)
        return chosen


@pytest.fixture
def choices() -> Choices:
    return Choices(FakeClock())


def made(choices: Choices) -> Daemon:
    clock = choices.clock
    return Daemon(
        parts=Parts(
            store=lambda: Roles.of(MemoryStore(codec=codec, clock=clock)),
            lease=NoLease,
            publisher=MemoryPublisher,
            dispatch=choices,
        ),
        me=holder("a"),
        clock=clock,
    )


@pytest.fixture
def daemon(choices: Choices) -> Iterator[Daemon]:
    opened = made(choices)
    with ExitStack() as closing:
        assert opened._open(closing)
        yield opened


def test_it_is_chosen_as_soon_as_it_can_be(daemon: Daemon, choices: Choices) -> None:
    choices.atomic, choices.trouble = False, True
    daemon._observe(StoreBack(1.0))
    daemon.turn()
    assert daemon.dispatch is choices.made[0]
    choices.trouble = False
    daemon.turn()
    assert daemon.dispatch is choices.made[1]
    daemon.turn()
    assert len(choices.made) == 2, "and once only"


def test_a_store_that_goes_away_while_the_daemon_opens_is_waited_for(choices: Choices) -> None:
    daemon, waits = made(choices), list[float]()

    def mend(seconds: float) -> None:
        waits.append(seconds)
        choices.trouble = False

    daemon.before_wait, choices.trouble = mend, True
    with daemon:
        assert waits and daemon.dispatch is choices.made[-1]


def test_what_could_not_be_recorded_is_recorded_after_it(
    daemon: Daemon, choices: Choices, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[Any] = []
    assert daemon.engine is not None and daemon.store is not None
    monkeypatch.setattr(daemon.store.claims, "record", recorded.extend)
    daemon.engine._unrecorded = late = [Any]  # type: ignore[list-item]
    choices.atomic = False
    daemon._dispatch_choice.is_due = True
    daemon._choose_dispatch()
    assert daemon.dispatch is choices.made[1] and not recorded
    daemon.turn()
    assert recorded == late


def test_what_was_never_sent_is_still_known_after_it(daemon: Daemon, choices: Choices) -> None:
    choices.atomic = False
    choices.made[0].unsent["id"] = choices.clock.now(), 1
    daemon._observe(StoreBack(1.0))
    daemon.turn()
    assert daemon.dispatch is choices.made[1]
    assert daemon.dispatch.unsent == choices.made[0].unsent


def test_what_was_made_ready_is_dropped_before_the_connections_are_looked_at(
    daemon: Daemon, choices: Choices, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(choices.made[0], "drop_prepared", lambda: order.append("dropped"))
    looked = choices.__call__

    def look(*args: Any) -> Dispatch:
        order.append("looked")
        return looked(*args)

    monkeypatch.setattr(daemon, "_dispatch_choice", DispatchChoice(look))
    daemon._choose_dispatch()
    assert order == ["dropped", "looked"]


def test_what_was_made_ready_is_dropped_before_the_daemon_resigns(
    choices: Choices, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(MemoryStore, "leave", lambda self, me: order.append("resigned"))
    with made(choices):
        monkeypatch.setattr(choices.made[0], "drop_prepared", lambda: order.append("dropped"))
    assert order == ["dropped", "resigned"]
