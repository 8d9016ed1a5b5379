"""Convert wall-clock seconds to moments in UTC, also when the clock changes (DST).

A wall-clock second counts from 1970-01-01 00:00 on the wall clock. A schedule provides a function
`at_or_after`, which returns the schedule's first wall-clock second at or after its argument.

A gap is a time that the clock skips. A fold is a time that the clock shows twice. With gap "run", a
schedule runs once at the first instant after a gap if any of its times is in the gap. With gap
"skip", it does not run for these times. With fold "first" or "last", a time in a fold runs only
once; with "both", it runs twice. The default is "run" and "first", for a job at fixed times of day.
"skip" and "both" are for a job that follows elapsed time. Only this file has these rules.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from beatd.errors import ScheduleError
from beatd.schedules.quote import quoted
from beatd.schedules.zone import EPOCH, FOREVER, Offsets

GAPS = ("run", "skip")
FOLDS = ("first", "last", "both")
_LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(seconds=1)

AtOrAfter = Callable[[int], int | None]


def checked(gap: str, fold: str) -> tuple[str, str]:
    """Return `gap` and `fold` unchanged, or raise ScheduleError if one is not an allowed word.

    `gap` may be "run" or "skip"; `fold` may be "first", "last" or "both".
    """
    if gap not in GAPS:
        raise ScheduleError(f"dst_gap: {quoted(gap)} is neither run nor skip")
    if fold not in FOLDS:
        raise ScheduleError(f"dst_fold: {quoted(fold)} is none of first, last, both")
    return gap, fold


def second_after(moment: datetime) -> int:
    """Return the first whole second strictly after `moment`, in seconds since 1970 (UTC).

    Raises ScheduleError if `moment` has no time zone.
    """
    try:
        since = moment - EPOCH
    except TypeError:
        raise no_zone(moment) from None
    return since.days * 86400 + since.seconds + 1


def no_zone(moment: datetime) -> ScheduleError:
    """Return the ScheduleError to raise for a moment that has no time zone."""
    return ScheduleError(
        f"{quoted(moment)} has no time zone; a moment needs one, like datetime.now(UTC)"
    )


def moment_at(second: int | None) -> datetime | None:
    """Return `second`, which counts from 1970, as a UTC datetime.

    None if `second` is None, or if it is after the year 9999.
    """
    if second is None or second > _LAST:
        return None
    return EPOCH + timedelta(0, second)


def first_fire(
    zone: Offsets, at_or_after: AtOrAfter, gap: str, fold: str, second: int
) -> int | None:
    """Return the first UTC second at or after `second` at which a schedule runs, or None.

    `at_or_after` returns the schedule's first wall-clock second at or after its argument, or None.
    `gap` is for a time that the clock skips: with "run", the run comes right after the gap; with
    "skip", there is no run. `fold` is for a time that the clock shows twice: the run comes at the
    "first" time, at the "last" time, or at "both".
    """
    at, off, start, end, reached = zone.at, zone.off, zone.start, zone.end, zone.reached
    j = zone.index(second)
    local = second + off[j]
    stepped = second == at[j]
    # `found` is the first second from `searched_from` on, so also from any second between the
    # two: one search serves all the stretches that lie before it.
    searched_from, found = FOREVER, FOREVER
    while True:
        if stepped and gap == "run" and start[j] > reached[j]:
            if not searched_from <= reached[j] <= found:
                searched_from, found = reached[j], _or_forever(at_or_after(reached[j]))
            if found < start[j]:
                return at[j]
        if fold == "first" and local < reached[j]:
            local = reached[j]
        if not searched_from <= local <= found:
            searched_from, found = local, _or_forever(at_or_after(local))
        before = end[j]
        last = j + 1 == len(at)
        if fold == "last" and not last and start[j + 1] < before:
            before = start[j + 1]
        if found < before:
            return found - off[j]
        if last:
            return None
        j += 1
        local = start[j]
        stepped = True


def utc_of(zone: Offsets, local: int) -> int:
    """Return the UTC second at which the clock of the zone shows the wall-clock second `local`.

    If the clock shows `local` twice, the result is the earlier second. If the clock skips `local`,
    the result is the end of the gap.
    """
    found = first_fire(
        zone, lambda start: local if start <= local else None, "run", "first", local - 2 * 86400
    )
    assert found is not None, "every wall-clock second has its moment"
    return found


def _or_forever(second: int | None) -> int:
    return FOREVER if second is None else second
