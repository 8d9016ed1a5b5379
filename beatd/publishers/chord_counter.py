"""Write the counter of a chord once, also if the run is sent again.

Celery's Redis backend counts the results of a chord by the ids of their tasks. Its `set_chord_size`
begins a new count, so after a second call the body would be called a second time.
"""

from collections.abc import Callable
from typing import Any

from celery.backends.redis import RedisBackend

DONE = (b"done", "done")  # what a worker leaves for five minutes after it has called the body


def write_chord_size(
    backend: Any, set_chord_size: Callable[[str, int], object], group_id: str, size: int
) -> None:
    """Call `set_chord_size` of the backend, unless Redis has this size or the body was called."""
    if isinstance(backend, RedisBackend):
        keys = [backend.get_key_for_group(group_id, suffix) for suffix in (".s", ".c")]
        known, claim = backend.ensure(backend.client.mget, (keys,))
        if claim in DONE or (known is not None and int(known) == size):
            return
    set_chord_size(group_id, size)


def counts_each_end(backend: Any) -> bool:
    """Return True if the backend counts how many tasks of a chord have ended, and not which.

    These are memcached, DynamoDB and Google Cloud Storage in celery. With them a task that runs
    twice, because its run was sent again, is counted twice.
    """
    return bool(getattr(backend, "implements_incr", False))
