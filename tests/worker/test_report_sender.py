"""Reports wait for a broker that is away, bounded, and none of it reaches the worker."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from celery import Celery

from beatd.report import Report, Reports, decode, encode
from beatd.report_queue import queue_of
from beatd.worker import report_line, report_sender
from beatd.worker.report_line import ReportLine
from beatd.worker.report_sender import ReportSender
from tests.publishers.servers import PrivateRedis
from tests.waiting import until

MOMENT = datetime(2027, 1, 1, tzinfo=UTC)
QUEUE = "beatd.outcomes"
BODY = encode(Reports(worker="one@host"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[PrivateRedis]:
    broker = PrivateRedis(tmp_path)
    yield broker
    broker.kill()


def app_of(broker: PrivateRedis) -> Celery:
    return Celery("reports", broker=broker.url, set_as_current=False)


def sender_to(broker: PrivateRedis, held: int = 0) -> ReportSender:
    app = app_of(broker)
    names = [(f"task {n}", f"delivery {n}") for n in range(held)]
    return ReportSender(
        open_line=lambda: ReportLine(app, QUEUE), worker="one@host", held=lambda: names
    )


def report(number: int, error: str = "") -> Report:
    moments = {"planned": MOMENT, "at": MOMENT}
    return Report(id=str(number), delivery="d", entry="e", state="received", error=error, **moments)


def arrived(broker: PrivateRedis) -> list[Reports]:
    """All messages in the queue, which is emptied."""
    found = []
    with app_of(broker).connection_for_read() as connection:
        queue = queue_of(QUEUE)(connection.default_channel)
        while (message := queue.get(no_ack=True)) is not None:
            found.append(decode(message.body))
    return found


def length(broker: PrivateRedis) -> Callable[[], int]:
    client = broker.client()

    def messages() -> int:
        try:
            return int(client.llen(QUEUE))
        except redis.RedisError:
            return 0

    return messages


def test_reports_wait_for_a_broker_and_the_oldest_are_dropped(
    broker: PrivateRedis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(report_sender, "MAX_PAUSE_S", 0.1)
    sender = sender_to(broker)
    sender.add(report(0))
    until(length(broker), 5, "nothing arrives")
    broker.kill()
    sender.add(report(1))
    until(lambda: "they wait" in caplog.text, 5, "nothing is said")
    for number in range(2, 10_102):
        sender.add(report(number))
    broker.start()
    until(lambda: length(broker)() >= 21, 5, "the reports do not arrive")
    sender.close(5)
    messages = arrived(broker)
    assert max(len(message.reports) for message in messages) == 500
    numbers = [int(one.id) for message in messages for one in message.reports]
    # The first one was on its way when the others came.
    assert numbers == [1, *range(102, 10_102)]
    assert sum(message.dropped for message in messages) == 100
    assert caplog.text.count("WARNING") == 1


class PickyLine:
    """Refuses long messages, and keeps the others."""

    def __init__(self, kept: list[Reports]) -> None:
        self._kept = kept

    def send(self, body: bytes) -> bool:
        message = decode(body)
        if any(one.error == "refused" for one in message.reports):
            raise ValueError("cannot be sent")
        assert len(body) <= report_sender.MAX_BYTES
        self._kept.append(message)
        return True

    def close(self) -> None:
        pass


def test_a_message_that_the_broker_refuses_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report_sender, "MAX_PAUSE_S", 0.01)
    kept: list[Reports] = []
    sender = ReportSender(open_line=lambda: PickyLine(kept), worker="one@host", held=lambda: [])
    for number in range(500):
        sender.add(report(number, "refused"))
    for number in range(500, 1_000):
        sender.add(report(number, 500 * "x"))
    until(lambda: sum(len(message.reports) for message in kept) == 500, 5, "nothing arrives")
    sender.close(5)
    assert [int(one.id) for message in kept for one in message.reports] == [*range(500, 1_000)]
    assert sum(message.dropped for message in kept) == 500


def test_held_runs_are_listed_in_chunks(
    broker: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_sender, "HELD_EVERY_S", 0)
    sender = sender_to(broker, held=2_001)
    sender.add(report(0))
    until(lambda: length(broker)() >= 3, 5, "nothing arrives")
    sender.close(5)
    held = [len(message.held) for message in arrived(broker) if message.held is not None]
    assert held[:2] == [2_000, 1]


def test_a_queue_that_nobody_reads_is_not_filled(
    broker: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_line, "MAX_REPORTS", 2)
    monkeypatch.setattr(report_line, "DECLARE_EVERY_S", 0)
    line = ReportLine(app_of(broker), QUEUE)
    assert [line.send(BODY) for _ in range(4)] == [True, True, False, False]
    arrived(broker)
    assert line.send(BODY)
    line.close()


def test_a_worker_that_ends_does_not_wait_for_a_broker_that_is_away(broker: PrivateRedis) -> None:
    broker.kill()
    sender = sender_to(broker)
    sender.add(report(0))
    before = datetime.now(UTC)
    sender.close(0.3)
    assert (datetime.now(UTC) - before).total_seconds() < 2


def test_reports_of_a_busy_worker_are_gathered_for_longer() -> None:
    """Each turn of the thread gathers, and then sends what waits."""
    sent: list[int] = []
    gathered: list[float] = []

    class Line:
        def send(self, body: bytes) -> bool:
            sent.append(len(decode(body).reports))
            sender.wake()
            return True

        def close(self) -> None: ...

    class Ending:
        def wait(self, seconds: float) -> bool:
            gathered.append(seconds)
            if not sender._waiting:
                sender._waiting.append(report(0))
            return self.is_set()

        def is_set(self) -> bool:
            return len(gathered) == 3

    sender = ReportSender(open_line=Line, worker="one@host", held=list)
    sender._ending = Ending()  # type: ignore[assignment]
    sender._waiting.extend(map(report, range(report_sender.BUSY_REPORTS)))
    sender.wake()
    sender._run()
    assert sent == [report_sender.BUSY_REPORTS, 1, 1]
    assert gathered == [
        report_sender.GATHER_S, report_sender.GATHER_WHEN_BUSY_S, report_sender.GATHER_S,
    ]  # fmt: skip
