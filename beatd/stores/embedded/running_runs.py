"""Keep which run of each entry is running, in a store in memory, so that runs do not overlap.

An entry with `overlap: allow` has no running run here.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from beatd.ledger import Move, RunningChange
from beatd.run import Running
from beatd.stores.embedded.table_values import Planned, RunningGone, RunningRow
from beatd.stores.embedded.tables import Tables


def is_as_seen(tables: Tables, name: str, change: RunningChange, at: datetime) -> bool:
    """Return True if the entry's running run is still the one from which `change` was computed.

    Return False if another run is running. Also return False if `change` requires that the run is
    over, but it still counts as running at `at`.
    """
    running = tables.running.get(name)
    if running is None:
        return not change.seen
    return change.seen == running.task_id and not (change.is_over and running.until > at)


def change_running(tables: Tables, move: Move, change: RunningChange, at: datetime) -> None:
    """Store that a run of an entry starts, still runs or has ended, as `change` says.

    `change` is a part of `move`, which is made at the time `at`.
    """
    name, is_of_plan = move.name, move.of == "plan"
    running = tables.running.get(name)
    if change.ends and running is not None:
        if is_of_plan:
            tables.put(RunningGone(name))  # the move has written the plan
        else:
            end_run(tables, running.task_id, at)
        running = None
    waits = running is not None and running.waits and not is_of_plan
    if move.run is not None and change.until is not None:
        task_id = move.run.task_id
        since = running.since if running is not None and running.task_id == task_id else at
        tables.put(RunningRow(name, Running(task_id, since, change.until, waits)))
    elif running is not None:
        waits = waits or (is_of_plan and change.until is not None)
        changed = replace(running, until=change.until or running.until, waits=waits)
        if changed != running:
            tables.put(RunningRow(name, changed))


def end_run(tables: Tables, task_id: str, at: datetime) -> bool:
    """Mark the run with this task id as ended; return True if it was running, else False.

    If the next run of its entry waits for it, that run is due at `at`.
    """
    name = tables.running_entry.get(task_id)
    if name is None:
        return False
    waits = tables.running[name].waits
    tables.put(RunningGone(name))
    if waits:
        _make_due(tables, name, at)
    return True


def wait_no_longer(tables: Tables, name: str) -> None:
    """Let the next run of an entry start without waiting for the end of its running run.

    Call it after the time of the next run was written anew.
    """
    running = tables.running.get(name)
    if running is not None and running.waits:
        tables.put(RunningRow(name, replace(running, waits=False)))


def prolong(tables: Tables, task_ids: Iterable[str], until: datetime) -> None:
    """Make these runs count as running until `until` or later. Ignore runs that have ended."""
    for task_id in task_ids:
        name = tables.running_entry.get(task_id)
        if name is None:
            continue
        running = tables.running[name]
        if running.until < until:
            tables.put(RunningRow(name, replace(running, until=until)))


def _make_due(tables: Tables, name: str, due: datetime) -> None:
    planned = tables.planned.get(name)
    if planned is None or planned.plan.due is None:
        return
    # A due moment only becomes earlier; a paused or disabled entry has none.
    if due < planned.plan.due:
        plan = replace(planned.plan, due=due)
        tables.put(Planned(name, plan, planned.runs, planned.last))
