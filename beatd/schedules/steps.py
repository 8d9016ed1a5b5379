"""Limit the work of one search by counted steps, so that every machine has the same limit."""

from beatd.errors import ScheduleError

#: Steps of one search. A step looks at a period, a day or a point of a grid: 1 or 2 microseconds.
MAX_STEPS = 20_000


class SearchGivenUp(ScheduleError):
    """Raised when a search for the next run uses up its steps.

    The schedule then hardly ever runs, or never.
    """


class Steps:
    """Counts down the steps that one search may still take, over all functions of the search."""

    __slots__ = ("left",)

    def __init__(self, most: int = MAX_STEPS) -> None:
        self.left = most

    def spend(self, count: int = 1) -> None:
        """Subtract `count` steps from those left, or raise SearchGivenUp if fewer are left."""
        self.left -= count
        if self.left < 0:
            raise SearchGivenUp(
                f"its next moment is not found within {MAX_STEPS} steps of search; "
                "write it with fewer rules, a smaller INTERVAL or fewer BY parts"
            )
