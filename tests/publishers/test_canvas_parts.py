"""The one outcome of a run with several messages."""

import pytest

from beatd.publisher import Outcome
from beatd.publishers.canvas_parts import REMEMBERED_BYTES, CanvasParts
from beatd.publishers.message import Message, Route

ROUTE = Route("", "celery", None, ())
CONFIRMED, LOST = Outcome("confirmed"), Outcome("unsent", "the lead was lost")
FULL, GONE = Outcome("rejected", "the queue is full"), Outcome("unknown", "it does not answer")


def message(rest: int) -> Message:
    return Message(ROUTE, b"", "id", rest=(Message(ROUTE, b"", "other"),) * rest)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([CONFIRMED, CONFIRMED], CONFIRMED),
        ([LOST, LOST], LOST),
        ([FULL, FULL], FULL),
        ([CONFIRMED, LOST], Outcome("unknown", "1 of 2 messages were sent; the lead was lost")),
        ([CONFIRMED, GONE], Outcome("unknown", "1 of 2 messages were sent; it does not answer")),
        ([GONE, LOST], Outcome("unknown", "0 of 2 messages were sent; it does not answer")),
        ([LOST, FULL], Outcome("rejected", "0 of 2 messages were sent; the queue is full")),
        ([CONFIRMED, FULL], Outcome("rejected", "1 of 2 messages were sent; the queue is full")),
    ],
)
def test_a_run_of_which_a_part_was_sent_is_unknown(
    outcomes: list[Outcome], expected: Outcome
) -> None:
    attempt = CanvasParts().begin([message(1)])
    assert attempt.outcomes(iter(outcomes)) == [expected]


def test_each_run_gets_the_outcomes_of_its_own_messages() -> None:
    sent = iter([CONFIRMED, CONFIRMED, GONE, LOST])
    attempt = CanvasParts().begin([message(1), FULL, message(0), message(0)])
    assert attempt.outcomes(sent) == [CONFIRMED, FULL, GONE, LOST]


def test_what_is_remembered_takes_a_limited_memory() -> None:
    parts = CanvasParts()
    for nth in range(100_000):
        rest = (Message(ROUTE, b"", "other"),)
        one = Message(ROUTE, b"", f"run {nth}", rest=rest)
        parts.begin([one]).outcomes(iter([CONFIRMED, LOST]))
        if nth == 0:
            assert len(parts.begin([one]).messages()) == 1
    assert parts._confirmed.size <= REMEMBERED_BYTES
    assert len(parts.begin([one]).messages()) == 1
