"""The messages in which a worker reports the outcomes of runs to the daemon.

A worker sends them as JSON to the queue `beatd.outcomes` of its app's broker.
"""

from datetime import datetime

from msgspec import Struct, json

from beatd.outcome import OutcomeState

QUEUE = "beatd.outcomes"
CONTENT_TYPE = "application/json"
HELD_EVERY_S = 10.0  # between two lists of the runs that a worker holds
LOST_AFTER_S = 30.0  # a run that no list has named for so long is lost


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A worker's report about a new state of a run that it received, such as "started".

    `id` is the task id. `delivery` is a random id that all reports about this delivery of the
    message share. `at` is the time of the change, by the worker's clock. `error` is one line.
    """

    id: str
    delivery: str
    entry: str
    planned: datetime
    state: OutcomeState
    at: datetime
    error: str = ""


class Reports(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message from a worker, with its reports about several runs.

    `held` lists the runs that the worker has received and not ended, as (task id, delivery id);
    None if not sent. `dropped` counts the reports that it could not send since its last message,
    because the broker was away for too long.
    """

    worker: str
    reports: tuple[Report, ...] = ()
    held: tuple[tuple[str, str], ...] | None = None
    dropped: int = 0


def encode(reports: Reports) -> bytes:
    return json.encode(reports)


def decode(body: bytes) -> Reports:
    """Decode a worker's message from JSON. Raise msgspec.MsgspecError if `body` is not valid."""
    return json.decode(body, type=Reports)
