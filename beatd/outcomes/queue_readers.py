"""Choose how to read workers' reports from a kind of broker, such as Redis or RabbitMQ."""

from kombu import Connection

from beatd.outcomes.filesystem_queue_reader import FilesystemQueueReader
from beatd.outcomes.kombu_queue_reader import KombuQueueReader
from beatd.outcomes.queue_connection import QueueReader
from beatd.outcomes.rabbitmq_queue_reader import RabbitmqQueueReader
from beatd.outcomes.redis_queue_reader import RedisQueueReader
from beatd.outcomes.sqlalchemy_queue_reader import SqlalchemyQueueReader
from beatd.outcomes.sqs_queue_reader import SqsQueueReader


def queue_reader_on(connection: Connection, name: str, timeout_s: float) -> QueueReader:
    """Return a reader of the queue `name` that suits the kind of broker of a connection.

    It connects at its first read, in at most `timeout_s` seconds.
    """
    kind, driver = connection.transport.driver_type, connection.transport.driver_name
    if driver == "py-amqp":
        return RabbitmqQueueReader(connection, name, timeout_s)
    if driver == "filesystem":
        return FilesystemQueueReader(connection, name, timeout_s)
    if kind == "redis":
        return RedisQueueReader(connection, name, timeout_s)
    if kind == "sql":
        return SqlalchemyQueueReader(connection, name, timeout_s)
    if kind == "sqs":
        return SqsQueueReader(connection, name, timeout_s)
    return KombuQueueReader(connection, name, timeout_s)
