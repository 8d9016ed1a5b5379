"""Make the messages of a run with celery's own code, as celery beat would."""

from collections.abc import Mapping, Sequence
from typing import Any

from celery import Celery
from celery.canvas import Signature
from celery.result import denied_join_result

from beatd.canvas import what_runs
from beatd.errors import BeatError
from beatd.publishers.capture import CapturingProducer
from beatd.publishers.message import CeleryMessage, one_line
from beatd.publishers.run_arguments import evaluated
from beatd.publishers.sentry_headers import sentry_headers
from beatd.run import Run
from beatd.trace import HEADER, traceparent

PICKLED = "application/x-python-serialize"


class Unbuildable(BeatError):
    """Raised when the message of a run cannot be made or encoded."""


def celerys_own(app: Celery, producer: CapturingProducer, run: Run) -> Sequence[CeleryMessage]:
    """Return the messages that celery makes for the run: the task's message comes first.

    Celery's event about it follows if the app sends events. Raises Unbuildable if celery cannot
    make them.
    """
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
    """Send the run through `producer` as celery beat does, with the task id of the run.

    Raises BeatError if the app sets task_always_eager, and passes on errors of the app's own code.
    """
    entry = run.entry
    if app.conf.task_always_eager:
        raise BeatError("task_always_eager is set, which would run it here")
    if entry.canvas is not None:
        raise BeatError("a canvas has messages of its own")
    args, kwargs = evaluated(app, entry)
    options = options_of(app, run)
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
    """Raise Unbuildable if the message is pickled but the app does not accept pickle."""
    accepted = set(app.conf.accept_content or ())
    if celery_message.content_type == PICKLED and not accepted & {"pickle", PICKLED}:
        raise cannot_be_sent(
            run, "serializer pickle is not in the app's accept_content; add it, or use json"
        )


def cannot_be_sent(run: Run, why: str) -> Unbuildable:
    """Return the error to raise for a run that cannot be sent; `why` is the reason."""
    return Unbuildable(f"entry {run.entry.name}: {what_runs(run.entry)} cannot be sent: {why}")


def headers_of(run: Run) -> dict[str, Any]:
    """Return the headers that beat, Sentry and tracing have in the messages of the run."""
    headers: dict[str, Any] = {
        "celery_beat_task": True,
        "periodic_task_name": run.entry.name,
        "beatd_planned_at": run.occurrence.planned.isoformat(timespec="microseconds"),
    }
    if run.entry.monitor is not None and run.entry.monitor.sentry:
        headers |= sentry_headers(run)
    if run.entry.trace:
        headers[HEADER] = traceparent(run.task_id)
    return headers


def options_of(app: Celery, run: Run) -> dict[str, Any]:
    """Return the options of the entry for apply_async, with the headers of `headers_of`.

    `expires: next` becomes a moment, and links become signatures.
    """
    options = dict(run.entry.options)
    # The id is always that of the occurrence.
    options.pop("task_id", None)
    options["headers"] = {**(options.get("headers") or {}), **headers_of(run)}
    if options.get("expires") == "next":
        del options["expires"]
        if run.expires is not None:
            options["expires"] = run.expires.astimezone(app.timezone)
    for link in ("link", "link_error"):
        if link in options:
            options[link] = _signatures(options[link])
    return options


def _signatures(given: Any) -> Any:
    """Convert the callbacks in a `link` or `link_error` option to complete celery signatures.

    `given` is a task name, a signature, a dict with at least `task`, or a list of these.
    """
    if isinstance(given, Signature):
        return given
    if isinstance(given, str):
        return Signature(given)
    if isinstance(given, Mapping):
        return {**Signature(given["task"]), **given}
    if isinstance(given, Sequence):
        return [_signatures(one) for one in given]
    return given
