"""Schedules from recurrence rules (RFC 5545), which run on the wall clock of a time zone."""

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from beatd.errors import ScheduleError
from beatd.schedules import rrule_text
from beatd.schedules.dst import checked, first_fire, moment_at, second_after
from beatd.schedules.quote import quoted
from beatd.schedules.rrule_text import ANCHOR, Recurrences
from beatd.schedules.steps import SearchGivenUp, Steps
from beatd.schedules.zone import Offsets, offsets, zone_name

_PROBES = tuple(datetime(year, 1, 1) for year in range(1970, 2110, 10))  # noqa: DTZ001


@dataclass(frozen=True, slots=True, eq=False)
class RRule:
    """A schedule from recurrence rules (RFC 5545) on the wall clock of zone `tz`.

    `gap` is the rule for a time that the clock skips: "run" right after the gap, or "skip". `fold`
    is the rule for a time that the clock shows twice: run at the "first", the "last" or "both".
    `written` is the text in the configuration.

    Hourly, minutely and secondly rules also follow the wall clock.
    """

    recurrences: Recurrences
    tz: str
    gap: str
    fold: str
    written: str
    zone: Offsets = field(init=False, repr=False)
    _hash: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "zone", offsets(self.tz))
        object.__setattr__(self, "_hash", hash((self.recurrences, self.tz, self.gap, self.fold)))

    def at_or_after(self, local: int) -> int | None:
        """Return the first matching wall-clock second at or after `local`; None if there is none.

        Seconds count from 1970-01-01 00:00 on the wall clock. Raises SearchGivenUp if the search
        takes too long.
        """
        return self._at_or_after(local, Steps())

    def _at_or_after(self, local: int, steps: Steps) -> int | None:
        try:
            wall = ANCHOR + timedelta(seconds=local)
        except OverflowError:
            if local > 0:
                return None
            wall = datetime.min  # noqa: DTZ901
        found = self._first(wall, steps)
        return None if found is None else (found - ANCHOR) // timedelta(seconds=1)

    @property
    def period(self) -> None:
        return None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first run after `moment`, in UTC; None if there is none.

        Raises SearchGivenUp if the search takes too long, and ScheduleError if `moment` has no time
        zone.
        """
        steps = Steps()
        return moment_at(
            first_fire(
                self.zone,
                lambda local: self._at_or_after(local, steps),
                self.gap,
                self.fold,
                second_after(moment),
            )
        )

    def plain(self) -> dict[str, Any]:
        """Return the schedule as YAML writes it, such as {"rrule": "FREQ=DAILY"}."""
        return {"rrule": self.written}

    def _first(self, wall: datetime, steps: Steps) -> datetime | None:
        """Return the first time at or after `wall` that is not excluded (EXDATE), or None.

        Raises SearchGivenUp if the search needs more than `steps`.
        """
        parts = self.recurrences
        while True:
            steps.spend()
            found = [rule.at_or_after(wall, steps) for rule in parts.rules]
            extra = bisect_left(parts.extra, wall)
            found += parts.extra[extra : extra + 1]
            first = min((match for match in found if match is not None), default=None)
            if first is None:
                return None
            if first.date() in parts.days_left_out:
                wall = datetime.combine(first, datetime.min.time()) + timedelta(1)
            elif first in parts.left_out:
                wall = first + timedelta(seconds=1)
            else:
                return first

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, RRule):
            return NotImplemented
        return (self.recurrences, self.tz, self.gap, self.fold) == (
            other.recurrences,
            other.tz,
            other.gap,
            other.fold,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return RRule, (self.recurrences, self.tz, self.gap, self.fold, self.written)


def rrule(
    text: str, *, tz: str | tzinfo = "UTC", dst_gap: str = "run", dst_fold: str = "first"
) -> RRule:
    """Return the schedule of a recurrence text (RFC 5545), such as "FREQ=DAILY;BYHOUR=9".

    A text without DTSTART starts on 1970-01-01 at 00:00 on the wall clock. `dst_gap` ("run" or
    "skip") is the rule for a time that the clock skips. `dst_fold` ("first", "last" or "both") is
    the rule for a time that the clock shows twice. Raises ScheduleError if the text is wrong or
    never runs, and its subclass SearchGivenUp if the search for a run takes too long.
    """
    if not isinstance(text, str):
        raise ScheduleError(
            f"{quoted(text)} is not a recurrence rule; write it like FREQ=DAILY;BYHOUR=9"
        )
    return _rrule(text, zone_name(tz), *checked(dst_gap, dst_fold))


@lru_cache(maxsize=256)  # up to 60 kB each
def _rrule(text: str, tz: str, gap: str, fold: str) -> RRule:
    if len(offsets(tz).at) == 1:
        gap, fold = "skip", "both"
    made = RRule(rrule_text.parse(text, tz), tz, gap, fold, text)
    try:
        first = made._first(datetime.min, Steps())  # noqa: DTZ901
        if first is None:
            raise ScheduleError(f"rrule {quoted(text)} can never fire: no such time ever comes")
        # A search from any of these times must end, so that no daemon is the first to find out.
        second = [first + timedelta(seconds=1)] if first.year < 9999 else []
        for moment in (*_PROBES, *second):
            made._first(moment, Steps())
    except SearchGivenUp as error:
        reason = f"rrule {quoted(text)} can never fire, or hardly ever: {error}"
        raise SearchGivenUp(reason) from None
    return made
