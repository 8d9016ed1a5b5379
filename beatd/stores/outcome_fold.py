"""Compute the new outcome of a run and its entry after a worker's report, for all stores.

A delivery is one transfer of a run's message to a worker; a message may be delivered twice.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from beatd.outcome import DELIVERY_ENDS, RUN_ENDS, Delivery, EntryOutcome
from beatd.run_part import all_ended, part_in

_STAGES = {"received": 0, "started": 1}
_ENDED = 2


def known_since(delivery: Delivery) -> datetime:
    """Return the first known time of a delivery: when it was received, started, ended or
    reported."""
    return delivery.received or delivery.started or delivery.finished or delivery.at


def by_age(delivery: Delivery) -> tuple[datetime, str]:
    """Return a key for sorting the deliveries of a message to workers, oldest first."""
    return known_since(delivery), delivery.delivery


def with_report(old: Delivery | None, new: Delivery) -> Delivery | None:
    """Merge a worker's new report into what is known about the same delivery of a run's message.

    Return `new` if nothing was known. Return None if the delivery had already ended, so that the
    report changes nothing; only a delivery that counted as lost may still get another end.
    """
    if old is None:
        return new
    was_lost = old.state == "lost"
    if old.state in DELIVERY_ENDS and not (
        was_lost and new.state in DELIVERY_ENDS and new.state != "lost"
    ):
        return None
    # Reports may arrive in another order than they were sent.
    newer = new if was_lost or _stage(new) >= _stage(old) else old
    return replace(
        old,
        state=newer.state,
        at=new.at if was_lost else max(old.at, new.at),
        worker=new.worker or old.worker,
        received=new.received or old.received,
        started=new.started or old.started,
        finished=new.finished or old.finished,
        error=new.error if was_lost else new.error or old.error,
    )


def _stage(delivery: Delivery) -> int:
    return _STAGES.get(delivery.state, _ENDED)


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


def entry_after(
    before: EntryOutcome | None,
    old: Delivery | None,
    new: Delivery,
    others: Iterable[Delivery],
    at: datetime,
) -> EntryOutcome:
    """Return how an entry's newest run ended, and its counts of failures, after a worker's report.

    `before` is the outcome until now. The report changed the delivery (one transfer of a run's
    message to a worker) from `old` to `new`; `others` are the other deliveries of that run. `at` is
    the current time.
    """
    counts = True
    if part_in(new.delivery) is not None:
        (new, counts), others = _of_canvas(new, list(others)), []
    # The newest delivery of a run decides its outcome. An older one that was lost is no failure,
    # because the broker delivered the message again.
    # After a retry another delivery comes, though the clock of its worker may be behind.
    superseded = any(other.state != "retried" and by_age(other) > by_age(new) for other in others)
    if before is None:
        before = EntryOutcome(name=new.name, newest=new, first=at)
    failures, successes, last_success = before.failures, before.successes, before.last_success
    if not counts:
        pass
    elif new.state == "succeeded":
        moment = new.finished or new.at
        last_success = moment if last_success is None else max(last_success, moment)
        failures, successes = 0, successes + 1
    elif new.state in RUN_ENDS - {"revoked"} and not superseded:
        # A revoked run was ended on purpose, by somebody or by `overlap: replace`: no failure.
        # A lost delivery that failed after all was counted when it was lost.
        failures, successes = failures + (old is None or old.state != "lost"), 0
    same_run = before.newest.task_id == new.task_id
    # A worker's clock may be behind; then the planned moment shows which run is the later one.
    later = new.at >= before.newest.at or new.planned > before.newest.planned
    newest = not superseded and (same_run or later)
    return EntryOutcome(
        name=before.name,
        newest=new if newest else before.newest,
        failures=failures,
        successes=successes,
        last_success=last_success,
        first=before.first,
    )


def _of_canvas(new: Delivery, others: list[Delivery]) -> tuple[Delivery, bool]:
    """Return the delivery that shows the state of a canvas's run after a report about one task.

    The second result is True if the report changes how often the entry failed or succeeded: a run
    fails with its first task that does, and succeeds with its last.
    """
    bad = [one for one in others if one.state in RUN_ENDS and one.state != "succeeded"]
    if bad:
        return bad[0], False
    if new.state != "succeeded" or run_ended([new, *others]):
        return new, not run_ended(others)
    return replace(new, state="started", finished=None), True
