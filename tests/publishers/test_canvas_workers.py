"""Real workers run canvases, and the results are found under the ids of the runs."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery
from celery.result import AsyncResult, GroupResult

from beatd.definition import entry_from
from beatd.publisher import Outcome
from beatd.publishers.canvas_signature import CanvasSignature
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.run_ids import RunIds
from tests.publishers.brokers import delete, unique
from tests.publishers.runs import always, run
from tests.publishers.workers.worker import Worker

Server = Callable[[str], tuple[str, int]]
ADD = "project.add"

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


def add(*args: int, **more: Any) -> dict[str, Any]:
    return {"task": ADD, "args": list(args), **more}


class World:
    """A worker, and an app with its result backend, which knows no task."""

    def __init__(self, broker: str, results: str, queue: str) -> None:
        self.app = Celery("canvases", broker=broker, backend=results, set_as_current=False)
        self.app.conf.task_default_queue = queue
        self.publisher = CeleryPublisher(app=self.app, timeout=30)

    def sent(self, plain: dict[str, Any], times: int = 1) -> str:
        one = run(entry_from("the canvas", {"every": "1h", **plain}))
        for _ in range(times):
            assert list(self.publisher.publish([one], always)) == [Outcome("confirmed")]
        return one.task_id

    def result(self, id: str) -> Any:
        return AsyncResult(id, app=self.app).get(timeout=100)


@pytest.fixture(scope="module", params=["redis", "database"])
def world(
    request: pytest.FixtureRequest,
    server: Server,
    redis_db: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    host, port = server("redis")
    broker, queue = f"redis://{host}:{port}/{redis_db + 1}", unique("canvas")
    folder = tmp_path_factory.mktemp(request.param)
    results = broker if request.param == "redis" else f"db+sqlite:///{folder}/results.db"
    worker = Worker(
        "tests.publishers.workers.project",
        queue,
        folder,
        broker=broker,
        results=results,
        queue=queue,
    )
    made = World(broker, results, queue)
    try:
        worker.ready()
        yield made
    finally:
        made.publisher.close()
        worker.stop()
        made.app.close()
        if request.param == "redis":
            made.app.backend.result_consumer.stop()
            made.app.backend.client.connection_pool.disconnect()
        delete(broker, queue)


def test_the_run_of_a_chain_has_the_result_of_its_last_task(world: World) -> None:
    assert world.result(world.sent({"chain": [add(1, 1), add(2), add(3)]})) == 7


def test_the_run_of_a_group_is_the_group(world: World) -> None:
    id = world.sent({"group": [add(1, 1), add(2, 2)]})
    ids = CanvasSignature(world.app, RunIds(id), {})
    members = [AsyncResult(ids.part_id(("group", at)), app=world.app) for at in range(2)]
    group = GroupResult(id, members, app=world.app)
    assert [member.get(timeout=100) for member in group.results] == [2, 4]


@pytest.mark.parametrize("times", [1, 2])
def test_the_run_of_a_chord_has_the_result_of_its_body(world: World, times: int) -> None:
    """Also if it was sent again, as after a lost reply."""
    header = [add(1, 1), {"chain": [add(2, 2), add(1)]}]
    plain = {"chord": {"header": header, "body": {"task": "project.types"}}}
    assert world.result(world.sent(plain, times)) == "(([2, 5],), {})"


def test_a_group_between_two_tasks_of_a_chain_runs_at_once(world: World) -> None:
    plain = {"chain": [add(1, 1), {"group": [add(1), add(2)]}, {"task": "project.types"}]}
    assert world.result(world.sent(plain)) == "(([3, 4],), {})"
