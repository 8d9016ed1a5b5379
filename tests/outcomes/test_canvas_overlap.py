"""Real workers run canvases of entries that must not overlap: a run lasts until its last task ends.

Each entry is due five times a second. Its tasks wait until the test lets them end.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from beatd.outcome import Delivery
from beatd.run_outcome import run_outcome
from beatd.store import Store
from tests.outcomes.canvas_world import World
from tests.publishers.conftest import redis_db
from tests.stores.making import row
from tests.waiting import until

__all__ = ["redis_db"]

Server = Callable[[str], tuple[str, int]]


class Scene:
    """The first run of one entry."""

    def __init__(self, world: World, store: Store, entry: str) -> None:
        self._notes, self._store, self.entry = world.notes, store, entry
        until(self._starts, 30, f"no run of {entry}")
        self.run = self._starts()[0][0]

    def _starts(self) -> list[list[str]]:
        return [json.loads(one) for one in self._notes.lrange(f"starts {self.entry}", 0, -1)]

    def started(self, *marks: str) -> None:
        """Return when these deliveries have started, and no other run has."""

        def found() -> bool:
            return {mark for _, mark, _ in self._starts()} >= set(marks)

        until(found, 20, f"{marks} of {self.entry} do not start: {self._starts()}")
        assert {run for run, _, _ in self._starts()} == {self.run}

    def end(self, *marks: str) -> None:
        for mark in marks:
            self._notes.rpush(f"end {self.run} {mark}", "")

    def ended(self, *marks: str) -> None:
        """Let these deliveries end, and return when the daemon knows it."""
        before = sum(one.finished is not None for one in self._deliveries())
        self.end(*marks)

        def known() -> bool:
            ended = sum(one.finished is not None for one in self._deliveries())
            return ended >= before + len(marks)

        until(known, 20, f"no end of {marks} of {self.entry}: {self._deliveries()}")

    def _deliveries(self) -> Sequence[Delivery]:
        return self._store.outcomes([self.run]).get(self.run, [])

    def holds(self) -> None:
        """Return when a moment from now on met the running run: it was skipped, or it waits."""
        now = datetime.now(UTC)
        rule = self._stored().entry.overlap
        met = self._waits if rule == "queue" else self._skips
        until(lambda: met(now), 20, f"no moment of {self.entry} meets the run")
        assert {run for run, _, _ in self._starts()} == {self.run}

    def _stored(self) -> Any:
        return row(self._store, self.entry)

    def _skips(self, now: datetime) -> bool:
        return any(
            one.state == "skipped"
            and one.reason.startswith(f"still running: {self.run} since")
            and (one.until or one.planned) >= now
            for one in self._store.history(self.entry, 20)
        )

    def _waits(self, now: datetime) -> bool:
        stored = self._stored()
        running, planned = stored.running, stored.plan.planned
        return bool(running and running.task_id == self.run and planned <= now < stored.plan.due)

    def over(self, *marks: str) -> str:
        """Return the run's outcome when the next run has started, after all these deliveries."""

        def next_starts() -> bool:
            return any(run != self.run for run, _, _ in self._starts())

        until(next_starts, 20, f"{self.entry} does not run again: {self._deliveries()}")
        starts = self._starts()
        first = next(nth for nth, one in enumerate(starts) if one[0] != self.run)
        assert sorted(mark for _, mark, _ in starts[:first]) == sorted(marks)
        assert self.run not in {run for run, _, _ in starts[first:]}
        outcome = run_outcome(self._deliveries())
        assert outcome is not None and outcome.finished is not None
        planned = datetime.fromisoformat(starts[first][2])
        if self._stored().entry.overlap == "skip":
            # By another clock than the worker's, which is the same here.
            assert planned >= outcome.finished
        return f"{outcome.state} {outcome.error}".strip()


@pytest.fixture(scope="module", params=["redis", "rabbitmq and a database"])
def world(
    request: pytest.FixtureRequest,
    server: Server,
    redis_db: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[World, Store]]:
    folder = tmp_path_factory.mktemp("world")
    host, port = server("redis")
    notes_url = f"redis://{host}:{port}/{redis_db + 2}"
    url = dict.fromkeys(("broker", "store", "results"), notes_url)
    if request.param != "redis":
        host, port = server("rabbitmq")
        url = {
            "broker": f"amqp://guest:guest@{host}:{port}//",
            "store": f"sqlite:///{folder}/beatd.db",
            "results": f"db+sqlite:///{folder}/results.db",
        }
    with ExitStack() as closing:
        notes = closing.enter_context(redis.Redis.from_url(notes_url))
        notes.flushdb()
        closing.callback(notes.flushdb)
        made = World(url, notes, notes_url, folder)
        closing.callback(made.close)
        store = made.open()
        closing.callback(store.close)
        yield made, store


@pytest.fixture
def scene(world: tuple[World, Store]) -> Callable[[str], Scene]:
    return lambda entry: Scene(*world, entry)


Opened = Callable[[str], Scene]
RULES = pytest.mark.parametrize("rule", ["skip", "queue"])


@RULES
def test_a_chain_runs_until_its_last_task_has_ended(scene: Opened, rule: str) -> None:
    run = scene(f"{rule} chain")
    for mark in "abc":
        run.started(mark)
        run.holds()
        run.end(mark)
    assert run.over("a", "b", "c") == "succeeded"


@RULES
def test_a_group_runs_until_its_last_task_has_ended(scene: Opened, rule: str) -> None:
    run = scene(f"{rule} group")
    run.started("a", "b", "c")
    run.holds()
    run.ended("c", "a")
    run.holds()
    run.end("b")
    assert run.over("a", "b", "c") == "succeeded"


@RULES
def test_a_chord_runs_until_its_body_has_ended(scene: Opened, rule: str) -> None:
    run = scene(f"{rule} chord")
    run.started("a", "b")
    run.ended("b")
    run.holds()
    run.end("a")
    run.started("c")
    run.holds()
    run.end("c")
    assert run.over("a", "b", "c") == "succeeded"


def test_a_chain_ends_with_its_first_task_that_fails(scene: Opened) -> None:
    run = scene("failing chain")
    run.end("a")
    run.started("b")
    run.holds()
    run.end("b")
    error = "task 2 of 3, canvases.step: ValueError: on purpose"
    assert run.over("a", "b") == f"failed {error}"


def test_a_chord_that_fails_runs_until_all_of_its_header_has_ended(
    scene: Opened, world: tuple[World, Store]
) -> None:
    """Also if no worker has received the second task when the first one fails."""
    run = scene("failing chord")
    run.started("a")
    run.ended("a")
    run.holds()
    world[0].app.control.add_consumer(world[0].later, reply=True, limit=1, timeout=30)
    run.started("b")
    run.end("b")
    error = "task 1 of 3, canvases.step: ValueError: on purpose"
    assert run.over("a", "b") == f"failed {error}"


def test_a_retried_task_does_not_end_a_chain(scene: Opened) -> None:
    run = scene("retried chain")
    for mark in ("a", "a#2", "b"):
        run.started(mark)
        run.ended(mark)
    run.started("b#2")
    run.holds()
    run.end("b#2")
    assert run.over("a", "a#2", "b", "b#2") == "succeeded"


def test_a_retried_task_does_not_end_a_group(scene: Opened) -> None:
    run = scene("retried group")
    run.started("a", "b")
    run.ended("b", "a")
    run.started("a#2")
    run.holds()
    run.end("a#2")
    assert run.over("a", "a#2", "b") == "succeeded"


def test_a_run_goes_on_until_a_task_that_was_received_twice_has_ended_twice(scene: Opened) -> None:
    run = scene("chain twice")
    run.end("a")
    run.started("b", "b#2")
    run.ended("b")
    run.holds()
    run.end("b#2")
    assert run.over("a", "b", "b#2") == "succeeded"
