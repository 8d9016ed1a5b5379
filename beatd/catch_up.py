"""The rules of what is not sent any more: of moves that were settled, open claims and requests."""

from datetime import datetime

from beatd.catalog import Stored
from beatd.entry import Schedule
from beatd.errors import ScheduleError
from beatd.ledger import Move, OpenClaim, Request
from beatd.planning import USED_UP, NextAfter, due_at, late_reason, next_moment


def holds_until(row: Stored, move: Move) -> datetime | None:
    """Return until when a move that was settled for its moment is what becomes of the row.

    Then the next moment falls due, or the catch-up rule finds this one too late. None where it does
    not hold at all.
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
    """Return why the rest of a request is dropped, or nothing; one by hand runs when paused."""
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
    """Return why an open claim is not sent again, or nothing."""
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
    """Return a search for the next moment that returns None where the given one fails.

    What was promised before is settled all the same. The plan itself must not end that quietly.
    """

    def ask(schedule: Schedule, moment: datetime) -> datetime | None:
        try:
            return next_after(schedule, moment)
        except ScheduleError:
            return None

    return ask
