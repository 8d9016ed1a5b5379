"""Celery's own code, run as far as the wire: what it would have sent is caught instead."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from kombu import Connection, Producer

from beatd.publishers.message import Letter


class CatchingProducer(Producer):  # type: ignore[misc]
    """A kombu producer that serialises and routes as any other, then hands over the letter."""

    def __init__(self, connection: Connection) -> None:
        self.caught: list[Letter] = []
        self.on_letter: Callable[[Letter], None] = self.caught.append
        self.spoken: list[tuple[Any, dict[str, Any]]] = []  # bodies as they were before
        self._wanted: list[Any] = []
        super().__init__(_Channel(connection, self._catch), auto_declare=False)

    def publish(self, body: Any, **options: Any) -> Any:
        # Trying again is the engine's business: with `retry` kombu would open a connection.
        options["retry"] = False
        self.spoken.append((body, options))
        return super().publish(body, **options)

    def maybe_declare(self, entity: Any, retry: bool = False, **retry_policy: Any) -> None:
        if entity:
            self._wanted.append(entity)

    def _catch(self, message: dict[str, Any], exchange: str, routing_key: str, **at: Any) -> None:
        declare, self._wanted = tuple(self._wanted), []
        self.on_letter(
            Letter(
                **message,
                exchange=exchange,
                routing_key=routing_key,
                declare=declare,
                mandatory=bool(at.get("mandatory")),
            )
        )


class _Channel:
    """As much of a channel as a producer needs to get a message ready."""

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
