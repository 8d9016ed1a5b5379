"""Make the messages of a run whose entry is a chain, a group or a chord, with celery's own code."""

from collections.abc import Sequence
from typing import Any

from celery import Celery
from celery.result import denied_join_result

from beatd.errors import BeatError
from beatd.publishers.canvas_arguments import evaluated_canvas
from beatd.publishers.canvas_capture import Effect, captured
from beatd.publishers.canvas_signature import CanvasSignature
from beatd.publishers.capture import CapturingProducer
from beatd.publishers.celery_message import (
    cannot_be_sent,
    headers_of,
    options_of,
    refuse_pickle,
)
from beatd.publishers.message import CeleryMessage, one_line
from beatd.publishers.run_ids import RunIds
from beatd.run import Run


def canvas_messages(
    app: Celery, producer: CapturingProducer, run: Run, ids: RunIds | None = None
) -> tuple[Sequence[CeleryMessage], Sequence[Effect]]:
    """Return the messages that celery's apply_async of the canvas sends, in order, without events.

    The second result are the writes to the result backend that have to be made before, for a chord.
    `ids` makes the ids of the parts, and remembers them for the caller.
    Raises Unbuildable if celery cannot make the messages.
    """
    ids = ids or RunIds(run.task_id)
    producer.captured.clear()
    producer.calls.clear()
    try:
        with denied_join_result(), captured(app, producer, ids) as effects:
            apply_canvas(app, run, ids)
    except Exception as error:
        # An app's own routers, serializers and task classes may raise anything.
        raise cannot_be_sent(run, one_line(error)) from error
    messages = [message for message in producer.captured if "task" in message.headers]
    if not messages:
        raise cannot_be_sent(run, "its apply_async sent nothing")
    refuse_pickle(app, messages[0], run)
    return messages, effects


def apply_canvas(app: Celery, run: Run, ids: RunIds) -> None:
    """Call celery's apply_async of the run's canvas; call this in the context `captured`.

    Raises BeatError if the app sets task_always_eager, and passes on errors of the app's own code.
    """
    if app.conf.task_always_eager:
        raise BeatError("task_always_eager is set, which would run it here")
    canvas = evaluated_canvas(app, run.entry)
    made = CanvasSignature(app, ids, headers_of(run)).of(canvas)
    made.apply_async(**_options(app, run))


def _options(app: Celery, run: Run) -> dict[str, Any]:
    # Celery replaces the headers of a step by those of apply_async, so they are given only if the
    # entry has some; the signature of each task has the headers of beat.
    options = options_of(app, run)
    if not run.entry.options.get("headers"):
        del options["headers"]
    return options
