"""From the wall clock to real moments, where clocks step: the only file that knows gap and fold.

A schedule says which wall-clock seconds it means; it hands over `at_or_after`, which answers the
first of them at or after a given one. Wall-clock seconds count from 1970-01-01 00:00 on the wall.

A fixed job (gap "run", fold "first" unless its entry says otherwise) runs at the first instant
after a gap when any of its times fell into it, and once of two in a fold. A job that follows
elapsed time is the same walk with gap "skip" and fold "both": nothing made up, both passes run.
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
    """The two rules of an entry, or the words that may stand there."""
    if gap not in GAPS:
        raise ScheduleError(f"dst_gap: {quoted(gap)} is neither run nor skip")
    if fold not in FOLDS:
        raise ScheduleError(f"dst_fold: {quoted(fold)} is none of first, last, both")
    return gap, fold


def second_after(moment: datetime) -> int:
    """The first whole UTC second strictly after an aware moment."""
    try:
        since = moment - EPOCH
    except TypeError:
        raise ScheduleError(
            f"{quoted(moment)} has no time zone; a moment needs one, like datetime.now(UTC)"
        ) from None
    return since.days * 86400 + since.seconds + 1


def moment_at(second: int | None) -> datetime | None:
    """The UTC moment of a second, or None when there is none or it is after the year 9999."""
    if second is None or second > _LAST:
        return None
    return EPOCH + timedelta(0, second)


def first_fire(
    zone: Offsets, at_or_after: AtOrAfter, gap: str, fold: str, second: int
) -> int | None:
    """The first UTC second, at or after the given one, at which the schedule runs."""
    at, off, start, end, reached = zone.at, zone.off, zone.start, zone.end, zone.reached
    j = zone.index(second)
    local = second + off[j]
    stepped = second == at[j]
    # What at_or_after said holds for every question between the one asked and its answer, so
    # one search serves all the stretches that lie before it.
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
    """The UTC second of a wall-clock one: of two the first, of none the first after the gap."""
    found = first_fire(
        zone, lambda asked: local if asked <= local else None, "run", "first", local - 2 * 86400
    )
    assert found is not None, "every wall-clock second has its moment"
    return found


def _or_forever(second: int | None) -> int:
    return FOREVER if second is None else second
