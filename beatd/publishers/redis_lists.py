"""Send messages to Redis: one command pushes up to five hundred messages to the list of a queue."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from time import monotonic
from typing import Any

import redis
from kombu import Connection
from msgspec import Struct

from beatd.publisher import LEAD_LOST, Outcome
from beatd.publishers.kombu_json import KombuJson, KombuJsonOfRun, encoding_channel, pack
from beatd.publishers.message import (
    CONFIRMED,
    CeleryMessage,
    Message,
    Route,
    RunTemplate,
    Transport,
    TransportTemplate,
    one_line,
)
from beatd.publishers.redis_bindings import Bindings, Lists
from beatd.publishers.redis_refusals import is_refusal, refusal
from beatd.servers.redis import unreadable_files
from beatd.servers.redis_command import connection_from
from beatd.servers.sentinel import PrimaryWatch

MESSAGES_PER_COMMAND = 500  # one reply for all of them; Redis serves others in between
COMMANDS_IN_FLIGHT = 4  # between two checks of the lead and the time


class Command(Struct, frozen=True):
    """One encoded Redis command.

    `places` are the indexes, in the batch, of the messages it sends.
    """

    packed: Any
    places: list[int]


class RedisLists(Transport):
    """Sends messages to Redis, up to five hundred in one command.

    Keys and encoding are those of kombu. Each command pushes to one queue, so that a refusal
    concerns only that queue.
    """

    def __init__(self, *, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self._encoder = encoding_channel(connection.transport, connection.transport_options)
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

    def transport_template(self, celery_message: CeleryMessage) -> TransportTemplate | None:
        channel = self._encoder
        encoded, _ = channel.encode_body(b"", channel.body_encoding)
        return KombuJson(channel, celery_message) if isinstance(encoded, str) else None

    def run_template(
        self, celery_message: CeleryMessage, places: Mapping[str, int]
    ) -> RunTemplate | None:
        return KombuJsonOfRun(self._encoder, celery_message, places)

    def pack(self, celery_message: CeleryMessage) -> bytes:
        return pack(self._encoder, celery_message)

    def send(self, messages: Sequence[Message], may_go_on: Callable[[], bool]) -> list[Outcome]:
        outcomes: list[Outcome | None] = [None] * len(messages)
        deadline = monotonic() + self._timeout
        why = self.open() or self._resolve(messages, outcomes)
        if not why:
            commands = self._commands(messages, outcomes)
            while not why and (some := list(islice(commands, COMMANDS_IN_FLIGHT))):
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
        """Return for each message the Redis lists that get it, or an outcome if there are none."""
        outcomes: list[Outcome | None] = [None] * len(messages)
        why = self.open() or self._resolve(messages, outcomes)
        return [
            outcome or (Outcome("unsent", why) if why else self._bindings.lists[message.route])
            for message, outcome in zip(messages, outcomes, strict=True)
        ]

    def prefixed(self, key: str) -> str:
        """Return the Redis key with the app's global_keyprefix in front."""
        return f"{self._channel.global_keyprefix}{key}"

    def server(self) -> tuple[str, int] | None:
        """Return the identity of the Redis server in use, or None if it cannot be read.

        The identity is the server's run_id and the number of the database.
        """
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
        """True if the Redis server was identified on the current connection, not an earlier one."""
        return self._link is not None and self._link is self._asked_on

    def reachable(self) -> bool:
        self._spoken_at = 0.0
        self.why = self.open()
        return not self.why

    def close(self) -> None:
        self._drop()

    def _open(self) -> None:
        # Connect to the current primary if necessary. It must have answered within the last
        # second, or answer a PING now.
        if self._primary is not None and self._primary.moves:
            self._drop()
        for last in (False, True):
            try:
                self._connect()
                # Bytes without a command are most likely the goodbye of the server.
                if monotonic() - self._spoken_at > 1.0 or self._link.can_read():
                    self._link.send_command("PING", check_health=False)
                    if self._link.read_response() != b"PONG":
                        raise redis.ConnectionError("a reply to no command")
                    self._spoken_at = monotonic()
                return
            except redis.ConnectionError:
                self._drop()
                # The connection may have died while it was idle: connect once more.
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
        # The result is "" or why Redis does not answer.
        try:
            refused = self._bindings.resolve(self._channel, {one.route for one in messages})
        except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
            self._drop()
            return one_line(error)
        if refused:
            for place, message in enumerate(messages):
                refused_with = refused.get(message.route)
                if isinstance(refused_with, redis.ResponseError):
                    outcomes[place] = refusal(refused_with)
                elif refused_with is not None:
                    outcomes[place] = Outcome("rejected", one_line(refused_with))
        return ""

    def _commands(
        self, messages: Sequence[Message], outcomes: Sequence[Outcome | None]
    ) -> Iterator[Command]:
        # The last commands set the time to live of lists that expire.
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
            for start in range(0, len(there), MESSAGES_PER_COMMAND):
                some = there[start : start + MESSAGES_PER_COMMAND]
                payloads = [messages[place].payload for place in some]
                # The leftmost is popped last: one command keeps their order as one by one would.
                yield Command(link.pack_command("LPUSH", self.prefixed(key), *payloads), some)
        for key, milliseconds in expiring.items():
            yield Command(link.pack_command("PEXPIRE", self.prefixed(key), milliseconds), [])

    def _send(self, commands: Sequence[Command], outcomes: list[Outcome | None]) -> str:
        # The result is "" or why no more can be sent.
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
            self._drop()  # the name may lead to the new primary by now
        return ""


def settle(outcomes: list[Outcome | None], places: Sequence[int], outcome: Outcome) -> None:
    """Set the outcome of the messages at these indexes.

    A message for several queues gets several outcomes. If they differ, it becomes "rejected" if one
    of them is, else "unknown".
    """
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
