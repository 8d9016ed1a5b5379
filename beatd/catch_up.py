"""Decide by an entry's `catch_up` which missed runs happen now, later or never.

All functions are pure.
"""

from datetime import datetime

from beatd.catalog import Stored
from beatd.entry import Entry
from beatd.planning import (
    MISSED,
    TOO_OLD,
    USED_UP,
    NextAfter,
    Settlement,
    due_at,
    has_run_out,
    late_reason,
    moment_before,
    newest_due,
    next_moment,
    next_of,
    plan_at,
    stretch,
)
from beatd.run import MICROSECOND, Skip


def settle(row: Stored, now: datetime, next_after: NextAfter = next_of) -> Settlement:
    """Return which planned runs of a due entry happen at `now`, later or never, and its next plan.

    The entry's `catch_up` decides. With "all", the missed runs become a backlog, which is sent
    later.
    """
    entry, oldest = row.entry, row.plan.planned
    assert oldest is not None, "a row without a moment is not due"
    skips: tuple[Skip, ...] = ()
    following = next_moment(entry, oldest, next_after)
    if following is None or due_at(entry, following, next_after) > now:
        # One moment, on time: the common case.
        newest = oldest
    elif entry.catch_up == "all":
        return _settle_backlog(row, oldest, now, next_after)
    else:
        newest = newest_due(entry, oldest, now, next_after)
        following = next_moment(entry, newest, next_after)
        last_skipped = moment_before(entry, oldest, newest, next_after)
        skips = (stretch(entry, oldest, last_skipped, MISSED),)

    reason = late_reason(entry, due_at(entry, newest, next_after), now)
    if has_run_out(entry, row.runs):
        # A backlog that was published meanwhile had the last run.
        reason = USED_UP
    if reason:
        skips = (stretch(entry, oldest, newest, reason),)
    if has_run_out(entry, row.runs + (not reason)):
        following = None
    plan = plan_at(entry, following, row.plan.fingerprint, next_after)
    return Settlement(publish=None if reason else newest, plan=plan, skips=skips)


def _settle_backlog(
    row: Stored, oldest: datetime, now: datetime, next_after: NextAfter
) -> Settlement:
    # Runs outside `catch_up_window` or beyond `catch_up_max` are skipped as too old.
    entry = row.entry
    newest = newest_due(entry, oldest, now, next_after)
    following = next_moment(entry, newest, next_after)
    plan = plan_at(entry, following, row.plan.fingerprint, next_after)
    wanted: datetime | None = oldest
    window = entry.catch_up_window
    # `now - oldest` first: for a window of ten thousand years `now - window` is before all dates.
    if window is not None and now - oldest > window:
        wanted = next_moment(entry, now - window - MICROSECOND, next_after)
    if wanted is not None and wanted <= newest and entry.catch_up_max is not None:
        wanted = _first_of_newest(entry, wanted, newest, entry.catch_up_max, next_after)
    if wanted is None or wanted > newest:
        return Settlement(publish=None, plan=plan, skips=(stretch(entry, oldest, newest, TOO_OLD),))
    if wanted == oldest:
        return Settlement(publish=None, plan=plan, backlog=(oldest, newest))
    last_skipped = moment_before(entry, oldest, wanted, next_after)
    skip = stretch(entry, oldest, last_skipped, TOO_OLD)
    return Settlement(None, plan, (skip,), backlog=(wanted, newest))


def _first_of_newest(
    entry: Entry, first: datetime, last: datetime, keep: int, next_after: NextAfter
) -> datetime:
    moment = last
    for _ in range(keep - 1):
        if moment <= first:
            return first
        moment = moment_before(entry, first, moment, next_after)
    return moment
