"""BeatLazyFunc: worked out when it is sent, by the app that has it, and never ahead."""

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from celery import Celery
from celery.beat import BeatLazyFunc

from beatd.definition import codec
from beatd.entry import Entry
from beatd.publisher import Outcome
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.lazy_arguments import MARK
from beatd.sources.app import App
from tests.fake_clock import FakeClock
from tests.publishers.brokers import redis_lists
from tests.publishers.runs import MOMENT, always, run


@pytest.fixture
def app(redis_url: str) -> Celery:
    calls = count(1)

    def upper(text: str, *, mark: str) -> str:
        return text.upper() + mark

    made = Celery("lazy", broker=redis_url, set_as_current=False)
    made.conf.update(task_default_queue="lazy", result_expires=None)
    made.conf.beat_schedule = {
        "x": {
            "task": "t",
            "schedule": 30,
            "args": ("plain", BeatLazyFunc(lambda: next(calls))),
            "kwargs": {
                "now": BeatLazyFunc(lambda: MOMENT),
                "b": BeatLazyFunc(upper, "b", mark="!"),
            },
        }
    }
    return made


@pytest.fixture
def entry(app: Celery) -> Entry:
    """As the store gives it back."""
    reading = App(app, shown="proj", name="config", clock=FakeClock()).read()
    assert not reading.problems
    (declared,) = reading.declared.entries
    return codec.decode("x", codec.encode(declared), "app:config", "proj")


def published(app: Celery, entry: Entry, times: int = 1) -> list[Outcome]:
    publisher = CeleryPublisher(app=app, timeout=60)
    try:
        runs = [run(entry, nth=nth) for nth in range(times)]
        publisher.prepare(runs)
        return [outcome for one in runs for outcome in publisher.publish([one], always)]
    finally:
        publisher.close()


def bodies(url: str) -> Iterator[Any]:
    for message in redis_lists(url)["lazy"]:
        yield json.loads(b64decode(message["body"]))


def test_it_is_called_at_each_send_and_not_when_the_run_is_prepared(
    app: Celery, entry: Entry, redis_url: str
) -> None:
    assert published(app, entry, times=3) == [Outcome("confirmed")] * 3
    sent = sorted(bodies(redis_url), key=lambda body: str(body[0]))
    assert [args for args, _, _ in sent] == [["plain", n] for n in (1, 2, 3)]
    assert {kwargs["b"] for _, kwargs, _ in sent} == {"B!"}


def test_what_it_returns_may_be_whatever_celery_can_send(
    app: Celery, entry: Entry, redis_url: str
) -> None:
    published(app, entry)
    ((_, kwargs, _),) = bodies(redis_url)
    assert datetime.fromisoformat(kwargs["now"]["__value__"]) == MOMENT


def test_without_the_app_the_run_is_refused_in_one_line(redis_url: str, entry: Entry) -> None:
    bare = Celery("bare", broker=redis_url, set_as_current=False)
    (outcome,) = published(bare, entry)
    assert outcome.sent == "rejected"
    assert "BeatLazyFunc of an app that is not loaded here; run beatd with -A" in outcome.reason
    assert "\n" not in outcome.reason
    assert not redis_lists(redis_url)


def test_one_that_the_app_has_no_longer_is_refused_as_well(app: Celery, entry: Entry) -> None:
    app.conf.beat_schedule["x"]["args"] = ("plain", 1)
    (outcome,) = published(app, entry)
    assert outcome.sent == "rejected"


def test_one_that_fails_fails_its_own_run(app: Celery, entry: Entry, redis_url: str) -> None:
    def fails() -> None:
        raise LookupError("no luck today")

    app.conf.beat_schedule["x"]["args"] = ("plain", BeatLazyFunc(fails))
    (outcome,) = published(app, entry)
    assert (outcome.sent, "no luck today" in outcome.reason) == ("rejected", True)
    assert not redis_lists(redis_url)


def test_people_see_which_function_it_is(entry: Entry) -> None:
    assert list(entry.kwargs["b"]) == [MARK]
    assert entry.kwargs["b"][MARK].endswith("upper")
