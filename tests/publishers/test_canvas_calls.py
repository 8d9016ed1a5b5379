"""A real worker calls the tasks of a canvas alike, whether beatd or celery has sent it.

Each task returns its name with its arguments, so the arguments of a call show all calls before it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import redis
from celery import Celery
from kombu import pools

from beatd.canvas import parts_of
from beatd.entry import Step
from beatd.publisher import Outcome
from tests.publishers.brokers import delete, unique
from tests.publishers.canvas_likeness import entry_of, publish, signature, without_subscriptions
from tests.publishers.canvases import CANVASES
from tests.publishers.runs import run
from tests.publishers.workers.letters import CALLS
from tests.publishers.workers.worker import Worker
from tests.waiting import until

Server = Callable[[str], tuple[str, int]]


class World(NamedTuple):
    app: Celery
    client: redis.Redis


@pytest.fixture(scope="module", params=["redis", "database"])
def world(
    request: pytest.FixtureRequest,
    server: Server,
    redis_db: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    host, port = server("redis")
    broker, queue = f"redis://{host}:{port}/{redis_db + 1}", unique("letters")
    folder = tmp_path_factory.mktemp(request.param)
    results = broker if request.param == "redis" else f"db+sqlite:///{folder}/results.db"
    worker = Worker(
        "tests.publishers.workers.letters",
        f"{queue},heavy,q",
        folder,
        broker=broker,
        results=results,
        queue=queue,
    )
    app = Celery("letters", broker=broker, backend=results, set_as_current=False)
    app.conf.update(
        task_default_queue=queue, task_create_missing_queues=True, result_chord_retry_interval=0.1
    )
    without_subscriptions(app)
    client = redis.Redis.from_url(broker)
    try:
        worker.ready()
        yield World(app, client)
    finally:
        worker.stop()
        client.delete(CALLS)
        client.close()
        if request.param == "redis":
            app.backend.client.connection_pool.disconnect()
        app.close()
        pools.reset()
        for name in (queue, "heavy", "q"):
            delete(broker, name)


def calls_of(step: Step) -> int:
    """Return how many calls a run of this step makes: those of `link_error` are none."""
    if isinstance(step.group, Step) and step.group.chunks is not None:
        chunks = step.group.chunks
        return len(chunks.args)
    own = 1 if step.task else sum(calls_of(part) for _, part in parts_of(step))
    return own + len(step.link)


@pytest.mark.parametrize("name", CANVASES)
def test_a_worker_calls_the_same_tasks_with_the_same_arguments(name: str, world: World) -> None:
    pair = CANVASES[name]
    world.client.delete(CALLS)
    entry = entry_of(pair.plain, pair.options)
    assert entry.canvas is not None
    theirs = pair.celerys(signature(world.app), world.app)
    theirs.apply_async(**pair.options)
    assert publish(world.app, run(entry)) == [Outcome("confirmed")]
    both = 2 * calls_of(entry.canvas)
    until(lambda: world.client.llen(CALLS) >= both, 30, f"not {both} calls")
    calls = Counter(one.decode() for one in world.client.lrange(CALLS, 0, -1))
    assert sum(calls.values()) == both
    assert {call: times for call, times in calls.items() if times % 2} == {}
