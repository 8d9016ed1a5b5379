"""Brokers with a queue of reports, as a worker and the leader see them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from beatd.outcomes.queue_connection import QueueReader
from beatd.outcomes.queue_readers import queue_reader_on
from beatd.publishers.celery_app import app_for
from beatd.publishers.transports import connection_of
from beatd.worker.report_line import ReportLine
from tests.publishers.brokers import delete, unique

Server = Callable[[str], tuple[str, int]]
BROKERS = ["redis", "rabbitmq", "filesystem", "sqlalchemy", "sqs", "memory"]


class Place:
    """A broker, and the name of a queue of reports on it."""

    def __init__(self, broker: dict[str, Any]) -> None:
        self.app: Celery = app_for(broker)
        self.queue = unique("reports")
        self._opened: list[QueueReader | ReportLine] = []

    def line(self) -> ReportLine:
        """The connection of a worker."""
        line = ReportLine(self.app, self.queue)
        self._opened.append(line)
        return line

    def reader(self) -> QueueReader:
        """The connection of a leader."""
        connection = connection_of(self.app, 2.0, reads=True)
        reader = queue_reader_on(connection, self.queue, 2.0)
        self._opened.append(reader)
        return reader

    def close(self) -> None:
        for opened in self._opened:
            opened.close()


@pytest.fixture(params=BROKERS)
def place(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[Place]:
    broker: dict[str, Any] = {"url": f"{request.param}://"}
    match request.param:
        case "redis":
            host, port = server("redis")
            prefix = {"global_keyprefix": unique("of-this-test")}
            broker = {"url": f"redis://{host}:{port}/0", "transport_options": prefix}
        case "rabbitmq":
            host, port = server("rabbitmq")
            broker = {"url": f"amqp://guest:guest@{host}:{port}//"}
        case "filesystem":
            (tmp_path / "queue").mkdir()
            folders = {"data_folder_in": "queue", "data_folder_out": "queue"}
            folders["control_folder"] = "control"
            broker["transport_options"] = {k: str(tmp_path / v) for k, v in folders.items()}
        case "sqlalchemy":
            broker["url"] = f"sqla+sqlite:///{tmp_path}/broker.db"
        case "sqs":
            broker["url"] = request.getfixturevalue("sqs")
            options = {"is_secure": False, "region": "eu-west-1", "wait_time_seconds": 0}
            broker["transport_options"] = options
        case _:
            pass
    place = Place(broker)
    yield place
    place.close()
    if request.param == "rabbitmq":
        delete(broker["url"], place.queue)
