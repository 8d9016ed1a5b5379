"""Build the changes that add, edit or remove one entry, together with its next run."""

from datetime import datetime

from beatd import planning
from beatd.catalog import Change, Plan, Stored
from beatd.changes import Author, Pause
from beatd.entry import Entry


def replanned(row: Stored, entry: Entry, now: datetime, *, paused: bool) -> Plan | None:
    """Return the new next run of an edited entry, or None if the next run need not change.

    It changes if the schedule changed, the entry is enabled or resumed, or `max_runs` now ends the
    entry or revives it. A disabled or paused entry keeps its planned moment, which shows the
    moments that it missed.
    """
    used_up, was = (planning.has_run_out(one, row.runs) for one in (entry, row.entry))
    goes_on = entry.enabled and not paused
    went_on = row.entry.enabled and not row.paused
    same = row.plan.fingerprint == planning.fingerprint(entry) and used_up == was
    if same and (went_on or not goes_on):
        return None
    return planning.first(entry, now, paused=paused, runs=row.runs, last=row.last)


def rewritten(row: Stored, entry: Entry, now: datetime, author: Author | None) -> Change:
    """Return the change that replaces the definition in `row` by `entry`.

    The pause is unchanged.
    """
    return changed(row, entry, now, author, paused=row.paused)


def changed(
    row: Stored,
    entry: Entry,
    now: datetime,
    author: Author | None,
    *,
    paused: bool,
    pause: Pause | None = None,
) -> Change:
    """Return the change that replaces the definition in `row` by `entry`, and sets the pause.

    If the edit needs a new next run, it is computed from `now`. The change then also has history
    records of the moments that will not run because of the edit.
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
        author=author,
        pause=pause,
    )


def added(
    entry: Entry,
    now: datetime,
    author: Author | None,
    *,
    runs: int = 0,
    last: datetime | None = None,
) -> Change:
    """Return the change that adds an entry, with its next run computed from `now`.

    `runs` and `last` are its number of runs and its last run under another scheduler. If the entry
    never ran and its only moment is past, the change also has a history record.
    """
    plan = planning.first(entry, now, runs=runs, last=last)
    missed = planning.missed_when_new(entry, plan) if last is None and not runs else None
    return Change(entry.name, 0, entry, plan, runs=runs, last=last, missed=missed, author=author)


def removed(row: Stored, author: Author | None) -> Change:
    """Return the change that removes the entry in `row`."""
    return Change(name=row.entry.name, seen=row.revision, entry=None, author=author)
