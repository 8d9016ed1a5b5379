"""What it means when a Redis does not take a message."""

import re

import redis

from beatd.publisher import Outcome
from beatd.publishers.message import one_line

# Refusals that pass: the command did nothing, and the same one may work later. Behind the text that
# redis-py puts before them in a pipeline.
PASSING = re.compile(
    "(^|caused error: )"
    "(OOM|MISCONF|NOREPLICAS|READONLY|MASTERDOWN|LOADING|BUSY|TRYAGAIN|CLUSTERDOWN) "
)


def refusal(error: redis.ResponseError) -> Outcome:
    text = one_line(error)
    # Of some redis-py takes the code away, and makes a class of it.
    passing = (
        redis.exceptions.OutOfMemoryError,
        redis.ReadOnlyError,
        redis.exceptions.MasterDownError,
        redis.exceptions.TryAgainError,
    )
    if isinstance(error, passing) or PASSING.search(text):
        return Outcome("unsent", text)
    return Outcome("rejected", text)


def is_refusal(error: Exception) -> bool:
    """How redis-py tells of a server that is not ready, or no longer a Sentinel's master."""
    told = error if isinstance(error, redis.BusyLoadingError) else error.__context__
    return isinstance(told, redis.BusyLoadingError | redis.ReadOnlyError)
