"""RabbitMQ away, frozen, blocked or refusing: every run has an outcome, and only sure ones."""

from collections.abc import Iterator

import amqp
import pytest

from beatd.entry import Step
from beatd.outcomes import rabbitmq_queue_reader
from beatd.outcomes.queue_readers import queue_reader_on
from beatd.publisher import MESSAGE_REFUSED, Outcome
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for
from beatd.publishers.transports import connection_of
from tests.publishers.faults import at_ask, batch, kinds, took
from tests.publishers.runs import always, entry, run
from tests.publishers.servers import PrivateRabbitMQ
from tests.waiting import until

TIMEOUT = 60.0
SHORT = 3.0  # for a wait that is to end without an answer


@pytest.fixture
def channel(private_rabbitmq: PrivateRabbitMQ) -> Iterator[amqp.Channel]:
    with amqp.Connection(f"127.0.0.1:{private_rabbitmq.port}") as connection:
        yield connection.channel()


@pytest.fixture
def publisher(private_rabbitmq: PrivateRabbitMQ) -> Iterator[CeleryPublisher]:
    made = publisher_to(private_rabbitmq.url)
    assert made.reachable()
    yield made
    made.close()


@pytest.fixture
def impatient(private_rabbitmq: PrivateRabbitMQ) -> Iterator[CeleryPublisher]:
    made = publisher_to(private_rabbitmq.url, timeout=SHORT)
    until(lambda: kinds(made.publish(batch(1, "good"), always)) == ["confirmed"], 15, "no broker")
    yield made
    made.close()


def publisher_to(url: str, *, timeout: float = TIMEOUT) -> CeleryPublisher:
    return CeleryPublisher(app=app_for({"url": url}), timeout=timeout)


def waiting(channel: amqp.Channel, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


def test_a_batch_is_confirmed_message_by_message(
    publisher: CeleryPublisher, channel: amqp.Channel
) -> None:
    assert kinds(publisher.publish(batch(3000, "all"), always)) == ["confirmed"] * 3000
    assert waiting(channel, "all") == 3000
    channel.queue_delete("all")


def test_a_queue_deleted_between_two_batches_is_declared_anew(
    publisher: CeleryPublisher, channel: amqp.Channel
) -> None:
    assert kinds(publisher.publish(batch(1, "again"), always)) == ["confirmed"]
    channel.queue_delete("again")
    assert kinds(publisher.publish(batch(3, "again"), always)) == ["confirmed"] * 3
    assert waiting(channel, "again") == 3


def test_a_queue_deleted_in_mid_batch_loses_no_message_without_a_word(
    publisher: CeleryPublisher, channel: amqp.Channel
) -> None:
    delete = at_ask(3, lambda: channel.queue_delete("midway"))
    assert set(kinds(publisher.publish(batch(2000, "midway"), delete))) == {"confirmed"}
    # What was confirmed before went with the queue; everything after it is in the new one.
    assert waiting(channel, "midway") >= 1000


def test_what_no_queue_takes_is_rejected_with_the_brokers_reason(
    publisher: CeleryPublisher,
) -> None:
    lost = entry("lost", "t.lost", options={"exchange": "amq.topic", "routing_key": "no.where"})
    good = batch(2, "good")
    outcomes = publisher.publish([good[0], run(lost), good[1]], always)
    assert kinds(outcomes) == ["confirmed", "rejected", "confirmed"]
    assert "312 NO_ROUTE" in outcomes[1].reason and "no.where" in outcomes[1].reason


@pytest.mark.parametrize("kind", ["chain", "group"])
def test_a_canvas_of_which_no_queue_takes_a_task_is_rejected(
    publisher: CeleryPublisher, kind: str
) -> None:
    nowhere = {"exchange": "amq.topic", "routing_key": "no.where"}
    steps = (Step(task="t.lost", options=nowhere), Step(task="t.good", options={"queue": "good"}))
    lost = entry("lost", "", canvas=Step(**{kind: steps}))
    good = batch(2, "good")
    outcomes = publisher.publish([good[0], run(lost), good[1]], always)
    assert kinds(outcomes) == ["confirmed", "rejected", "confirmed"]
    assert "312 NO_ROUTE" in outcomes[1].reason and "no.where" in outcomes[1].reason


def test_an_exchange_that_is_not_there_costs_only_its_own_messages(
    publisher: CeleryPublisher,
) -> None:
    lost = entry("gone", "t.gone", options={"exchange": "gone", "routing_key": "x"})
    good = batch(4, "good")
    outcomes = publisher.publish([*good[:2], run(lost), run(lost, nth=1), *good[2:]], always)
    assert kinds(outcomes) == ["confirmed"] * 2 + ["rejected"] * 2 + ["confirmed"] * 2
    assert "no exchange 'gone'" in outcomes[2].reason


def test_an_exchange_deleted_in_mid_batch_leaves_the_unconfirmed_unknown_and_the_next_precise(
    publisher: CeleryPublisher, channel: amqp.Channel
) -> None:
    channel.exchange_declare("going", "direct", auto_delete=False)
    channel.queue_declare("going", auto_delete=False)
    channel.queue_bind("going", "going", "k")
    task = entry("going", "t.going", options={"exchange": "going", "routing_key": "k"})
    runs = [run(task, nth=nth) for nth in range(2000)]
    outcomes = publisher.publish(runs, at_ask(4, lambda: channel.exchange_delete("going")))
    assert set(kinds(outcomes)) <= {"confirmed", "unknown", "rejected"}
    assert kinds(outcomes).count("confirmed") <= waiting(channel, "going")
    again = publisher.publish([run(task), *batch(2, "good")], always)
    assert kinds(again) == ["rejected", "confirmed", "confirmed"]
    channel.queue_delete("going")


def test_a_full_queue_that_refuses_has_not_taken_it(
    publisher: CeleryPublisher, channel: amqp.Channel
) -> None:
    full = {"x-max-length": 2, "x-overflow": "reject-publish"}
    channel.queue_declare("full", durable=True, auto_delete=False, arguments=full)
    outcomes = publisher.publish(batch(5, "full") + batch(1, "good"), always)
    assert [one.reason for one in outcomes if one.sent == "unsent"] == [MESSAGE_REFUSED] * 3
    assert kinds(outcomes)[-1] == "confirmed"
    assert waiting(channel, "full") == 2


def test_a_queue_that_exists_in_another_shape_takes_messages(
    publisher: CeleryPublisher, channel: amqp.Channel
) -> None:
    quorum = {"x-queue-type": "quorum"}
    channel.queue_declare("quorum", durable=True, auto_delete=False, arguments=quorum)
    assert kinds(publisher.publish(batch(300, "quorum"), always)) == ["confirmed"] * 300
    assert waiting(channel, "quorum") == 300


def test_a_message_the_user_may_not_write_is_rejected_alone(
    private_rabbitmq: PrivateRabbitMQ, channel: amqp.Channel
) -> None:
    private_rabbitmq.ctl("add_user", "beat", "secret")
    private_rabbitmq.ctl("set_permissions", "beat", ".*", r"^(?!amq\.topic).*$", ".*")
    publisher = publisher_to(private_rabbitmq.url.replace("guest:guest", "beat:secret"))
    barred = entry("barred", "t.barred", options={"exchange": "amq.topic", "routing_key": "x"})
    good = batch(2, "good")
    outcomes = publisher.publish([good[0], run(barred), good[1]], always)
    publisher.close()
    private_rabbitmq.ctl("delete_user", "beat")
    assert kinds(outcomes) == ["confirmed", "rejected", "confirmed"]
    assert "ACCESS_REFUSED" in outcomes[1].reason and "secret" not in outcomes[1].reason


def test_a_queue_the_user_may_not_make_is_named_with_the_brokers_reason(
    private_rabbitmq: PrivateRabbitMQ, channel: amqp.Channel
) -> None:
    private_rabbitmq.ctl("add_user", "maker", "secret")
    private_rabbitmq.ctl("set_permissions", "maker", "^$", ".*", ".*")
    channel.queue_declare("made", durable=True)
    publisher = publisher_to(f"amqp://maker:secret@127.0.0.1:{private_rabbitmq.port}//")
    outcomes = publisher.publish(batch(1, "unmade") + batch(1, "made"), always)
    assert kinds(outcomes) == ["rejected", "confirmed"]
    assert "NO_ROUTE" in outcomes[0].reason
    assert "ACCESS_REFUSED - access to " in outcomes[0].reason
    private_rabbitmq.ctl("set_permissions", "maker", ".*", ".*", ".*")
    until(
        lambda: kinds(publisher.publish(batch(1, "unmade"), always)) == ["confirmed"],
        60,
        "still not made",
    )
    publisher.close()
    channel.queue_delete("made")
    channel.queue_delete("unmade")
    private_rabbitmq.ctl("delete_user", "maker")


def test_a_broker_short_of_memory_takes_no_more_and_the_rest_is_certainly_unsent(
    private_rabbitmq: PrivateRabbitMQ, channel: amqp.Channel
) -> None:
    publisher = publisher_to(private_rabbitmq.url, timeout=SHORT)
    private_rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "1")
    try:
        first = kinds(publisher.publish(batch(50, "memory"), always))
        assert set(first) <= {"confirmed", "unknown", "unsent"}
        assert first.count("unsent") >= 49  # one went alone, and brought the word back
        assert kinds(publisher.publish(batch(5), always)) == ["unsent"] * 5
        assert not publisher.reachable()
    finally:
        private_rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")
    until(publisher.reachable, 15, "the broker does not come back")
    assert kinds(publisher.publish(batch(5, "memory"), always)) == ["confirmed"] * 5
    assert waiting(channel, "memory") == 50 - first.count("unsent") + 5
    publisher.close()


def test_a_frozen_broker_is_found_out_before_anything_is_written(
    private_rabbitmq: PrivateRabbitMQ, impatient: CeleryPublisher
) -> None:
    private_rabbitmq.freeze()
    impatient.reachable()
    outcomes: list[Outcome] = []
    try:
        spent = took(lambda: outcomes.extend(impatient.publish(batch(100, "good"), always)))
    finally:
        private_rabbitmq.thaw()
    assert spent < 50 * SHORT, "one wait for all of them, and not one for each"
    assert kinds(outcomes) == ["unsent"] * 100
    until(impatient.reachable, 15, "the broker does not come back")
    assert kinds(impatient.publish(batch(3, "good"), always)) == ["confirmed"] * 3


def test_what_was_on_its_way_to_a_broker_that_froze_is_unknown(
    private_rabbitmq: PrivateRabbitMQ, impatient: CeleryPublisher
) -> None:
    freeze = at_ask(2, private_rabbitmq.freeze)
    try:
        outcomes = kinds(impatient.publish(batch(5000, "good"), freeze))
    finally:
        private_rabbitmq.thaw()
    assert outcomes.count("unknown") <= 2000
    assert outcomes[-1] == "unsent"
    until(impatient.reachable, 15, "the broker does not come back")


@pytest.mark.long
def test_a_killed_broker_is_used_again_at_once_when_it_is_back(
    private_rabbitmq: PrivateRabbitMQ, publisher: CeleryPublisher
) -> None:
    outcomes = kinds(publisher.publish(batch(5000, "good"), at_ask(5, private_rabbitmq.kill)))
    assert outcomes[-1] == "unsent" and "unknown" in outcomes
    assert not publisher.reachable()
    private_rabbitmq.start()
    assert publisher.reachable()
    assert kinds(publisher.publish(batch(3, "good"), always)) == ["confirmed"] * 3


def test_the_reader_of_reports_notices_a_frozen_broker(
    private_rabbitmq: PrivateRabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the silence of workers would be taken for lost runs."""
    monkeypatch.setattr(rabbitmq_queue_reader, "PROVED_EVERY_S", 0.0)
    connection = connection_of(app_for({"url": private_rabbitmq.url}), 1.0, reads=True)
    reader = queue_reader_on(connection, "frozen", 1.0)
    assert list(reader.read(10)) == []
    private_rabbitmq.freeze()
    try:
        with pytest.raises(TimeoutError):
            reader.read(10)
        reader.close()
    finally:
        private_rabbitmq.thaw()
    assert list(reader.read(10)) == []
    reader.close()
