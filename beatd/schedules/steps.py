"""Limit the work of one search by counting steps, so that every machine has the same limit."""

from beatd.errors import ScheduleError

#: Steps of one search. A step looks at a period, a day or a point of a grid: 1 or 2 microseconds.
MAX_STEPS = 20_000


class SearchGivenUp(ScheduleError):
    """Raised when a search for the next run has used up its steps (its limit of work).

    A schedule with such a search runs almost never, or never.
    """


class Steps:
    """Counts the steps (units of work) that remain for one search.

    All functions of the search use the same object.
    """

    __slots__ = ("left",)

    def __init__(self, most: int = MAX_STEPS) -> None:
        self.left = most

    def spend(self, count: int = 1) -> None:
        """Subtract `count` from the remaining steps.

        Raises SearchGivenUp if fewer than `count` steps remained.
        """
        self.left -= count
        if self.left < 0:
            raise SearchGivenUp(
                f"its next moment is not found within {MAX_STEPS} steps of search; "
                "write it with fewer rules, a smaller INTERVAL or fewer BY parts"
            )
