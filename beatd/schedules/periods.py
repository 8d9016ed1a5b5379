"""Step through the years, months, weeks or days of a recurrence rule (RFC 5545)."""

from datetime import date, datetime

from dateutil import rrule as dateutil

from beatd.schedules.year_days import LAST_DAY


class Periods:
    """The years, months, weeks or days in which a recurrence rule may run.

    With `interval` 2 it is every second one, counted from the one in which the rule starts.
    `frequency` is a constant of dateutil such as YEARLY. Days are counted as by date.toordinal.
    """

    __slots__ = ("_first_week", "_frequency", "_start", "interval")

    def __init__(self, frequency: int, interval: int, start: datetime, wkst: int) -> None:
        self._frequency, self.interval, self._start = frequency, interval, start
        self._first_week = start.toordinal() - (start.weekday() - wkst) % 7

    def day_at_or_after(self, day: int) -> int | None:
        """Return the first day at or after `day` on which the rule may run.

        None if there is no such day up to the year 9999.
        """
        number = self.number(day)
        rest = (number - self._first_number) % self.interval
        return day if not rest else self.bounds(number + self.interval - rest)[0]

    def number(self, day: int) -> int:
        """Return the number of the year, month, week or day that contains `day`, such as 2027.

        Months are counted from year 0, weeks and days from the rule's start.
        """
        today = date.fromordinal(day)
        match self._frequency:
            case dateutil.YEARLY:
                return today.year
            case dateutil.MONTHLY:
                return today.year * 12 + today.month - 1
            case dateutil.WEEKLY:
                return (day - self._first_week) // 7
            case _:
                return day - self._start.toordinal()

    def bounds(self, number: int) -> tuple[int | None, int]:
        """Return the first day of a year, month, week or day, and the day after its last day.

        `number` is a result of the method `number`. The first day is None if it is after the year
        9999.
        """
        match self._frequency:
            case dateutil.YEARLY:
                return _first_of(number, 1), _first_of(number + 1, 1) or LAST_DAY + 1
            case dateutil.MONTHLY:
                year, month = divmod(number, 12)
                following, after = divmod(number + 1, 12)
                end = _first_of(following, after + 1) or LAST_DAY + 1
                return _first_of(year, month + 1), end
            case dateutil.WEEKLY:
                first = self._first_week + 7 * number
                # As in dateutil, the first week begins with the start.
                return until_last_day(max(first, self._start.toordinal())), first + 7
            case _:
                first = self._start.toordinal() + number
                return until_last_day(first), first + 1

    @property
    def _first_number(self) -> int:
        match self._frequency:
            case dateutil.YEARLY:
                return self._start.year
            case dateutil.MONTHLY:
                return self._start.year * 12 + self._start.month - 1
            case _:
                return 0


def until_last_day(day: int) -> int | None:
    """Return `day` unchanged, or None if it is after the year 9999.

    Days are counted as by date.toordinal.
    """
    return day if day <= LAST_DAY else None


def _first_of(year: int, month: int) -> int | None:
    return date(year, month, 1).toordinal() if year <= 9999 else None
