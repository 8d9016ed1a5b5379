"""Look at the workers: does one consume each queue that entries use, and know the tasks?"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

from celery import Celery

from beatd.doctor.finding import Finding
from beatd.entry import Entry
from beatd.publishers.queue_state import destinations
from beatd.publishers.remote_control import remote_control_missing
from beatd.publishers.transports import connection_of

ANSWER_S = 1.5  # that workers have for one question
NO_ANSWER = f"no worker answered within {ANSWER_S:g} s"
OF_CELERY = "celery."  # each worker knows these tasks, and does not list them
NAMED_MAX = 3  # tasks or workers that one line names
Uses = Mapping[str, Mapping[str, str]]  # queue -> task -> the first entry that uses them


def worker_findings(
    app: Celery,
    entries: Iterable[Entry],
    timeout_s: float,
    if_answered: Callable[[], Iterable[Finding]] = tuple,
    app_name: str = "APP",
) -> Iterator[Finding]:
    """Yield a finding for each queue of the entries: who consumes it, and which task is unknown.

    The workers are asked as `celery inspect` asks; a busy one may be too late with its answer. If
    one answered that consumes such a queue, the findings of `if_answered` follow. `app_name` is how
    the advice to start a worker names the app.
    """
    uses = uses_of(app, entries)
    if not uses:
        yield Finding("ok", "workers", "no entry is enabled, so no worker is needed")
        return
    if not _answers(app, timeout_s):
        return  # what is wrong with the broker is said once, by its own probe
    counts = consumers(app, uses, timeout_s)
    if missing := remote_control_missing(app):
        yield Finding("ok", "workers", f"cannot be asked: {missing}")
        yield from _counted(uses, counts)
        return
    queues, tasks = _asked(app, timeout_s)
    if not queues:
        listening = [queue for queue, count in sorted(counts.items()) if count]
        if listening:
            text = f"{NO_ANSWER}, but {_few(listening)} has consumers: are they busy?"
            yield Finding("warning", "workers", text)
        else:
            start = f"start a worker: celery -A {app_name} worker -Q {','.join(sorted(uses))}"
            yield _nobody(waiting(app, uses, timeout_s), start)
        return
    for queue, used in sorted(uses.items()):
        yield from queue_findings(queue, used, queues, tasks, counts.get(queue))
    if any(queue in uses for consumed in queues.values() for queue in consumed):
        yield from if_answered()


def _nobody(messages: Mapping[str, int], start: str) -> Finding:
    """Return the finding that no worker answered: an error if `messages` wait in some queues."""
    if not messages:
        return Finding("warning", "workers", f"{NO_ANSWER}; {start}")
    count = sum(messages.values())
    wait = "1 message waits" if count == 1 else f"{count:,} messages wait"
    return Finding(
        "error", "workers", f"{NO_ANSWER}, and {wait} in {_few(sorted(messages))}; {start}"
    )


def _answers(app: Celery, timeout_s: float) -> bool:
    try:
        with connection_of(app, timeout_s) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=timeout_s)
    except Exception:  # each transport has its own
        return False
    return True


def uses_of(app: Celery, entries: Iterable[Entry]) -> Uses:
    """Return for each queue the tasks that enabled entries send there."""
    uses: dict[str, dict[str, str]] = defaultdict(dict)
    for entry in entries:
        if entry.enabled:
            for task, where in destinations(app, entry):
                uses[where.name].setdefault(task, entry.name)
    return uses


def queue_findings(
    queue: str,
    used: Mapping[str, str],
    queues: Mapping[str, Sequence[str]],
    tasks: Mapping[str, Sequence[str]],
    consumer_count: int | None,
) -> Iterator[Finding]:
    """Yield the findings about one queue, from what the workers answered.

    `used` has the tasks that entries send there; `queues` and `tasks` are what each worker consumes
    and knows. `consumer_count` is what the broker says, or None.
    """
    here = sorted(worker for worker, consumed in queues.items() if queue in consumed)
    if not here:
        if consumer_count:
            text = f"a worker consumes the queue {queue}, but it did not answer in time"
            yield Finding("warning", "workers", text)
            return
        entry = next(iter(used.values()))
        text = f"no worker consumes the queue {queue}, which entries use ({entry})"
        yield Finding("error", "workers", f"{text}; start one with -Q {queue}")
        return
    is_well = True
    for task, entry in sorted(used.items()):
        lacking = [one for one in here if one in tasks and task not in tasks[one]]
        if not lacking or task.startswith(OF_CELERY):
            continue
        is_well = False
        who = "no worker" if len(lacking) == len(here) else _few(lacking)
        verb = "of the queue" if who == "no worker" else "on the queue"
        negated = "knows" if who == "no worker" else "does not know"
        yield Finding(
            "error",
            "workers",
            f"{who} {verb} {queue} {negated} the task {task} (entry {entry}); correct the name, or "
            "let the worker import its module",
        )
    if is_well:
        noun = "task" if len(used) == 1 else "tasks"
        text = f"{_few(here)} on the queue {queue}: {len(used)} {noun} of entries known"
        yield Finding("ok", "workers", text)


def _counted(uses: Uses, counts: Mapping[str, int | None]) -> Iterator[Finding]:
    for queue, used in sorted(uses.items()):
        count = counts.get(queue)
        if count == 0:
            entry = next(iter(used.values()))
            text = f"no worker consumes the queue {queue}, which entries use ({entry})"
            yield Finding("error", "workers", f"{text}; start one with -Q {queue}")
        elif count:
            noun = "consumer" if count == 1 else "consumers"
            yield Finding("ok", "workers", f"the queue {queue} has {count} {noun}")


def consumers(app: Celery, queues: Iterable[str], timeout_s: float) -> dict[str, int | None]:
    """Return the number of consumers of each queue by RabbitMQ; {} for any other broker.

    A queue that does not exist has none.
    """
    counts: dict[str, int | None] = {}
    with connection_of(app, timeout_s) as connection:
        if connection.transport.driver_type != "amqp":
            return {}
        for queue in queues:
            counts[queue] = 0
            with suppress(connection.channel_errors), connection.channel() as channel:
                counts[queue] = channel.queue_declare(queue, passive=True).consumer_count
    return counts


def waiting(app: Celery, queues: Iterable[str], timeout_s: float) -> dict[str, int]:
    """Return the number of messages in each queue that has some.

    A queue is left out if the broker cannot say it, or is the memory of this process.
    """
    found: dict[str, int] = {}
    with suppress(Exception), connection_of(app, timeout_s) as connection:
        if connection.transport.driver_type == "memory":
            return found
        for queue in queues:
            with suppress(Exception), connection.channel() as channel:  # there is no such queue
                found[queue] = channel.queue_declare(queue, passive=True).message_count
    return {queue: count for queue, count in found.items() if count}


def _asked(app: Celery, timeout_s: float) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the queues that each worker consumes, and the tasks that it knows, by worker."""
    answers: dict[str, Mapping[str, Any]] = {}

    def ask(question: str) -> None:
        # Without a broker there is no answer, and another probe says why.
        with suppress(Exception), connection_of(app, timeout_s) as connection:
            inspect = app.control.inspect(connection=connection, timeout=ANSWER_S)
            answers[question] = getattr(inspect, question)() or {}

    threads = [
        Thread(target=ask, args=(one,), daemon=True) for one in ("active_queues", "registered")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ANSWER_S + 2 * timeout_s)
    queues = {
        worker: [str(one["name"]) for one in found]
        for worker, found in answers.get("active_queues", {}).items()
    }
    # A task may be followed by its options: "demo.say [rate_limit=10/m]".
    tasks = {
        worker: [str(one).partition(" ")[0] for one in found]
        for worker, found in answers.get("registered", {}).items()
    }
    return queues, tasks


def _few(names: Sequence[str]) -> str:
    more = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
