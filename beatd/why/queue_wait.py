"""Compute how long a published run waited for a worker, if it waited notably long."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from beatd.catalog import Stored
from beatd.history import Record
from beatd.outcome import Delivery

NOTABLE_WAIT = timedelta(seconds=5)  # docs/outcomes.md has the rule


def queue_wait(
    row: Stored | None, record: Record, deliveries: Sequence[Delivery]
) -> timedelta | None:
    """Return how long a run waited from its publishing until its first start, or None.

    None means that it waited for less than NOTABLE_WAIT, that it has not started, or that it was to
    wait: its entry has `countdown` or `eta` in its options.
    """
    options = {} if row is None else row.entry.options
    started: list[datetime] = [one.started for one in deliveries if one.started is not None]
    if record.published is None or not started or "countdown" in options or "eta" in options:
        return None
    wait = min(started) - record.published
    return wait if wait >= NOTABLE_WAIT else None
