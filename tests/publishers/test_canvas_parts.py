"""The one outcome of a run with several messages."""

import pytest

from beatd.publisher import Outcome
from beatd.publishers.canvas_parts import outcome_of
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
    assert outcome_of(message(1), iter(outcomes)) == expected


def test_each_run_gets_the_outcomes_of_its_own_messages() -> None:
    sent = iter([CONFIRMED, CONFIRMED, GONE, LOST])
    runs = [message(1), FULL, message(0), message(0)]
    assert [outcome_of(run, sent) for run in runs] == [CONFIRMED, FULL, GONE, LOST]
