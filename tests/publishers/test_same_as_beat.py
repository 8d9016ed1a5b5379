"""Celery beat beside beatd: the same entries, the raw messages compared key by key."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import amqp
import pytest
from celery import Celery
from celery.beat import ScheduleEntry, Scheduler
from kombu import pools

from beatd.definition import codec
from beatd.entry import Entry
from beatd.publisher import Outcome
from beatd.publishers.celery import CeleryPublisher
from beatd.sources.app import App
from tests.fake_clock import FakeClock
from tests.publishers.apply_async_entries import ENTRIES, QUEUES, project
from tests.publishers.brokers import rabbit_queue, redis_lists
from tests.publishers.runs import always, entry, run
from tests.waiting import until

OURS = {"periodic_task_name", "beatd_planned_at"}
MOMENTS = {"eta", "expires"}

# Queues as class options, which these entries use, are deprecated, and work.
pytestmark = pytest.mark.filterwarnings("ignore::celery.exceptions.CDeprecationWarning")


@pytest.fixture(params=["redis", "rabbitmq"])
def world(
    request: pytest.FixtureRequest,
) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    pools.reset()  # a connection of the test before remembers queues that are gone by now
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        yield url, lambda: by_task(from_redis(url))
        return
    url, channel = request.getfixturevalue("rabbit_url"), request.getfixturevalue("rabbit")
    delete(channel)
    yield url, lambda: by_task(from_rabbit(channel))
    delete(channel)


def delete(channel: amqp.Channel) -> None:
    for queue in QUEUES:
        channel.queue_delete(queue)
    for exchange in ("fa-tasks", "fa-direct", "fa-default", "fa-new"):
        channel.exchange_delete(exchange)


def from_redis(url: str) -> Iterator[dict[str, Any]]:
    for key, messages in redis_lists(url).items():
        for message in messages:
            yield {"queue": key, **message}


def from_rabbit(channel: amqp.Channel) -> Iterator[dict[str, Any]]:
    for queue in QUEUES[:-1]:
        channel.queue_declare(queue, durable=True, auto_delete=False)
        for message in rabbit_queue(channel, queue):
            properties = dict(message.properties)
            info = {
                k: v for k, v in message.delivery_info.items() if k in ("exchange", "routing_key")
            }
            yield {
                "queue": queue,
                "headers": properties.pop("application_headers"),
                "properties": properties | {"delivery_info": info, "delivery_tag": ""},
                "body": message.body,
            }


def by_task(messages: Iterator[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for message in messages:
        task = message["headers"]["task"]
        key = task if task not in found else f"{task} again"
        assert key not in found
        found[key] = message
    return found


def test_entries_are_sent_as_celery_beat_sends_them(
    world: tuple[str, Callable[[], dict[str, Any]]],
) -> None:
    url, received = world
    # On RabbitMQ what has expired is gone before one can look at it.
    names = [name for name in ENTRIES if "amqp" not in url or name != "expires-past"]
    given = [
        entry(name, e["task"], *e["args"], kwargs=e["kwargs"], options=e["options"])
        for name, e in ((name, ENTRIES[name]) for name in names)
    ]
    are_sent_as_beat_sends_them(project(url), given, received)


def test_entries_of_an_app_are_sent_from_a_store_as_celery_beat_sends_them(
    world: tuple[str, Callable[[], dict[str, Any]]],
) -> None:
    url, received = world
    app = project(url)
    names = [name for name in ENTRIES if name.startswith("typed")]
    names += ["arguments", "keywords", "pickle", "msgpack", "headers", "links"]
    app.conf.result_expires = None
    app.conf.beat_schedule = {
        name: {**ENTRIES[name], "schedule": 60, "options": dict(ENTRIES[name]["options"])}
        for name in names
    }
    reading = App(app, shown="proj", name="config", clock=FakeClock()).read()
    assert [problem for problem in reading.problems if "(__type__)" not in problem.text] == []
    kept = [
        codec.decode(one.name, codec.encode(one), one.source, one.declared_at)
        for one in reading.declared.entries
    ]
    assert [one.name for one in kept] == names
    are_sent_as_beat_sends_them(app, kept, received)


def arrived(received: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What beat sent, for whose arrival in RabbitMQ it does not wait."""
    found: dict[str, Any] = {}
    until(lambda: found.update(received()) or found, 10, "nothing arrived")
    return found


def are_sent_as_beat_sends_them(
    app: Celery, given: Sequence[Entry], received: Callable[[], dict[str, Any]]
) -> None:
    names = [one.name for one in given]
    beat = Scheduler(app, lazy=True)
    theirs: dict[str, Any] = {}
    ours: list[dict[str, Any]] = []
    before = repr(ENTRIES)
    for name in names:
        plain = ENTRIES[name]
        options = dict(plain["options"])
        if "headers" in options:
            options["headers"] = dict(options["headers"])  # beat writes into it
        made = {**plain, "options": options}
        beat.apply_async(ScheduleEntry(name=name, schedule=60, app=app, **made), advance=False)
        (theirs[name],) = arrived(received).values()
    beat.producer.connection.release()
    assert list(theirs) == names

    publisher = CeleryPublisher(app=app, timeout=60)
    assert publisher.reachable()
    # The first time templates are made and proved, afterwards they are used.
    for nth in range(3):
        runs = [run(one, nth=nth) for one in given]
        if nth == 1:
            publisher.prepare(runs)
        got: dict[str, Any] = {}
        for one in runs:
            assert publisher.publish([one], always) == [Outcome("confirmed")], one.entry
            (message,) = received().values()
            got[one.entry.name] = message
            headers = message["headers"]
            assert headers["periodic_task_name"] == one.entry.name
            assert datetime.fromisoformat(headers["beatd_planned_at"]) == one.occurrence.planned
            if "headers" not in one.entry.options:
                assert headers["id"] == one.task_id
        ours.append(got)
    publisher.close()
    assert repr(ENTRIES) == before
    for got in ours:
        for name, message in got.items():
            same(name, theirs[name], message)


def same(name: str, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    options = ENTRIES[name]["options"]
    headers, expected = ours["headers"], theirs["headers"]
    assert [k for k in headers if k not in OURS] == list(expected), name  # the same order, too
    assert headers.keys() - expected.keys() == OURS
    ids = {"id", "root_id"} - options.keys() - (options.get("headers") or {}).keys()
    for key in expected.keys() - MOMENTS - ids:
        assert headers[key] == expected[key], (name, key)
    for key in MOMENTS:
        assert near(headers[key], expected[key]), (name, key, headers[key], expected[key])
    properties, expected = ours["properties"], theirs["properties"]
    assert list(properties) == list(expected), name
    correlation = {"correlation_id"} - options.keys()
    for key in expected.keys() - {"delivery_tag", "expiration"} - correlation:
        assert properties[key] == expected[key], (name, key)
    mine, its = (int(p.get("expiration", 0)) for p in (properties, expected))
    assert abs(mine - its) < 20_000, name
    if isinstance(options.get("expires"), int | float):
        assert mine == its
    for key in theirs.keys() - {"headers", "properties"}:
        assert ours[key] == theirs[key], (name, key)


def near(mine: str | None, its: str | None) -> bool:
    if mine is None or its is None or mine == its:
        return mine == its
    one, other = datetime.fromisoformat(mine), datetime.fromisoformat(its)
    assert one.utcoffset() == other.utcoffset()
    return abs((one - other).total_seconds()) < 20
