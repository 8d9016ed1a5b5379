"""Change the running runs in the tables in memory: one for each entry whose `overlap` is not
"allow"."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from beatd.ledger import Move, RunningChange
from beatd.run import Running
from beatd.stores.embedded.table_values import Planned, RunningGone, RunningRow
from beatd.stores.embedded.tables import Tables


def is_as_seen(tables: Tables, name: str, change: RunningChange, at: datetime) -> bool:
    """Return True if the entry's running run is the one that the change expects. If the change
    expects that this run is over, it must no longer count as running at the time `at`."""
    running = tables.running.get(name)
    if running is None:
        return not change.seen
    return change.seen == running.task_id and not (change.is_over and running.until > at)


def change_running(tables: Tables, move: Move, change: RunningChange, at: datetime) -> None:
    """Change the entry's running run as a move says that was made at the time `at`.

    A plan that waits for the end of the running run goes on waiting after a move of a request or of
    an open claim; after a move of the plan it waits only if that move says so.
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
    """Delete the running run with this task id, and return True if there was one. If the plan of
    its entry waits for it, the entry becomes due at the time `at`."""
    name = tables.running_entry.get(task_id)
    if name is None:
        return False
    waits = tables.running[name].waits
    tables.put(RunningGone(name))
    if waits:
        _make_due(tables, name, at)
    return True


def wait_no_longer(tables: Tables, name: str) -> None:
    """Note that the entry's plan, which was written anew, waits for no running run."""
    running = tables.running.get(name)
    if running is not None and running.waits:
        tables.put(RunningRow(name, replace(running, waits=False)))


def prolong(tables: Tables, task_ids: Iterable[str], until: datetime) -> None:
    """Let these runs count as running until `until` at least."""
    for task_id in task_ids:
        name = tables.running_entry.get(task_id)
        if name is None:
            continue
        running = tables.running[name]
        if running.until < until:
            tables.put(RunningRow(name, replace(running, until=until)))


def _make_due(tables: Tables, name: str, due: datetime) -> None:
    """Let an active entry be due at `due`, if it is due later."""
    planned = tables.planned.get(name)
    if planned is None or planned.plan.due is None:
        return
    if due < planned.plan.due:
        plan = replace(planned.plan, due=due)
        tables.put(Planned(name, plan, planned.runs, planned.last))
