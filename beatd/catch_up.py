"""Decide whether a settled move, a request or an open claim may still be sent. Pure functions."""

from datetime import datetime

from beatd.catalog import Stored
from beatd.entry import Schedule
from beatd.errors import ScheduleError
from beatd.ledger import Move, OpenClaim, Request
from beatd.planning import USED_UP, NextAfter, due_at, late_reason, next_moment


def holds_until(row: Stored, move: Move) -> datetime | None:
    """Return the moment until which a move that was computed ahead for the row's due moment stays
    right; None if it must not be kept.

    At that moment the next occurrence falls due, or the catch-up rule finds this one too late, and
    the row has to be settled again.
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
    """Return the reason to drop the rest of a request, such as "removed" or "paused", or "" if it
    may go on.

    `row` is the request's entry, None if it was removed. A trigger or backfill, which was requested
    by hand, runs even if its entry is paused or disabled; a backlog does not.
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
    """Return the reason not to send an open claim (a run claimed, without a recorded outcome)
    again, or "" if it has to be sent.

    `unsent` is True if its message certainly did not go out.
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
    if unsent and entry.catch_up == "latest":
        # It never went out, so the catch-up rule alone decides, as if it had not been claimed.
        newer = next_moment(entry, planned, next_after)
        if newer is not None and due_at(entry, newer, next_after) <= now:
            return "caught up"
    return late_reason(entry, claim.due, now)


def if_found(next_after: NextAfter) -> NextAfter:
    """Wrap `next_after` so that it returns None where it would raise ScheduleError.

    Runs that were claimed or requested earlier are settled even if the schedule fails now. The plan
    itself uses the unwrapped function, so that its failure is reported.
    """

    def ask(schedule: Schedule, moment: datetime) -> datetime | None:
        try:
            return next_after(schedule, moment)
        except ScheduleError:
            return None

    return ask
