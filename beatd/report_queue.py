"""The queue for reports from workers, as both the workers and the leading daemon declare it."""

from kombu import Exchange, Queue

MAX_REPORTS = 200_000  # messages that the queue holds when no daemon reads it


def queue_of(name: str) -> Queue:
    """Return the durable queue of this name, bound to the default exchange.

    Publish to the exchange "" with the name as the routing key. RabbitMQ drops the oldest messages
    when the queue is full. Other brokers have no maximum length: there the workers count the
    messages and stop sending.
    """
    return Queue(
        name,
        Exchange(""),
        routing_key=name,
        durable=True,
        queue_arguments={"x-max-length": MAX_REPORTS, "x-overflow": "drop-head"},
    )
