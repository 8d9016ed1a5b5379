"""Explain what became of a published run: waiting in its queue, running, failed, and so on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from beatd.history import Record
from beatd.outcome import Delivery
from beatd.requested_run import requested_json, requested_text
from beatd.run import ORIGIN_WORDS
from beatd.run_outcome import (
    BAD_ENDS,
    is_of_canvas,
    run_ended,
    run_outcome,
    tasks_of_run,
    times_received,
)
from beatd.schedules.duration import lateness_text
from beatd.trace import trace_id
from beatd.why.answer import Answer, Cause
from beatd.why.facts import OUTCOMES_READ, Facts
from beatd.why.incidents_now import incidents_now
from beatd.why.outage_now import outage_now
from beatd.why.queue_wait import queue_wait
from beatd.why.time_words import TimeWords, counted, is_by_hand, length, moment_of_run, runtime

#: How the error of a failed run begins -> its cause, and what that means.
ERRORS: tuple[tuple[str, Cause, str], ...] = (
    ("WorkerLostError", "worker killed", "its process on {worker} died (killed, out of memory?)"),
    ("Terminated", "worker killed", "its process on {worker} was ended while it ran"),
    ("TimeLimitExceeded", "time limit", "it ran on {worker} for longer than its time limit"),
    ("SoftTimeLimitExceeded", "time limit", "it ran on {worker} for longer than its soft limit"),
)
BAD_TASKS_SHOWN = 5  # of a canvas
#: Deliveries do not show which of these it was.
RECEIVED_AGAIN = (
    "the broker delivered it again, or it was sent twice (by a daemon on another store, or after "
    "a crash)"
)
UNKNOWN_TASK: Cause = "unknown task"
#: The state of a task that did not succeed -> the cause, and what became of the task.
BECAME: Mapping[str, tuple[Cause, str]] = {
    "failed": ("failed", "failed"),
    "lost": ("lost", "was lost"),
    "expired": ("expired", "had expired"),
    "revoked": ("revoked", "was revoked"),
}


def of_published(facts: Facts, record: Record, words: TimeWords) -> Answer:
    """Return what became of a published run, from reports of workers or the state of its queue."""
    deliveries = facts.deliveries.get(record.task_id, ())
    details = [moment_of_run(record, words), ("task id", record.task_id)]
    if record.published is not None:
        late = "" if not record.lateness else f", {lateness_text(record.lateness)} late"
        details.append(("published", f"{words.about(record.published)}{late}{_where(facts)}"))
    if record.origin != "planned":
        details.append(("origin", _origin(record)))
    if (requested := facts.requested.get(record.task_id)) is not None:
        by = requested_text(requested_json(requested)["requested"])
        details.append(("request", by))
    if facts.row is not None and facts.row.entry.trace:
        details.append(("trace", trace_id(record.task_id)))
    details += _of_deliveries(deliveries, words)
    if not deliveries:
        cause, line = _without_delivery(facts, record)
    else:
        cause, line = _outcome(facts, record, deliveries)
        times = times_received(deliveries)
        if times > 1:
            line = f"{line}; it was received {times} times: {RECEIVED_AGAIN}"
        if wait := queue_wait(facts.row, record, deliveries):
            line = f"{line}; it waited {length(wait)} for a worker"
    known = cause == "unknown task"  # the line says what its error says
    details = [one for one in details if one[0] != "error" or not (known or one[1] in line)]
    return Answer(cause, line, record.planned, tuple(details))


def _origin(record: Record) -> str:
    if record.origin == "catch-up":
        return "caught up: missed with others in an outage, and sent after it by catch_up"
    return ORIGIN_WORDS.get(record.origin, record.origin)


def _where(facts: Facts) -> str:
    queue = facts.queue
    if queue is None or not queue.name:  # the broker is away
        return ""
    if queue.exchange:
        return f", to the exchange {queue.exchange} with the routing key {queue.routing_key}"
    return f", to the queue {queue.name}"


def _of_deliveries(deliveries: Sequence[Delivery], words: TimeWords) -> list[tuple[str, str]]:
    ended = run_outcome(deliveries)
    if ended is None or not is_of_canvas(deliveries):
        return [line for one in deliveries for line in _of_delivery(one, words)]
    tasks = tasks_of_run(deliveries)
    counts = Counter(one.state for _, one in tasks)
    of_all = ", ".join(f"{count} {state}" for state, count in counts.items())
    found = [("tasks", f"{tasks[0][0].tasks}, of which workers reported {len(tasks)}: {of_all}")]
    found += _of_delivery(replace(ended, error=""), words)
    bad = [(part, one) for part, one in tasks if one.state in BAD_ENDS]
    for part, one in bad[:BAD_TASKS_SHOWN]:
        where = f" on {one.worker}" if one.worker else ""
        text = f"{one.state}{where}: {one.error}" if one.error else f"{one.state}{where}"
        found.append((f"task {part.number}", text))
    if len(bad) > BAD_TASKS_SHOWN:
        found.append(("more", f"{len(bad) - BAD_TASKS_SHOWN} tasks that did not succeed"))
    return found


def _of_delivery(delivery: Delivery, words: TimeWords) -> list[tuple[str, str]]:
    found = []
    if delivery.received is not None:
        found.append(("received", f"{words.about(delivery.received)}, by {delivery.worker}"))
    if delivery.started is not None:
        found.append(("started", words.about(delivery.started)))
    if delivery.finished is not None:
        took = "" if delivery.runtime is None else f", after {runtime(delivery.runtime)}"
        found.append((delivery.state, f"{words.about(delivery.finished)}{took}"))
    if delivery.error:
        found.append(("error", delivery.error))
    return found


def _outcome(facts: Facts, record: Record, deliveries: Sequence[Delivery]) -> tuple[Cause, str]:
    delivery = run_outcome(deliveries) or deliveries[-1]
    worker = delivery.worker or "a worker"
    if is_of_canvas(deliveries) and (found := _of_canvas(delivery, deliveries)) is not None:
        return found
    match delivery.state:
        case "succeeded":
            return "succeeded", _succeeded(facts, record, deliveries, worker)
        case "failed":
            return _failed(facts, delivery, worker)
        case "started":
            time = length(facts.now - (delivery.started or delivery.at))
            return "running", f"it has been running on {worker} for {time}"
        case "received":
            retried = deliveries[-2] if len(deliveries) > 1 else delivery
            if retried.state == "retried":
                error = retried.error or "without an error"
                return "retried", f"the task asked for a retry ({error}); {worker} holds it now"
            time = length(facts.now - (delivery.received or delivery.at))
            return "received", f"{worker} received it {time} ago, and has not started it"
        case "retried":
            error = delivery.error or "without an error"
            return "retried", f"the task asked for a retry on {worker} ({error})"
        case "revoked":
            when = "it was started" if delivery.started is None else "it ended"
            return "revoked", f"it was revoked before {when} on {worker}{_replaced(facts)}"
        case "expired":
            return "expired", f"it had expired when {worker} took it from the queue"
        case "lost":
            return "lost", f"{worker} went silent while it held the run (killed, or cut off)"


def _of_canvas(delivery: Delivery, deliveries: Sequence[Delivery]) -> tuple[Cause, str] | None:
    """Return the answer about a run of several tasks; None if it is that of a single task."""
    if delivery.state in BAD_ENDS:
        rest = "" if run_ended(deliveries) else "; other tasks of the run go on"
        cause, became = BECAME[delivery.state]
        if cause == "failed":
            known = {begin: one for begin, one, _ in ERRORS} | {"NotRegistered": UNKNOWN_TASK}
            cause = next(
                (one for begin, one in known.items() if f": {begin}" in delivery.error), cause
            )
        on = f" on {delivery.worker}" if delivery.worker else ""
        return cause, f"a task of the run {became}{on}: {delivery.error}{rest}"
    return None


def _succeeded(facts: Facts, record: Record, deliveries: Sequence[Delivery], worker: str) -> str:
    delivery = run_outcome(deliveries) or deliveries[-1]
    waited = queue_wait(facts.row, record, deliveries) is not None
    took = "" if delivery.runtime is None else f" in {runtime(delivery.runtime)}"
    if facts.at is not None:
        return f"it ran{took} on {worker}, and succeeded"
    ago = length(facts.now - (delivery.finished or delivery.at))
    line = f"it ran {ago} ago{took} on {worker}, and succeeded"
    before, is_all = _successes_before(facts, record)
    if before > 0:
        least = "" if is_all else "at least "
        runs = "run" if before == 1 else f"{before} runs"
        line = f"{line}, as did {least}the {runs} before it"
    if facts.row is not None and facts.row.plan.planned is None:
        return f"{line}; no further run is planned"
    well = not (incidents_now(facts) or outage_now(facts) or waited)
    return f"all is well: {line}" if well else line


def _successes_before(facts: Facts, record: Record) -> tuple[int, bool]:
    """Return how many runs of the schedule in a row before this one succeeded.

    The second value is False if there may be more, whose outcomes were not read.
    """
    known = facts.records[:OUTCOMES_READ]
    before = [one for one in known if not is_by_hand(one) and one.planned < record.planned]
    for count, one in enumerate(sorted(before, key=lambda one: one.planned, reverse=True)):
        ended = run_outcome(facts.deliveries.get(one.task_id, ()))
        if ended is None or ended.state != "succeeded":
            return count, True
    return len(before), len(known) < OUTCOMES_READ


def _failed(facts: Facts, delivery: Delivery, worker: str) -> tuple[Cause, str]:
    error = delivery.error or "no error was reported"
    if error.startswith("NotRegistered"):
        task = "" if facts.row is None else f" {facts.row.entry.task!r}"
        return "unknown task", f"{worker} does not know the task{task}, so it did not run"
    for begin, cause, meaning in ERRORS:
        if error.startswith(begin):
            return cause, f"{meaning.format(worker=worker)}: {error}"
    if delivery.started is None:
        return "failed", f"{worker} did not start it: {error}"
    return "failed", f"the task raised an error on {worker}: {error}"


def _replaced(facts: Facts) -> str:
    replaces = facts.row is not None and facts.row.entry.overlap == "replace"
    return ", by the run after it (overlap: replace) or by hand" if replaces else ""


def _without_delivery(facts: Facts, record: Record) -> tuple[Cause, str]:
    queue, published = facts.queue, record.published or record.planned
    age = length(facts.now - published)
    if queue is not None and queue.consumers == 0:
        return "no consumer", (
            f"it was published {age} ago, and no worker consumes the queue {queue.name}"
        )
    if _expired(facts, published):
        return "expired", f"its message expired in the queue: no worker took it within {age}"
    if queue is not None and queue.messages:
        messages = counted(queue.messages, "message")
        return "waiting", (
            f"it was published {age} ago; the queue {queue.name} has {messages}, and no worker has "
            "reported this one"
        )
    if not facts.reports_seen:
        return "published", (
            f"it was published {age} ago; what a worker did with it is not known, because no "
            "worker reports (docs/outcomes.md)"
        )
    which = f"the queue {queue.name}" if queue is not None and queue.name else "its queue"
    return "published", (
        f"it was published {age} ago, and no worker has reported it; does a worker run that "
        f"consumes {which} and reports (docs/outcomes.md)?"
    )


def _expired(facts: Facts, published: datetime) -> bool:
    """Return True if a message published at `published` has passed the entry's option `expires`."""
    expires: Any = None if facts.row is None else facts.row.entry.options.get("expires")
    if isinstance(expires, int | float) and not isinstance(expires, bool):
        return facts.now > published + timedelta(seconds=expires)
    return isinstance(expires, datetime) and facts.now > expires
