"""Decide whether a run that is late, requested or of unknown outcome may still be sent.

All functions are pure.
"""

from datetime import datetime

from beatd.catalog import Stored
from beatd.entry import Schedule
from beatd.errors import ScheduleError
from beatd.ledger import Move, OpenClaim, Request
from beatd.planning import MISSED, USED_UP, NextAfter, due_at, late_reason, next_moment


def holds_until(row: Stored, move: Move) -> datetime | None:
    """Return the time until which an early decision stays valid, or None if it must not be kept.

    `move` is the decision: it takes a due entry to its next planned run. It must be made anew once
    the next run is due, or once this one is too late for the entry's `catch_up`.
    """
    if move.plan is None or move.plan.due is None or row.plan.due is None:
        return None
    entry, lasts = row.entry, move.plan.due - row.plan.due
    if entry.catch_up == "skip":
        lasts = min(lasts, entry.grace)
    if entry.catch_up_window is not None:
        lasts = min(lasts, entry.catch_up_window)
    return row.plan.due + lasts


def why_at_an_end(request: Request, row: Stored | None) -> str:
    """Return why the rest of a request must not run, such as "removed", or "" if it may run.

    A request asks for runs besides the plan. `row` is its entry, or None if the entry was removed.
    A trigger or backfill runs even if its entry is paused or disabled; a backlog, which has missed
    runs of the plan, does not.
    """
    if row is None:
        return "removed"
    if request.kind != "backlog":
        return ""
    if row.paused:
        return "paused"
    if not row.entry.enabled:
        return "disabled"
    if row.entry.max_runs is not None and row.runs >= row.entry.max_runs:
        return USED_UP
    return ""


def why_not(claim: OpenClaim, unsent: bool, now: datetime, next_after: NextAfter) -> str:
    """Return why a run that may not have been sent must not be sent again, or "" if it must be.

    `unsent` is True if its message was certainly not sent. The entry's `catch_up` decides whether
    the run is too late at `now`.
    """
    row = claim.stored
    if row is None:
        return "removed"
    entry, planned = row.entry, claim.occurrence.planned
    if claim.occurrence.request:
        return "unknown" if not unsent and entry.on_unknown == "skip" else ""
    if row.paused:
        return "paused"
    if not entry.enabled:
        return "disabled"
    if entry.end is not None and planned > entry.end:
        return "ended"
    if not unsent and entry.on_unknown == "skip":
        return "unknown"
    # Newer moments were skipped or wait because of a run that counts as running.
    is_running = row.running is not None and row.running.task_id == claim.task_id
    if unsent and entry.catch_up == "latest" and not is_running:
        # It never went out, so the catch-up rule alone decides, as if it had not been claimed.
        newer = next_moment(entry, planned, next_after)
        if newer is not None and due_at(entry, newer, next_after) <= now:
            return MISSED
    return late_reason(entry, claim.due, now)


def if_found(next_after: NextAfter) -> NextAfter:
    """Return a function like `next_after` that returns None instead of raising ScheduleError.

    Runs that were claimed or requested earlier use it, so that they can be sent although the
    schedule fails now. The plan itself uses `next_after`, so that its failure is reported.
    """

    def next_or_none(schedule: Schedule, moment: datetime) -> datetime | None:
        try:
            return next_after(schedule, moment)
        except ScheduleError:
            return None

    return next_or_none
