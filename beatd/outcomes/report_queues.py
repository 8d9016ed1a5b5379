"""Choose how the queue of reports is read, by the kind of the broker."""

from kombu import Connection

from beatd.outcomes.filesystem_report_queue import FilesystemReportQueue
from beatd.outcomes.rabbitmq_report_queue import RabbitmqReportQueue
from beatd.outcomes.redis_report_queue import RedisReportQueue
from beatd.outcomes.report_queue import KombuReportQueue, ReportQueue
from beatd.outcomes.sqlalchemy_report_queue import SqlalchemyReportQueue
from beatd.outcomes.sqs_report_queue import SqsReportQueue


def report_queue_on(connection: Connection, name: str, timeout_s: float) -> ReportQueue:
    """Return the queue `name` on the connection's broker; nothing is connected yet.

    `timeout_s` limits the time to connect.
    """
    kind, driver = connection.transport.driver_type, connection.transport.driver_name
    if driver == "py-amqp":
        return RabbitmqReportQueue(connection, name, timeout_s)
    if driver == "filesystem":
        return FilesystemReportQueue(connection, name, timeout_s)
    chosen = {"redis": RedisReportQueue, "sql": SqlalchemyReportQueue, "sqs": SqsReportQueue}
    return chosen.get(kind, KombuReportQueue)(connection, name, timeout_s)
