"""Find the next allowed second, minute or hour of a day, with bit masks."""

from collections.abc import Iterable


class DayGrid:
    """The allowed seconds, minutes or hours of a day, for searches in steps of `interval`.

    The day has `size` units (seconds, minutes or hours), numbered from 0. `places` are the numbers
    of the allowed units.
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
        """Return the first allowed number of `place`, `place` + interval and so on, or None."""
        if self._all:
            return place
        found = self._allowed >> place & self._steps
        return place + (found & -found).bit_length() - 1 if found else None


def every(interval: int, size: int) -> int:
    """Return a bit mask with the bits 0, interval, 2 * interval and so on, all below `size`."""
    mask, reach = 1, interval
    while reach < size:
        mask |= mask << reach
        reach *= 2
    return mask & (1 << size) - 1
