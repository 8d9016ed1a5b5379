"""Bound the work of one search, in steps and not in time, so that all machines agree."""

from beatd.errors import ScheduleError

#: Steps of one search. A step looks at a period, a day or a point of a grid: 1 or 2 microseconds.
MAX_STEPS = 20_000


class SearchGivenUp(ScheduleError):
    """The search for the next moment used up its steps: the schedule hardly ever fires."""


class Steps:
    """The steps that are left; all parts of one search share them."""

    __slots__ = ("left",)

    def __init__(self, most: int = MAX_STEPS) -> None:
        self.left = most

    def take(self, count: int = 1) -> None:
        """Use up steps; raise SearchGivenUp if fewer are left."""
        self.left -= count
        if self.left < 0:
            raise SearchGivenUp(
                f"its next moment is not found within {MAX_STEPS} steps of search; "
                "write it with fewer rules, a smaller INTERVAL or fewer BY parts"
            )
