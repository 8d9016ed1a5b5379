"""Points of a grid within one day that are also named times, found by bits and not one by one."""

from collections.abc import Iterable


class DayGrid:
    """A day of `size` places, every `interval`th of which is on the grid."""

    __slots__ = ("_all", "_allowed", "_interval", "_steps")

    def __init__(self, size: int, interval: int, places: Iterable[int]) -> None:
        marks = bytearray(size // 8 + 1)
        for place in places:
            marks[place >> 3] |= 1 << (place & 7)
        self._allowed = int.from_bytes(marks, "little")
        self._all = self._allowed == (1 << size) - 1
        self._interval, self._steps = interval, every(interval, size)

    def at_or_after(self, place: int) -> int | None:
        """The first place on the grid from a place on it, that is allowed; None in the rest of
        the day."""
        if self._all:
            return place
        found = self._allowed >> place & self._steps
        return place + (found & -found).bit_length() - 1 if found else None


def every(interval: int, size: int) -> int:
    """Bits 0, interval, 2 * interval… below `size`; doubled, not set one by one."""
    mask, reach = 1, interval
    while reach < size:
        mask |= mask << reach
        reach *= 2
    return mask & (1 << size) - 1
