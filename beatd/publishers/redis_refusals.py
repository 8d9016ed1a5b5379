"""Convert the errors of Redis to the outcomes of messages."""

import re

import redis

from beatd.publisher import Outcome
from beatd.publishers.message import one_line

# After these the command had no effect, and may work later. In a pipeline redis-py writes a text
# before them.
PASSING_REFUSALS = re.compile(
    "(^|caused error: )"
    "(OOM|MISCONF|NOREPLICAS|READONLY|MASTERDOWN|LOADING|BUSY|TRYAGAIN|CLUSTERDOWN) "
)


def refusal(error: redis.ResponseError) -> Outcome:
    """Return "unsent" if the command that Redis refused may succeed later, else "rejected"."""
    text = one_line(error)
    # Some errors lose their code in redis-py, which gives them a class instead.
    passing = (
        redis.exceptions.OutOfMemoryError,
        redis.ReadOnlyError,
        redis.exceptions.MasterDownError,
        redis.exceptions.TryAgainError,
    )
    if isinstance(error, passing) or PASSING_REFUSALS.search(text):
        return Outcome("unsent", text)
    return Outcome("rejected", text)


def is_refusal(error: Exception) -> bool:
    """Return True if Redis answered that it did not execute the command.

    Redis then still loads its data, or is no longer the primary server.
    """
    cause = error if isinstance(error, redis.BusyLoadingError) else error.__context__
    return isinstance(cause, redis.BusyLoadingError | redis.ReadOnlyError)
