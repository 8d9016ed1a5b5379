"""Count the runs that all entries have planned for the next hours."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from beatd.catalog import PlanFinder
from beatd.entry import Timing
from beatd.planning import next_moment
from beatd.run import MICROSECOND

BUCKETS_MAX = 420
BUCKET_LENGTHS_S = (60, 300, 900, 1800, 3600)
ENTRIES_READ_MAX = 20_000
WORK_MAX = 400_000  # in steps of a grid; about 0.3 s
WORK_OF_A_MOMENT = 20  # that a schedule other than `every` computes


class PlannedAhead(Struct, frozen=True):
    """The number of planned runs in each interval of `bucket_s` seconds, beginning at `start`.

    `complete` is False if there were too many entries or runs to count all of them.
    """

    start: datetime
    bucket_s: int
    counts: tuple[int, ...]
    complete: bool


class AlikeEntries(Struct, frozen=True):
    """Groups of entries that run at the same times until `end`, with the size of each group.

    `complete` is False if there were too many entries to read all of them.
    """

    end: datetime
    counts: Mapping["_Key", int]
    complete: bool


def planned_ahead(plans: PlanFinder, now: datetime, hours: int) -> PlannedAhead:
    """Count the runs that all entries have planned for the next `hours`.

    Jitter, a random delay, is ignored. Entries with equal schedules are computed only once.
    """
    return count_ahead(alike_entries(plans, now + timedelta(hours=hours)), now, hours)


def count_ahead(
    alike: AlikeEntries, start: datetime, hours: int, work_max: int | None = None
) -> PlannedAhead:
    """Count the runs of these groups of entries in the `hours` after `start`, without using the
    store.

    Overdue runs are counted in the first interval. `work_max` limits the work; None means WORK_MAX.
    """
    seconds = hours * 3600
    bucket_s = next(size for size in BUCKET_LENGTHS_S if seconds <= size * BUCKETS_MAX)
    end = min(alike.end, start + timedelta(seconds=seconds))
    counts = [0] * (seconds // bucket_s)
    work, most = 0, WORK_MAX if work_max is None else work_max
    for (timing, planned, left), many in alike.counts.items():
        for offset, runs in _runs(timing, planned, start, end, bucket_s, left):
            counts[min(offset, len(counts) - 1)] += runs * many
            work += 1 if timing.schedule.period is not None else WORK_OF_A_MOMENT
            if work > most:
                return PlannedAhead(start, bucket_s, tuple(counts), complete=False)
    return PlannedAhead(start, bucket_s, tuple(counts), alike.complete)


_Key = tuple[Timing, datetime, int | None]


def alike_entries(plans: PlanFinder, end: datetime) -> AlikeEntries:
    """Read the entries that run before `end`, and group those that run at the same times.

    At most ENTRIES_READ_MAX entries are read.
    """
    found: Counter[_Key] = Counter()
    for read, one in enumerate(plans.plans_before(end, ENTRIES_READ_MAX + 1)):
        if read == ENTRIES_READ_MAX:
            return AlikeEntries(end, found, complete=False)
        found[one.timing, one.planned, one.left] += 1
    return AlikeEntries(end, found, complete=True)


def _runs(
    timing: Timing, planned: datetime, now: datetime, end: datetime, bucket_s: int, left: int | None
) -> Iterator[tuple[int, int]]:
    # Yields (number of the bucket, number of runs); a bucket may come more than once. `left` is the
    # number of runs that `max_runs` still allows.
    end = end if timing.end is None else min(end, timing.end + MICROSECOND)
    moment: datetime | None = planned
    period, size = timing.schedule.period, timedelta(seconds=bucket_s)
    while moment is not None and moment < end and left != 0:
        offset = max(0, (moment - now) // size)
        runs = 1
        if period is not None:
            # All runs of one bucket at once.
            ahead = min(now + (offset + 1) * size, end) - MICROSECOND - moment
            runs = max(1, ahead // MICROSECOND // period + 1)
            runs = runs if left is None else min(runs, left)
            moment += runs * period * MICROSECOND
        else:
            moment = next_moment(timing, moment)
        left = None if left is None else left - runs
        yield offset, runs
