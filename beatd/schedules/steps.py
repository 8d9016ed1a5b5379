"""A bound on the work of one search, counted in steps and not in time: the same on all machines."""

from beatd.errors import ScheduleError

#: One step is a period, a day or a point of a grid that is looked at: about a microsecond or two.
MAX_STEPS = 20_000


class SearchGivenUp(ScheduleError):
    """The next moment was not found within the bound: the schedule fires hardly ever, or never."""


class Steps:
    """What is left of the bound; shared by all parts of one search."""

    __slots__ = ("left",)

    def __init__(self, most: int = MAX_STEPS) -> None:
        self.left = most

    def take(self, count: int = 1) -> None:
        """Raise SearchGivenUp once more steps were taken than the bound allows."""
        self.left -= count
        if self.left < 0:
            raise SearchGivenUp(
                f"its next moment is not found within {MAX_STEPS} steps of search; "
                "write it with fewer rules, a smaller INTERVAL or fewer BY parts"
            )
