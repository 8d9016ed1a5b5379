"""Send the messages of a canvas one by one, from inside celery's own apply_async.

So celery calls the receivers of its publish signals before and after each message is sent.
"""

from collections.abc import Callable, Sequence

from celery import Celery
from celery.result import denied_join_result

from beatd.publisher import Outcome
from beatd.publishers.canvas_capture import Effect, captured
from beatd.publishers.canvas_message import apply_canvas
from beatd.publishers.capture import CapturingProducer
from beatd.publishers.celery_message import Unbuildable, cannot_be_sent, refuse_pickle
from beatd.publishers.message import CeleryMessage, one_line
from beatd.publishers.run_ids import RunIds
from beatd.run import Run


def send_inside(
    app: Celery,
    producer: CapturingProducer,
    run: Run,
    send: Callable[[CeleryMessage], Outcome],
    begin: Callable[[Sequence[Effect]], Outcome | None],
) -> Outcome:
    """Send the messages of the run in the order of celery, and return the outcome of the run.

    `send` sends one message. `begin` writes to the result backend what the workers count with, for
    a chord; it returns None, or the outcome if that failed. After a message that is not confirmed,
    no more are sent: the run is sent again with the same ids, or rejected.
    """
    confirmed = 0
    failed: Outcome | None = None

    def fail(outcome: Outcome | None) -> None:
        nonlocal failed
        if outcome is not None:
            failed = outcome
            raise Unbuildable(outcome.reason)

    keep = producer.on_message
    try:
        ids = RunIds(run.task_id)
        with denied_join_result(), captured(app, producer, ids) as effects:

            def begin_chords() -> None:
                now = tuple(effects)
                effects.clear()
                if now:
                    fail(begin(now))

            def on_message(message: CeleryMessage) -> None:
                nonlocal confirmed
                if "task" not in message.headers:
                    send(message)  # an event, for which nobody waits
                    return
                begin_chords()
                if not confirmed:
                    refuse_pickle(app, message, run)
                outcome = send(message)
                fail(None if outcome.sent == "confirmed" else outcome)
                confirmed += 1

            producer.on_message = on_message
            apply_canvas(app, run, ids)
            begin_chords()
    except Exception as error:
        # An app's own routers, serializers and task classes may raise anything.
        failed = failed or Outcome("rejected", str(cannot_be_sent(run, one_line(error))))
    finally:
        producer.on_message = keep
    if failed is None:
        if confirmed:
            return Outcome("confirmed")
        return Outcome("rejected", str(cannot_be_sent(run, "its apply_async sent nothing")))
    if not confirmed:
        return failed
    text = f"{confirmed} message{'s' if confirmed > 1 else ''} of the run went out before this one"
    reason = f"{failed.reason}; {text}"
    return Outcome("rejected" if failed.sent == "rejected" else "unknown", reason)
