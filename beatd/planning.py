"""Compute when an entry runs next. All functions are pure.

A moment is a planned time of an entry. `first` plans a new, edited or resumed entry; for an entry
that is due, `beatd.catch_up` decides.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import pytz
from msgspec import Struct, json

from beatd.catalog import Plan, Stored
from beatd.entry import Entry, Schedule, Timing
from beatd.run import EPOCH, MICROSECOND, Skip, micros

# Besides the entry, a plan depends on the zone data and on the rules in this file (version 2).
RULES = f"{pytz.OLSON_VERSION}/2"  # type: ignore[attr-defined]  # the stubs lack it
MAX_COUNTED_MOMENTS = 10_000  # of one skip record
CACHED_MOMENTS = 20_000
USED_UP = "max_runs reached"
MISSED = "missed; only the latest was run"
TOO_OLD, LATE_BY = "too old", "late by"
LATE_REASONS = (MISSED, TOO_OLD, LATE_BY)  # how the reasons of moments begin that were missed
FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
LAST_MOMENT = datetime.max.replace(tzinfo=UTC)

NextAfter = Callable[[Schedule, datetime], datetime | None]


def fingerprint(entry: Entry) -> str:
    """Return a digest of the fields that decide when the entry runs, to detect a change of them."""
    times = [entry.start, entry.end, entry.jitter]
    when: list[Any] = [entry.schedule.plain(), entry.tz, *times, entry.dst_gap, entry.dst_fold]
    return blake2b(json.encode(when, order="deterministic"), digest_size=8).hexdigest()


def earlier(moment: datetime, length: timedelta) -> datetime:
    """Return the moment that is `length` before `moment`, or the earliest of year 1."""
    return moment - length if moment - FIRST_MOMENT > length else FIRST_MOMENT


def next_of(schedule: Schedule, moment: datetime) -> datetime | None:
    return schedule.next_after(moment)


def shared_next_after(limit: int = CACHED_MOMENTS) -> NextAfter:
    """Return a function that computes a schedule's next run and remembers `limit` results."""
    known: dict[tuple[Schedule, datetime], datetime | None] = {}

    def next_after(schedule: Schedule, moment: datetime) -> datetime | None:
        key = (schedule, moment)
        try:
            return known[key]
        except KeyError:
            if len(known) >= limit:
                known.clear()
            answer = known[key] = schedule.next_after(moment)
            return answer

    return next_after


def next_moment(
    entry: Entry | Timing, after: datetime, next_after: NextAfter = next_of
) -> datetime | None:
    """Return the entry's first planned run after `after`; None if there is none."""
    if entry.start is not None and after < entry.start:
        after = entry.start - MICROSECOND
    moment = next_after(entry.schedule, after)
    if moment is None or (entry.end is not None and moment > entry.end):
        return None
    return moment


def due_at(entry: Entry, planned: datetime, next_after: NextAfter = next_of) -> datetime:
    """Return when the run planned for `planned` is due: that time plus a delay up to `jitter`."""
    if not entry.jitter:
        return planned
    # Equal in every process, and before the next moment.
    digest = blake2b(f"{entry.name}\n{micros(planned)}".encode(), digest_size=8).digest()
    delay = entry.jitter * (int.from_bytes(digest) / 2**64)
    following = next_moment(entry, planned, next_after)
    if following is not None:
        delay = min(delay, following - planned - MICROSECOND)
    return planned + min(delay, LAST_MOMENT - planned)


def plan_at(
    entry: Entry, planned: datetime | None, mark: str, next_after: NextAfter = next_of
) -> Plan:
    """Return the plan to run the entry next at `planned`; without `planned` it does not run.

    `mark` is the entry's result of `fingerprint`.
    """
    due = None if planned is None else due_at(entry, planned, next_after)
    return Plan(planned=planned, due=due, fingerprint=mark, rules=RULES)


def first(
    entry: Entry,
    now: datetime,
    *,
    paused: bool = False,
    runs: int = 0,
    last: datetime | None = None,
) -> Plan:
    """Return the plan for the entry's first run after `now` and after `last`.

    The plan's `due` is None while the entry is paused or disabled. `planned` is None too if the
    entry never runs again.
    """
    mark = fingerprint(entry)
    if has_run_out(entry, runs):
        return Plan(planned=None, due=None, fingerprint=mark, rules=RULES)
    # After the last run too: the clock may have been set back since.
    planned = next_moment(entry, now if last is None else max(now, last))
    if not entry.enabled or paused:
        return Plan(planned=planned, due=None, fingerprint=mark, rules=RULES)
    return plan_at(entry, planned, mark)


def passed_over(row: Stored, now: datetime) -> Skip | None:
    """Return a record of the planned runs up to `now` that will not happen, or None.

    They do not happen because the entry was paused, disabled or edited.
    """
    entry, oldest = row.entry, row.plan.planned
    if oldest is None or oldest > now:
        return None
    until = now if entry.end is None else min(now, entry.end)
    newest = moment_before(entry, oldest, until + MICROSECOND, next_of)
    reason = "paused" if row.paused else "edited" if entry.enabled else "disabled"
    return stretch(entry, oldest, newest, reason)


def missed_when_new(entry: Entry, plan: Plan) -> Skip | None:
    """Return a record of the skipped run if a new entry's only run is already past, else None."""
    return _missed(entry, plan, "past when added")


def missed_by_edit(row: Stored, entry: Entry, plan: Plan, passed: Skip | None) -> Skip | None:
    """Return a record of the skipped run if an edited entry's only run is past, else None.

    None is also returned if that run happened, or if `passed`, the record of other skipped runs,
    ends with it.
    """
    skip = None if has_run_out(entry, row.runs) else _missed(entry, plan, "past when edited")
    if skip is None or skip.planned in (row.last, passed and passed.until):
        return None
    return skip


def _missed(entry: Entry, plan: Plan, reason: str) -> Skip | None:
    if plan.planned is not None or not entry.enabled or not is_once(entry):
        return None
    moment = next_moment(entry, EPOCH)
    return None if moment is None else Skip(moment, moment, 1, reason)


def is_once(entry: Entry) -> bool:
    """Return True if the entry is planned to run exactly once."""
    moment = next_moment(entry, EPOCH)
    return moment is not None and next_moment(entry, moment) is None


def has_run_out(entry: Entry, runs: int) -> bool:
    """Return True if an entry with this number of runs has reached its `max_runs`."""
    return entry.max_runs is not None and runs >= entry.max_runs


def moment_before(
    entry: Entry, oldest: datetime, moment: datetime, next_after: NextAfter
) -> datetime:
    """Return the entry's last planned run before `moment`; `oldest` if there is none in between."""
    step = MICROSECOND
    while moment - step > oldest:
        earlier = next_moment(entry, moment - step, next_after)
        if earlier is not None and earlier < moment:
            break
        step *= 2
    else:
        earlier = oldest
    while True:
        following = next_moment(entry, earlier, next_after)
        if following is None or following >= moment:
            return earlier
        earlier = following


def stretch(entry: Entry, first: datetime, last: datetime, reason: str) -> Skip:
    """Return one record for all planned runs from `first` to `last`, which are skipped.

    Its `at_least` is True if there were too many to count all of them.
    """
    period = entry.schedule.period
    if period is not None:
        return Skip(first, last, (last - first) // MICROSECOND // period + 1, reason)
    count, at_least = _counted(entry.schedule, first, last)
    return Skip(first, last, count, reason, at_least=at_least)


# Ten thousand entries that missed a week of the same minutes count them once.
@lru_cache(maxsize=1000)
def _counted(schedule: Schedule, first: datetime, last: datetime) -> tuple[int, bool]:
    count, moment = 1, first
    while moment < last and count < MAX_COUNTED_MOMENTS:
        following = schedule.next_after(moment)
        if following is None or following > last:
            break
        moment, count = following, count + 1
    return count, moment < last


class Settlement(Struct, frozen=True):
    """The decision about a due entry: which planned runs to publish now, run later, and skip."""

    publish: datetime | None
    plan: Plan
    skips: tuple[Skip, ...] = ()
    backlog: tuple[datetime, datetime] | None = None  # its first and last moment


def late_reason(entry: Entry, due: datetime, now: datetime) -> str:
    """Return why a run is too late by the entry's `catch_up`, or "" if it is not."""
    late = now - due
    if entry.catch_up == "skip" and late > entry.grace:
        return f"{LATE_BY} {late.total_seconds():.3f} s, grace is {entry.grace.total_seconds():g} s"
    if entry.catch_up_window is not None and late > entry.catch_up_window:
        return TOO_OLD
    return ""


def newest_due(entry: Entry, oldest: datetime, now: datetime, next_after: NextAfter) -> datetime:
    """Return the entry's newest planned run that is due at `now`, but at least `oldest`."""
    newest, following = oldest, next_moment(entry, oldest, next_after)
    if following is None:
        return oldest
    step = min(timedelta(seconds=1), following - oldest)  # only a grid is finer than a second
    while now - step > oldest:
        moment = next_moment(entry, now - step, next_after)
        if moment is not None and moment > oldest and due_at(entry, moment, next_after) <= now:
            newest = moment
            break
        step *= 2
    while True:
        moment = next_moment(entry, newest, next_after)
        if moment is None or due_at(entry, moment, next_after) > now:
            return newest
        newest = moment
