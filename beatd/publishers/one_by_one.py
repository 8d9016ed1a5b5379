"""Any broker kombu knows, one message after the other."""

from collections.abc import Callable, Sequence
from typing import Any

from celery import Celery
from kombu import Connection
from kombu.common import maybe_declare

from beatd.publisher import Outcome
from beatd.publishers.letter import Letter

REDIS = ("redis", "rediss", "sentinel")

CONFIRMED = Outcome("confirmed")


class OneByOne:
    """A wire that speaks through a kombu channel; the transport's reply is the confirmation."""

    def __init__(self, *, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout

    def send(self, letters: Sequence[Letter], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        for letter in letters:
            if not may_go_on():
                break
            outcomes.append(self._send(letter))
            if outcomes[-1].sent in ("unsent", "unknown"):
                break
        left = len(letters) - len(outcomes)
        reason = outcomes[-1].reason if outcomes and left else "no time left"
        return outcomes + [Outcome("unsent", reason)] * left

    def reachable(self) -> bool:
        try:
            self._channel()
        except Exception:
            self._drop()
            return False
        return True

    def close(self) -> None:
        self._drop()

    def _send(self, letter: Letter) -> Outcome:
        connection = self._connection
        try:
            channel = self._channel()
        except Exception as error:
            self._drop()
            return Outcome("unsent", one_line(error))
        try:
            for entity in letter.declare:
                maybe_declare(entity, channel)
            message = channel.prepare_message(
                letter.body,
                letter.priority,
                letter.content_type,
                letter.content_encoding,
                dict(letter.headers),
                dict(letter.properties),
            )
        except connection.connection_errors as error:
            self._drop()
            return Outcome("unsent", one_line(error))
        except Exception as error:
            return Outcome("rejected", one_line(error))
        try:
            channel.basic_publish(message, exchange=letter.exchange, routing_key=letter.routing_key)
        except connection.connection_errors as error:
            self._drop()
            return Outcome("unknown", one_line(error))
        except Exception as error:
            return Outcome("rejected", one_line(error))
        return CONFIRMED

    def _channel(self) -> Any:
        connection = self._connection
        if not connection.connected:
            rounds = 1 + len(connection.alt or ())
            connection.ensure_connection(
                max_retries=rounds, interval_start=0, interval_step=0, timeout=self._timeout
            )
        return connection.default_channel

    def _drop(self) -> None:
        # collect() and not close(): a goodbye to a broker that is away may wait.
        self._connection.collect(socket_timeout=0.1)


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def connection_of(app: Celery, timeout: float) -> Connection:
    """The app's connection for writing, with a time-out wherever it would wait for ever."""
    waits = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    connection: Connection = app.connection_for_write()
    if connection.transport_cls in REDIS:
        connection.transport_options = {**waits, **connection.transport_options}
    connection.connect_timeout = min(timeout, connection.connect_timeout or timeout)
    return connection
