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
    """The destination of messages. Equal routes are one object, since a batch is grouped by
    identity."""

    exchange: str
    routing_key: str
    priority: int | None
    declare: tuple[Any, ...]


class Message(Struct, frozen=True, gc=False):
    """A message ready for its transport: `payload` is what the transport's `pack` or its template
    returned, and `id` is the task id."""

    route: Route
    payload: Any
    id: str
    along: "tuple[Message, ...]" = ()  # celery's events about this message


class EntryFields(Struct, frozen=True):
    """The parts of a message that differ between entries with the same template: the entry's name,
    its arguments as a text for people, and the serialised body."""

    name: str
    argsrepr: str
    kwargsrepr: str
    body: bytes | str


class TransportTemplate(Protocol):
    """A template encoded for one transport: bytes or a message, with marks (random texts) in the
    place of the parts that differ."""

    def fill(self, fields: EntryFields) -> Any:
        """Return the template with the fields of one entry filled in, to be passed to `render`."""

    def render(self, filled: Any, values: Values) -> Any:
        """Return the payload of one message: `filled`, which `fill` returned, with the values of
        one run, in the order of `placeholders.RUN`."""


class Transport(Protocol):
    """One kind of broker, on one connection that the transport opens and replaces by itself."""

    def open(self) -> str:
        """Connect within the time-out; return why that failed, or an empty text."""

    def transport_template(self, celery_message: CeleryMessage) -> TransportTemplate | None:
        """Return this message, which has marks in it, as a template for the transport; None where
        the transport has no templates."""

    def pack(self, celery_message: CeleryMessage) -> Any:
        """Return the payload of one message, encoded as `send` needs it."""

    def send(self, messages: Sequence[Message], may_go_on: Callable[[], bool]) -> list[Outcome]:
        """Return an outcome for each message, in order, within the time-out; never raises."""

    why: str = ""  # why `reachable` was last False; empty if it was True

    def reachable(self) -> bool:
        """True if the broker answers within the time-out."""

    def close(self) -> None: ...


def one_line(error: BaseException) -> str:
    """Return the text of an error without line breaks and passwords; the name of its class if it
    has no text."""
    text = " ".join(hidden(str(error)).split())
    text = text.removeprefix("(0, 0): ")  # amqp writes this where no method is known
    return text or type(error).__name__
