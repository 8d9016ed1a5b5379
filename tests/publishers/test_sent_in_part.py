"""A group of many messages that a broker takes in parts: what is confirmed is not sent again."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from kombu import Connection

from beatd.entry import Entry, Step
from beatd.publisher import LEAD_LOST, Outcome
from beatd.publishers import rabbitmq, redis_lists
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for
from beatd.run import Run
from tests.publishers.brokers import delete, unique
from tests.publishers.runs import Never, run

MEMBERS = 600


@pytest.fixture
def queue() -> str:
    return unique("parts")


@pytest.fixture(params=["redis_url", "rabbit_url"])
def url(request: pytest.FixtureRequest, queue: str) -> Iterator[str]:
    url = request.getfixturevalue(request.param)
    yield url
    delete(url, queue)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask whether to go on after every hundred messages at most."""
    monkeypatch.setattr(redis_lists, "MESSAGES_PER_COMMAND", 25)
    monkeypatch.setattr(rabbitmq, "MESSAGES_PER_WRITE", 100)


@pytest.fixture
def publisher(url: str) -> Iterator[CeleryPublisher]:
    with closing(CeleryPublisher(app=app_for({"url": url}), timeout=60)) as publisher:
        assert publisher.reachable()
        yield publisher


def group(queue: str, members: int = MEMBERS) -> Run:
    steps = tuple(Step(task="t.member", args=(nth,)) for nth in range(members))
    options = {"queue": queue}
    return run(
        Entry(name="it", task="", schedule=Never(), canvas=Step(group=steps), options=options)
    )


def asked(times: int) -> Callable[[], bool]:
    """Return a `may_go_on` that is True so many times."""
    answers = iter([True] * times)
    return lambda: next(answers, False)


def arrived(url: str, queue: str) -> Counter[str]:
    with Connection(url) as connection:
        channel, ids = connection.default_channel, Counter[str]()
        while (message := channel.basic_get(queue, no_ack=True)) is not None:
            ids[channel.message_to_python(message).headers["id"]] += 1
        return ids


def test_the_rest_of_a_group_is_sent_and_nothing_twice(
    publisher: CeleryPublisher, url: str, queue: str
) -> None:
    one = group(queue)
    first, *later = (publisher.publish([one], asked(1))[0] for _ in range(2))
    assert (first.sent, later[0].sent) == ("unknown", "unknown")
    assert first.reason.endswith(f"of {MEMBERS} messages were sent; {LEAD_LOST}")
    assert count(later[0]) > count(first) > 0
    assert publisher.publish([one], lambda: True) == [Outcome("confirmed")]
    ids = arrived(url, queue)
    assert len(ids) == MEMBERS and set(ids.values()) == {1}


def count(outcome: Outcome) -> int:
    return int(outcome.reason.split()[0])


def test_a_group_that_was_sent_whole_is_sent_again_whole(
    publisher: CeleryPublisher, url: str, queue: str
) -> None:
    """The ledger may ask for it again, when it did not get the outcome."""
    one = group(queue, 3)
    for _ in range(2):
        assert publisher.publish([one], lambda: True) == [Outcome("confirmed")]
    assert set(arrived(url, queue).values()) == {2}


def test_a_run_with_other_members_is_sent_whole(
    publisher: CeleryPublisher, url: str, queue: str
) -> None:
    """The entry was edited between the two attempts."""
    one, fewer = group(queue), group(queue, MEMBERS - 1)
    edited = Run(one.occurrence, one.task_id, fewer.entry, 2, one.occurrence.planned)
    assert publisher.publish([one], asked(2))[0].sent == "unknown"
    arrived(url, queue)
    assert publisher.publish([edited], lambda: True) == [Outcome("confirmed")]
    assert len(arrived(url, queue)) == MEMBERS - 1
