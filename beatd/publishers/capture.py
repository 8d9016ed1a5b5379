"""Capture the messages that celery would send, without sending them."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from kombu import Connection, Producer

from beatd.publishers.message import CeleryMessage


class CapturingProducer(Producer):  # type: ignore[misc]
    """A kombu producer that builds messages as usual, but does not send them.

    It passes each message to `on_message`, which by default appends it to `captured`.
    """

    def __init__(self, connection: Connection) -> None:
        self.captured: list[CeleryMessage] = []
        self.on_message: Callable[[CeleryMessage], None] = self.captured.append
        self.calls: list[tuple[Any, dict[str, Any]]] = []  # body and options of each publish
        self._wanted: list[Any] = []
        super().__init__(_Channel(connection, self._capture), auto_declare=False)

    def publish(self, body: Any, **options: Any) -> Any:
        # The engine retries; with `retry` kombu would open a connection.
        options["retry"] = False
        self.calls.append((body, options))
        return super().publish(body, **options)

    def maybe_declare(self, entity: Any, retry: bool = False, **retry_policy: Any) -> None:
        if entity:
            self._wanted.append(entity)

    def _capture(self, message: dict[str, Any], exchange: str, routing_key: str, **at: Any) -> None:
        # kombu calls this in place of a channel's basic_publish.
        declare, self._wanted = tuple(self._wanted), []
        self.on_message(
            CeleryMessage(
                **message,
                exchange=exchange,
                routing_key=routing_key,
                declare=declare,
            )
        )


class _Channel:
    """A fake kombu channel, without a connection, on which a producer prepares messages."""

    def __init__(self, connection: Connection, basic_publish: Any) -> None:
        self.connection = SimpleNamespace(client=connection)
        self.basic_publish = basic_publish

    def prepare_message(
        self,
        body: bytes | str,
        priority: int | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
        headers: dict[str, Any] | None = None,
        properties: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        return {
            "body": body,
            "priority": priority,
            "content_type": content_type,
            "content_encoding": content_encoding,
            "headers": headers or {},
            "properties": properties or {},
        }
