"""Outcomes that are read from the app's result backend."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from celery import Celery

from beatd.definition import codec
from beatd.outcome import Delivery
from beatd.outcomes.results_reader import ASKED_EVERY_S, DELIVERY, ResultsReader
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.outcomes.making import PLANNED

# celery's Redis backend, with redis-py 8.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex")

Server = Callable[[str], tuple[str, int]]


class World:
    def __init__(self, **settings: object) -> None:
        self.app = Celery("results", set_as_current=False)
        self.app.conf.update(settings)
        self.clock = FakeClock()
        self.store = MemoryStore(codec=codec, clock=self.clock)
        self.reader = ResultsReader(app=self.app, store=Roles.of(self.store), clock=self.clock)

    def live(self, *task_ids: str) -> None:
        """Runs whose outcome has not ended, as the store has it."""
        known = [
            Delivery(
                task_id=task_id, delivery=DELIVERY, name="e", planned=PLANNED, state="received",
                at=PLANNED,
            )
            for task_id in task_ids
        ]  # fmt: skip
        self.store.write_outcomes(known, PLANNED)

    def read(self) -> dict[str, Delivery]:
        self.clock.advance(seconds=ASKED_EVERY_S)
        found = self.reader.read()
        self.reader.acknowledge()
        return {one.task_id: one for one in found.deliveries}


@pytest.fixture(params=["redis", "database", "file"])
def world(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> World:
    match request.param:
        case "redis":
            host, port = server("redis")
            url = f"redis://{host}:{port}/0"
        case "database":
            url = f"db+sqlite:///{tmp_path}/results.db"
        case _:
            url = f"file://{tmp_path}"
    return World(result_backend=url)


def test_the_states_of_a_result_backend(world: World) -> None:
    backend = world.app.backend
    world.live("done", "failed", "begun", "silent")
    before = datetime.now(UTC).replace(microsecond=0)
    backend.store_result("done", 4, "SUCCESS")
    backend.store_result("begun", None, "STARTED")
    try:
        raise ValueError("no such thing")
    except ValueError as error:
        backend.store_result("failed", error, "FAILURE", traceback="…\nValueError: no such thing")
    found = world.read()
    assert {key: one.state for key, one in found.items()} == {
        "done": "succeeded", "failed": "failed", "begun": "started",
    }  # fmt: skip
    assert found["failed"].error in ("ValueError('no such thing')", "ValueError: no such thing")
    finished = found["done"].finished
    assert finished is not None and before <= finished <= datetime.now(UTC)
    for task_id in ("done", "failed", "begun"):
        backend.forget(task_id)


def test_it_is_asked_every_few_seconds_and_tells_each_state_once(world: World) -> None:
    world.live("one")
    world.app.backend.store_result("one", None, "STARTED")
    (started,) = world.read().values()
    assert not world.reader.read().deliveries  # too early to ask again
    world.store.write_outcomes([started], world.clock.now())
    assert world.read() == {}
    world.app.backend.forget("one")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "the app has no result backend"),
        ({"result_backend": "rpc://"}, "answers only the client that sent a task"),
        (
            {"result_backend": "redis://", "result_serializer": "pickle"},
            "the app pickles its results",
        ),
    ],
)
def test_without_a_usable_backend_there_is_one_warning_and_nothing_is_read(
    settings: dict[str, object], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "beatd")
    world = World(**settings)
    world.live("one")
    assert world.read() == world.read() == {}
    (line,) = caplog.messages
    assert line.startswith("nothing is known of what becomes of runs: ") and why in line
