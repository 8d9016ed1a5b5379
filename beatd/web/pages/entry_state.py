"""Summarize the state of an entry in one word, such as "paused" or "failed", for the pages."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from beatd.catalog import Stored
from beatd.history import Record
from beatd.outcome import EntryOutcome
from beatd.views.entry_search import OVERDUE_AFTER
from beatd.views.failing import FAILURES
from beatd.views.outcome_rows import NOBODY_READS, UNREAD, running_since


class EntryState(Struct, frozen=True):
    """The state of an entry in one word, such as "paused", with an explanation in `note`, or "".

    `kind` is "ok", "bad", "warn", "run", "pause" or "off"; it chooses the colour and the shape.
    """

    word: str
    kind: str
    note: str = ""


def entry_state(
    row: Stored, outcome: EntryOutcome | None, newest: Record | None, now: datetime
) -> EntryState:
    """Return the state of an entry in one word; `newest` is the record of its newest attempt to
    run."""
    if not row.entry.enabled:
        return EntryState("disabled", "off")
    if row.paused:
        return EntryState("paused", "pause", _pause_note(row))
    if newest is not None and newest.state == "failed":
        return EntryState("not published", "bad", newest.reason)
    if outcome is not None and outcome.newest.state in FAILURES:
        times = f" ×{outcome.failures}" if outcome.failures > 1 else ""
        return EntryState(f"{outcome.newest.state}{times}", "bad", outcome.newest.error)
    if outcome is not None and outcome.unread:
        return EntryState(UNREAD, "off", NOBODY_READS)
    if (
        outcome is not None
        and outcome.sent is not None
        and running_since(row, outcome, now) is None
    ):
        return EntryState("not received", "run", "sent, and no worker has received it")
    due = row.plan.due
    if row.running is not None and row.running.waits and row.running.until > now:
        return EntryState("waiting", "run", "waits for the run before")
    if due is not None and due < now - OVERDUE_AFTER:
        return EntryState("overdue", "warn")
    if running_since(row, outcome, now) is not None:
        return EntryState("running", "run")
    if due is None:
        return EntryState("finished", "off", "no run is ahead")
    if newest is None and outcome is None and row.last is None:
        return EntryState("new", "ok", "has not run yet")
    return EntryState("well", "ok")


def newest_run(records: Sequence[Record]) -> Record | None:
    """Return the newest record of a run that was published or failed, or None; skipped runs are
    ignored.

    `records` must have the newest first.
    """
    return next((one for one in records if one.state in ("published", "failed")), None)


def _pause_note(row: Stored) -> str:
    pause = row.pause
    if pause is None:
        return ""
    by = f"by {pause.by}" if pause.by else ""
    return ": ".join(part for part in (by, pause.note) if part)
