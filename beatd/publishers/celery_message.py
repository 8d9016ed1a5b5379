"""Let celery's own code make the messages that celery beat would send for a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from celery import Celery
from celery.canvas import Signature
from celery.result import denied_join_result

from beatd.errors import BeatError
from beatd.publishers.capture import CapturingProducer
from beatd.publishers.message import CeleryMessage, one_line
from beatd.publishers.run_arguments import evaluated
from beatd.publishers.sentry_headers import sentry_headers
from beatd.run import Run
from beatd.trace import HEADER, traceparent

PICKLED = "application/x-python-serialize"


class Unbuildable(BeatError):
    """Raised when the message of an entry cannot be made or encoded; the text says why."""


def celerys_own(app: Celery, producer: CapturingProducer, run: Run) -> Sequence[CeleryMessage]:
    """Return the messages that celery's own code makes for the run. The first is the message of the
    task. The second is celery's event about that message, if the app sends such events. The
    messages captured before are deleted from `producer`. Raises Unbuildable if celery cannot make
    the messages."""
    producer.captured.clear()
    producer.calls.clear()
    try:
        apply_async(app, producer, run)
    except Exception as error:
        # An app's own routers, serializers and task classes may raise anything.
        raise cannot_be_sent(run, one_line(error)) from error
    celery_messages = tuple(producer.captured)
    if not celery_messages:
        raise cannot_be_sent(run, "its apply_async sent nothing")
    refuse_pickle(app, celery_messages[0], run)
    return celery_messages


def apply_async(app: Celery, producer: CapturingProducer, run: Run) -> None:
    """Publish the run by celery's own code through `producer`, as celery.beat.Scheduler.apply_async
    does. The message gets the task id of the run, and headers with the entry's name and the planned
    moment. Raises BeatError if the app has set task_always_eager, and passes on any error of the
    app's own code."""
    entry = run.entry
    if app.conf.task_always_eager:
        raise BeatError("task_always_eager is set, which would run it here")
    args, kwargs = evaluated(app, entry)
    options = _options(app, run)
    task = app.tasks.get(entry.task)
    # Some result backends subscribe, for ever, to the result of each message; denied_join_result
    # prevents that, and changes nothing in the message.
    with denied_join_result():
        if task is not None:
            task.apply_async(args, kwargs, task_id=run.task_id, producer=producer, **options)
        else:
            app.send_task(
                entry.task, args, kwargs, task_id=run.task_id, producer=producer, **options
            )


def refuse_pickle(app: Celery, celery_message: CeleryMessage, run: Run) -> None:
    """Raise Unbuildable if the message is pickled and the app does not accept pickle; otherwise do
    nothing."""
    accepted = set(app.conf.accept_content or ())
    if celery_message.content_type == PICKLED and not accepted & {"pickle", PICKLED}:
        raise cannot_be_sent(
            run, "serializer pickle is not in the app's accept_content; add it, or use json"
        )


def cannot_be_sent(run: Run, why: str) -> Unbuildable:
    """Return an Unbuildable error for the caller to raise. Its text has the names of the run's
    entry and task, and the reason `why` the entry cannot be sent."""
    return Unbuildable(f"entry {run.entry.name}: {run.entry.task} cannot be sent: {why}")


def _options(app: Celery, run: Run) -> dict[str, Any]:
    """Return the options of the run's entry in the form that apply_async needs. The task id is
    removed. The headers that beat adds are added, and those of Sentry and of the trace if the entry
    has them. `expires: next` becomes the moment at which this run expires. Each callback becomes a
    complete signature."""
    options = dict(run.entry.options)
    # The id is always that of the occurrence.
    options.pop("task_id", None)
    options["headers"] = {
        **(options.get("headers") or {}),
        "celery_beat_task": True,
        "periodic_task_name": run.entry.name,
        "beatd_planned_at": run.occurrence.planned.isoformat(timespec="microseconds"),
    }
    if run.entry.monitor is not None and run.entry.monitor.sentry:
        options["headers"] |= sentry_headers(run)
    if run.entry.trace:
        options["headers"][HEADER] = traceparent(run.task_id)
    if options.get("expires") == "next":
        del options["expires"]
        if run.expires is not None:
            options["expires"] = run.expires.astimezone(app.timezone)
    for link in ("link", "link_error"):
        if link in options:
            options[link] = _signatures(options[link])
    return options


def _signatures(given: Any) -> Any:
    """Return the callbacks of the option `link` or `link_error` as signatures with all keys,
    because a worker needs all of them. `given` is one callback or a list of callbacks. A callback
    is a task's name, a signature, or a dict with some of the keys of a signature. Any other value
    is returned unchanged."""
    if isinstance(given, Signature):
        return given
    if isinstance(given, str):
        return Signature(given)
    if isinstance(given, Mapping):
        return {**Signature(given["task"]), **given}
    if isinstance(given, Sequence):
        return [_signatures(one) for one in given]
    return given
