"""Runs asked for by hand, beside the plan: they leave it, the runs and `max_runs` alone."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from beatd import planning
from beatd.catalog import Change
from beatd.edits.editing import TRIES, contended, row_of
from beatd.errors import BeatError, ConfigError, Conflict
from beatd.ledger import Request, Requests
from beatd.run import MICROSECOND, Occurrence, Skip, task_id

LOOKED_AT = 1000


def trigger(store: Requests, name: str, now: datetime) -> str:
    """One run as soon as a leader sees it, beside the plan; the task id it will have."""
    row = row_of(store, name)
    request = Request(
        id=uuid4().hex, name=name, kind="trigger", first=now, last=now, revision=row.revision
    )
    store.add_requests([request])
    return task_id(store.namespace, Occurrence(name, now, request.id))


def backfill(
    store: Requests,
    name: str,
    first: datetime,
    last: datetime,
    now: datetime,
    *,
    only_count: bool = False,
) -> Skip:
    """Every moment of the entry from first to last, both included, run beside the plan.

    Which stretch that is, counted as `planning.stretch` does; an entry that has none in between, or
    that is asked for some of them already, is an error.
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
        _refuse_twice(pending(store, name), request)
        store.add_requests([request])
    return planning.stretch(row.entry, beginning, newest, "")


def _refuse_twice(asked: Sequence[Request], request: Request) -> None:
    for one in asked:
        if one.kind == "backfill" and one.first <= request.last and request.first <= one.last:
            span = f"from {one.first.isoformat()} to {one.last.isoformat()}"
            raise Conflict(
                f"a backfill of {one.name!r} {span} is pending already; nothing was asked for "
                "(`beatd backfill NAME --cancel` calls it off)"
            )


def pending(store: Requests, name: str) -> list[Request]:
    """What was asked for of an entry and is not worked off, among the oldest thousand requests."""
    return [request for request, _ in store.requests(LOOKED_AT) if request.name == name]


def call_off(store: Requests, name: str) -> list[Skip]:
    """Drop the backfills of an entry; what was left of each."""
    for _ in range(TRIES):
        row = row_of(store, name)
        left = [one for one in pending(store, name) if one.kind == "backfill"]
        if not left:
            raise BeatError(f"{name} has no backfill that is pending")
        change = Change(name, row.revision, row.entry, paused=row.paused, calls_off=True)
        if store.write([change])[0]:
            return [planning.stretch(row.entry, one.first, one.last, "") for one in left]
    raise contended(name)
