"""One recurrence rule on the wall clock, evaluated by dateutil near the time asked for.

dateutil walks from DTSTART and goes on looking until the year 9999, so both ends are brought near.
The start is moved forward by whole intervals, which keeps the phase; what a rule takes from its
DTSTART (the hour, the weekday) is written out first. And the calendar repeats every 400 years to
the weekday, so the walk takes place between the years 9500 and 9999, where a rule that never
matches comes to its end after some centuries instead of eight thousand years.

Hourly and finer rules are taken apart, because dateutil would step through every second of the
years between two leap days: their days are found by a daily rule, their times by one without days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any

from dateutil import rrule as dateutil

MOST_COUNT = 10_000
_CENTURY_BEFORE_THE_END = 9899
_STEPS = {
    dateutil.HOURLY: timedelta(hours=1),
    dateutil.MINUTELY: timedelta(minutes=1),
    dateutil.SECONDLY: timedelta(seconds=1),
}


_OF_DAYS = {"bymonth", "bymonthday", "byyearday", "byweekno", "byweekday"}
_MIDNIGHT = (("byhour", (0,)), ("byminute", (0,)), ("bysecond", (0,)), ("wkst", 0))
# An interval of some days may never meet the days asked for; then it is given up.
_MOST_DAYS_TRIED = 2000


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule with nothing left to default; equal when every part of it is."""

    frequency: int
    interval: int
    start: datetime
    by: tuple[tuple[str, Any], ...]
    until: datetime | None

    @staticmethod
    def of(
        frequency: int,
        interval: int,
        start: datetime,
        by: Mapping[str, Any],
        until: datetime | None,
        count: int | None,
    ) -> "Recurrence":
        """The rule, with what it takes from its start written out and its count as an end."""
        rule = _walk(frequency, interval, start, tuple(by.items()))
        whole = Recurrence(frequency, interval, start, _written_out(rule), until)
        if count is None:
            return whole
        last = whole._nth(count)
        return Recurrence(frequency, interval, start, whole.by, last)

    def _nth(self, count: int) -> datetime | None:
        """The match that a count ends with; None when it lies centuries ahead."""
        found = self.at_or_after(self.start)
        if self.frequency > dateutil.DAILY:
            for _ in range(count - 1):
                if found is not None:
                    found = self.at_or_after(found + timedelta(seconds=1))
        elif found is not None:
            shift = _shift(self.start.year)
            matches = self._from(_moved(self.start, shift))
            found = next(islice(matches, count - 1, None), None)
            return None if found is None else _moved(found, -shift)
        return found

    def at_or_after(self, local: datetime) -> datetime | None:
        """The first match that is not before a time on the wall clock; None after the last."""
        local = max(local, self.start)
        if self.until is not None and local > self.until:
            return None
        found = self._on_some_day(local) if self.frequency > dateutil.DAILY else self._search(local)
        return None if self.until and found and found > self.until else found

    def _search(self, local: datetime) -> datetime | None:
        shift = _shift(local.year)
        try:
            rule = self._from(_moved(self._near(local), shift))
            found = rule.after(_moved(local, shift), inc=True)
        except (LookupError, OverflowError, ValueError):
            # dateutil stumbles over the last week of the year 9999, counts weekdays beyond the end
            # of a month (BYMONTH=11;BYDAY=23MO), and tells a combination of
            # interval and hours that never meets only when it is walked.
            return None
        return None if found is None else _moved(found, -shift)

    def _on_some_day(self, local: datetime) -> datetime | None:
        """The first time of a rule without days that falls on a day of a rule without times."""
        days = tuple(part for part in self.by if part[0] in _OF_DAYS)
        times = tuple(part for part in self.by if part[0] not in _OF_DAYS)
        timely = Recurrence(self.frequency, self.interval, self.start, times, None)
        if not days:
            return timely._search(local)
        midnight = datetime.combine(self.start, datetime.min.time())
        daily = Recurrence(dateutil.DAILY, 1, midnight, (*days, *_MIDNIGHT), None)
        for _ in range(_MOST_DAYS_TRIED):
            found = timely._search(local)
            if found is None:
                return None
            day = daily._search(datetime.combine(found, datetime.min.time()))
            if day is None or day.date() == found.date():
                return None if day is None else found
            local = day
        return None

    def _from(self, start: datetime) -> Any:
        return _walk(self.frequency, self.interval, start, self.by)

    def _near(self, local: datetime) -> datetime:
        """The beginning of the period that holds a time; the first period begins at its start."""
        start, interval = self.start, self.interval
        match self.frequency:
            case dateutil.YEARLY:
                years = (local.year - start.year) // interval * interval
                return datetime(start.year + years, 1, 1) if years else start  # noqa: DTZ001
            case dateutil.MONTHLY:
                first = start.year * 12 + start.month - 1
                months = (local.year * 12 + local.month - 1 - first) // interval * interval
                year, month = divmod(first + months, 12)
                return datetime(year, month + 1, 1) if months else start  # noqa: DTZ001
            case dateutil.WEEKLY:
                monday = start.toordinal() - (start.weekday() - dict(self.by)["wkst"]) % 7
                span = 7 * interval
                weeks = (local.toordinal() - monday) // span * span
                return _midnight(monday + weeks) if weeks else start
            case dateutil.DAILY:
                days = (local.toordinal() - start.toordinal()) // interval * interval
                return _midnight(start.toordinal() + days) if days else start
        step = _STEPS[self.frequency] * interval
        return start + (local - start) // step * step


@lru_cache(maxsize=2048)
def _walk(frequency: int, interval: int, start: datetime, by: tuple[tuple[str, Any], ...]) -> Any:
    kind: Any = dateutil.rrule
    return kind(frequency, dtstart=start, interval=interval, **dict(by))


def _written_out(rule: Any) -> tuple[tuple[str, Any], ...]:
    """The parts of a rule as dateutil resolved them, defaults from its start included."""
    weekdays = [dateutil.weekday(day) for day in rule._byweekday or ()]
    weekdays += [dateutil.weekday(day, nth) for day, nth in rule._bynweekday or ()]
    parts = {
        "bymonth": rule._bymonth,
        "bymonthday": (*(rule._bymonthday or ()), *(rule._bynmonthday or ())),
        "byyearday": rule._byyearday,
        "byweekno": rule._byweekno,
        "byhour": rule._byhour,
        "byminute": rule._byminute,
        "bysecond": rule._bysecond,
        "bysetpos": rule._bysetpos,
    }
    out = [(key, tuple(sorted(values))) for key, values in parts.items() if values]
    if weekdays:
        out.append(("byweekday", tuple(weekdays)))
    return (*out, ("wkst", rule._wkst))


def _shift(year: int) -> int:
    return max(0, (_CENTURY_BEFORE_THE_END - year) // 400 * 400)


def _moved(local: datetime, years: int) -> datetime:
    return local.replace(year=local.year + years)


def _midnight(ordinal: int) -> datetime:
    return datetime.combine(date.fromordinal(ordinal), datetime.min.time())
