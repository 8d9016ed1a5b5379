"""Write, pause and remove entries, and update their next runs, in a store in memory."""

from datetime import datetime

from msgspec import Raw
from msgspec.structs import replace

from beatd.catalog import Change, Plan
from beatd.changes import Pause
from beatd.stores.embedded.change_writes import kept_entry, write_record
from beatd.stores.embedded.claims import add_line, drop_requests, skipped
from beatd.stores.embedded.running_runs import end_run, wait_no_longer
from beatd.stores.embedded.table_values import (
    Defined,
    OutcomeRow,
    Planned,
    Removed,
    RunningRow,
    Version,
)
from beatd.stores.embedded.tables import Tables

NOTHING = Plan(planned=None, due=None, fingerprint="", rules="")


def make_change(
    tables: Tables, change: Change, definition: Raw | None, version: int, now: datetime
) -> bool:
    """Write, pause or remove one entry, or update its next run, in a store in memory.

    Return False if another change came first, else True. `version` becomes the entry's revision
    number. `definition` is the encoded entry, or None to remove it. Runs that the change cancels
    are recorded as skipped. If the change has an author, a record of it is written.
    """
    before = kept_entry(tables, change.name)
    made = _make(tables, change, definition, version, now)
    if made and change.author is not None:
        write_record(tables, change.name, change.author, before, now)
    return made


def _make(
    tables: Tables, change: Change, definition: Raw | None, version: int, now: datetime
) -> bool:
    name, entry = change.name, change.entry
    defined, there = tables.defined.get(name), tables.planned.get(name)
    old = defined
    if (defined is None) != (there is None):
        if change.seen:
            return False
        if entry is None:
            requests = [tables.requests[id] for id in tables.requests_of.get(name, ())]
            drop_requests(tables, requests, "removed", now)
        _remove_what_is_left(tables, name, is_replaced=entry is not None)
        tables.put(Version(version))
        defined = there = None
    elif defined is None and (name in tables.running or name in tables.outcomes):
        tables.put(Removed(name))  # an older beatd removed an entry of this name, and left these
    if change.seen != (defined.revision if defined else 0):
        return False
    if change.plan is not None and there is not None and there.progress != change.progress:
        return False
    if entry is None or definition is None:
        if defined is not None:
            _remove(tables, name, version, now)
        return True
    before = there or Planned(name, NOTHING, change.runs, change.last)
    plan = before.plan if change.plan is None else change.plan
    is_edited = plan.fingerprint != before.plan.fingerprint
    if is_edited or (before.plan.due is None and plan.due is not None):
        requests = [tables.requests[id] for id in tables.requests_of.get(name, ())]
        owed = [request for request in requests if request.kind == "backlog"]
        drop_requests(tables, owed, "edited" if is_edited else "resumed", now)
    if change.calls_off:
        requests = [tables.requests[id] for id in tables.requests_of.get(name, ())]
        backfills = [request for request in requests if request.kind == "backfill"]
        drop_requests(tables, backfills, "called off", now)
    if change.paused or not entry.enabled:
        plan = replace(plan, due=None)
    elif plan.due is None:
        plan = replace(plan, planned=None)
    if change.skip is not None and before.plan.planned == change.skip.planned:
        add_line(tables, now, skipped(name, change.skip, "", 0), None)
    if change.missed is not None:
        add_line(tables, now, skipped(name, change.missed, "", 0), None)
    tables.put(
        Defined(
            name=name,
            revision=version,
            source=entry.source,
            declared_at=entry.declared_at,
            enabled=entry.enabled,
            paused=change.paused,
            definition=definition,
            pause=_pause(change, old),
        )
    )
    tables.put(Planned(name, plan, before.runs, before.last))
    tables.put(Version(version))
    running = tables.running.get(name)
    if running is not None and entry.overlap == "allow":
        end_run(tables, running.task_id, now)
    elif change.plan is not None:
        wait_no_longer(tables, name)
    return True


def _pause(change: Change, before: Defined | None) -> Pause | None:
    if not change.paused:
        return None
    # A change that names no pause keeps the one that the entry had.
    return change.pause or (None if before is None else before.pause)


def _remove_what_is_left(tables: Tables, name: str, *, is_replaced: bool) -> None:
    # The entry lost its plan or its definition, and the rest is deleted here. If the caller writes
    # a new entry of this name, the running run and the outcome stay.
    running, outcome = tables.running.get(name), tables.outcomes.get(name)
    tables.put(Removed(name))
    if is_replaced and running is not None:
        tables.put(RunningRow(name, running))
    if is_replaced and outcome is not None:
        tables.put(OutcomeRow(outcome))


def _remove(tables: Tables, name: str, version: int, now: datetime) -> None:
    # Its pending requests are recorded as skipped.
    requests = [tables.requests[id] for id in tables.requests_of.get(name, ())]
    drop_requests(tables, requests, "removed", now)
    tables.put(Removed(name))
    tables.put(Version(version))
