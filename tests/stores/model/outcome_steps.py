"""Steps of workers' reports, in any order and about several deliveries, and of prolonging."""

import random
from datetime import datetime
from typing import Any

from beatd.outcome import Delivery, OutcomeState
from beatd.run import Run
from beatd.run_part import delivery_id
from tests.stores.making import at
from tests.stores.model.side import Side

STATES: tuple[OutcomeState, ...] = (
    "received", "started", "started", "succeeded", "succeeded", "failed", "retried", "revoked",
    "expired", "lost",
)  # fmt: skip
PARTS = ("0+1/1:1/2", "0/1:2/2")


def report(side: Side, dice: random.Random) -> Any:
    """Reports about runs that were claimed, sent or not: workers may be faster than the leader."""
    if not side.sent:
        return None
    runs = [dice.choice(side.sent[-6:])[0] for _ in range(dice.randint(1, 3))]
    drawn = [_delivery(side, run, dice) for run in runs]
    deliveries = [one for one in drawn if not _is_torn(side, one.task_id)]
    for one in deliveries:
        side.reported[one.task_id] = min(one.at, side.reported.get(one.task_id, one.at))
    return list(side.store.write_outcomes(deliveries, at(side.now)))


def _is_torn(side: Side, task_id: str) -> bool:
    # Of a run's old and new reports, Redis keeps all until the newest is old; the other stores keep
    # the new ones. What a further report does depends on that.
    return side.reported.get(task_id, side.forgotten) < side.forgotten


def _delivery(side: Side, run: Run, dice: random.Random) -> Delivery:
    state, told = dice.choice(STATES), side.moment(dice, -3, 3)
    id = f"{dice.choice(('first', 'second'))} of {run.task_id}"
    if hash_of(run.task_id) % 4 == 0:  # a canvas of two tasks
        id = delivery_id(id, dice.choice(PARTS))
    times: dict[str, datetime] = {}
    if state != "lost":
        key = {"received": "received", "started": "started"}.get(state, "finished")
        times[key] = told
    return Delivery(
        task_id=run.task_id,
        delivery=id,
        name=run.occurrence.name,
        planned=run.occurrence.planned,
        state=state,
        at=told,
        worker=dice.choice(("", "celery@one", "celery@häuschen")),
        error=dice.choice(("", "ValueError: 'ä' 🐝")) if state in ("failed", "retried") else "",
        **times,
    )


def hash_of(task_id: str) -> int:
    return int(task_id[:4], 16)


def prolong(side: Side, dice: random.Random) -> Any:
    runs = [dice.choice(side.sent[-6:])[0].task_id for _ in range(2)] if side.sent else []
    side.store.prolong([*runs, "none"], side.moment(dice, -10, 60))
