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


def kombu_message(channel: Any, celery_message: CeleryMessage) -> Any:
    """Return the message as the kombu channel makes it; its values may be changed later."""
    return channel.prepare_message(
        celery_message.body,
        celery_message.priority,
        celery_message.content_type,
        celery_message.content_encoding,
        dict(celery_message.headers),
        # A channel changes the properties and the delivery_info in them.
        {**celery_message.properties, "delivery_info": {}},
    )


class Route(Struct, frozen=True, eq=False):
    """The destination of messages. Messages with the same destination share one Route object,
    because a batch is grouped by the identity of its routes."""

    exchange: str
    routing_key: str
    priority: int | None
    declare: tuple[Any, ...]


class Message(Struct, frozen=True, gc=False):
    """A message that is ready to be sent. `payload` is the message as its transport encoded it, and
    `id` is the task id."""

    route: Route
    payload: Any
    id: str
    along: "tuple[Message, ...]" = ()  # celery's events about this message


class EntryFields(Struct, frozen=True):
    """The parts of a message in which entries of the same task and options differ. `argsrepr` and
    `kwargsrepr` are the arguments as a text for people; `body` is serialised."""

    name: str
    argsrepr: str
    kwargsrepr: str
    body: bytes | str


class TransportTemplate(Protocol):
    """A template (a message with gaps where messages of entries and runs differ), encoded for one
    transport."""

    def fill(self, fields: EntryFields) -> Any:
        """Return the template with the fields of one entry filled in. The result is the `filled` of
        `render`."""

    def render(self, filled: Any, values: Values) -> Any:
        """Return the payload of one message: `filled`, a result of `fill`, with the values of one
        run filled in. `values` are in the order of `placeholders.RUN`."""


class Transport(Protocol):
    """Sends messages to one kind of broker, over one connection that it opens and replaces by
    itself."""

    def open(self) -> str:
        """Connect within the time-out. Return an empty text, or the reason why no message can be
        sent."""

    def transport_template(self, celery_message: CeleryMessage) -> TransportTemplate | None:
        """Return a template made of this message, in which marks (random texts) stand for the parts
        that differ between messages. Return None if the transport cannot make templates."""

    def pack(self, celery_message: CeleryMessage) -> Any:
        """Return the message encoded for this transport, as the `payload` of a Message."""

    def send(self, messages: Sequence[Message], may_go_on: Callable[[], bool]) -> list[Outcome]:
        """Send the messages within the time-out; return one outcome for each, in order. Never
        raises. Messages not yet sent when the time is over, or when `may_go_on` returns False, are
        "unsent"."""

    why: str = ""  # why `reachable` was last False; empty if it was True

    def reachable(self) -> bool:
        """True if the broker answers within the time-out; otherwise `why` holds the reason."""

    def close(self) -> None: ...


def one_line(error: BaseException) -> str:
    """Return the text of an error without line breaks and passwords; the name of its class if it
    has no text."""
    text = " ".join(hidden(str(error)).split())
    text = text.removeprefix("(0, 0): ")  # amqp writes this where no method is known
    return text or type(error).__name__
