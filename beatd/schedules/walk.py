"""Find the wall-clock seconds that match the fields of a cron text.

Seconds are not tried one by one. The rest of a day is one look-up in each of three bit masks, and a
month is one look-up in the table of days.py. croniter steps datetimes, which takes 39 to 94
microseconds for each moment. bench/next_after.py measures both, and the tests compare them.
"""

from calendar import isleap
from dataclasses import dataclass
from datetime import date

from beatd.schedules.days import MONTH_LENGTHS, Table, row

_UNIX_EPOCH = date(1970, 1, 1).toordinal()
_LAST_DAY = date.max.toordinal()
_LENGTH = [0, *(lengths[0] for lengths in MONTH_LENGTHS.values())]
#: Bit n of a year mask is the year 1970 + n.
FIRST_YEAR = 1970


@dataclass(frozen=True, slots=True)
class Fields:
    """The values that each cron field matches, as bit masks: bit n is set if n matches.

    `days` is a table from `days.table`. In `years`, bit n is the year 1970 + n; None means every
    year. Two objects are equal when they match the same seconds.
    """

    seconds: int
    minutes: int
    hours: int
    months: int
    days: Table
    years: int | None = None

    def at_or_after(self, local: int) -> int | None:
        """Return the first matching wall-clock second at or after `local`; None if there is none.

        Seconds count from 1970-01-01 00:00 on the wall clock.
        """
        day, second = divmod(local, 86400)
        ordinal = day + _UNIX_EPOCH
        if ordinal < 1:
            ordinal, second = 1, 0
        elif ordinal > _LAST_DAY:
            return None
        today = date.fromordinal(ordinal)
        year, month, monthday = today.year, today.month, today.day
        begin = ordinal - monthday  # day d of the month is begin + d, also in the masks
        length = 29 if month == 2 and isleap(year) else _LENGTH[month]
        mask = self._month(year, month, begin, length) >> monthday
        if mask & 1:
            time = self._time_at_or_after(second)
            if time is not None:
                return (ordinal - _UNIX_EPOCH) * 86400 + time
        mask = mask >> 1 << monthday + 1
        while not mask:
            begin += length
            month += 1
            if month == 13:
                year, month = year + 1, 1
                if year > 9999 or (
                    self.years is not None and not self.years >> max(0, year - FIRST_YEAR)
                ):
                    return None
            length = 29 if month == 2 and isleap(year) else _LENGTH[month]
            mask = self._month(year, month, begin, length)
        return (begin + _lowest(mask) - _UNIX_EPOCH) * 86400 + self.first_time

    def _month(self, year: int, month: int, begin: int, length: int) -> int:
        # `begin` is the ordinal of the day before the month.
        if not self.months >> month & 1:
            return 0
        if self.years is not None and (
            year < FIRST_YEAR or not self.years >> year - FIRST_YEAR & 1
        ):
            return 0
        return self.days[row((begin + 1) % 7, length)]

    @property
    def first_time(self) -> int:
        """Return the first matching second of a day, from 0 to 86399."""
        return _lowest(self.hours) * 3600 + _lowest(self.minutes) * 60 + _lowest(self.seconds)

    def _time_at_or_after(self, second: int) -> int | None:
        """Return the first matching second of the day at or after `second`, or None."""
        hour, rest = divmod(second, 3600)
        if self.hours >> hour & 1:
            minute, rest = divmod(rest, 60)
            if self.minutes >> minute & 1 and self.seconds >> rest:
                return second + _lowest(self.seconds >> rest)
            later = self.minutes >> minute + 1
            if later:
                minute += 1 + _lowest(later)
                return hour * 3600 + minute * 60 + _lowest(self.seconds)
        later = self.hours >> hour + 1
        if not later:
            return None
        return (hour + 1 + _lowest(later)) * 3600 + self.first_time % 3600


def _lowest(mask: int) -> int:
    """Return the number of the lowest set bit: 2 for 0b100."""
    return (mask & -mask).bit_length() - 1
