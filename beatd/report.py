"""The messages in which a worker reports the outcomes of runs.

A worker sends them as JSON to the queue `beatd.outcomes` of its app's broker. The daemon that leads
reads them.
"""

from datetime import datetime

from msgspec import Struct, json

from beatd.outcome import OutcomeState

QUEUE = "beatd.outcomes"
CONTENT_TYPE = "application/json"
HELD_EVERY_S = 10.0  # between two lists of the runs that a worker holds
LOST_AFTER_S = 30.0  # a run that no list has named for so long is lost


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change of the state of one delivery of a run's message.

    `id` is the task id. `delivery` is a random id for this delivery; all reports about it have the
    same one. `at` is the time of the change, by the worker's clock. `error` is one line.
    """

    id: str
    delivery: str
    entry: str
    planned: datetime
    state: OutcomeState
    at: datetime
    error: str = ""


class Reports(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message of a worker.

    `held` lists the (task id, delivery) of the runs that the worker has received and that have not
    ended; None if this message has no such list. `dropped` is the number of reports that the worker
    has dropped since its last message, because the broker was away for too long.
    """

    worker: str
    reports: tuple[Report, ...] = ()
    held: tuple[tuple[str, str], ...] | None = None
    dropped: int = 0


def encode(reports: Reports) -> bytes:
    return json.encode(reports)


def decode(body: bytes) -> Reports:
    """Return the message that `body` contains; raise msgspec.MsgspecError if `body` is not
    valid."""
    return json.decode(body, type=Reports)
