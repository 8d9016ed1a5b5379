"""The reader of reports: messages in, one batch out."""

from collections.abc import Sequence

from beatd.outcomes.outcome_reader import READ_MAX
from beatd.outcomes.report_reader import FIRST_READ_MAX, ReportReader, next_limit
from beatd.report import Reports, encode
from tests.outcomes.making import report


class Queue:
    """A queue of given messages, which notes the limits of its reads."""

    def __init__(self, *bodies: bytes) -> None:
        self.bodies, self.limits = list(bodies), list[int]()

    def read(self, limit: int) -> Sequence[bytes]:
        self.limits.append(limit)
        return self.bodies[:limit]

    def acknowledge(self) -> None:
        del self.bodies[: self.limits[-1]]

    def close(self) -> None:
        pass


def test_a_message_that_is_none_is_counted_and_the_others_are_read() -> None:
    right = Reports(worker="w", reports=(report("started", 1),), held=(("t", "d"),), dropped=4)
    nested = b'{"worker": "w", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    queue = Queue(b"\xff", b"", b"[]", b'{"worker": 1}', nested, encode(right))
    batch = ReportReader(lambda: queue).read()
    assert batch.unreadable == 5 and batch.dropped == 4 and batch.held == [("t", "d")]
    assert [one.state for one in batch.deliveries] == ["started"] and batch.is_last


def test_a_read_of_as_many_messages_as_it_may_is_not_the_last_one() -> None:
    queue = Queue(*[encode(Reports(worker="w"))] * (FIRST_READ_MAX + 1))
    reader = ReportReader(lambda: queue)
    assert not reader.read().is_last
    reader.acknowledge()
    assert reader.read().is_last


def test_long_messages_are_read_few_at_a_time() -> None:
    assert next_limit(20, 20 * 500) == 4
    assert next_limit(1, 10_000) == 1
    assert next_limit(0, 0) == next_limit(20, 20) == READ_MAX
