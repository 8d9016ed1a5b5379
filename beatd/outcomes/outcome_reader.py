"""The interface for reading outcomes, from the reports of workers or from an app's result
backend."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from beatd.outcome import Delivery

READ_MAX = 200  # messages of one read, each of which may have 500 reports


class OutcomeBatch(Struct, frozen=True, kw_only=True):
    """The result of one read.

    `held` has the (task id, delivery) of each run that workers have received and not ended.
    `dropped` is the number of reports that workers dropped without sending them. `unreadable` is
    the number of invalid messages and reports. `is_last` is True if no more messages were waiting.
    """

    deliveries: Sequence[Delivery] = ()
    held: Sequence[tuple[str, str]] = ()
    dropped: int = 0
    unreadable: int = 0
    is_last: bool = True

    @property
    def is_empty(self) -> bool:
        """True if the read returned nothing at all."""
        return not (self.deliveries or self.held or self.dropped or self.unreadable)


class OutcomeReader(Protocol):
    """Reads outcomes in batches. Only the leader uses it, and only from one thread."""

    @property
    def hears_workers(self) -> bool:
        """True if workers list the runs that they execute. Only then does a missing run mean a lost
        run."""

    def read(self) -> OutcomeBatch:
        """Return the new outcomes without waiting for more. Connect first if there is no
        connection.

        Any exception may be raised if the broker or the result backend does not answer. Outcomes
        are returned again later, unless `acknowledge` was called after the read.
        """

    def acknowledge(self) -> None:
        """Remove from the queue what the last `read` returned. The caller has written it to the
        store."""

    def close(self) -> None:
        """Close the connection; the next `read` connects again."""
