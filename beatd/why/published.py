"""Explain what became of a run after it was published: the queue, the worker, the task."""

from datetime import datetime, timedelta
from typing import Any

from beatd.ledger import Record
from beatd.outcome import Delivery
from beatd.trace import trace_id
from beatd.why.answer import Answer, Cause
from beatd.why.facts import Facts
from beatd.why.time_words import TimeWords, length

#: How the error of a failed run begins -> its cause, and what that means.
ERRORS: tuple[tuple[str, Cause, str], ...] = (
    ("NotRegistered", "unknown task", "the worker does not know the task"),
    ("WorkerLostError", "worker killed", "the worker's process died while it ran"),
    ("Terminated", "worker killed", "the worker's process was ended while it ran"),
    ("TimeLimitExceeded", "time limit", "it ran longer than its time limit"),
    ("SoftTimeLimitExceeded", "time limit", "it ran longer than its soft time limit"),
)


def of_published(facts: Facts, record: Record, words: TimeWords) -> Answer:
    """Return what is known of a published run: what its newest delivery became, or where its
    message waits."""
    deliveries = facts.deliveries.get(record.task_id, ())
    details = [("planned", words.at(record.planned)), ("task id", record.task_id)]
    if record.published is not None:
        late = "" if not record.late else f", {record.late:.3f} s late"
        details.append(("published", f"{words.at(record.published)}{late}{_where(facts)}"))
    if record.origin != "planned":
        details.append(("origin", record.origin))
    if facts.row is not None and facts.row.entry.trace:
        details.append(("trace", trace_id(record.task_id)))
    for delivery in deliveries:
        details += _of_delivery(delivery, words)
    if not deliveries:
        cause, line = _without_delivery(facts, record)
    else:
        cause, line = _outcome(facts, deliveries[-1], words)
        if len(deliveries) > 1:
            line = f"{line}; the broker delivered it {len(deliveries)} times"
    return Answer(cause, line, record.planned, tuple(details))


def _where(facts: Facts) -> str:
    queue = facts.queue
    if queue is None:
        return ""
    if queue.exchange:
        return f", to the exchange {queue.exchange} with the routing key {queue.routing_key}"
    return f", to the queue {queue.name}"


def _of_delivery(delivery: Delivery, words: TimeWords) -> list[tuple[str, str]]:
    found = []
    if delivery.received is not None:
        found.append(("received", f"{words.at(delivery.received)}, by {delivery.worker}"))
    if delivery.started is not None:
        found.append(("started", words.at(delivery.started)))
    if delivery.finished is not None:
        runtime = delivery.runtime
        took = "" if runtime is None else f", after {runtime:.3f} s"
        found.append((delivery.state, f"{words.at(delivery.finished)}{took}"))
    if delivery.error:
        found.append(("error", delivery.error))
    return found


def _outcome(facts: Facts, delivery: Delivery, words: TimeWords) -> tuple[Cause, str]:
    worker = delivery.worker or "a worker"
    match delivery.state:
        case "succeeded":
            runtime = delivery.runtime
            took = "" if runtime is None else f" in {runtime:.3f} s"
            return "succeeded", f"it ran{took} on {worker}, and succeeded"
        case "failed":
            begins = (one for one in ERRORS if delivery.error.startswith(one[0]))
            _, cause, meaning = next(begins, ("", "failed", "the task raised an error"))
            return cause, f"it ran on {worker}, and failed: {meaning}: {delivery.error}"
        case "started":
            since = length(facts.now - (delivery.started or delivery.at))
            return "running", f"it is running on {worker}, since {since}"
        case "received":
            since = length(facts.now - (delivery.received or delivery.at))
            return "received", f"{worker} has received it and has not started it, since {since}"
        case "retried":
            return (
                "retried",
                f"the task asked for a retry on {worker}: {delivery.error or 'no error'}",
            )
        case "revoked":
            return "revoked", f"it was revoked, and {worker} ended it or did not start it"
        case "expired":
            return "expired", f"it had expired when {worker} took it from the queue"
        case "lost":
            return "lost", f"{worker} went silent while it held the run (killed, or cut off)"


def _without_delivery(facts: Facts, record: Record) -> tuple[Cause, str]:
    """Return where the message of a run is that no worker reported."""
    queue, published = facts.queue, record.published or record.planned
    age = length(facts.now - published)
    if queue is not None and queue.consumers == 0:
        return "no consumer", (
            f"it was published {age} ago, and no worker consumes the queue {queue.name}"
        )
    if _expired(facts, published):
        return "expired", f"its message expired in the queue: no worker took it within {age}"
    if queue is not None and queue.messages:
        return "waiting", (
            f"it was published {age} ago; the queue {queue.name} has {queue.messages} messages, "
            "and no worker has reported this one"
        )
    if not facts.reports_seen:
        return "published", (
            f"it was published {age} ago; what a worker did with it is not known, because no "
            "worker reports (docs/outcomes.md)"
        )
    return "published", (
        f"it was published {age} ago, and no worker has reported it; do the workers of this queue "
        "report (docs/outcomes.md)?"
    )


def _expired(facts: Facts, published: datetime) -> bool:
    """True if the message of a run that was published at that time has expired since."""
    expires: Any = None if facts.row is None else facts.row.entry.options.get("expires")
    if isinstance(expires, int | float) and not isinstance(expires, bool):
        return facts.now > published + timedelta(seconds=expires)
    return isinstance(expires, datetime) and facts.now > expires
