"""The messages of canvases beside those of celery's own apply_async, compared key by key."""

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
import redis
from celery import Celery
from celery.app.task import Context
from kombu import pools

from beatd.publisher import Outcome
from beatd.publishers.celery import CeleryPublisher
from tests.publishers.brokers import redis_lists
from tests.publishers.canvas_likeness import (
    MOMENTS,
    alike,
    entry_of,
    publish,
    signature,
    without_subscriptions,
)
from tests.publishers.canvases import CANVASES
from tests.publishers.runs import always, run


@pytest.fixture(params=["redis", "database"])
def app(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Celery]:
    results = redis_url if request.param == "redis" else "db+sqlite://"
    app = Celery("project", broker=redis_url, backend=results, set_as_current=False)
    app.conf.task_create_missing_queues = True

    @app.task(name="a", shared=False)  # the others are not registered
    def a(*args: Any, **kwargs: Any) -> None: ...

    without_subscriptions(app)
    yield app
    if request.param == "redis":
        app.backend.client.connection_pool.disconnect()
    app.close()
    pools.reset()


def messages(url: str) -> list[tuple[str, Any]]:
    """Return the messages in the broker, in the order of each queue, with what differs replaced."""
    ids: dict[str, str] = {}
    found = []
    for queue, lying in sorted(redis_lists(url).items()):
        for message in lying:
            message["body"] = json.loads(b64decode(message["body"]))
            found.append((queue, message))
    return [(queue, alike(message, ids)) for queue, message in found]


@pytest.mark.parametrize("name", CANVASES)
def test_a_canvas_is_sent_as_celery_sends_it(name: str, app: Celery, redis_url: str) -> None:
    pair = CANVASES[name]
    pair.celerys(signature(app), app).apply_async(**pair.options)
    theirs = messages(redis_url)
    assert publish(app, run(entry_of(pair.plain, pair.options))) == [Outcome("confirmed")]
    ours = messages(redis_url)
    assert ours == theirs and ours


@pytest.mark.parametrize("name", CANVASES)
def test_a_run_that_is_sent_again_is_the_same_canvas(
    name: str, app: Celery, redis_url: str
) -> None:
    pair = CANVASES[name]
    one = run(entry_of(pair.plain, pair.options))
    sent = []
    for _ in range(2):
        publish(app, one)
        # Without numbers for the ids.
        found = [message for lying in redis_lists(redis_url).values() for message in lying]
        sent.append([without_times(message) for message in found])
    assert sent[0] == sent[1]


def without_times(message: dict[str, Any]) -> dict[str, Any]:
    headers = {key: value for key, value in message["headers"].items() if key not in MOMENTS}
    properties = dict(message["properties"], delivery_tag="", expiration="")
    return {**message, "headers": headers, "properties": properties}


def test_the_results_of_a_group_are_not_subscribed_to(redis_url: str) -> None:
    """Celery would keep a connection and a channel for each of them, for ever."""
    app = Celery("project", broker=redis_url, backend=redis_url, set_as_current=False)
    app.backend.add_pending_result = pending = Mock()
    assert publish(app, run(entry_of(CANVASES["group"].plain, {}))) == [Outcome("confirmed")]
    pending.assert_not_called()


def test_the_results_of_a_chord_are_not_subscribed_to(redis_url: str) -> None:
    """Neither while its counter is written."""
    app = Celery("project", broker=redis_url, backend=redis_url, set_as_current=False)
    assert publish(app, run(entry_of(CANVASES["chord"].plain, {}))) == [Outcome("confirmed")]
    with redis.Redis.from_url(redis_url) as client:
        last_commands = [one["cmd"] for one in client.client_list()]
    app.backend.client.connection_pool.disconnect()
    assert [command for command in last_commands if "subscribe" in command] == []


def test_a_chord_without_a_result_backend_is_rejected(redis_url: str) -> None:
    app = Celery("project", broker=redis_url, set_as_current=False)
    one = run(entry_of(CANVASES["chord"].plain, {}))
    (outcome,) = publish(app, one)
    assert outcome.sent == "rejected"
    assert "Starting chords requires a result backend to be configured" in outcome.reason
    assert messages(redis_url) == []


def test_a_result_backend_that_is_away_leaves_the_chord_unsent(redis_url: str) -> None:
    app = Celery("project", broker=redis_url, backend="redis://localhost:1/0", set_as_current=False)
    one, other = (
        run(entry_of(CANVASES["chord"].plain, {})),
        run(entry_of(CANVASES["chain"].plain, {})),
    )
    publisher = CeleryPublisher(app=app, timeout=0.3)
    chord, chain = publisher.publish([one, other], always)
    publisher.close()
    assert chord.sent == "unsent" and "the result backend" in chord.reason
    assert chain == Outcome("confirmed")
    assert {message["headers"]["task"] for _, message in messages(redis_url)} == {"a"}


@pytest.mark.filterwarnings("ignore:Call to deprecated setex")  # celery's
def test_a_chord_on_redis_that_is_sent_again_calls_its_body_once(redis_url: str) -> None:
    """Each result is counted by its task, and the counter is written once."""
    app = Celery("project", broker=redis_url, backend=redis_url, set_as_current=False)
    app.backend.on_task_call = Mock()  # it subscribes to the result of the body
    one = run(entry_of(CANVASES["chord"].plain, {}))
    publish(app, one)
    first, second = lying(redis_url)
    ended(app, first)
    publish(app, one)  # when the header runs
    ended(app, first)
    assert [message["headers"]["task"] for message in lying(redis_url)] == ["a", "b"]
    ended(app, second)
    assert [message["headers"]["task"] for message in lying(redis_url)] == ["c"]
    publish(app, one)  # when the body has been called
    lying(redis_url)
    ended(app, first)
    ended(app, second)
    assert lying(redis_url) == []
    app.backend.client.connection_pool.disconnect()
    app.close()
    pools.reset()


def lying(url: str) -> list[Any]:
    """Return the messages in the queue and remove them; the results stay."""
    with redis.Redis.from_url(url) as client:
        found: Any = client.lrange("celery", 0, -1)
        client.delete("celery")
    messages = [json.loads(text) for text in reversed(found)]
    return sorted(messages, key=lambda message: str(message["headers"]["task"]))


def ended(app: Celery, message: Any) -> None:
    """Do what a worker does with the result of a task."""
    _, _, embed = json.loads(b64decode(message["body"]))
    app.backend.mark_as_done(
        message["headers"]["id"],
        1,
        request=Context({**message["headers"], **embed}),
    )


def test_one_part_that_cannot_be_sent_rejects_the_run(app: Celery, redis_url: str) -> None:
    plain = {"group": [{"task": "a"}, {"task": "b", "options": {"serializer": "nosuch"}}]}
    (outcome,) = publish(app, run(entry_of(plain, {})))
    assert outcome.sent == "rejected" and "nosuch" in outcome.reason
    assert messages(redis_url) == []


def test_a_capture_is_of_one_thread(app: Celery, redis_url: str) -> None:
    """An app whose canvas was sent by beatd sends its own canvases as before."""
    publish(app, run(entry_of(CANVASES["chord"].plain, {})))
    ours = messages(redis_url)
    ids = [str(uuid4()), str(uuid4())]
    for id in ids:
        CANVASES["chord"].celerys(signature(app), app).apply_async(task_id=id)
    sent = redis_lists(redis_url)["celery"]
    assert len(sent) == 2 * len(ours)
    assert len({message["headers"]["id"] for message in sent}) == len(sent)
