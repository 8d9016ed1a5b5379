"""Limit the work of one search, in steps and not in time, so that all machines agree."""

from beatd.errors import ScheduleError

#: Steps of one search. A step looks at a period, a day or a point of a grid: 1 or 2 microseconds.
MAX_STEPS = 20_000


class SearchGivenUp(ScheduleError):
    """Raised when a search for the next run uses up its steps: the schedule hardly ever runs."""


class Steps:
    """Counts down the steps that a search may still take; all parts of the search share them."""

    __slots__ = ("left",)

    def __init__(self, most: int = MAX_STEPS) -> None:
        self.left = most

    def take(self, count: int = 1) -> None:
        """Subtract steps from those left; raise SearchGivenUp if there are not enough."""
        self.left -= count
        if self.left < 0:
            raise SearchGivenUp(
                f"its next moment is not found within {MAX_STEPS} steps of search; "
                "write it with fewer rules, a smaller INTERVAL or fewer BY parts"
            )
