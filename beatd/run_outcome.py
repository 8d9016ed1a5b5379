"""Read the outcome of a run from what workers reported about its tasks.

The run of a task has the outcome of its newest delivery. The run of a canvas has many deliveries,
at least one for each task. It fails with its first task that does, and succeeds with its last.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from beatd.outcome import DELIVERY_ENDS, RUN_ENDS, Delivery, OutcomeState
from beatd.run_part import RunPart, all_ended, part_in

BAD_ENDS = RUN_ENDS - {"succeeded"}


def known_since(delivery: Delivery) -> datetime:
    """Return the first known time of a delivery: when it was received, started, ended or
    reported."""
    return delivery.received or delivery.started or delivery.finished or delivery.at


def by_age(delivery: Delivery) -> tuple[datetime, str]:
    """Return a key for sorting the deliveries of a message to workers, oldest first."""
    return known_since(delivery), delivery.delivery


def run_ended(deliveries: Iterable[Delivery]) -> bool:
    """Return True if a run whose message was delivered like this is over, else False.

    A run is over if every delivery has ended, and at least one of them was not retried. A canvas
    is over if that is so, and each of its ends was reached or cannot be reached any more.
    """
    # In any order: the clocks of two workers may differ, and an order by their times could make a
    # retried run count as running forever.
    found = list(deliveries)
    states = {delivery.state for delivery in found}
    if not states <= DELIVERY_ENDS or states.isdisjoint(RUN_ENDS):
        return False
    parts = [(part_in(one.delivery), one.state) for one in found if one.state in RUN_ENDS]
    return all_ended((part, state) for part, state in parts if part is not None)


def is_of_canvas(deliveries: Sequence[Delivery]) -> bool:
    """Return True if these deliveries of one run are of the tasks of a canvas."""
    return any(part_in(one.delivery) is not None for one in deliveries)


def run_outcome(deliveries: Sequence[Delivery]) -> Delivery | None:
    """Return what became of a run as one delivery; None if no worker reported anything.

    `deliveries` are all of the run, the oldest first. The one of a canvas has the times of the
    whole run; its error names the tasks that failed, like "task 2 of 3, proj.load: ValueError()".
    """
    if not deliveries or not is_of_canvas(deliveries):
        return deliveries[-1] if deliveries else None
    newest = _newest_of_tasks(deliveries)
    bad = [one for one in newest if one.state in BAD_ENDS]
    is_over = run_ended(deliveries)
    times = [one.finished for one in newest if one.finished is not None]
    shown = min(bad, key=_gravity) if bad else max(newest, key=_newest_report)
    return replace(
        shown,
        state=shown.state if bad else "succeeded" if is_over else _going_on(newest),
        at=max(one.at for one in newest),
        received=min((one.received for one in newest if one.received), default=None),
        started=min((one.started for one in newest if one.started), default=None),
        finished=max(times) if is_over and times else None,
        error=_error(shown, len(bad) - 1) if bad else "",
    )


def tasks_of_run(deliveries: Sequence[Delivery]) -> Sequence[tuple[RunPart, Delivery]]:
    """Return each reported task of a canvas's run with its newest delivery, in order of writing."""
    found = ((part_in(one.delivery), one) for one in _newest_of_tasks(deliveries))
    parts = [(part, one) for part, one in found if part is not None]
    return sorted(parts, key=lambda each: each[0].number)


def times_received(deliveries: Sequence[Delivery]) -> int:
    """Return how often workers received a run's message, not counting retries of the task.

    More than once means that the broker delivered it again or that it was sent again. Of a canvas,
    the message counts that was received most often.
    """
    counts = dict[RunPart | None, int]()
    for one in deliveries:
        if one.state != "retried":
            part = part_in(one.delivery)
            counts[part] = counts.get(part, 0) + 1
    return max(counts.values(), default=0)


def _newest_of_tasks(deliveries: Sequence[Delivery]) -> list[Delivery]:
    # After a retry another delivery comes, though the clock of its worker may be behind.
    in_order = sorted(deliveries, key=lambda one: (one.state != "retried", by_age(one)))
    return list({part_in(one.delivery): one for one in in_order}.values())


def _going_on(newest: Iterable[Delivery]) -> OutcomeState:
    return "received" if all(one.state == "received" for one in newest) else "started"


def _newest_report(one: Delivery) -> datetime:
    return one.at


def _gravity(one: Delivery) -> tuple[bool, datetime]:
    return one.state == "revoked", one.finished or one.at


def _error(shown: Delivery, others: int) -> str:
    part = part_in(shown.delivery)
    where = "" if part is None else f"task {part.number} of {part.tasks}"
    text = ", ".join(filter(None, (where, shown.error)))
    if not others:
        return text
    return f"{text} (and {others} more {'task' if others == 1 else 'tasks'} did not succeed)"
