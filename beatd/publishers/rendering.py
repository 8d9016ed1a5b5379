"""From a run to the letters that celery beat would send for it."""

from collections.abc import Mapping, Sequence
from typing import Any

from celery import Celery
from celery.beat import BeatLazyFunc
from celery.canvas import Signature
from celery.result import denied_join_result

from beatd.errors import BeatError
from beatd.publishers.catching import CatchingProducer
from beatd.publishers.letter import Letter
from beatd.run import Run

PICKLED = "application/x-python-serialize"


class Unbuildable(BeatError):
    """Celery would not make a message of this entry, and says why."""


def celerys_own(app: Celery, producer: CatchingProducer, run: Run) -> Sequence[Letter]:
    """The task's message first, then the event that tells of it where the app wants one."""
    entry = run.entry
    producer.caught.clear()
    try:
        _apply(app, producer, run)
    except Exception as error:
        # Anything may come out of an app's own routers, serializers and task classes.
        said = " ".join(str(error).split()) or type(error).__name__
        raise Unbuildable(f"entry {entry.name}: {entry.task} cannot be sent: {said}") from error
    letters = tuple(producer.caught)
    if not letters:
        raise Unbuildable(f"entry {entry.name}: {entry.task} ended without a message")
    if letters[0].content_type == PICKLED and not _takes_pickle(app):
        raise Unbuildable(
            f"entry {entry.name}: serializer pickle is not allowed; "
            "add 'pickle' to accept_content of the app, or use json"
        )
    return letters


def _apply(app: Celery, producer: CatchingProducer, run: Run) -> None:
    entry = run.entry
    if app.conf.task_always_eager:
        raise BeatError("task_always_eager is set, which would run it here")
    args = [v() if isinstance(v, BeatLazyFunc) else v for v in entry.args]
    kwargs = {k: v() if isinstance(v, BeatLazyFunc) else v for k, v in entry.kwargs.items()}
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


def _options(app: Celery, run: Run) -> dict[str, Any]:
    entry = run.entry
    options = dict(entry.options)
    options["headers"] = {**(options.get("headers") or {}), **_headers(run)}
    if options.get("expires") == "next":
        if run.expires is None:
            del options["expires"]
        else:
            options["expires"] = run.expires.astimezone(app.timezone)
    for link in ("link", "link_error"):
        if link in options:
            options[link] = _signatures(options[link])
    return options


def _headers(run: Run) -> dict[str, Any]:
    return {
        "celery_beat_task": True,
        "periodic_task_name": run.entry.name,
        "beatd_planned_at": run.occurrence.planned.isoformat(timespec="microseconds"),
    }


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


def _takes_pickle(app: Celery) -> bool:
    return bool({"pickle", PICKLED} & set(app.conf.accept_content or ()))
