"""Encode celery's messages for the transport, and share the routes of equal destinations."""

from typing import Any

from beatd.publishers.celery_message import cannot_be_sent
from beatd.publishers.message import CeleryMessage, Message, Route, Transport, one_line
from beatd.run import Run

ROUTES_KEPT_MAX = 1000


class Encoder:
    """Makes messages for one transport from celery's messages."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._routes: dict[Any, Route] = {}

    def message(self, celery_message: CeleryMessage, run: Run) -> Message:
        """Return celery's message encoded for the transport. Raises Unbuildable if that fails."""
        try:
            id = celery_message.headers.get("id") or run.task_id
            return Message(self.route(celery_message), self._transport.pack(celery_message), id)
        except Exception as error:
            # The transport cannot write a header or property.
            raise cannot_be_sent(run, one_line(error)) from error

    def route(self, celery_message: CeleryMessage) -> Route:
        """Return the destination of the message. Equal destinations get the same cached object."""
        key = (
            celery_message.exchange,
            celery_message.routing_key,
            celery_message.priority,
            *map(id, celery_message.declare),
        )
        route = self._routes.get(key)
        if route is None:
            if len(self._routes) >= ROUTES_KEPT_MAX:
                self._routes.clear()
            route = Route(
                celery_message.exchange,
                celery_message.routing_key,
                celery_message.priority,
                celery_message.declare,
            )
            self._routes[key] = route
        return route
