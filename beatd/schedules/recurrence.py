"""Find the times of a recurrence rule (RFC 5545) within a limited number of steps.

dateutil only parses a rule's parts and adds the defaults from the rule's start. Its own search
checks every day or every second up to the year 9999, and nothing can stop it.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import Any

from dateutil import rrule as dateutil

from beatd.errors import ScheduleError
from beatd.schedules.day_grid import DayGrid
from beatd.schedules.periods import Periods, until_last_day
from beatd.schedules.steps import SearchGivenUp, Steps
from beatd.schedules.year_days import LAST_DAY, YearDays

MAX_COUNT = 10_000
COUNT_AHEAD_YEARS = 100  # a COUNT that ends later than this after its start has no end
_DAY = 86400
_STEPS_PER_SEARCH = 5
_OF_DAYS = ("bymonth", "bymonthday", "byyearday", "byweekno", "byweekday")
_UNITS = {dateutil.HOURLY: 3600, dateutil.MINUTELY: 60, dateutil.SECONDLY: 1}
_ALL = {"byhour": range(24), "byminute": range(60), "bysecond": range(60)}


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A recurrence rule (RFC 5545) on the wall clock, with all defaults filled in.

    - `frequency` is a constant of dateutil such as DAILY.
    - `interval` is 2 for a rule that runs in every second period.
    - `start` and `until` are the earliest and the latest time (None: no end).
    - `by` has the BY parts and the first day of the week, as pairs of name and value.

    The other fields are computed from these.
    """

    frequency: int
    interval: int
    start: datetime
    by: tuple[tuple[str, Any], ...]
    until: datetime | None
    periods: Periods = field(init=False, repr=False, compare=False)
    days: YearDays = field(init=False, repr=False, compare=False)
    times: tuple[int, ...] = field(init=False, repr=False, compare=False)  # of a day, or a unit
    positions: tuple[int, ...] = field(init=False, repr=False, compare=False)
    last: int = field(init=False, repr=False, compare=False)  # the last day it may run on

    def __post_init__(self) -> None:
        by = dict(self.by)
        parts = {key: by[key] for key in _OF_DAYS if key in by}
        within_month = self.frequency == dateutil.MONTHLY or "bymonth" in by
        wkst = int(by.get("wkst", 0))
        periods = Periods(self.frequency, self.interval, self.start, wkst)
        days = YearDays(parts, wkst, nth_in_month=within_month)
        positions = tuple(by.get("bysetpos", ()))
        times = self._times(by)
        if self.frequency >= dateutil.DAILY:  # the positions are within one period's times
            times = _picked(times, positions) if positions else times
            positions = ()
        last = LAST_DAY if self.until is None else self.until.toordinal()
        for name, value in (
            ("periods", periods),
            ("days", days),
            ("times", times),
            ("positions", positions),
            ("last", last),
        ):
            object.__setattr__(self, name, value)

    def _times(self, by: Mapping[str, Any]) -> tuple[int, ...]:
        # Returns the seconds within one day at which the rule runs; for an hourly, minutely or
        # secondly rule, within one hour, minute or second.
        unit = _UNITS.get(self.frequency, _DAY)
        hours = by.get("byhour", _ALL["byhour"]) if unit > 3600 else (0,)
        minutes = by.get("byminute", _ALL["byminute"]) if unit > 60 else (0,)
        seconds = by.get("bysecond", _ALL["bysecond"]) if unit > 1 else (0,)
        found = (h * 3600 + m * 60 + s for h, m, s in product(hours, minutes, seconds))
        return tuple(sorted(set(found)))

    @staticmethod
    def of(
        frequency: int,
        interval: int,
        start: datetime,
        by: Mapping[str, Any],
        until: datetime | None,
        count: int | None,
        steps: Steps,
    ) -> "Recurrence":
        """Return a recurrence rule with all defaults filled in.

        `by` has the rule's BY parts under dateutil's names. A `count` is replaced by an end;
        `steps` limits the search for it. Raises ScheduleError if the steps are used up.
        """
        kind: Any = dateutil.rrule
        rule = kind(frequency, dtstart=start, interval=interval, **by)
        whole = Recurrence(frequency, interval, start, _written_out(rule), until)
        steps.spend(len(whole.times) // 10)
        if count is None:
            return whole
        return Recurrence(frequency, interval, start, whole.by, whole._nth(count, steps))

    def _nth(self, count: int, steps: Steps) -> datetime | None:
        # The rule ends at this time instead of after `count` runs. The result is None if it has
        # fewer runs, or if the search is given up a century or more after the start. Raises
        # ScheduleError if the steps are used up earlier.
        found: datetime | None = self.start - timedelta(seconds=1)
        for _ in range(count):
            assert found is not None
            try:
                found = self.at_or_after(found + timedelta(seconds=1), steps)
            except SearchGivenUp:
                if found is not None and found.year - self.start.year >= COUNT_AHEAD_YEARS:
                    return None
                raise ScheduleError(
                    f"its COUNT={count} is not counted within the bound; write UNTIL instead"
                ) from None
            except OverflowError:
                return None
            if found is None:
                return None
        return found

    def at_or_after(self, local: datetime, steps: Steps) -> datetime | None:
        """Return the rule's first wall-clock time at or after `local`; None if there is none.

        Raises SearchGivenUp if the search needs more than `steps`.
        """
        steps.spend(_STEPS_PER_SEARCH)
        local = max(local, self.start)
        if local.toordinal() > self.last:
            return None
        if self.frequency > dateutil.DAILY:
            found = self._on_grid(local, steps)
        elif self.positions:
            found = self._at_positions(local, steps)
        else:
            found = self._on_days(local, steps)
        return None if self.until and found and found > self.until else found

    def _on_days(self, local: datetime, steps: Steps) -> datetime | None:
        # For a daily to yearly rule without BYSETPOS.
        today, second = local.toordinal(), _second(local)
        first = today if second <= self.times[-1] else until_last_day(today + 1)
        while first is not None:
            day = self.days.at_or_after(first, self.last, steps)
            if day is None:
                return None
            first = self.periods.day_at_or_after(day)
            if first == day:
                after = second if day == today else 0
                return _at(day, self.times[bisect_left(self.times, after)])
            steps.spend()
        return None

    def _at_positions(self, local: datetime, steps: Steps) -> datetime | None:
        """Return the first time at or after `local` of a rule with BYSETPOS.

        BYSETPOS selects some of the times of each period, such as the last one.
        """
        begin = self.periods.day_at_or_after(local.toordinal())
        while begin is not None and begin <= self.last:
            number = self.periods.number(begin)
            first, end = self.periods.bounds(number)
            assert first is not None
            end = min(end, LAST_DAY + 1)
            days, day = list[int](), self.days.at_or_after(first, end - 1, steps)
            while day is not None:
                days.append(day)
                day = self.days.at_or_after(day + 1, end - 1, steps) if day + 1 < end else None
            steps.spend(4 + len(days))
            for place in _places(len(days) * len(self.times), self.positions):
                day, time = divmod(place, len(self.times))
                found = _at(days[day], self.times[time])
                if found >= local:
                    return found
            begin = self.periods.bounds(number + self.interval)[0]
        return None

    def _on_grid(self, local: datetime, steps: Steps) -> datetime | None:
        # For an hourly, minutely or secondly rule. Its runs have a fixed distance, counted from
        # the start; parts such as BYHOUR exclude some.
        unit = _UNITS[self.frequency]
        step = unit * self.interval
        base = _absolute(self.start) // unit * unit
        wanted = _absolute(local)
        point = base + max(0, -((wanted - self.times[-1] - base) // -step)) * step
        grid = self._grid(unit)
        while True:
            day, second = divmod(point, _DAY)
            if day > self.last:
                return None
            matching = self.days.at_or_after(day, self.last, steps)
            if matching is None:
                return None
            if matching == day:
                found = grid.at_or_after(second // unit)
                if found is not None:
                    point = day * _DAY + found * unit
                    after = max(0, wanted - point)
                    time = self.times[bisect_left(self.times, after)]
                    return _at(day, found * unit + time)
                matching = day + 1
            steps.spend(2)
            point = base - ((matching * _DAY - base) // -step) * step

    def _grid(self, unit: int) -> DayGrid:
        by = dict(self.by)
        hours = tuple(by.get("byhour", _ALL["byhour"]))
        minutes = tuple(by.get("byminute", _ALL["byminute"])) if unit <= 60 else (0,)
        seconds = tuple(by.get("bysecond", _ALL["bysecond"])) if unit == 1 else (0,)
        return _day_grid(unit, self.interval, hours, minutes, seconds)


@lru_cache(maxsize=256)
def _day_grid(
    unit: int,
    interval: int,
    hours: tuple[int, ...],
    minutes: tuple[int, ...],
    seconds: tuple[int, ...],
) -> DayGrid:
    places = ((h * 3600 + m * 60 + s) // unit for h, m, s in product(hours, minutes, seconds))
    return DayGrid(_DAY // unit, interval, places)


def _places(size: int, positions: tuple[int, ...]) -> list[int]:
    """Return the list indexes that BYSETPOS selects: (1, -1) in a list of 5 gives [0, 4].

    Position 1 is the first item, -1 the last. Positions out of range are ignored.
    """
    places = {at - 1 if at > 0 else size + at for at in positions}
    return sorted(place for place in places if 0 <= place < size)


def _picked(times: tuple[int, ...], positions: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(times[place] for place in _places(len(times), positions))


def _second(local: datetime) -> int:
    return local.hour * 3600 + local.minute * 60 + local.second


def _absolute(local: datetime) -> int:
    return local.toordinal() * _DAY + _second(local)


def _at(day: int, second: int) -> datetime:
    return datetime.combine(date.fromordinal(day), datetime.min.time()) + timedelta(0, second)


def _written_out(rule: Any) -> tuple[tuple[str, Any], ...]:
    # All parts of the rule, with the defaults that dateutil computed from its start.
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
