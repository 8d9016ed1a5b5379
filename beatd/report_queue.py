"""The message queue through which workers report to the daemon; both declare it here."""

from kombu import Exchange, Queue

MAX_REPORTS = 200_000  # messages that the queue holds when no daemon reads it


def queue_of(name: str) -> Queue:
    """Return the durable kombu queue of this name, which receives messages by its name as routing
    key.

    RabbitMQ drops the oldest messages when the queue is full. Other brokers have no maximum length:
    there the workers count the messages and stop sending.
    """
    return Queue(
        name,
        Exchange(""),
        routing_key=name,
        durable=True,
        queue_arguments={"x-max-length": MAX_REPORTS, "x-overflow": "drop-head"},
    )
