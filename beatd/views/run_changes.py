"""Compare the runs of an entry before and after a change of its definition."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from beatd.entry import Entry
from beatd.planning import next_moment
from beatd.run import MICROSECOND

#: More than the runs of a week at a pace of 5 minutes.
ENTRY_RUNS_MAX = 2_100


class Runs(Struct, frozen=True):
    """The runs of an entry later than `since`, up to `end`, and the first one after `end`.

    If there are too many, `moments` has the first ENTRY_RUNS_MAX of them, and `end` is the last of
    these. `count` is the number of runs in the whole range: exact if `complete`, or if the schedule
    has a fixed period; else an estimate.
    """

    moments: tuple[datetime, ...]
    following: datetime | None
    end: datetime
    count: int
    complete: bool


class RunChanges(Struct, frozen=True):
    """The runs of an entry that a change adds, takes away or moves.

    `moved` has pairs of the old and the new moment. `before` and `after` are the numbers of runs in
    the whole range. The lists end at `until`, which is before the end of the range if there are too
    many runs.
    """

    added: tuple[datetime, ...]
    gone: tuple[datetime, ...]
    moved: tuple[tuple[datetime, datetime], ...]
    before: int
    after: int
    until: datetime
    complete: bool


def runs_between(entry: Entry | None, since: datetime, end: datetime) -> Runs:
    """Return the runs of an entry later than `since`, up to `end`.

    A disabled entry has none, nor has None. `max_runs` counts from `since`.
    """
    if entry is None or not entry.enabled:
        return Runs((), None, end, 0, complete=True)
    most = ENTRY_RUNS_MAX if entry.max_runs is None else min(entry.max_runs, ENTRY_RUNS_MAX)
    found: list[datetime] = []
    moment = next_moment(entry, since)
    while moment is not None and moment <= end and len(found) < most:
        found.append(moment)
        moment = next_moment(entry, moment)
    if moment is not None and moment <= end and most != entry.max_runs:
        return Runs(tuple(found), moment, found[-1], _count(entry, found, end), complete=False)
    following = None if len(found) == entry.max_runs else moment
    return Runs(tuple(found), following, end, len(found), complete=True)


def _count(entry: Entry, found: Sequence[datetime], end: datetime) -> int:
    end = end if entry.end is None else min(end, entry.end)
    period = entry.schedule.period
    step = (
        (found[-1] - found[0]) / (len(found) - 1)
        if period is None
        else timedelta(microseconds=period)
    )
    count = (end - found[0]) // step + 1
    return count if entry.max_runs is None else min(count, entry.max_runs)


def run_changes(old: Runs, new: Runs) -> RunChanges:
    """Return which runs are added, gone or moved.

    A run counts as moved if the entry has about as many runs as before, so that each old run has
    one new run that takes its place.
    """
    until = min(old.end, new.end)
    before, after = set(old.moments), set(new.moments)
    gone = [moment for moment in old.moments if moment <= until and moment not in after]
    added = [moment for moment in new.moments if moment <= until and moment not in before]
    moved: list[tuple[datetime, datetime]] = []
    if gone and added and abs(len(gone) - len(added)) <= 1:
        moved = _pairs(
            gone + [one for one in _first_after(old, until) if one not in after],
            added + [one for one in _first_after(new, until) if one not in before],
            lambda pair: min(pair) <= until,
        )
        taken_before, taken_after = {pair[0] for pair in moved}, {pair[1] for pair in moved}
        gone = [moment for moment in gone if moment not in taken_before]
        added = [moment for moment in added if moment not in taken_after]
    return RunChanges(
        tuple(added),
        tuple(gone),
        tuple(moved),
        old.count,
        new.count,
        until,
        old.complete and new.complete,
    )


def _first_after(runs: Runs, until: datetime) -> list[datetime]:
    later = [moment for moment in runs.moments if moment > until]
    return later[:1] or ([] if runs.following is None else [runs.following])


def _pairs(
    gone: Sequence[datetime],
    added: Sequence[datetime],
    counts: Callable[[tuple[datetime, datetime]], bool],
) -> list[tuple[datetime, datetime]]:
    """Pair each old run with a new one in their order, so that the runs move least in all.

    Only the pairs for which `counts` returns True are returned.
    """
    pairings = [
        list(zip(gone[skip_old:], added[skip_new:], strict=False))
        for skip_old, skip_new in ((0, 0), (0, 1), (1, 0))
    ]

    def mean_shift(pairs: Sequence[tuple[datetime, datetime]]) -> timedelta:
        if not pairs:
            return timedelta.max
        return sum((abs(new - old) for old, new in pairs), timedelta()) / len(pairs)

    return [pair for pair in min(pairings, key=mean_shift) if counts(pair)]


def runs_at(entry: Entry, second: datetime) -> int:
    """Return how many runs the entry has within the second that begins at `second`."""
    if not entry.enabled:
        return 0
    found, moment = 0, next_moment(entry, second - MICROSECOND)
    while moment is not None and moment < second + timedelta(seconds=1):
        found, moment = found + 1, next_moment(entry, moment)
    return found
