"""A limit on the work of one search, counted in steps so that it is the same on every machine."""

from beatd.errors import ScheduleError

#: Steps of one search. A step looks at a period, a day or a point of a grid: 1 or 2 microseconds.
MAX_STEPS = 20_000


class SearchGivenUp(ScheduleError):
    """Raised if the search for a schedule's next run takes too many steps.

    Such a schedule runs almost never, or never.
    """


class Steps:
    """The number of steps, the units of work, that one search may still use.

    All functions of the search share the object.
    """

    __slots__ = ("left",)

    def __init__(self, most: int = MAX_STEPS) -> None:
        self.left = most

    def spend(self, count: int = 1) -> None:
        """Use up `count` steps of the search.

        Raises SearchGivenUp if fewer than `count` steps remained.
        """
        self.left -= count
        if self.left < 0:
            raise SearchGivenUp(
                f"its next moment is not found within {MAX_STEPS} steps of search; "
                "write it with fewer rules, a smaller INTERVAL or fewer BY parts"
            )
