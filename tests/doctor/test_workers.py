"""Whether a worker consumes each queue and knows the tasks, asked of real workers and brokers."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from celery import Celery

from beatd.clock import SystemClock
from beatd.config import Broker, Config, Store
from beatd.definition import entry_from
from beatd.doctor.broker import broker_findings
from beatd.doctor.finding import Finding
from beatd.doctor.workers import queue_findings, uses_of, waiting, worker_findings
from beatd.entry import Entry
from beatd.publishers.celery_app import app_for
from beatd.schedules import interval
from tests.process import Process
from tests.stores.redis.servers import Start

Server = Callable[[str], tuple[str, int]]
CELERY = Path(sys.executable).parent / "celery"


def entry(name: str, task: str, queue: str, *, enabled: bool = True) -> Entry:
    return Entry(
        name=name, task=task, schedule=interval("1h"), options={"queue": queue}, enabled=enabled
    )


@pytest.fixture
def redis_app(start: Start) -> Celery:
    return app_for({"url": start().url})


@pytest.fixture
def worker(redis_app: Celery) -> Iterator[None]:
    """A worker that consumes the queue `here` and knows the task `proj.say`."""
    url = str(redis_app.conf.broker_url)
    words = ("-b", url, "-A", "proj", "worker", "-n", "w@here", "-Q", "here", "-P", "solo")
    folder = Path(__file__).parent
    quiet = ("--without-mingle", "--without-gossip")
    with closing(Process(*words, *quiet, "-l", "info", cwd=folder, program=CELERY)) as process:
        process.says("ready")
        yield


def test_a_worker_that_knows_the_task_and_one_that_does_not(
    redis_app: Celery, worker: None
) -> None:
    last = Finding("ok", "workers", "the newest runs have outcomes")
    well = worker_findings(redis_app, [entry("a", "proj.say", "here")], 2.0, lambda: [last])
    assert list(well) == [
        Finding("ok", "workers", "w@here on the queue here: 1 task of entries known"),
        last,
    ]
    entries = [
        entry("a", "proj.say", "here"),
        entry("b", "proj.nope", "here"),
        entry("c", "proj.say", "elsewhere"),
        entry("d", "proj.nope", "disabled", enabled=False),
    ]
    assert [(one.level, one.text) for one in worker_findings(redis_app, entries, 2.0)] == [
        (
            "error",
            "no worker consumes the queue elsewhere, which entries use (c); start one with -Q "
            "elsewhere",
        ),
        (
            "error",
            "no worker of the queue here knows the task proj.nope (entry b); correct the name, or "
            "let the worker import its module",
        ),
    ]


def test_without_a_worker_one_line_says_how_to_start_one(redis_app: Celery) -> None:
    entries = [entry("a", "t", "x"), entry("b", "t", "y")]
    found = worker_findings(redis_app, entries, 2.0, pytest.fail)
    assert list(found) == [
        Finding(
            "warning",
            "workers",
            "no worker answered within 1.5 s; start a worker: celery -A APP worker -Q x,y",
        )
    ]


def test_without_a_worker_runs_that_wait_are_an_error(redis_app: Celery) -> None:
    entries = [entry("a", "t", "x"), entry("b", "t", "y"), entry("c", "t", "z")]
    for queue in ("x", "x", "y"):
        redis_app.send_task("t", queue=queue)
    (error,) = worker_findings(redis_app, entries, 2.0, pytest.fail, "proj.celery:app")
    assert (error.level, error.text) == (
        "error",
        "no worker answered within 1.5 s, and 3 messages wait in x, y; start a worker: "
        "celery -A proj.celery:app worker -Q x,y,z",
    )


def test_a_worker_of_other_queues_is_not_asked_to_report(redis_app: Celery, worker: None) -> None:
    entries = [entry("a", "proj.say", "elsewhere")]
    (error,) = worker_findings(redis_app, entries, 2.0, pytest.fail)
    assert error.text.startswith("no worker consumes the queue elsewhere")


def test_one_of_two_workers_that_does_not_know_the_task() -> None:
    queues = {"w1": ["q"], "w2": ["q"], "w3": ["other"]}
    tasks = {"w1": ["t"], "w2": [], "w3": []}
    (error,) = queue_findings("q", {"t": "a"}, queues, tasks, None)
    assert error.text.startswith("w2 on the queue q does not know the task t (entry a)")


def test_the_tasks_of_celery_itself_are_known_although_no_worker_lists_them() -> None:
    used = {"celery.backend_cleanup": "celery.backend_cleanup"}
    (well,) = queue_findings("celery", used, {"w": ["celery"]}, {"w": ["proj.say"]}, None)
    assert well.level == "ok"


def test_a_worker_that_consumes_but_is_too_busy_to_answer() -> None:
    (warning,) = queue_findings("q", {"t": "a"}, {"w": ["other"]}, {}, 1)
    assert (warning.level, warning.text) == (
        "warning",
        "a worker consumes the queue q, but it did not answer in time",
    )


def test_rabbitmq_knows_its_consumers(server: Server) -> None:
    host, port = server("rabbitmq")
    app = app_for({"url": f"amqp://guest:guest@{host}:{port}//"})
    queue = f"test-{uuid4().hex}"
    (broker,) = broker_findings(
        Config(broker=Broker(), store=Store(url="memory:")), app, clock=SystemClock(), timeout_s=5.0
    )
    assert broker.level == "ok"
    assert broker.text.startswith("RabbitMQ ")
    entries = [entry("a", "t", queue)]
    (nobody,) = worker_findings(app, entries, 5.0)
    assert nobody.level == "warning"  # nothing waits
    assert nobody.text.endswith(f"; start a worker: celery -A APP worker -Q {queue}")
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        channel.queue_declare(queue, auto_delete=True)
        channel.basic_consume(queue, callback=lambda message: None)
        (busy,) = worker_findings(app, entries, 5.0)
    assert busy.text.endswith(f", but {queue} has consumers: are they busy?")


def test_a_broker_that_is_away_is_one_line(server: Server) -> None:
    host, port = server("rabbitmq")
    config = Config(store=Store(url="memory:"))
    for url, reason in (
        ("redis://127.0.0.1:1/0", "refused"),
        ("redis://nosuchhost.invalid/0", "nosuchhost.invalid"),
        (f"amqp://guest:sesame@{host}:{port}//", "Login was refused"),
    ):
        app = app_for({"url": url})
        (error,) = broker_findings(config, app, clock=SystemClock(), timeout_s=2.0)
        assert error.level == "error"
        assert error.text.startswith("does not answer: ")
        assert reason in error.text
        assert "sesame" not in error.text
        assert list(worker_findings(app, [entry("a", "t", "q")], 2.0)) == []


def test_the_settings_of_a_redis_are_said_once(start: Start) -> None:
    url = start("--appendonly", "no").url
    app, clock = app_for({"url": url}), SystemClock()
    apart = broker_findings(Config(store=Store(url="memory:")), app, clock=clock, timeout_s=2.0)
    assert [one.level for one in apart] == ["ok", "warning"]
    same = broker_findings(Config(store=Store(url=url)), app, clock=clock, timeout_s=2.0)
    assert [one.level for one in same] == ["ok"]


def test_each_task_of_a_canvas_is_looked_for_on_its_own_queue() -> None:
    steps = [{"task": "a"}, {"group": [{"task": "b", "options": {"queue": "heavy"}}, "c"]}, "d"]
    nightly = entry_from("nightly", {"every": "1h", "chain": steps, "options": {"queue": "first"}})
    fan_out = entry_from(
        "fan-out", {"every": "1h", "group": ["e", {"task": "f"}], "options": {"queue": "many"}}
    )
    assert uses_of(Celery(), [nightly, fan_out]) == {
        "first": {"a": "nightly"},
        "heavy": {"b": "nightly"},
        "celery": {"c": "nightly", "d": "nightly"},
        "many": {"e": "fan-out", "f": "fan-out"},
    }


def test_messages_in_the_memory_of_this_process_wait_for_nobody() -> None:
    app = Celery(broker="memory://")
    app.send_task("proj.hello")
    assert waiting(app, ["celery"], 1.0) == {}
