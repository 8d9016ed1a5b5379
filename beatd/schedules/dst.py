"""Convert wall-clock times to moments in UTC, with rules for clock changes (DST).

Wall-clock seconds count from 1970-01-01 00:00 on the wall clock. A schedule passes a function
`at_or_after`, which returns its first wall-clock second at or after the given one.

A gap is a time that the clock skips; a fold is a time that it shows twice. With gap "run", a
schedule runs once, right after the gap, if any of its times is in the gap; with "skip", it does not
run for these times. With fold "first" or "last", a time in a fold runs once; with "both", twice.
The defaults "run" and "first" suit a job at fixed times of day; "skip" and "both" suit a job that
follows elapsed time. Only this file has these rules.
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
    """Return the rules for clock changes unchanged, or raise ScheduleError for an unknown word.

    `gap` may be "run" or "skip"; `fold` may be "first", "last" or "both".
    """
    if gap not in GAPS:
        raise ScheduleError(f"dst_gap: {quoted(gap)} is neither run nor skip")
    if fold not in FOLDS:
        raise ScheduleError(f"dst_fold: {quoted(fold)} is none of first, last, both")
    return gap, fold


def second_after(moment: datetime) -> int:
    """Return the first whole second after `moment`, in seconds since 1970 (UTC).

    Raises ScheduleError if `moment` has no time zone.
    """
    try:
        since = moment - EPOCH
    except TypeError:
        raise no_zone(moment) from None
    return since.days * 86400 + since.seconds + 1


def no_zone(moment: datetime) -> ScheduleError:
    """Return the error to raise for a moment without a time zone."""
    return ScheduleError(
        f"{quoted(moment)} has no time zone; a moment needs one, like datetime.now(UTC)"
    )


def moment_at(second: int | None) -> datetime | None:
    """Return the UTC datetime of `second`, which counts from 1970.

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
    `gap` is the rule for a time that the clock skips: "run" right after the gap, or "skip". `fold`
    is the rule for a time that the clock shows twice: run at the "first", the "last" or "both".
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
    """Return the UTC second at which the clock of a zone shows the wall-clock second `local`.

    It is the earlier one if the clock shows `local` twice, and the end of the gap if the clock
    skips `local`.
    """
    found = first_fire(
        zone, lambda start: local if start <= local else None, "run", "first", local - 2 * 86400
    )
    assert found is not None, "every wall-clock second has its moment"
    return found


def _or_forever(second: int | None) -> int:
    return FOREVER if second is None else second
