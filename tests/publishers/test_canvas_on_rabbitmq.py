"""The messages of canvases beside those of celery's own apply_async, as RabbitMQ has them."""

import json
from collections.abc import Iterator
from typing import Any

import amqp
import pytest
from celery import Celery
from kombu import pools

from beatd.publisher import Outcome
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.largest_step import with_largest_step
from tests.publishers.brokers import rabbit_queue, unique
from tests.publishers.canvas_likeness import (
    alike,
    entry_of,
    publish,
    signature,
    without_subscriptions,
)
from tests.publishers.canvases import CANVASES
from tests.publishers.runs import always, run

SIZES = (("proj.extract", 10), ("proj.transform", 1000), ("proj.load", 140_000_000))
QUEUES = ("celery", "heavy", "q")


@pytest.fixture
def app(rabbit_url: str, rabbit: amqp.Channel) -> Iterator[Celery]:
    delete(rabbit)
    app = Celery(unique("project"), broker=rabbit_url, backend="db+sqlite://", set_as_current=False)
    app.conf.task_create_missing_queues = True
    # What celery itself sent is in its queue when apply_async returns.
    app.conf.broker_transport_options = {"confirm_publish": True}
    for queue in QUEUES:
        rabbit.queue_declare(queue, durable=True, auto_delete=False)
    without_subscriptions(app)
    yield app
    app.close()
    pools.reset()
    delete(rabbit)


def delete(channel: amqp.Channel) -> None:
    for queue in QUEUES:
        channel.queue_delete(queue)
        channel.exchange_delete(queue)


def messages(channel: amqp.Channel) -> list[Any]:
    """Return the messages in the order of each queue; they are removed."""
    ids: dict[str, str] = {}
    found = []
    for queue in QUEUES:
        for message in rabbit_queue(channel, queue):
            properties = dict(message.properties)
            plain = {
                "queue": queue,
                "headers": properties.pop("application_headers"),
                "properties": properties,
                "exchange": message.delivery_info["exchange"],
                "routing_key": message.delivery_info["routing_key"],
                "body": json.loads(message.body),
            }
            found.append(alike(plain, ids))
    return found


@pytest.mark.parametrize("name", CANVASES)
def test_a_canvas_is_sent_as_celery_sends_it(name: str, app: Celery, rabbit: amqp.Channel) -> None:
    pair = CANVASES[name]
    pair.celerys(signature(app), app).apply_async(**pair.options)
    theirs = messages(rabbit)
    assert publish(app, run(entry_of(pair.plain, pair.options))) == [Outcome("confirmed")]
    assert messages(rabbit) == theirs and theirs


def test_a_message_that_is_too_large_names_the_largest_task(app: Celery) -> None:
    """RabbitMQ closes the channel on a message of more than 128 MiB, by default."""
    steps = [{"task": name, "args": ["x" * length]} for name, length in SIZES]
    publisher = CeleryPublisher(app=app, timeout=100)
    (outcome,) = publisher.publish([run(entry_of({"chain": steps}, {}))], always)
    publisher.close()
    assert outcome.sent == "rejected" and "larger than configured max size" in outcome.reason
    assert outcome.reason.endswith(
        "; the largest is task 3 of 3, proj.load, with 140.0 MB of arguments"
    )


def test_a_small_canvas_that_is_refused_names_no_step() -> None:
    entry = entry_of({"chain": ["a", "b"]}, {})
    outcome = Outcome("rejected", "message size 8 is larger than configured max size 4")
    assert with_largest_step(outcome, entry) == outcome
