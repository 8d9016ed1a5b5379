"""When: the one question a schedule answers."""

from datetime import datetime
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Schedule(Protocol):
    """A frozen, hashable value; two are equal when they mean the same moments."""

    def next_after(self, moment: datetime) -> datetime | None:
        """The first fire time strictly after an aware moment, in UTC; None = never again."""

    @property
    def period(self) -> int | None:
        """Microseconds between any two neighbouring fire times; None where they differ."""

    def plain(self) -> dict[str, Any]:
        """The schedule as YAML has it, such as {"cron": "0 2 * * *"}; its zone is not in it."""

    def __hash__(self) -> int: ...
