"""Redis: many messages in one command, on the lists that kombu's workers pop."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from time import monotonic
from typing import Any

import redis
from kombu import Connection
from msgspec import Struct

from beatd.publisher import LEAD_LOST, Outcome
from beatd.publishers.kombu_json import JsonPress, pack, stencil
from beatd.publishers.message import CONFIRMED, Letter, Message, Press, Route, Wire, one_line
from beatd.publishers.redis_bindings import Bindings, Lists
from beatd.publishers.redis_refusals import is_refusal, refusal
from beatd.servers.redis import connection_from, unreadable_files
from beatd.servers.sentinel import PrimaryWatch

AT_ONCE = 500  # messages in one command: a reply each, and no long stop for others
IN_FLIGHT = 4  # commands between two looks at the lead and the time


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
        self._asked_on: Any = None
        self._spoken_at = 0.0
        self._primary: PrimaryWatch | None = None  # behind Sentinels, of the channel's pool
        self._bindings = Bindings()

    def open(self) -> str:
        try:
            self._open()
        except Exception as error:
            self._drop()
            ssl = self._connection.ssl
            return one_line(error) + unreadable_files(ssl if isinstance(ssl, dict) else {})
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
                    why = LEAD_LOST
                if not why:
                    why, some = self._send(some, outcomes), []
            for command in (*some, *commands):
                settle(outcomes, command.places, Outcome("unsent", why))
        return [outcome or Outcome("unsent", why) for outcome in outcomes]

    def lists(self, messages: Sequence[Message]) -> Sequence[Lists | Outcome]:
        """Where each message would go; asked anew for every batch, since bindings change."""
        outcomes: list[Outcome | None] = [None] * len(messages)
        why = self.open() or self._resolve(messages, outcomes)
        return [
            outcome or (Outcome("unsent", why) if why else self._bindings.lists[message.route])
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
        lines = bytes(text).decode().splitlines()
        facts = dict(line.split(":", 1) for line in lines if ":" in line)
        self._asked_on = self._link
        return (facts["run_id"], int(self._link.db)) if "run_id" in facts else None

    @property
    def asked(self) -> bool:
        """Whether the connection in use is the one that `server` was asked on."""
        return self._link is not None and self._link is self._asked_on

    def reachable(self) -> bool:
        self._spoken_at = 0.0
        self.why = self.open()
        return not self.why

    def close(self) -> None:
        self._drop()

    def _open(self) -> None:
        """A connection that has answered within the last second, to the primary of now."""
        if self._primary is not None and self._primary.moves:
            self._drop()
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
        self._link = connection_from(self._channel.pool)
        if hasattr(self._channel.pool, "get_master_address"):
            self._primary = PrimaryWatch(self._channel.pool)

    def _drop(self) -> None:
        link, self._link, self._asked_on = self._link, None, None
        if self._primary is not None:
            self._primary.close()
            self._primary = None
        self._spoken_at = 0.0
        self._bindings.forget()
        if link is not None:
            link.disconnect()
            self._channel.pool.release(link)
        self._connection.collect(socket_timeout=0.1)

    def _resolve(self, messages: Sequence[Message], outcomes: list[Outcome | None]) -> str:
        """Find where each route ends; why not, if the broker is away."""
        try:
            refused = self._bindings.resolve(self._channel, {one.route for one in messages})
        except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
            self._drop()
            return one_line(error)
        if refused:
            for place, message in enumerate(messages):
                told = refused.get(message.route)
                if isinstance(told, redis.ResponseError):
                    outcomes[place] = refusal(told)
                elif told is not None:
                    outcomes[place] = Outcome("rejected", one_line(told))
        return ""

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
            lists = self._bindings.lists[route]
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
        except Exception as error:
            self._drop()
            if is_refusal(error):
                settle(outcomes, left.pop(0).places, Outcome("unsent", one_line(error)))
            for command in left:
                settle(outcomes, command.places, Outcome("unknown", one_line(error)))
            return one_line(error)
        self._spoken_at = monotonic()
        if moved:
            self._drop()  # the name may lead to the new master by now
        return ""


def settle(outcomes: list[Outcome | None], places: Sequence[int], outcome: Outcome) -> None:
    """What goes to several queues and ends in several ways has failed, or is unknown."""
    for place in places:
        before = outcomes[place]
        if before is None:
            outcomes[place] = outcome
        elif before.sent != outcome.sent:
            both = {before.sent: before.reason, outcome.sent: outcome.reason}
            if "rejected" in both:
                outcomes[place] = Outcome("rejected", both["rejected"])
            else:
                outcomes[place] = Outcome("unknown", before.reason or outcome.reason)
