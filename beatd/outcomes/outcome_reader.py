"""The interface of readers that find out how published runs ended."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from beatd.outcome import Delivery

READ_MAX = 200  # messages of one read, each of which may have 500 reports


class OutcomeBatch(Struct, frozen=True, kw_only=True):
    """The reports about runs that one call of a reader returned.

    `held` lists the runs that workers have received and not ended, as (task id, delivery id).
    `dropped` counts the reports that workers never sent, `unreadable` the invalid messages and
    reports. `is_last` is True if no more messages were waiting.
    """

    deliveries: Sequence[Delivery] = ()
    held: Sequence[tuple[str, str]] = ()
    dropped: int = 0
    unreadable: int = 0
    is_last: bool = True

    @property
    def is_empty(self) -> bool:
        """True if the batch has no reports and nothing else."""
        return not (self.deliveries or self.held or self.dropped or self.unreadable)


class OutcomeReader(Protocol):
    """Reads how runs ended, in batches. Only the leading daemon uses it, on one thread."""

    @property
    def hears_workers(self) -> bool:
        """True if workers list the runs that they execute, so that a lost run is noticed."""

    def read(self) -> OutcomeBatch:
        """Return the new reports about runs, without waiting for more; connect first if necessary.

        May raise any error of the broker or result backend. Reports that are not acknowledged are
        returned again later.
        """

    def acknowledge(self) -> None:
        """Remove the messages that the last `read` returned from the queue."""

    def close(self) -> None:
        """Close the connection; the next `read` connects again."""
