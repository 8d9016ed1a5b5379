"""Arguments that only the app can send: a mark in the store, the value when it is published."""

import os
import pickle
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.beat import ScheduleEntry
from kombu.utils.json import loads

from beatd.definition import codec
from beatd.entry import Entry
from beatd.publisher import Outcome
from beatd.publishers.app_value import DIGEST, MARK, digest_of
from beatd.publishers.celery import CeleryPublisher
from beatd.sources import Reading
from beatd.sources.app import App
from tests.fake_clock import FakeClock
from tests.publishers.brokers import redis_lists
from tests.publishers.runs import always, run


class Colour(str, Enum):  # noqa: UP042  # its str() is not its value
    RED = "red"


class Order:
    def __init__(self, *items: Any) -> None:
        self.items = items

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Order) and self.items == other.items

    __hash__ = None  # type: ignore[assignment]


@pytest.fixture
def app(redis_url: str) -> Iterator[Celery]:
    made = Celery("own", broker=redis_url, set_as_current=False)
    made.conf.update(
        task_default_queue="own", result_expires=None, accept_content=["json", "pickle"]
    )
    yield made
    made.close()


def source(app: Celery, **written: Any) -> App:
    app.conf.beat_schedule = {"x": {"task": "t", "schedule": 30, **written}}
    return App(app, shown="proj", name="config", clock=FakeClock())


def stored(reading: Reading) -> Entry:
    """As the store gives it back."""
    assert not reading.problems, reading.problems
    (declared,) = reading.declared.entries
    return codec.decode("x", codec.encode(declared), "app:config", "proj")


def published(app: Celery, entry: Entry, times: int = 1) -> list[Outcome]:
    publisher = CeleryPublisher(app=app)
    try:
        runs = [run(entry, nth=nth) for nth in range(times)]
        publisher.prepare(runs)
        return [outcome for one in runs for outcome in publisher.publish([one], always)]
    finally:
        publisher.close()


def bodies(url: str, read: Callable[[bytes], Any] = pickle.loads) -> list[Any]:
    return [read(b64decode(message["body"])) for message in redis_lists(url)["own"]]


PICKLE = {"serializer": "pickle"}


@pytest.mark.parametrize(
    ("value", "serializer"),
    [
        ({1, 2}, "pickle"),
        ([{"a": frozenset(("x", "y"))}], "pickle"),
        (Order(1, {2}), "pickle"),
        ({1: 2}, "pickle"),
        (1j, "pickle"),
        (2**70, "json"),
        (float("inf"), "json"),
        ({1, 2}, "yaml"),
        ([[]] * 3 + [{1, 2}], "yaml"),
    ],
)
def test_what_the_apps_serializer_can_send_is_sent(
    app: Celery, redis_url: str, value: Any, serializer: str
) -> None:
    import yaml

    entry = stored(source(app, args=(1, value), options={"serializer": serializer}).read())
    assert entry.args[0] == 1 and entry.args[1].keys() == {MARK, DIGEST}
    assert entry.args[1][MARK] == type(value).__name__
    assert published(app, entry, times=3) == [Outcome("confirmed")] * 3
    read: Any = {"pickle": pickle.loads, "json": loads, "yaml": yaml.safe_load}[serializer]
    assert [body[0][1] for body in bodies(redis_url, read)] == [value] * 3


def test_the_serializer_may_be_the_tasks_or_the_apps(app: Celery) -> None:
    @app.task(name="t", shared=False, serializer="pickle")
    def t(*args: Any) -> None: ...

    assert MARK in stored(source(app, args=({1},)).read()).args[0]
    del app.tasks["t"]
    assert source(app, args=({1},)).read().problems
    app.conf.task_serializer = "pickle"
    assert MARK in stored(source(app, kwargs={"a": {1}}).read()).kwargs["a"]


def deep() -> Any:
    value: Any = 1
    for _ in range(5000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "options", "said"),
    [
        (
            {1, 2},
            {},
            "args[0]: {1, 2} is a set, which JSON cannot carry; nor can its serializer, json",
        ),
        (lambda: 1, PICKLE, "JSON cannot carry; nor can its serializer, pickle: Can't"),
        (Order(1), {"serializer": "yaml"}, "nor can its serializer, yaml: ('cannot represent"),
        ({1}, {"serializer": "lost"}, "its serializer, lost: No encoder installed for lost"),
        (deep(), {}, "args[0]: is nested deeper than 50 levels; nor can its serializer, json: max"),
        (
            deep(),
            PICKLE,
            "args[0]: is nested deeper than 50 levels; nor can its serializer, pickle: max",
        ),
    ],
)
def test_what_nobody_can_send_is_refused_in_one_line(
    app: Celery, value: Any, options: dict[str, Any], said: str
) -> None:
    reading = source(app, args=(value,), options=options).read()
    assert not reading.declared.entries and reading.declared.unread == {"x"}
    (problem,) = [problem for problem in reading.problems if not problem.warning]
    assert said in str(problem) and "\n" not in str(problem) and len(str(problem)) < 500


def test_a_daemon_without_the_app_says_so_in_a_failed_run(app: Celery, redis_url: str) -> None:
    entry = stored(source(app, kwargs={"who": {1, 2}}, options=PICKLE).read())
    bare = Celery("bare", broker=redis_url, set_as_current=False)
    bare.conf.accept_content = ["json", "pickle"]
    (outcome,) = published(bare, entry)
    assert outcome.sent == "rejected" and not redis_lists(redis_url)
    assert outcome.reason == (
        "entry x: t cannot be sent: its kwargs.who is a set that only an app can send, and no app "
        "declares it here; run beatd with -A, or with app: in the configuration"
    )


def test_an_app_that_declares_another_value_by_now_does_not_send_it(
    app: Celery, redis_url: str
) -> None:
    entry = stored(source(app, args=({1, 2},), options=PICKLE).read())
    app.conf.beat_schedule["x"]["args"] = ({1, 2, 3},)
    (outcome,) = published(app, entry)
    assert outcome.sent == "rejected" and not redis_lists(redis_url)
    assert "args[0] is a set of the app" in outcome.reason and "another value" in outcome.reason


def test_a_changed_object_is_read_again(app: Celery) -> None:
    value = {1, 2}
    declared = source(app, args=(value,), options=PICKLE)
    before = stored(declared.read())
    assert not declared.changed()
    value.add(3)
    assert declared.changed()
    after = stored(declared.read())
    assert after.args != before.args and not declared.changed()
    value.add(lambda: 1)
    assert declared.changed()
    assert declared.read().declared.unread == {"x"} and not declared.changed()


@pytest.mark.parametrize("serializer", ["json", "pickle"])
def test_an_app_sends_its_own_kind_of_what_json_writes_alike(
    app: Celery, redis_url: str, serializer: str
) -> None:
    berlin = datetime(2027, 1, 1, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    args = ((1, 2), Colour.RED, berlin)
    reading = source(app, args=args, kwargs={"a": ()}, options={"serializer": serializer}).read()
    entry = stored(reading)
    assert entry.args[:2] == ([1, 2], "red") and entry.kwargs == {"a": []}
    assert entry.args[2].utcoffset() == berlin.utcoffset()
    assert published(app, entry, times=3) == [Outcome("confirmed")] * 3
    for message in redis_lists(redis_url)["own"]:
        assert "(1, 2)" in message["headers"]["argsrepr"]
        assert "Europe/Berlin" in message["headers"]["argsrepr"]
        if serializer == "pickle":
            assert repr(pickle.loads(b64decode(message["body"]))[0]) == repr(list(args))
    bare = Celery("bare", broker=redis_url, set_as_current=False)
    bare.conf.accept_content = ["json", "pickle"]
    assert published(bare, entry) == [Outcome("confirmed")]


def test_an_entry_that_was_edited_since_is_sent_as_it_was_edited(
    app: Celery, redis_url: str
) -> None:
    entry = stored(source(app, args=(1,)).read())
    app.conf.beat_schedule["x"]["args"] = (True,)
    published(app, entry)
    assert bodies(redis_url, loads)[0][0] == [1]


def test_a_schedule_entry_of_celerys_has_such_values_too(app: Celery, redis_url: str) -> None:
    declared = source(app)
    app.conf.beat_schedule["x"] = ScheduleEntry(
        name="x", task="t", schedule=30, args=({1, 2},), options=PICKLE, app=app
    )
    entry = stored(declared.read())
    assert published(app, entry) == [Outcome("confirmed")]
    assert bodies(redis_url)[0][0] == [{1, 2}]


def test_a_digest_is_the_same_in_every_process() -> None:
    text = (
        "from beatd.publishers.app_value import digest_of as d; from pathlib import PurePath as P; "
    )
    text += "print(d([{'a', 'b', P('c'), P('d')}, {'k': frozenset('xyz')}]))"
    made = {
        subprocess.run(
            [sys.executable, "-c", text],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(made) == 1


def test_a_digest_depends_on_the_value_alone() -> None:
    words = [f"word {n}" for n in range(50)]
    assert digest_of(set(words)) == digest_of(set(reversed(words)))
    assert digest_of(Order({"a"}, 1)) == digest_of(Order({"a"}, 1))
    differ = [{1}, {1.0}, {True}, frozenset((1,)), [1], (1,), {1: 1}, Order(1), Order(1.0), Order()]
    assert len({digest_of(value) for value in differ}) == len(differ)
    loop: list[Any] = [1]
    loop.append(loop)
    assert digest_of(loop) == digest_of(loop)
