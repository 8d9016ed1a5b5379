"""A message on its way from celery to the broker, and the transport that sends it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from beatd.publisher import Outcome
from beatd.publishers.placeholders import Values
from beatd.secret import hidden

CONFIRMED = Outcome("confirmed")


class CeleryMessage(Struct, frozen=True):
    """A message as celery passes it to kombu: serialised and routed, not yet encoded."""

    body: bytes | str
    content_type: str
    content_encoding: str
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    priority: int | None
    exchange: str
    routing_key: str
    declare: tuple[Any, ...]  # kombu queues and exchanges that must exist first
    mandatory: bool = False


class Route(Struct, frozen=True, eq=False):
    """The destination of messages. Equal ones are one object: a batch is grouped by identity."""

    exchange: str
    routing_key: str
    priority: int | None
    declare: tuple[Any, ...]


class Message(Struct, frozen=True, gc=False):
    """A message as its transport sends it."""

    route: Route
    payload: Any
    id: str
    along: "tuple[Message, ...]" = ()  # celery's events about this message


class EntryFields(Struct, frozen=True):
    """The parts of a message that differ between the entries of a template."""

    name: str
    argsrepr: str
    kwargsrepr: str
    body: bytes | str


class TransportTemplate(Protocol):
    """A template as a transport encodes it: bytes, or a message, with marks in it."""

    def fill(self, fields: EntryFields) -> Any:
        """Return the template with the parts of one entry in it."""

    def render(self, filled: Any, values: Values) -> Any:
        """Return the payload of one message; the values are those of `placeholders.RUN`."""


class Transport(Protocol):
    """One kind of broker, on one connection that the transport opens and replaces by itself."""

    def open(self) -> str:
        """Connect within the time-out; return why that failed, or an empty text."""

    def transport_template(self, celery_message: CeleryMessage) -> TransportTemplate | None:
        """Return the template of a message with marks in it; None where the transport has none."""

    def pack(self, celery_message: CeleryMessage) -> Any:
        """Return the payload of one message."""

    def send(self, messages: Sequence[Message], may_go_on: Callable[[], bool]) -> list[Outcome]:
        """Return an outcome for each message, in order, within the time-out; never raises."""

    why: str = ""  # why `reachable` was last False; empty if it was True

    def reachable(self) -> bool:
        """True if the broker answers."""

    def close(self) -> None: ...


def one_line(error: BaseException) -> str:
    """Return the text of an error without line breaks and passwords; its class if it has none."""
    text = " ".join(hidden(str(error)).split())
    text = text.removeprefix("(0, 0): ")  # amqp writes this where no method is known
    return text or type(error).__name__
