"""Receivers of celery's publish signals see a canvas as celery's own apply_async shows it."""

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from celery import Celery, signals
from kombu import pools

from beatd.publisher import Outcome
from beatd.publishers.celery import CeleryPublisher
from tests.publishers.brokers import redis_lists
from tests.publishers.canvas_likeness import (
    alike,
    entry_of,
    publish,
    signature,
    without_subscriptions,
)
from tests.publishers.canvases import CANVASES
from tests.publishers.runs import always, run

CONFIRMED = Outcome("confirmed")
Seen = list[tuple[str, str, str, int]]  # signal, task, id of the message, messages in the broker


@pytest.fixture(params=["redis", "database"])
def app(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Celery]:
    results = redis_url if request.param == "redis" else "db+sqlite://"
    app = Celery("project", broker=redis_url, backend=results, set_as_current=False)
    app.conf.task_create_missing_queues = True
    without_subscriptions(app)
    yield app
    if request.param == "redis":
        app.backend.client.connection_pool.disconnect()
    app.close()
    pools.reset()


@contextmanager
def listening(url: str) -> Iterator[Seen]:
    """Connect receivers to the signals; the first changes the message, and both record it."""
    seen: Seen = []
    with redis.Redis.from_url(url) as client:

        def on_before(sender: str, headers: dict[str, Any], **_: Any) -> None:
            seen.append(("before", sender, headers["id"], lying(client)))
            headers["listened"] = f"to {sender}"

        def on_after(sender: str, headers: dict[str, Any], **_: Any) -> None:
            assert headers["listened"] == f"to {sender}"
            seen.append(("after", sender, headers["id"], lying(client)))

        signals.before_task_publish.connect(on_before)
        signals.after_task_publish.connect(on_after)
        try:
            yield seen
        finally:
            signals.before_task_publish.disconnect(on_before)
            signals.after_task_publish.disconnect(on_after)


def lying(client: "redis.Redis[Any]") -> int:
    keys: Any = client.keys()
    lists = [key for key in keys if client.type(key) == b"list"]
    return sum(client.llen(key) for key in lists)  # type: ignore[misc]


def messages(url: str) -> list[tuple[str, Any]]:
    ids: dict[str, str] = {}
    found = []
    for queue, waiting in sorted(redis_lists(url).items()):
        for message in waiting:
            message["body"] = json.loads(b64decode(message["body"]))
            found.append((queue, alike(message, ids)))
    return found


def numbered(seen: Seen) -> list[Any]:
    ids: dict[str, str] = {}
    return [(signal, task, alike(id, ids), count) for signal, task, id, count in seen]


@pytest.mark.parametrize("name", CANVASES)
def test_they_are_called_for_each_message_as_by_celery(
    name: str, app: Celery, redis_url: str
) -> None:
    pair = CANVASES[name]
    with listening(redis_url) as seen:
        pair.celerys(signature(app), app).apply_async(**pair.options)
        theirs, seen_theirs = messages(redis_url), numbered(seen)
        seen.clear()
        one = run(entry_of(pair.plain, pair.options))
        assert publish(app, one) == [CONFIRMED]
        ids = [
            message["headers"]["id"]
            for lists in redis_lists(redis_url).values()
            for message in lists
        ]
        assert publish(app, one) == [CONFIRMED]
    first, again = seen[: len(seen) // 2], seen[len(seen) // 2 :]
    assert numbered(first) == seen_theirs and seen_theirs
    assert again == first
    assert messages(redis_url) == theirs
    # The ids are those of a run to which nobody listens.
    assert publish(app, one) == [CONFIRMED]
    unheard = [
        message["headers"]["id"] for lists in redis_lists(redis_url).values() for message in lists
    ]
    assert unheard == ids


def test_single_tasks_beside_a_canvas_are_listened_to(app: Celery, redis_url: str) -> None:
    runs = [
        run(entry_of(plain, {}))
        for plain in ({"task": "a"}, CANVASES["chain"].plain, {"task": "b"})
    ]
    with listening(redis_url) as seen:
        assert publish(app, *runs) == [CONFIRMED] * 3
    assert [(signal, task, count) for signal, task, _, count in seen] == [
        ("before", "a", 0),
        ("after", "a", 1),
        ("before", "a", 1),
        ("after", "a", 2),
        ("before", "b", 2),
        ("after", "b", 3),
    ]


def test_a_group_that_was_sent_in_part_is_unknown(app: Celery, redis_url: str) -> None:
    left = iter([True, True])
    publisher = CeleryPublisher(app=app)
    one = run(entry_of({"group": ["a", "b", "c"]}, {}))
    with listening(redis_url) as seen:
        (outcome,) = publisher.publish([one], lambda: next(left, False))
        assert outcome.sent == "unknown"
        assert outcome.reason.endswith("; 2 messages of the run went out before this one")
        assert [signal for signal, *_ in seen] == ["before", "after"] * 2 + ["before"]
        assert list(publisher.publish([one], always)) == [CONFIRMED]
    publisher.close()


def test_a_chord_whose_counter_cannot_be_written_is_unknown(redis_url: str) -> None:
    """Celery writes it in the midst of the header, and only its own code calls the receivers."""
    app = Celery("project", broker=redis_url, backend="redis://localhost:1/0", set_as_current=False)
    publisher = CeleryPublisher(app=app, timeout=0.3)
    with listening(redis_url) as seen:
        (outcome,) = publisher.publish([run(entry_of(CANVASES["chord"].plain, {}))], always)
    publisher.close()
    assert outcome.sent == "unknown" and "the result backend" in outcome.reason
    sent = [task for signal, task, *_ in seen if signal == "after"]
    assert len(redis_lists(redis_url)["celery"]) == len(sent) > 0
    assert "c" not in sent, "the body"


def test_a_canvas_that_cannot_be_made_is_rejected(app: Celery, redis_url: str) -> None:
    plain = {"group": ["a", {"task": "b", "options": {"serializer": "nosuch"}}]}
    with listening(redis_url):
        (outcome,) = publish(app, run(entry_of(plain, {})))
    assert outcome.sent == "rejected" and "nosuch" in outcome.reason
