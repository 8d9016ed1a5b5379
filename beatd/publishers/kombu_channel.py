"""Send messages one by one to any broker that kombu supports."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from kombu import Connection
from kombu.common import maybe_declare

from beatd.publisher import LEAD_LOST, Outcome
from beatd.publishers.kombu_template import KombuTemplate
from beatd.publishers.message import (
    CONFIRMED,
    CeleryMessage,
    Message,
    Transport,
    TransportTemplate,
    kombu_message,
    one_line,
)


class KombuChannel(Transport):
    """Sends messages one by one through kombu, for a broker without a faster transport.

    A message is confirmed when kombu accepts it without an error.
    """

    def __init__(self, *, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout

    def open(self) -> str:
        try:
            self._channel()
        except Exception as error:
            self._drop()
            return one_line(error)
        return ""

    def probe(self, channel: Any) -> None:
        """Raise an error if the broker does not answer.

        A subclass overrides this; here it does nothing.
        """

    def refuses_message(self, error: Exception) -> bool:
        """Return True if the broker refuses only this message, although an outage is likely.

        The class of `error` is then that of an outage. A subclass overrides this; here the result
        is always False.
        """
        return False

    def outcome(self, error: Exception) -> Outcome:
        """Return the outcome of a message for the `error` that publishing it raised.

        It is "unsent" for a local fault such as a full disk, "unknown" for a broken connection,
        else "rejected".
        """
        if isinstance(error.__cause__, OSError) and not isinstance(
            error, self._connection.connection_errors
        ):
            return Outcome("unsent", one_line(error))  # a full disk: kombu's filesystem
        if isinstance(error, self._connection.connection_errors):
            return Outcome("unknown", one_line(error))
        return Outcome("rejected", one_line(error))

    def transport_template(self, celery_message: CeleryMessage) -> TransportTemplate | None:
        return KombuTemplate(celery_message)

    def pack(self, celery_message: CeleryMessage) -> CeleryMessage:
        return celery_message

    def send(self, messages: Sequence[Message], may_go_on: Callable[[], bool]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        deadline = monotonic() + self._timeout
        why = ""
        for message in messages:
            if monotonic() > deadline:
                why = f"no time left after {self._timeout:g} s"
            elif not may_go_on():
                why = LEAD_LOST
            if why:
                break
            outcomes.append(self._send(message.payload))
            if outcomes[-1].sent in ("unsent", "unknown"):
                why = outcomes[-1].reason
        return outcomes + [Outcome("unsent", why)] * (len(messages) - len(outcomes))

    def reachable(self) -> bool:
        try:
            self.probe(self._channel())
        except Exception as error:
            self._drop()
            self.why = one_line(error)
            return False
        self.why = ""
        return True

    def close(self) -> None:
        self._drop()

    def _send(self, celery_message: CeleryMessage) -> Outcome:
        connection = self._connection
        try:
            channel = self._channel()
        except Exception as error:
            self._drop()
            return Outcome("unsent", one_line(error))
        try:
            for entity in celery_message.declare:
                maybe_declare(entity, channel)
            message = kombu_message(channel, celery_message)
        except Exception as error:
            if self.refuses_message(error) or not _is_outage(error, connection):
                return Outcome("rejected", one_line(error))
            self._drop()
            return Outcome("unsent", one_line(error))
        try:
            channel.basic_publish(
                message, exchange=celery_message.exchange, routing_key=celery_message.routing_key
            )
        except Exception as error:
            outcome = self.outcome(error)
            if outcome.sent != "rejected":
                self._drop()
            return outcome
        return CONFIRMED

    def _channel(self) -> Any:
        """Return the open kombu channel; connect first if necessary, which may raise an error."""
        connection = self._connection
        if not connection.connected:
            connection.ensure_connection(
                max_retries=1 + len(connection.alt or ()),
                interval_start=0,
                interval_step=0,
                timeout=self._timeout,
            )
        return connection.default_channel

    def _drop(self) -> None:
        # close() would wait for the goodbye of a broker that may be away.
        self._connection.collect(socket_timeout=0.1)


def _is_outage(error: Exception, connection: Connection) -> bool:
    # A broken connection, a full disk or no free file descriptor, raised before the message was
    # published; not a fault of the message itself.
    kinds = (OSError, *connection.connection_errors)
    return isinstance(error, kinds) or isinstance(error.__cause__, OSError)
