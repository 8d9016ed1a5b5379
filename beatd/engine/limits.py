"""The limits of a tick."""

from datetime import timedelta

from msgspec import Struct


class Limits(Struct, frozen=True):
    batch: int = 1000
    publish_timeout: float = 5.0
    overdue: timedelta = timedelta(seconds=10)
