"""Plan the runs of entries whose edit was noticed some time after it was made."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from beatd import planning
from beatd.catalog import Change, Stored
from beatd.entry import Entry, Schedule
from beatd.planning import is_once
from beatd.run import MICROSECOND

NAMES_SHOWN_MAX = 20


def counts_from(
    entry: Entry, now: datetime, *, made: datetime | None, unseen_since: datetime
) -> datetime:
    """Return the moment from which the next run of an edited entry is computed.

    This is the moment of the edit, `made`, or `now` if that is unknown. An entry that runs only
    once then counts from `unseen_since`, the last check that found no edit, so that its run is not
    lost.
    """
    if made is not None:
        return min(made, now)
    return min(unseen_since, now) if is_once(entry) else now


def _next_after(schedule: Schedule, moment: datetime) -> datetime | None:
    return schedule.next_after(moment)


def with_unseen_moments(
    change: Change, row: Stored, unseen_since: datetime, now: datetime
) -> Change:
    """Return the change with a record of the runs that were skipped before the edit was noticed.

    The edit was made between `unseen_since` and `now`; neither the old nor the new schedule ran in
    that time. If there are no such runs, or the change has a skip record already, it is returned
    unchanged.
    """
    entry, plan = change.entry, change.plan
    if entry is None or plan is None or plan.due is None or change.skip is not None:
        return change
    first = planning.first(entry, min(unseen_since, now), runs=row.runs, last=row.last).planned
    if first is None or first > now or first == plan.planned:
        return change
    newest = planning.moment_before(entry, first, now + MICROSECOND, _next_after)
    skip = planning.stretch(entry, first, newest, "edited, noticed late")
    return replace(change, missed=skip)


def past_one_offs(names: Sequence[str]) -> str:
    """Return a log line about entries whose only moment was past when they were first seen.

    At most 20 of the names are listed.
    """
    more = len(names) - NAMES_SHOWN_MAX
    named = ", ".join(names[:NAMES_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
    count = f"{len(names)} one-off{'s' if len(names) > 1 else ''}"
    verb = "were past when they were" if len(names) > 1 else "was past when it was"
    return f"{count} {verb} first seen and will not run (beatd history NAME): {named}"
