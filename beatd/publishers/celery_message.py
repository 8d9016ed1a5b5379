"""From a run to the letters that celery beat would send for it, by celery's own code."""

from collections.abc import Mapping, Sequence
from typing import Any

from celery import Celery
from celery.canvas import Signature
from celery.result import denied_join_result

from beatd.errors import BeatError
from beatd.publishers.capture import CatchingProducer
from beatd.publishers.message import Letter, one_line
from beatd.publishers.run_arguments import evaluated
from beatd.run import Run

PICKLED = "application/x-python-serialize"


class Unbuildable(BeatError):
    """Celery would not make a message of this entry, and says why."""


def celerys_own(app: Celery, producer: CatchingProducer, run: Run) -> Sequence[Letter]:
    """The task's message first, then the event that tells of it where the app wants one."""
    producer.caught.clear()
    producer.spoken.clear()
    try:
        apply_async(app, producer, run)
    except Exception as error:
        # Anything may come out of an app's own routers, serializers and task classes.
        raise cannot_be_sent(run, one_line(error)) from error
    letters = tuple(producer.caught)
    if not letters:
        raise cannot_be_sent(run, "its apply_async sent nothing")
    refuse_pickle(app, letters[0], run)
    return letters


def apply_async(app: Celery, producer: CatchingProducer, run: Run) -> None:
    """What celery.beat.Scheduler.apply_async does, with our id and two more headers."""
    entry = run.entry
    if app.conf.task_always_eager:
        raise BeatError("task_always_eager is set, which would run it here")
    args, kwargs = evaluated(app, entry)
    options = _options(app, run)
    task = app.tasks.get(entry.task)
    # Some result backends subscribe to the result of everything that is sent, for ever; denied,
    # they leave it. Nothing in the message depends on it.
    with denied_join_result():
        if task is not None:
            task.apply_async(args, kwargs, task_id=run.task_id, producer=producer, **options)
        else:
            app.send_task(
                entry.task, args, kwargs, task_id=run.task_id, producer=producer, **options
            )


def refuse_pickle(app: Celery, letter: Letter, run: Run) -> None:
    accepted = set(app.conf.accept_content or ())
    if letter.content_type == PICKLED and not accepted & {"pickle", PICKLED}:
        raise cannot_be_sent(
            run, "serializer pickle is not in the app's accept_content; add it, or use json"
        )


def cannot_be_sent(run: Run, why: str) -> Unbuildable:
    return Unbuildable(f"entry {run.entry.name}: {run.entry.task} cannot be sent: {why}")


def _options(app: Celery, run: Run) -> dict[str, Any]:
    options = dict(run.entry.options)
    # The id is the occurrence's, whatever the entry says.
    options.pop("task_id", None)
    options["headers"] = {
        **(options.get("headers") or {}),
        "celery_beat_task": True,
        "periodic_task_name": run.entry.name,
        "beatd_planned_at": run.occurrence.planned.isoformat(timespec="microseconds"),
    }
    if options.get("expires") == "next":
        del options["expires"]
        if run.expires is not None:
            options["expires"] = run.expires.astimezone(app.timezone)
    for link in ("link", "link_error"):
        if link in options:
            options[link] = _signatures(options[link])
    return options


def _signatures(given: Any) -> Any:
    """Signatures may be written short; a worker wants all of their keys."""
    if isinstance(given, Signature):
        return given
    if isinstance(given, str):
        return Signature(given)
    if isinstance(given, Mapping):
        return {**Signature(given["task"]), **given}
    if isinstance(given, Sequence):
        return [_signatures(one) for one in given]
    return given
