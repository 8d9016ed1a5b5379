"""Find the next allowed second, minute or hour of a day, with bit masks."""

from collections.abc import Iterable


class DayGrid:
    """The seconds, minutes or hours of a day at which a recurrence rule may run.

    The day has `size` units (seconds, minutes or hours), numbered from 0; `places` are the allowed
    ones. A search moves in steps of `interval` units, such as every second hour.
    """

    __slots__ = ("_all", "_allowed", "_interval", "_steps")

    def __init__(self, size: int, interval: int, places: Iterable[int]) -> None:
        marks = bytearray(size // 8 + 1)
        for place in places:
            marks[place >> 3] |= 1 << (place & 7)
        self._allowed = int.from_bytes(marks, "little")
        self._all = self._allowed == (1 << size) - 1
        self._interval, self._steps = interval, every(interval, size)

    def at_or_after(self, place: int) -> int | None:
        """Return the first allowed unit of the day at or after `place`, or None.

        The search moves from `place` in steps of the interval and skips the units between.
        """
        if self._all:
            return place
        found = self._allowed >> place & self._steps
        return place + (found & -found).bit_length() - 1 if found else None


def every(interval: int, size: int) -> int:
    """Return a bit mask with every `interval`th bit set, below bit `size`.

    For example, every(2, 6) is 0b010101.
    """
    mask, reach = 1, interval
    while reach < size:
        mask |= mask << reach
        reach *= 2
    return mask & (1 << size) - 1
