"""The limits of the engine, such as the largest batch."""

from datetime import timedelta

from msgspec import Struct


class Limits(Struct, frozen=True):
    batch: int = 1000  # the largest batch, in moves (changes of one row each)
    publish_timeout: float = 5.0  # the seconds after which publishing a batch is given up
    overdue: timedelta = timedelta(seconds=10)  # after which a standby reports a late entry
