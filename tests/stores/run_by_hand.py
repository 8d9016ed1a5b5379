"""Carry out a requested run, as a daemon does."""

from datetime import datetime
from typing import Any

from beatd.leader import Holder
from beatd.ledger import Move, Result
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run, task_id


def carry_out_request(store: Any, now: datetime) -> str:
    """Send the only pending request of the store, and return the task id of its run."""
    ((asked, row),) = store.requests(10)
    occurrence = Occurrence(row.entry.name, asked.first, asked.id)
    id = task_id(store.namespace, occurrence)
    run = Run(occurrence, id, row.entry, row.revision, asked.first, origin="trigger")
    move = Move(
        of="request", name=row.entry.name, revision=row.revision, seen=asked.first, request=asked,
        run=run,
    )  # fmt: skip
    term = store.begin(Holder("one", "host-a", 11, now, "token-a"))
    assert list(store.claim([move], term, now)) == [True]
    store.record([Result(run, Outcome("confirmed"), now)])
    return id
