"""Find the Redis lists to which a message must be pushed.

In kombu's Redis, a queue is a list and an exchange is a table of queues.
"""

from collections.abc import Iterable
from typing import Any

import redis
from msgspec import Struct

from beatd.publishers.message import Route

ROUTES_KEPT_MAX = 2000  # whose lists are remembered


class Lists(Struct, frozen=True):
    """The Redis keys to which the messages of one destination are pushed.

    `keys` are the lists to push on. `topics` are the channels of a fanout exchange to publish on.
    `expiring` are lists that expire, each with its time to live in milliseconds.
    """

    keys: tuple[str, ...]
    topics: tuple[str, ...] = ()
    expiring: tuple[tuple[str, int], ...] = ()


class Bindings:
    """Finds the Redis lists of message destinations, and caches them for one connection.

    The lists of a named exchange are read again for each batch, because workers change them.
    """

    def __init__(self) -> None:
        self.lists: dict[Route, Lists] = {}
        self._declared: set[Route] = set()

    def forget(self) -> None:
        self.lists.clear()
        self._declared.clear()

    def resolve(self, channel: Any, routes: Iterable[Route]) -> dict[Route, Exception]:
        """Find the Redis lists of these message destinations, and store them in `lists`.

        Return the error of each destination without lists. Raises the error of a lost connection.
        """
        if len(self.lists) > ROUTES_KEPT_MAX or len(self._declared) > ROUTES_KEPT_MAX:
            self.forget()
            channel.state.clear()  # kombu's own memory of each queue that was declared
        refused: dict[Route, Exception] = {}
        for route in [route for route in self.lists if route.exchange]:
            del self.lists[route]
        new = set(routes) - self.lists.keys()
        # All routes are declared before any table is read: one may bind the queue of another.
        for step in (self._declare_once, self._look_up, self._look_again):
            tables: dict[str, Any] = {}
            for route in new - self.lists.keys() - refused.keys():
                try:
                    step(channel, route, tables)
                except (redis.ConnectionError, redis.TimeoutError, OSError):
                    raise
                except Exception as error:
                    refused[route] = error
        return refused

    def _declare_once(self, channel: Any, route: Route, tables: dict[str, Any]) -> None:
        if route not in self._declared:
            for entity in route.declare:
                entity(channel).declare()
            self._declared.add(route)

    def _look_up(self, channel: Any, route: Route, tables: dict[str, Any]) -> None:
        exchange, key = route.exchange, route.routing_key
        if exchange and channel.typeof(exchange).type == "fanout":
            self.lists[route] = Lists((), topics(channel, exchange, key))
        elif found := queues(channel, exchange, key, tables):
            self.lists[route] = lists_of(channel, found, route.priority)

    def _look_again(self, channel: Any, route: Route, tables: dict[str, Any]) -> None:
        # Raises LookupError if no queue is bound even after the queues were declared again.
        # A queue that was declared is gone: Redis lost its memory and kept its connections.
        for entity in route.declare:
            channel.state.queue_bindings_delete(entity.name)  # or kombu would not bind it again
        self._declared.discard(route)
        self._declare_once(channel, route, tables)
        tables.pop(route.exchange, None)
        self._look_up(channel, route, tables)
        if route not in self.lists:
            where = f"exchange {route.exchange!r} for {route.routing_key!r}"
            raise LookupError(f"no queue is bound to {where}")


def queues(channel: Any, exchange: str, key: str, tables: dict[str, Any]) -> list[str]:
    """Return the names of the queues that the exchange binds to the routing key `key`.

    If there are none, return the dead-letter queue, or []. `tables` caches the table of each
    exchange for one batch.
    """
    if not exchange:
        return [key]
    if exchange not in tables:
        tables[exchange] = channel.get_table(exchange)
    found = channel.typeof(exchange).lookup(tables[exchange], exchange, key, None)
    dead = [channel.deadletter_queue] if channel.deadletter_queue else []
    return [queue for queue in found if queue] or dead


def lists_of(channel: Any, found: Iterable[str], priority: int | None) -> Lists:
    """Return the Redis lists that kombu uses for the queues `found` at this priority."""
    given = {"properties": {"priority": priority or channel.default_priority}}
    step = channel._get_message_priority(given)
    keys = tuple(channel._q_for_pri(queue, step) for queue in found)
    expires = getattr(channel, "_expires", {})  # before kombu 5.7 no list expires
    expiring = tuple(
        (channel._q_for_pri(queue, one), expires[queue])
        for queue in found
        if queue in expires
        for one in channel.priority_steps
    )
    return Lists(keys, expiring=expiring)


def topics(channel: Any, exchange: str, key: str) -> tuple[str, ...]:
    """Return the Redis channels on which kombu publishes messages to this fanout exchange."""
    if hasattr(channel, "_get_publish_topics"):
        return tuple(channel._get_publish_topics(exchange, key))
    return (channel._get_publish_topic(exchange, key),)  # before kombu 5.7
