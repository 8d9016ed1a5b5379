"""Build the changes that add, edit or remove one entry, with its plan (the next run)."""

from datetime import datetime

from beatd import planning
from beatd.catalog import Change, Plan, Stored
from beatd.entry import Entry


def replanned(row: Stored, entry: Entry, now: datetime, *, paused: bool) -> Plan | None:
    """Return a new plan (the next run) for an edited row, or None if its planned moment stays.

    A new plan is needed when the fingerprint of the schedule changed, when the entry is enabled or
    resumed, or when `max_runs` now ends or revives it. A disabled or paused entry keeps its moment,
    which shows what it missed.
    """
    used_up, was = (planning.has_run_out(one, row.runs) for one in (entry, row.entry))
    goes_on = entry.enabled and not paused
    went_on = row.entry.enabled and not row.paused
    same = row.plan.fingerprint == planning.fingerprint(entry) and used_up == was
    if same and (went_on or not goes_on):
        return None
    return planning.first(entry, now, paused=paused, runs=row.runs, last=row.last)


def rewritten(row: Stored, entry: Entry, now: datetime) -> Change:
    """Return the change that replaces the definition in `row` by `entry` and keeps the pause."""
    return changed(row, entry, now, paused=row.paused)


def changed(row: Stored, entry: Entry, now: datetime, *, paused: bool) -> Change:
    """Return the change that replaces both the definition in `row` and its pause.

    If the edit needs a new plan, it counts from `now`, and the change also has records for the
    history of the moments that will not run because of it.
    """
    plan = replanned(row, entry, now, paused=paused)
    skip = None if plan is None else planning.passed_over(row, now)
    missed = None if plan is None or paused else planning.missed_by_edit(row, entry, plan, skip)
    return Change(
        name=row.entry.name,
        seen=row.revision,
        entry=entry,
        plan=plan,
        paused=paused,
        skip=skip,
        progress=row.progress,
        missed=missed,
    )


def added(entry: Entry, now: datetime, *, runs: int = 0, last: datetime | None = None) -> Change:
    """Return the change that adds an entry, with a plan (the next run) that counts from `now`.

    `runs` and `last` are its number of runs and its last run under another scheduler. A one-off (an
    entry with a single moment) whose moment is past gets a record in the history.
    """
    plan = planning.first(entry, now, runs=runs, last=last)
    missed = planning.missed_when_new(entry, plan) if last is None and not runs else None
    return Change(entry.name, 0, entry, plan, runs=runs, last=last, missed=missed)


def removed(row: Stored) -> Change:
    """Return the change that removes the entry in `row`."""
    return Change(name=row.entry.name, seen=row.revision, entry=None)
