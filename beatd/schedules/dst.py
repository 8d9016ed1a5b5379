"""Turn wall-clock seconds into moments where clocks change: the only file with the DST rule.

A schedule gives its wall-clock seconds as `at_or_after`, which returns the first of them from a
given one on. They count from 1970-01-01 00:00 on the wall.

A fixed job (gap "run", fold "first" unless its entry has other rules) runs at the first instant
after a gap if any of its times fell into the gap, and once of two in a fold. A job that follows
elapsed time has gap "skip" and fold "both": nothing is made up, and both passes run.
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
    """Return the two rules; ScheduleError, with the words that are allowed, if one is wrong."""
    if gap not in GAPS:
        raise ScheduleError(f"dst_gap: {quoted(gap)} is neither run nor skip")
    if fold not in FOLDS:
        raise ScheduleError(f"dst_fold: {quoted(fold)} is none of first, last, both")
    return gap, fold


def second_after(moment: datetime) -> int:
    """Return the first whole UTC second strictly after an aware moment."""
    try:
        since = moment - EPOCH
    except TypeError:
        raise ScheduleError(
            f"{quoted(moment)} has no time zone; a moment needs one, like datetime.now(UTC)"
        ) from None
    return since.days * 86400 + since.seconds + 1


def moment_at(second: int | None) -> datetime | None:
    """Return the UTC moment of a second, or None without one or after the year 9999."""
    if second is None or second > _LAST:
        return None
    return EPOCH + timedelta(0, second)


def first_fire(
    zone: Offsets, at_or_after: AtOrAfter, gap: str, fold: str, second: int
) -> int | None:
    """Return the first UTC second, from the given one on, at which the schedule runs."""
    at, off, start, end, reached = zone.at, zone.off, zone.start, zone.end, zone.reached
    j = zone.index(second)
    local = second + off[j]
    stepped = second == at[j]
    # `found` is the first second from `asked` on, so also from any second between the two: one
    # search serves all the stretches that lie before it.
    asked, found = FOREVER, FOREVER
    while True:
        if stepped and gap == "run" and start[j] > reached[j]:
            if not asked <= reached[j] <= found:
                asked, found = reached[j], _or_forever(at_or_after(reached[j]))
            if found < start[j]:
                return at[j]
        if fold == "first" and local < reached[j]:
            local = reached[j]
        if not asked <= local <= found:
            asked, found = local, _or_forever(at_or_after(local))
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
    """Return the UTC second of a wall-clock one: the first of two, or the first after the gap."""
    found = first_fire(
        zone, lambda asked: local if asked <= local else None, "run", "first", local - 2 * 86400
    )
    assert found is not None, "every wall-clock second has its moment"
    return found


def _or_forever(second: int | None) -> int:
    return FOREVER if second is None else second
