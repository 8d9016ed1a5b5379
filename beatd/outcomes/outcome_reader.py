"""The interface of what reads outcomes: the reports of workers, or an app's result backend."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from beatd.outcome import Delivery

READ_MAX = 200  # messages of one read, each of which may have 500 reports


class OutcomeBatch(Struct, frozen=True, kw_only=True):
    """What one read found.

    `held` has the (task id, delivery) of runs that workers still hold. `dropped` is the number of
    reports that workers have dropped, `unreadable` that of messages and reports which are invalid.
    `is_last` is True if nothing more was waiting to be read.
    """

    deliveries: Sequence[Delivery] = ()
    held: Sequence[tuple[str, str]] = ()
    dropped: int = 0
    unreadable: int = 0
    is_last: bool = True

    @property
    def is_empty(self) -> bool:
        """True if the read found nothing at all."""
        return not (self.deliveries or self.held or self.dropped or self.unreadable)


class OutcomeReader(Protocol):
    """Reads outcomes, in batches; only the leader does. One thread calls it."""

    @property
    def hears_workers(self) -> bool:
        """True if workers name the runs they hold, so that their silence means a lost run."""

    def read(self) -> OutcomeBatch:
        """Return what is new, without waiting for more. Connect first if there is no connection.

        Raise any exception if the broker or the result backend does not answer. What was read is
        read again later, unless `acknowledge` was called after it.
        """

    def acknowledge(self) -> None:
        """Remove from the queue what the last `read` returned, because it is written."""

    def close(self) -> None:
        """Close the connection; the next `read` connects again."""
