"""The ways of dispatch that the contract suite holds to one contract, each on real servers."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Celery

from beatd.definition import codec
from beatd.dispatch import Dispatch
from beatd.dispatches.atomic_dispatch import AtomicDispatch
from beatd.dispatches.step_dispatch import StepDispatch
from beatd.engine.batch_events import events_of
from beatd.events import Event
from beatd.ledger import Move
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.memory import MemoryPublisher
from beatd.stores.redis import RedisStore
from beatd.stores.sql import SqlStore
from tests.fake_clock import FakeClock
from tests.stores.making import NOON, at, lead, past, put_many, step
from tests.stores.redis.servers import starting


class Scene:
    """A dispatch shortly before noon, three moves at noon, and its term."""

    def __init__(self, reopen: Callable[[], Any], clock: FakeClock) -> None:
        self.reopen, self.clock = reopen, clock
        self.store = reopen()
        self.events: list[Event] = []
        self.term = lead(self.store)
        self.moves = [step(self.store, stored) for stored in put_many(self.store, "abc")]
        self.dispatch: Dispatch
        self.arrived: Callable[[], list[str]]

    def prepare(self, *batches: Sequence[Move]) -> None:
        self.dispatch.prepare(batches or [self.moves], self.term, NOON)

    def go(self, *batches: Sequence[Move], leads: bool = True) -> list[bool]:
        """Send batches as the tick does, but one after the other; whether each move was made."""
        self.clock.advance(seconds=0.02)
        waiting, made = list(batches or [self.moves]), dict[str, bool]()
        order = [move.name for batch in waiting for move in batch]
        while waiting:
            claimed = self.dispatch.claim(waiting.pop(0), self.term)
            if claimed.left:
                waiting.append(claimed.left)
            published = claimed.publish(lambda: leads)
            self.events += events_of(published)
            self.store.record(published.unrecorded)
            names = [move.name for move in published.moves]
            made.update(zip(names, published.made, strict=True))
        while self.dispatch.write_history():
            pass
        return [made[name] for name in order]

    def another(self, do: Callable[[Any], object]) -> None:
        """Something another process does to the store."""
        other = self.reopen()
        do(other)
        other.close()

    def states(self) -> list[str]:
        return sorted(f"{record.name} {record.state}" for record in past(self.store))


@contextmanager
def in_steps(url: str) -> Iterator[Scene]:
    """On a SQL store at a URL, with a publisher that keeps what it is given."""
    clock, publisher = FakeClock(at(-0.02).isoformat()), MemoryPublisher()
    scene = Scene(lambda: SqlStore(url, codec=codec), clock)
    scene.dispatch = StepDispatch(
        ledger=scene.store, publisher=publisher, clock=clock, hold=scene.store.hold
    )
    scene.arrived = lambda: [run.entry.name for run in publisher.sent]
    yield scene
    scene.dispatch.drop_prepared()
    scene.store.close()


@contextmanager
def atomic(tmp_path: Path) -> Iterator[Scene]:
    """On one private Redis."""
    with contextmanager(starting)(tmp_path) as start:
        server, clock = start(), FakeClock(at(-0.02).isoformat())
        app = Celery("proj", broker=server.url, set_as_current=False)
        publisher = CeleryPublisher(app=app, timeout=2.0)
        scene = Scene(lambda: RedisStore(server.url, codec=codec), clock)
        scene.dispatch = AtomicDispatch(ledger=scene.store, publisher=publisher, clock=clock)
        names = {move.run.task_id: move.name for move in scene.moves if move.run is not None}

        def arrived() -> list[str]:
            found = reversed(server.admin.lrange("celery", 0, -1))
            return [names[json.loads(message)["headers"]["id"]] for message in found]

        scene.arrived = arrived
        yield scene
        scene.dispatch.drop_prepared()
        publisher.close()
        scene.store.close()
