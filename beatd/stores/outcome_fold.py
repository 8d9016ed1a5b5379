"""Compute the new outcome of a run and its entry after a worker's report, for all stores.

A delivery is one transfer of a run's message to a worker; a message may be delivered twice.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from beatd.outcome import DELIVERY_ENDS, RUN_ENDS, Delivery, EntryOutcome
from beatd.run_outcome import BAD_ENDS, by_age, run_outcome
from beatd.run_part import part_in

_STAGES = {"received": 0, "started": 1}
_ENDED = 2


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
        # The tasks of a canvas are one run: it fails with its first task that does.
        found = list(others)
        old = run_outcome([*found, old] if old is not None else found)
        new, others = run_outcome([*found, new]) or new, []
        counts = not _is_counted(old, new)
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


def _is_counted(was: Delivery | None, now: Delivery) -> bool:
    """Return True if the end of a canvas's run was counted before this report."""
    if was is None:
        return False
    return was.state == now.state or {was.state, now.state} <= BAD_ENDS - {"revoked"}
