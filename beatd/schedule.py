"""The seam of schedules: when something runs."""

from datetime import datetime
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Schedule(Protocol):
    """A frozen, hashable value; two are equal when they have the same moments."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first moment strictly after an aware one, in UTC; None = never again."""

    @property
    def period(self) -> int | None:
        """Microseconds between any two neighbouring fire times; None where they differ."""

    def plain(self) -> dict[str, Any]:
        """Return the schedule as YAML has it, such as {"cron": "0 2 * * *"}, without its zone."""

    def __hash__(self) -> int: ...
