"""Redis: many messages in one command, on the lists that kombu's workers pop."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from time import monotonic
from typing import Any

import redis
from kombu import Connection
from msgspec import Struct

from beatd.publisher import Outcome
from beatd.publishers.kombu_json import JsonPress, pack, stencil
from beatd.publishers.letter import CONFIRMED, Letter, Message, Press, Route, Wire, one_line

AT_ONCE = 500  # messages in one command: a reply each, and no long stop for others
IN_FLIGHT = 4  # commands between two looks at the lead and the time

# Refusals that pass: the command did nothing, and the same one may work later. Behind the text that
# redis-py puts before them in a pipeline.
PASSING = re.compile(
    "(^|caused error: )"
    "(OOM|MISCONF|NOREPLICAS|READONLY|MASTERDOWN|LOADING|BUSY|TRYAGAIN|CLUSTERDOWN) "
)


class Lists(Struct, frozen=True):
    """Where a route ends: lists to push on, or a channel to publish on."""

    keys: tuple[str, ...]
    topics: tuple[str, ...] = ()
    expiring: tuple[tuple[str, int], ...] = ()


class Command(Struct, frozen=True):
    """One command for the messages at these places of the batch; several may share a message."""

    packed: Any
    places: list[int]


class RedisLists(Wire):
    """Keys, payloads and connections are those of kombu's own channel; only the sending is not.

    A batch has one reply per five hundred messages, so that what a broken connection leaves
    unknown is bounded, and a refusal belongs to its queue.
    """

    def __init__(self, *, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self._stencil = stencil(connection.transport, connection.transport_options)
        self._channel: Any = None
        self._link: Any = None
        self._spoken_at = 0.0
        self._lists: dict[Route, Lists] = {}

    def open(self) -> str:
        try:
            self._open()
        except Exception as error:
            self._drop()
            return one_line(error)
        return ""

    def press(self, letter: Letter) -> Press | None:
        channel = self._stencil
        encoded, _ = channel.encode_body(b"", channel.body_encoding)
        return JsonPress(channel, letter) if isinstance(encoded, str) else None

    def pack(self, letter: Letter) -> bytes:
        return pack(self._stencil, letter)

    def send(self, messages: Sequence[Message], may_go_on: Callable[[], bool]) -> list[Outcome]:
        outcomes: list[Outcome | None] = [None] * len(messages)
        deadline = monotonic() + self._timeout
        why = self.open() or self._resolve(messages, outcomes)
        if not why:
            commands = self._commands(messages, outcomes)
            while not why and (some := list(islice(commands, IN_FLIGHT))):
                if monotonic() > deadline:
                    why = f"no time left after {self._timeout:g} s"
                elif not may_go_on():
                    why = "the lead was lost"
                else:
                    why = self._send(some, outcomes)
        return [outcome or Outcome("unsent", why) for outcome in outcomes]

    def lists(self, messages: Sequence[Message]) -> Sequence[Lists | Outcome]:
        """Where each message would go; asked anew for every batch, since bindings change."""
        outcomes: list[Outcome | None] = [None] * len(messages)
        why = self.open() or self._resolve(messages, outcomes)
        return [
            outcome or (Outcome("unsent", why) if why else self._lists[message.route])
            for message, outcome in zip(messages, outcomes, strict=True)
        ]

    def prefixed(self, key: str) -> str:
        return f"{self._channel.global_keyprefix}{key}"

    def server(self) -> tuple[str, int] | None:
        if self.open():
            return None
        try:
            self._link.send_command("INFO", "server")
            text = self._link.read_response(disable_decoding=True)
        except redis.RedisError:
            self._drop()
            return None
        facts = dict(
            line.split(":", 1) for line in bytes(text).decode().splitlines() if ":" in line
        )
        return facts["run_id"], int(self._link.db)

    def reachable(self) -> bool:
        self._spoken_at = 0.0
        return not self.open()

    def close(self) -> None:
        self._drop()

    def _open(self) -> None:
        """A connection that has answered within the last second."""
        for last in (False, True):
            try:
                self._connect()
                # Bytes that nobody asked for are most likely a goodbye.
                if monotonic() - self._spoken_at > 1.0 or self._link.can_read():
                    self._link.send_command("PING", check_health=False)
                    if self._link.read_response() != b"PONG":
                        raise redis.ConnectionError("an answer to something nobody asked")
                    self._spoken_at = monotonic()
                return
            except redis.ConnectionError:
                self._drop()
                # What failed may have been a connection that died while nobody used it.
                if last:
                    raise

    def _connect(self) -> None:
        if self._link is not None:
            return
        connection = self._connection
        if not connection.connected:
            connection.ensure_connection(
                max_retries=1 + len(connection.alt or ()),
                interval_start=0,
                interval_step=0,
                timeout=self._timeout,
                reraise_as_library_errors=False,
            )
        self._channel = connection.default_channel
        self._link = self._channel.pool.get_connection()

    def _drop(self) -> None:
        link, self._link = self._link, None
        self._spoken_at = 0.0
        self._lists.clear()
        if link is not None:
            link.disconnect()
            self._channel.pool.release(link)
        self._connection.collect(socket_timeout=0.1)

    def _resolve(self, messages: Sequence[Message], outcomes: list[Outcome | None]) -> str:
        """Declare what is new and look up where routes end; why not, if the broker is away."""
        refused: dict[Route, Outcome] = {}
        # Bindings to an exchange may have changed since the last batch; the default one's never do.
        for route in [r for r in self._lists if r.exchange]:
            del self._lists[route]
        for route in {message.route for message in messages} - self._lists.keys():
            try:
                self._lists[route] = self._look_up(route)
            except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
                self._drop()
                return one_line(error)
            except redis.ResponseError as error:
                refused[route] = refusal(error)
            except Exception as error:
                refused[route] = Outcome("rejected", one_line(error))
        if refused:
            for place, message in enumerate(messages):
                outcomes[place] = refused.get(message.route)
        return ""

    def _look_up(self, route: Route) -> Lists:
        channel, exchange, key = self._channel, route.exchange, route.routing_key
        for entity in route.declare:
            entity(channel).declare()
        if exchange and channel.typeof(exchange).type == "fanout":
            if hasattr(channel, "_get_publish_topics"):
                return Lists((), tuple(channel._get_publish_topics(exchange, key)))
            return Lists((), (channel._get_publish_topic(exchange, key),))  # before kombu 5.7
        queues = [queue for queue in channel._lookup(exchange, key) if queue]
        if not queues:
            raise LookupError(f"no queue is bound to exchange {exchange!r} for {key!r}")
        properties = {"properties": {"priority": route.priority or channel.default_priority}}
        priority = channel._get_message_priority(properties)
        expiring = [
            (channel._q_for_pri(queue, step), channel._expires[queue])
            for queue in queues
            if queue in channel._expires
            for step in channel.priority_steps
        ]
        return Lists(
            tuple(channel._q_for_pri(queue, priority) for queue in queues),
            expiring=tuple(expiring),
        )

    def _commands(
        self, messages: Sequence[Message], outcomes: Sequence[Outcome | None]
    ) -> Iterator[Command]:
        routes: dict[Route, list[int]] = {}
        for place, message in enumerate(messages):
            if outcomes[place] is None:
                routes.setdefault(message.route, []).append(place)
        places: dict[str, list[int]] = {}
        expiring: dict[str, int] = {}
        link = self._link
        for route, there in routes.items():
            lists = self._lists[route]
            for key in lists.keys:
                places.setdefault(key, []).extend(there)
            for topic in lists.topics:
                for place in there:
                    payload = messages[place].payload
                    packed = link.pack_command("PUBLISH", self.prefixed(topic), payload)
                    yield Command(packed, [place])
            expiring.update(lists.expiring)
        for key, there in places.items():
            for start in range(0, len(there), AT_ONCE):
                some = there[start : start + AT_ONCE]
                payloads = [messages[place].payload for place in some]
                # The leftmost is popped last: one command keeps their order as one by one would.
                yield Command(link.pack_command("LPUSH", self.prefixed(key), *payloads), some)
        for key, milliseconds in expiring.items():
            yield Command(link.pack_command("PEXPIRE", self.prefixed(key), milliseconds), [])

    def _send(self, commands: Sequence[Command], outcomes: list[Outcome | None]) -> str:
        """Send and read the replies; why the rest cannot follow, if so."""
        link, left, moved = self._link, list(commands), False
        try:
            for command in commands:
                link.send_packed_command(command.packed, check_health=False)
            while left:
                try:
                    link.read_response()
                except redis.ResponseError as error:
                    settle(outcomes, left[0].places, refusal(error))
                    moved = moved or isinstance(error, redis.ReadOnlyError)
                else:
                    settle(outcomes, left[0].places, CONFIRMED)
                del left[0]
        except redis.BusyLoadingError as error:
            self._drop()
            for command in left:
                settle(outcomes, command.places, Outcome("unsent", one_line(error)))
            return one_line(error)
        except Exception as error:
            self._drop()
            if isinstance(error.__context__, redis.ReadOnlyError):
                # How redis-py tells that a Sentinel's master has become a replica.
                settle(outcomes, left.pop(0).places, Outcome("unsent", one_line(error)))
            for command in left:
                settle(outcomes, command.places, Outcome("unknown", one_line(error)))
            return one_line(error)
        self._spoken_at = monotonic()
        if moved:
            self._drop()  # the name may lead to the new master by now
        return ""


def settle(outcomes: list[Outcome | None], places: Sequence[int], outcome: Outcome) -> None:
    """A message that goes to several queues ends as the worst of them."""
    for place in places:
        before = outcomes[place]
        if before is None or before.sent == "confirmed":
            outcomes[place] = outcome


def refusal(error: redis.ResponseError) -> Outcome:
    text = one_line(error)
    # Of some redis-py takes the code away, and makes a class of it.
    passing = (
        redis.exceptions.OutOfMemoryError,
        redis.ReadOnlyError,
        redis.exceptions.MasterDownError,
        redis.exceptions.TryAgainError,
    )
    if isinstance(error, passing) or PASSING.search(text):
        return Outcome("unsent", text)
    return Outcome("rejected", text)
