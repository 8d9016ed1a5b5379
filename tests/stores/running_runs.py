"""Entries that do not allow overlap, their moves, and reports about their runs, in few words."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from beatd.catalog import Plan, Stored
from beatd.leader import Term
from beatd.ledger import Move, RunningChange
from beatd.outcome import Delivery
from beatd.run import Run, Skip
from beatd.store import Store
from tests.stores.making import at, claimed, put, step

UNTIL = at(60)


def put_queued(store: Store, name: str = "tidy", planned: float = 0, **fields: Any) -> Stored:
    return put(store, name, planned, **{"overlap": "queue", "max_run": "60s", **fields})


def starting(
    store: Store, stored: Stored, seen: str = "", until: datetime = UNTIL, **more: Any
) -> Move:
    """The move of a plan that runs this moment and makes this run the running one."""
    return step(store, stored, running=RunningChange(seen, until), **more)


def started(store: Store, stored: Stored, term: Term, when: float = 1, **more: Any) -> Run:
    """A run that was claimed and is the running one until `UNTIL`."""
    return claimed(store, stored, term, when, running=RunningChange("", UNTIL), **more)


def waiting(store: Store, stored: Stored, until: datetime = UNTIL) -> Move:
    """The move of a plan that waits for the running run."""
    assert stored.running is not None and stored.plan.planned is not None
    plan = Plan(stored.plan.planned, until, stored.plan.fingerprint, stored.plan.rules)
    change = RunningChange(stored.running.task_id, until)
    return step(store, stored, plan=plan, run=None, counts=0, running=change)


def skipping(store: Store, stored: Stored, **more: Any) -> Move:
    """The move of a plan that skips this moment because of the running run."""
    assert stored.running is not None and stored.plan.planned is not None
    moment = stored.plan.planned
    skip = Skip(moment, moment, 1, f"still running: {stored.running.task_id}")
    change = RunningChange(stored.running.task_id)
    return step(store, stored, run=None, counts=0, skips=(skip,), running=change, **more)


def delivery(run: Run, state: Any = "received", when: float = 3, **more: Any) -> Delivery:
    """What a worker reported of a run `when` seconds after noon."""
    fields: dict[str, Any] = {
        "task_id": run.task_id,
        "delivery": f"first-of-{run.task_id}",
        "name": run.occurrence.name,
        "planned": run.occurrence.planned,
        "state": state,
        "at": at(when),
    }
    known = {"received": "received", "started": "started", "lost": "at"}.get(state, "finished")
    return Delivery(**{**fields, known: at(when), **more})


def second(first: Delivery, **more: Any) -> Delivery:
    """A report about a second delivery of the same run."""
    return replace(first, delivery=f"second-of-{first.task_id}", **more)
