"""The queue of reports on every broker, with real messages as a worker sends them."""

from collections.abc import Sequence

import pytest

from beatd.outcomes.queue_connection import QueueReader
from tests.outcomes.conftest import BROKERS, Place
from tests.waiting import until

# kombu's SQLAlchemy transport, with SQLAlchemy 2.1; botocore's, with Python 3.12 and later.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow"),
]

# SQS delivers a message again only after its visibility time-out.
shows_it_again = pytest.mark.parametrize("place", sorted({*BROKERS} - {"sqs"}), indirect=True)


def arrived(reader: QueueReader, limit: int = 500) -> Sequence[bytes]:
    """The first messages that are there; on some brokers they are on their way for a moment."""
    found: Sequence[bytes] = ()

    def some() -> bool:
        nonlocal found
        found = reader.read(limit)
        return bool(found)

    until(some, 10, "no message arrived")
    return found


def test_messages_are_read_in_order_and_are_gone_once_acknowledged(place: Place) -> None:
    line, reader = place.line(), place.reader()
    assert list(reader.read(500)) == []
    for nth in range(3):
        line.send(b'{"nth": %d}' % nth)
    found = list(arrived(reader))
    while len(found) < 3:  # SQS and RabbitMQ may hand them over one by one
        reader.acknowledge()
        found += arrived(reader)
    assert sorted(found) == [b'{"nth": 0}', b'{"nth": 1}', b'{"nth": 2}']
    reader.acknowledge()
    assert list(reader.read(500)) == []
    reader.close()
    assert list(place.reader().read(500)) == []


@shows_it_again
def test_what_was_not_acknowledged_is_read_again_by_the_next_leader(place: Place) -> None:
    place.line().send(b"{}")
    first = place.reader()
    assert list(arrived(first)) == [b"{}"]
    first.close()
    assert list(arrived(place.reader())) == [b"{}"]


def test_no_more_than_the_limit_is_read_at_once(place: Place) -> None:
    line, reader = place.line(), place.reader()
    for nth in range(5):
        line.send(b"%d" % nth)
    seen: list[bytes] = []
    while len(seen) < 5:
        some = arrived(reader, 2)
        assert len(some) <= 2
        seen += some
        reader.acknowledge()
    assert sorted(seen) == [b"0", b"1", b"2", b"3", b"4"]


@shows_it_again
def test_two_leaders_for_a_moment_lose_no_message(place: Place) -> None:
    line, old, new = place.line(), place.reader(), place.reader()
    line.send(b"1")
    arrived(old)
    new.read(500)  # the same message, where the broker can show it to both
    old.acknowledge()
    line.send(b"2")
    new.acknowledge()
    until(lambda: b"2" in [*old.read(500), *new.read(500)], 10, "the message is lost")


@pytest.mark.parametrize("place", ["redis"], indirect=True)
def test_what_is_no_message_does_not_stop_the_messages_after_it(place: Place) -> None:
    line, reader = place.line(), place.reader()
    assert list(reader.read(500)) == []
    channel = reader._channel()  # type: ignore[attr-defined]
    tagged = '"properties": {"delivery_tag": "1"}'
    wrong = [
        "",
        "[]",
        "[" * 100_000,
        '{"body": "e30=", "properties": []}',
        '{"body": 99999999999, ' + tagged + "}",
        '{"body": "?", "properties": {"delivery_tag": "1", "body_encoding": "base64"}}',
        '{"body": "?", "properties": {"delivery_tag": "1", "body_encoding": "none"}}',
    ]
    channel.client.lpush(place.queue, *wrong)
    line.send(b"{}")
    assert list(reader.read(500)) == [b""] * len(wrong) + [b"{}"]
    reader.acknowledge()
    assert list(reader.read(500)) == []
