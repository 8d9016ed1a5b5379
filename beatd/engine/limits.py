"""The limits of the engine."""

from datetime import timedelta

from msgspec import Struct


class Limits(Struct, frozen=True):
    """The largest batch (in moves), the time-out of publishing a batch (in seconds), and how late
    an entry must be before a standby reports it as overdue."""

    batch: int = 1000
    publish_timeout: float = 5.0
    overdue: timedelta = timedelta(seconds=10)
