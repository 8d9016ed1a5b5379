"""Runs asked for by hand, beside the plan: they leave it, the runs and `max_runs` alone."""

from datetime import datetime
from uuid import uuid4

from beatd import planning
from beatd.editing import row_of
from beatd.errors import BeatError, ConfigError
from beatd.ledger import Request
from beatd.run import MICROSECOND, Occurrence, Skip, task_id
from beatd.store import Store


def trigger(store: Store, name: str, now: datetime) -> str:
    """One run as soon as a leader sees it, beside the plan; the task id it will have."""
    row = row_of(store, name)
    request = Request(
        id=uuid4().hex, name=name, kind="trigger", first=now, last=now, revision=row.revision
    )
    store.ask([request])
    return task_id(store.namespace, Occurrence(name, now, request.id))


def backfill(
    store: Store,
    name: str,
    first: datetime,
    last: datetime,
    now: datetime,
    *,
    only_count: bool = False,
) -> Skip:
    """Every moment of the entry from first to last, both included, run beside the plan.

    Which stretch that is, counted as `planning.stretch` does; an entry that has none in between is
    an error.
    """
    if last > now:
        raise ConfigError(f"--to {last.isoformat()} is ahead of us; a backfill ends in the past")
    row = row_of(store, name)
    beginning = planning.next_moment(row.entry, first - MICROSECOND)
    if beginning is None or beginning > last:
        span = f"from {first.isoformat()} to {last.isoformat()}"
        raise BeatError(f"entry {name!r} has no moment {span}; nothing was asked for")
    newest = planning.moment_before(
        row.entry, beginning, last + MICROSECOND, lambda schedule, at: schedule.next_after(at)
    )
    request = Request(
        id=uuid4().hex,
        name=name,
        kind="backfill",
        first=beginning,
        last=newest,
        revision=row.revision,
    )
    if not only_count:
        store.ask([request])
    return planning.stretch(row.entry, beginning, newest, "")
