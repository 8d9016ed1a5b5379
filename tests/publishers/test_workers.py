"""Real workers consume what is published, and their results are found under our ids."""

import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from celery.result import AsyncResult
from msgspec.structs import replace

from beatd.definition import codec
from beatd.entry import Entry
from beatd.publisher import Outcome
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for
from beatd.schedules import schedule_from
from tests.publishers.brokers import delete, unique
from tests.publishers.runs import MOMENT, always, entry, run
from tests.publishers.workers.worker import Worker
from tests.typed import ALIKE
from tests.waiting import until

Server = Callable[[str], tuple[str, int]]

HOURLY = schedule_from({"every": "1h"})
BROKERS = ["redis", "rabbitmq", "sqlalchemy", "filesystem", "sqs"]

# kombu's SQLAlchemy transport, with SQLAlchemy 2.1; botocore's, with Python 3.12 and later.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow"),
]


class World:
    """A worker, a publisher that knows nothing but its broker, and where results are."""

    def __init__(self, broker: dict[str, Any], results: str, queue: str) -> None:
        self.queue = queue
        app = app_for(broker, timezone="Asia/Shanghai")
        app.conf.accept_content = ["json", "pickle"]
        self.publisher = CeleryPublisher(app=app, timeout=30)
        self.results = Celery("results", backend=results, set_as_current=False)

    def entry(self, task: str, *args: Any, **more: Any) -> Entry:
        options = {"queue": self.queue, **more.pop("options", {})}
        return entry(f"the {task}", task, *args, options=options, **more)

    def sent(self, one: Entry, **more: Any) -> AsyncResult:
        it = run(one, **more)
        assert list(self.publisher.publish([it], always)) == [Outcome("confirmed")]
        return self.results.AsyncResult(it.task_id)


@pytest.fixture(scope="module")
def results(server: Server, redis_db: int) -> str:
    host, port = server("redis")
    return f"redis://{host}:{port}/{redis_db + 1}"


@pytest.fixture(scope="module", params=BROKERS)
def world(
    request: pytest.FixtureRequest, results: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp(request.param)
    broker: dict[str, Any] = {}
    match request.param:
        case "redis":
            broker["url"] = results
        case "rabbitmq":
            host, port = request.getfixturevalue("server")("rabbitmq")
            broker["url"] = f"amqp://guest:guest@{host}:{port}//"
        case "sqlalchemy":
            broker["url"] = f"sqla+sqlite:///{folder}/broker.db"
        case "filesystem":
            for name in ("queue", "control"):
                (folder / name).mkdir()
            paths = {"data_folder_in": "queue", "data_folder_out": "queue"}
            paths["control_folder"] = "control"
            options = {name: str(folder / path) for name, path in paths.items()}
            broker |= {"url": "filesystem://", "transport_options": options}
        case "sqs":
            options = {"is_secure": False, "region": "eu-west-1", "wait_time_seconds": 1}
            broker |= {"url": request.getfixturevalue("sqs"), "transport_options": options}
    queue = unique("worked")
    worker = Worker(
        "tests.publishers.workers.project",
        queue,
        folder,
        broker=broker["url"],
        options=broker.get("transport_options", {}),
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
        made.results.close()
        if request.param in ("redis", "rabbitmq"):
            delete(broker["url"], queue)


def test_a_task_is_executed_and_its_result_found_under_our_id(world: World) -> None:
    assert world.sent(world.entry("project.add", 2, 2)).get(timeout=100) == 4


def test_a_task_sees_what_the_entry_says(world: World) -> None:
    one = world.entry(
        "project.told",
        1,
        "zwei",
        kwargs={"drei": [4, None]},
        options={"expires": "next", "headers": {"x": 1}, "time_limit": 50, "soft_time_limit": 40},
    )
    expires = datetime.now(UTC) + timedelta(minutes=5)
    # Twice: made by celery, and from the template.
    for nth in range(2):
        result = world.sent(one, nth=nth, expires=expires)
        told = result.get(timeout=100)
        assert told["args"] == [1, "zwei"] and told["kwargs"] == {"drei": [4, None]}
        assert told["id"] == told["correlation_id"] == result.id
        assert datetime.fromisoformat(told["expires"]) == expires
        assert told["entry"] == one.name and told["beat"] is True and told["x"] == 1
        assert datetime.fromisoformat(told["planned"]) == MOMENT + timedelta(minutes=nth)
        assert told["timelimit"] == [50, 40]


def test_arguments_arrive_with_their_types(world: World) -> None:
    args = tuple(value for value in ALIKE if repr(value) != "Decimal('sNaN')")
    one = world.entry("project.types", *args, kwargs={"k": [{"n": list(args)}]})
    stored = codec.decode(one.name, codec.encode(replace(one, schedule=HOURLY)), "cli", "")
    # Twice: made by celery, and from the template.
    for nth in range(2):
        told = world.sent(stored, nth=nth).get(timeout=100)
        assert told == repr((args, {"k": [{"n": list(args)}]}))


def test_arguments_arrive_with_the_types_that_another_serializer_has(world: World) -> None:
    moment = datetime(2027, 1, 1, 9, tzinfo=UTC)
    for serializer, args in (
        ("yaml", (moment, moment.date(), b"\xff")),
        ("msgpack", (b"\xff", "text")),
        ("pickle", (moment, Decimal("1.50"), (1, {2}))),
    ):
        one = world.entry("project.types", *args, options={"serializer": serializer})
        assert world.sent(one).get(timeout=100) == repr((args, {})), serializer


def test_serializers_compression_and_countdown_reach_a_worker(world: World) -> None:
    options = {"serializer": "msgpack", "compression": "zlib", "countdown": 0.3}
    assert world.sent(world.entry("project.add", 1, 2, options=options)).get(timeout=100) == 3
    assert world.sent(
        world.entry("project.add", 1, 3, options={"serializer": "yaml"})
    ).get(timeout=100) == 4  # fmt: skip


def test_what_follows_a_task_may_be_written_short(world: World, results: str) -> None:
    done, failed = unique("noted"), unique("noted")
    note = {"task": "project.note", "options": {"queue": world.queue}, "immutable": True}
    world.sent(world.entry("project.add", 1, 1, options={"link": {**note, "args": [done]}}))
    world.sent(
        world.entry(
            "project.fail",
            options={"link_error": [{**note, "args": [failed]}]},
        )
    )
    with redis.Redis.from_url(results) as client:
        until(lambda: client.exists(done, failed) == 2, 20, "links were not followed")


def test_what_expired_before_it_was_taken_is_not_executed(world: World) -> None:
    past = datetime.now(UTC) - timedelta(seconds=5)
    expired = world.sent(
        world.entry("project.add", 9, 9, options={"expires": "next"}), expires=past
    )
    assert world.sent(world.entry("project.add", 2, 3)).get(timeout=100) == 5
    assert expired.state in ("PENDING", "REVOKED")


@pytest.mark.parametrize("pool", ["prefork", pytest.param("gevent", marks=pytest.mark.long)])
def test_the_seeds_get_each_task_on_its_queue(
    pool: str,
    private_rabbitmq: Any,
    results: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if pool == "gevent":
        pytest.importorskip("gevent")
    monkeypatch.setenv("BEATD_TEST_BROKER", private_rabbitmq.url)
    monkeypatch.setenv("BEATD_TEST_RESULTS", results)
    worker = Worker("tests.publishers.workers.seeds", "foo,feed_task", tmp_path, pool=pool)
    monkeypatch.delitem(sys.modules, "tests.publishers.workers.seeds", raising=False)
    from beatd.publishers.celery_app import load_app

    app = load_app("tests.publishers.workers.seeds:app")
    publisher = CeleryPublisher(app=app, timeout=30)
    try:
        worker.ready()
        runs = {}
        for name, told in app.conf.beat_schedule.items():
            one = entry(name, told["task"], *told.get("args", ()), options=told.get("options", {}))
            runs[name] = [run(one, nth=nth) for nth in range(3)]
        batch = [one for some in runs.values() for one in some]
        assert list(publisher.publish(batch, always)) == [Outcome("confirmed")] * 9
        got = {
            name: [app.AsyncResult(one.task_id).get(timeout=100) for one in some]
            for name, some in runs.items()
        }
    finally:
        publisher.close()
        worker.stop()
    assert got == {
        "weekly": [[312, "foo.add"]] * 3,
        "half-minute": [[4, "mul.feed"]] * 3,
        "by-key": [[None, "other.feed"]] * 3,
    }
    assert os.environ["BEATD_TEST_BROKER"] == private_rabbitmq.url
