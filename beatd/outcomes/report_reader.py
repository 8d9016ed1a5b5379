"""Read the reports of workers from their queue, in batches."""

from collections.abc import Callable

from msgspec import MsgspecError

from beatd.outcomes.deliveries import deliveries_of
from beatd.outcomes.outcome_reader import READ_MAX, OutcomeBatch
from beatd.outcomes.queue_connection import QueueReader
from beatd.outcomes.valid_reports import valid
from beatd.report import Reports, decode

FIRST_READ_MAX = 20  # messages; how long they are is not known yet
REPORTS_WANTED = 2000  # of one read, so that a burst needs little memory


class ReportReader:
    """Reads how runs ended from the queue of workers' reports, which the function `queue` opens."""

    hears_workers = True

    def __init__(self, queue: Callable[[], QueueReader]) -> None:
        self._make_queue = queue
        self._queue: QueueReader | None = None
        self._limit = FIRST_READ_MAX

    def read(self) -> OutcomeBatch:
        if self._queue is None:
            self._queue = self._make_queue()
        limit = self._limit
        bodies = self._queue.read(limit)
        messages, unreadable = list[Reports](), 0
        for body in bodies:
            try:
                message, invalid = valid(decode(body))
                messages.append(message)
                unreadable += invalid
            except (MsgspecError, UnicodeDecodeError, RecursionError):
                unreadable += 1
        reports = sum(len(message.reports) for message in messages)
        self._limit = next_limit(len(bodies), reports)
        return OutcomeBatch(
            deliveries=deliveries_of(messages),
            held=[key for message in messages for key in message.held or ()],
            dropped=sum(message.dropped for message in messages),
            unreadable=unreadable,
            is_last=len(bodies) < limit,
        )

    def acknowledge(self) -> None:
        if self._queue is not None:
            self._queue.acknowledge()

    def close(self) -> None:
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.close()


def next_limit(messages: int, reports: int) -> int:
    """Return how many messages to read next to get about REPORTS_WANTED reports.

    `messages` and `reports` are the numbers in the last read.
    """
    return max(1, min(READ_MAX, REPORTS_WANTED * max(1, messages) // max(1, reports)))
