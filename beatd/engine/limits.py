"""The limits of the engine."""

from datetime import timedelta

from msgspec import Struct


class Limits(Struct, frozen=True):
    """The limits of the engine.

    - `batch`: the largest batch, in moves (changes of one row each).
    - `publish_timeout`: the seconds after which publishing a batch is given up.
    - `overdue`: how late an entry must be before a standby reports that its leader seems silent.
    """

    batch: int = 1000
    publish_timeout: float = 5.0
    overdue: timedelta = timedelta(seconds=10)
