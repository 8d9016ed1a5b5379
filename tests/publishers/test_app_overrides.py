"""Projects that send in their own way are asked for every message; nothing is taken for granted."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from celery import Celery, Task, signals
from kombu import Exchange, Queue

from beatd.publisher import Outcome, Push
from beatd.publishers.celery import CeleryPublisher
from beatd.run import Run
from tests.publishers.brokers import redis_lists
from tests.publishers.runs import always, entry, run

CONFIRMED = Outcome("confirmed")


def nothing() -> None: ...


def two(x: int, y: int) -> None: ...


@pytest.fixture
def app(redis_url: str) -> Celery:
    made = Celery("own", broker=redis_url, set_as_current=False)
    made.conf.task_default_queue = "own"
    return made


@pytest.fixture
def publisher(app: Celery) -> Iterator[CeleryPublisher]:
    made = CeleryPublisher(app=app, timeout=60)
    yield made
    made.close()


def sent(publisher: CeleryPublisher, url: str, runs: list[Run]) -> list[dict[str, Any]]:
    publisher.prepare(runs)
    assert list(publisher.publish(runs, always)) == [CONFIRMED] * len(runs)
    return [message for messages in redis_lists(url).values() for message in messages]


def pushes_of(
    publisher: CeleryPublisher, runs: Sequence[Run]
) -> Sequence[Sequence[Push] | Outcome]:
    """On a connection that was asked which server it leads to."""
    assert publisher.server() is not None
    return publisher.pushes(runs)


def test_a_task_with_its_own_apply_async_is_asked_each_time(
    app: Celery, publisher: CeleryPublisher, redis_url: str
) -> None:
    calls = count(1)

    class Counted(Task):  # type: ignore[misc]
        def apply_async(self, *args: Any, **kwargs: Any) -> Any:
            kwargs["headers"] = {**kwargs["headers"], "call": next(calls)}
            return super().apply_async(*args, **kwargs)

    app.task(name="own.counted", base=Counted, shared=False)(nothing)
    one = entry("counted", "own.counted")
    for first in (1, 4):
        got = sent(publisher, redis_url, [run(one, nth=nth) for nth in range(3)])
        assert [m["headers"]["call"] for m in got] == [first, first + 1, first + 2]


def test_a_task_without_a_message_is_rejected(app: Celery, publisher: CeleryPublisher) -> None:
    class Silent(Task):  # type: ignore[misc]
        def apply_async(self, *args: Any, **kwargs: Any) -> None: ...

    app.task(name="own.silent", base=Silent, shared=False)(nothing)
    (outcome,) = publisher.publish([run(entry("silent", "own.silent"))], always)
    assert outcome.sent == "rejected" and "sent nothing" in outcome.reason


def test_a_router_that_is_code_is_asked_each_time(
    app: Celery, publisher: CeleryPublisher, redis_url: str
) -> None:
    turns = count()

    def by_turns(name: str, args: Any, kwargs: Any, options: Any, task: Any = None) -> Any:
        return {"queue": f"own-{next(turns) % 2}"}

    app.conf.task_routes = [by_turns]
    one = entry("turns", "own.turns")
    runs = [run(one, nth=nth) for nth in range(4)]
    assert list(publisher.publish(runs, always)) == [CONFIRMED] * 4
    got = redis_lists(redis_url)
    assert {queue: len(messages) for queue, messages in got.items()} == {"own-0": 2, "own-1": 2}


def test_listeners_see_each_message_and_may_write_into_it(
    publisher: CeleryPublisher, redis_url: str
) -> None:
    before: list[str] = []
    after: list[tuple[str, int]] = []

    def on_before(headers: dict[str, Any], **_: Any) -> None:
        before.append(headers["id"])
        headers["trace"] = f"trace of {headers['id']}"

    def on_after(headers: dict[str, Any], **_: Any) -> None:
        after.append((headers["id"], len(before)))

    signals.before_task_publish.connect(on_before)
    signals.after_task_publish.connect(on_after)
    try:
        runs = [run(entry("seen", "own.seen"), nth=nth) for nth in range(3)]
        got = sent(publisher, redis_url, runs)
        assert {type(o) for o in pushes_of(publisher, runs)} == {Outcome}
    finally:
        signals.before_task_publish.disconnect(on_before)
        signals.after_task_publish.disconnect(on_after)
    ids = [one.task_id for one in runs]
    assert [m["headers"]["trace"] for m in got] == [f"trace of {one}" for one in ids]
    assert after == [(one, place + 1) for place, one in enumerate(ids)]


def test_a_listener_that_fails_changes_nothing(publisher: CeleryPublisher, redis_url: str) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("celery writes this to the log")

    signals.before_task_publish.connect(fail)
    signals.after_task_publish.connect(fail)
    try:
        assert len(sent(publisher, redis_url, [run(entry("seen", "own.seen"))])) == 1
    finally:
        signals.before_task_publish.disconnect(fail)
        signals.after_task_publish.disconnect(fail)


def test_where_the_app_wants_task_sent_events_they_follow_the_message(
    app: Celery, publisher: CeleryPublisher, redis_url: str
) -> None:
    app.conf.task_send_sent_event = True
    heard: list[dict[str, Any]] = []
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"task-sent": heard.append})
        one = run(entry("told", "own.told", 2, options={"queue": "own"}))
        with receiver.consumer_context() as (listening, _, __):
            with suppress(TimeoutError):
                listening.drain_events(timeout=0.1)  # subscribes
            assert list(publisher.publish([one], always)) == [CONFIRMED]
            while not heard:
                listening.drain_events(timeout=60)
    assert heard[0]["uuid"] == one.task_id and heard[0]["name"] == "own.told"
    assert heard[0]["queue"] == "own" and heard[0]["args"] == "[2]"
    assert {type(o) for o in pushes_of(publisher, [one])} == {Outcome}


def test_an_eager_app_is_told_that_nothing_would_be_sent(
    app: Celery, publisher: CeleryPublisher
) -> None:
    app.conf.task_always_eager = True
    (outcome,) = publisher.publish([run(entry("eager", "own.eager"))], always)
    assert outcome.sent == "rejected" and "task_always_eager" in outcome.reason


def test_arguments_a_task_does_not_take_are_rejected(
    app: Celery, publisher: CeleryPublisher
) -> None:
    app.task(name="own.two", shared=False)(two)
    runs = [run(entry(f"{n}", "own.two", *range(n))) for n in (2, 1, 3)]
    for _ in range(2):
        outcomes = publisher.publish(runs, always)
        assert [o.sent for o in outcomes] == ["confirmed", "rejected", "rejected"]
        assert "missing 1 required positional argument" in outcomes[1].reason


def test_an_edited_entry_is_sent_as_it_is_now(publisher: CeleryPublisher, redis_url: str) -> None:
    for revision, argument in ((1, "old"), (2, "new"), (2, "newer"), (1, "old")):
        one = run(entry("edited", "own.edited", argument), revision=revision)
        (message,) = sent(publisher, redis_url, [one])
        assert message["headers"]["argsrepr"] == f"['{argument}']"


def test_what_would_be_pushed_is_what_is_published(
    app: Celery, publisher: CeleryPublisher, redis_url: str
) -> None:
    tasks = Exchange("own-topic", type="topic")
    app.conf.task_queues = [
        Queue("own-a", tasks, routing_key="a.#"),
        Queue("own-b", tasks, routing_key="#.b"),
    ]
    options = [
        {"queue": "own-a"},
        {"queue": "own-a", "priority": 9},
        {"exchange": "own-topic", "routing_key": "a.b"},  # both
        {"queue": "own-b", "countdown": 10, "expires": 60},
    ]
    runs = [run(entry(f"n{n}", "own.t", options=o)) for n, o in enumerate(options)]
    # Bindings are made by whoever declares: here by publishing, in life by the workers.
    assert list(publisher.publish(runs[:2] + runs[3:], always)) == [CONFIRMED] * 3
    redis_lists(redis_url)
    pushes = pushes_of(publisher, runs)
    assert [c.sent for c in publisher.publish(runs, always)] == ["confirmed"] * 4
    lists = redis_lists(redis_url)
    for one, pushed in zip(runs, pushes, strict=True):
        assert not isinstance(pushed, Outcome)
        found = {
            key: message
            for key, messages in lists.items()
            for message in messages
            if message["headers"]["id"] == one.task_id
        }
        assert found.keys() == {push.key for push in pushed}
        for push in pushed:
            ours, theirs = json.loads(push.body), found[push.key]
            for message in (ours, theirs):
                message["properties"].pop("delivery_tag")
                for moment in ("eta", "expires"):
                    message["headers"][moment] = message["headers"][moment] is None
            assert ours == theirs


def test_a_key_prefix_is_in_the_key_of_a_push(app: Celery, redis_url: str) -> None:
    app.conf.broker_transport_options = {"global_keyprefix": "pre:"}
    publisher = CeleryPublisher(app=app, timeout=60)
    one = run(entry("prefixed", "own.prefixed"))
    ((push,),) = pushes_of(publisher, [one])
    assert push.key == "pre:own"
    assert list(publisher.publish([one], always)) == [CONFIRMED]
    assert redis_lists(redis_url).keys() == {"pre:own"}
    publisher.close()


def test_a_queue_that_expires_lives_on_with_every_message(app: Celery, redis_url: str) -> None:
    app.conf.task_queues = [Queue("own-brief", routing_key="own-brief", expires=30)]
    publisher = CeleryPublisher(app=app, timeout=60)
    one = run(entry("brief", "own.brief", options={"queue": "own-brief"}))
    assert {type(o) for o in pushes_of(publisher, [one])} == {Outcome}
    assert list(publisher.publish([one], always)) == [CONFIRMED]
    channel = app.connection_for_read().default_channel
    assert 0 < channel.client.pttl("own-brief") <= 30_000
    channel.connection.client.release()
    publisher.close()


def test_delivery_tags_are_never_the_same(publisher: CeleryPublisher, redis_url: str) -> None:
    one = entry("tagged", "own.tagged")
    runs = [run(one, nth=nth) for nth in range(50)]
    got = [m for _ in range(3) for m in sent(publisher, redis_url, runs)]
    assert len({m["properties"]["delivery_tag"] for m in got}) == 150


def test_the_server_is_told_apart_by_its_run_id_and_db(
    publisher: CeleryPublisher, redis_db: int
) -> None:
    told = publisher.server()
    assert told is not None
    run_id, db = told
    assert len(run_id) == 40 and db == redis_db
