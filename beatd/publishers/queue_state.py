"""Read how many messages wait in the queue of an entry, and how many workers consume it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from celery import Celery
from kombu import Connection
from msgspec import Struct

from beatd.canvas import parts_of
from beatd.entry import Entry, Step
from beatd.publishers.message import one_line
from beatd.publishers.transports import connection_of

INSPECT_S = 1.0  # that workers have to answer


class QueueState(Struct, frozen=True, kw_only=True):
    """The queue that gets an entry's messages, with its numbers of messages and consumers.

    `messages` is the number of waiting messages. `consumers` is the number that RabbitMQ reports,
    or the number of workers that answer `celery inspect` and consume the queue. Each is None if
    unknown. `error` is the reason why the broker could not be read, or "".
    """

    name: str = ""
    exchange: str = ""
    routing_key: str = ""
    messages: int | None = None
    consumers: int | None = None
    error: str = ""


def queue_state(
    app: Celery, entry: Entry, timeout: float, *, answer_s: float = INSPECT_S
) -> QueueState:
    """Return the queue that gets the entry's messages, with its counts read from the broker.

    The broker has `timeout` seconds for each answer, and the workers have `answer_s`.
    Never raises: after an error the result has only `error`.
    """
    try:
        state = destination(app, entry)
        with connection_of(app, timeout) as connection:
            return _with_counts(app, connection, state, answer_s)
    except Exception as error:
        return QueueState(error=one_line(error))


def destination(app: Celery, entry: Entry) -> QueueState:
    """Return the queue, exchange and routing key that celery chooses for the entry.

    Of a canvas, those of its first task. The result has no counts.
    """
    return next(destinations(app, entry))[1]


def destinations(app: Celery, entry: Entry) -> Iterator[tuple[str, QueueState]]:
    """Yield each task that a run of the entry calls, without links, and where celery sends it."""
    if entry.canvas is None:
        yield entry.task, _route(app, entry.task, entry.options)
    else:
        yield from _of_step(app, entry.canvas, entry.options)


def _of_step(app: Celery, step: Step, given: Mapping[str, Any]) -> Iterator[tuple[str, QueueState]]:
    """Yield the tasks of a step. `given` are the options of the canvas around it."""
    # As celery does: an immutable task keeps its own options.
    options = step.options if step.task and step.immutable else {**step.options, **given}
    if step.task:
        yield step.task, _route(app, step.task, options)
    for path, part in parts_of(step):
        # Celery gives the options of a chain to its first task, and those of a chord to its header.
        inherits = path[0] == "group" or path == ("chain", 0) or "header" in path
        yield from _of_step(app, part, options if inherits else {})


def _route(app: Celery, task: str, options: Mapping[str, Any]) -> QueueState:
    given = {key: options[key] for key in ROUTING if key in options}
    route: dict[str, Any] = app.amqp.router.route(given, task)
    queue = route.get("queue")
    name = str(getattr(queue, "name", queue) or "")
    exchange = getattr(queue, "exchange", None) if queue is not None else route.get("exchange")
    exchange_name = str(getattr(exchange, "name", exchange) or "")
    key = str(route.get("routing_key") or getattr(queue, "routing_key", "") or name)
    if exchange_name == name:
        exchange_name = ""  # the direct exchange that celery makes beside each queue
    return QueueState(name=name or key, exchange=exchange_name, routing_key=key)


ROUTING = ("queue", "exchange", "routing_key")


def _with_counts(
    app: Celery, connection: Connection, state: QueueState, answer_s: float
) -> QueueState:
    messages = consumers = None
    with suppress(Exception):  # there is no such queue
        found = connection.default_channel.queue_declare(state.name, passive=True)
        messages = found.message_count
        if connection.transport.driver_type == "amqp":
            consumers = found.consumer_count
    if consumers is None and connection.transport.implements.exchange_type & {"fanout"}:
        consumers = _workers_of(app, connection, state.name, answer_s)
    return QueueState(
        name=state.name,
        exchange=state.exchange,
        routing_key=state.routing_key,
        messages=messages,
        consumers=consumers,
    )


def _workers_of(app: Celery, connection: Connection, queue: str, answer_s: float) -> int | None:
    """Return the number of workers that consume the queue and answer within `answer_s` seconds."""
    inspect = app.control.inspect(connection=connection, timeout=answer_s)
    answers = inspect.active_queues() or {}
    return sum(any(one["name"] == queue for one in queues) for queues in answers.values())
